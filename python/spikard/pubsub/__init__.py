"""Messages between the processes of an application.

- `protocol`: what a bus does
- `memory`: buses within one process
- `redis`: buses over Redis, for workers and machines (extra `redis`)
"""

from spikard.pubsub.memory import MemoryBus, MemoryMedium
from spikard.pubsub.protocol import Bus, BusCounts, Deliver

__all__ = ["Bus", "BusCounts", "Deliver", "MemoryBus", "MemoryMedium"]
