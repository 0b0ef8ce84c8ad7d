"""Processes that bring waiting events to entities.

- `config`: their settings
- `machines`: the machines they know
- `lane`: one kind of event, claimed and settled
- `runner`: the steps of many events at once
- `outcome`: what becomes of an event
- `timers`: timers of entities, as something to take
- `process`: the loop
- `health`: how it stands
"""

from spikard.fsm.former_paths import front_of

__getattr__ = front_of(__name__)
