"""Events that wait in a database for workers.

- `event`, `status`: what waits, and what has become of it
- `source`: what workers take events from
- `table`: the statements of a table of events
- `database`: sources in SQLite and PostgreSQL
- `client`, `submission`: for those who submit
"""

from spikard.fsm.former_paths import front_of

__getattr__ = front_of(__name__)
