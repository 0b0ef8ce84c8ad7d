"""Machines found in what was seen of entities.

- `observation`: an entity seen in a state, and its place among the others
- `observation_source`: tables of others that observations are read from
- `draft`: what an inference reads and how it chooses
- `edge`: steps counted from observations
- `candidate`: machines built of steps, and their drawings
- `shadow`: two machines that are asked the same
- `engine`: all of it together
- `protocol`: what stores can do; `memory`, `sqlite`, `postgres`, `redis`, `mongodb` are stores, `factory` chooses one
"""

from spikard.fsm.former_paths import front_of

__getattr__ = front_of(__name__)
