"""Processes that bring waiting events to entities.

- `config`: their settings
- `machines`: the machines they know
- `fenced_store`: an entity's step and the end of its event, kept as one
- `outcome`: what becomes of an event
- `process`: the loop
- `health`: how it stands
"""

from spikard.fsm.former_paths import front_of

__getattr__ = front_of(__name__)
