"""From updates to handlers.

- `dispatcher`: the root router, one update and many
- `polling_run`: one `start_polling`; `stopping`: what ends it
- `polling`: asking the server; `lease`: who may
- `delivery`: taken over, kept, handled, dropped; `window`: not twice
- `lanes`: what is handled at once, and what one after another
- `errors`, `error_event`: what failed
"""

from spikard.bots.dispatcher.dispatcher import Dispatcher
from spikard.bots.dispatcher.error_event import ErrorEvent
from spikard.bots.router import Router

__all__ = ["Dispatcher", "ErrorEvent", "Router"]
