"""The application object and its life: start-up, serving, faults, shutdown.

- `application`: `Spikard`, where routes, handlers and hooks come together
- `faults`: what an exception becomes
- `lifespan`: what runs before the first and after the last request
- `loop`: the event loop whose selector is the HTTP server
- `serving`: from start-up to drained, in one coroutine
- `runner`: `app.run()`, the process around `serving`
"""

from spikard.app.application import Spikard
from spikard.app.loop import driver_of, new_event_loop
from spikard.app.serving import Listening, Stop, run_owned, serve

__all__ = ["Listening", "Spikard", "Stop", "driver_of", "new_event_loop", "run_owned", "serve"]
