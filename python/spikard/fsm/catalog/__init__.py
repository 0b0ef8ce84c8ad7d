"""What machines, guards and actions there are by name.

- `entry`: a guard or an action and where its code is; `entry_point`, `source_code` find it
- `manifest`: entries as YAML
- `registration`: entries into registries
- `from_store`: machines out of stores
- `machine_catalog`: definitions in a database with their revisions; `machine_record`, `machine_errors`: what it gives
  and raises
"""

from spikard.fsm.former_paths import front_of

__getattr__ = front_of(__name__)
