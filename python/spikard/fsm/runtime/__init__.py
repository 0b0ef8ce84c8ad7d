"""Machines, their entities and what has become of them, behind one front.

- `runtime`, `asynchronous`: the front, and the same awaited
- `session`: the front for one machine
- `functions`: single calls
- `past`: what entities have gone through
- `snapshot`: what is answered
- `observer`: who is told
- `errors`: what may be wrong
"""

from spikard.fsm.former_paths import front_of

__getattr__ = front_of(__name__)
