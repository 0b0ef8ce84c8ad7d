"""Where entities are kept.

- `row`: what is kept of an entity, and what a step changes
- `protocol`: what stores can do
- `client`, `factory`, `batch`: connecting, choosing by URL, many entities at once
- `memory`, `sqlite`, `postgres`, `redis`, `mongodb`: where they are kept
- `sql`, `schema`: what the two in SQL share; `partitions`: the past in PostgreSQL by months
- `session`: entities over a connection of somebody else
"""

from spikard.fsm.former_paths import front_of

__getattr__ = front_of(__name__)
