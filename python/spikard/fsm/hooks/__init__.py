"""Whoever watches transitions.

- `protocol`: what a hook has
- `observer`: tells hooks what happens
- `logging`, `metrics`, `dwell`: hooks that write lines, count, and measure how long states are held
- `webhook`: tells other services of failures, by `delivery`
- `tracing`, `prometheus`: spans and figures for those who collect them
"""

from spikard.fsm.former_paths import front_of

__getattr__ = front_of(__name__)
