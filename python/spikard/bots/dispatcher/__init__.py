"""From updates to handlers.

- `dispatcher`: the root router, one update and many
- `polling`: asking the server
- `lanes`: what is handled at once, and what one after another
- `errors`, `error_event`: what failed
"""

from spikard.bots.dispatcher.dispatcher import Dispatcher
from spikard.bots.dispatcher.error_event import ErrorEvent
from spikard.bots.router import Router

__all__ = ["Dispatcher", "ErrorEvent", "Router"]
