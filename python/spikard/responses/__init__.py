"""Answers: one class per kind.

- `json`, `html`, `plain_text`: content with a fixed media type
- `redirect`: an answer that sends the client elsewhere
- `streaming`: a body that is made while it is sent
- `event_stream`: server-sent events; `event`: one of them; `event_producer`: where they come from
- `FileResponse`, of the native module: a file, opened and sent without Python
- `problem`: faults as RFC 9457 documents
"""

from spikard._spikard import FileResponse, Response
from spikard.responses.event import SseEvent
from spikard.responses.event_producer import SseEventProducer
from spikard.responses.event_stream import EventStreamResponse
from spikard.responses.html import HTMLResponse
from spikard.responses.json import JSONResponse
from spikard.responses.plain_text import PlainTextResponse
from spikard.responses.redirect import RedirectResponse
from spikard.responses.streaming import StreamingResponse

__all__ = [
    "EventStreamResponse",
    "FileResponse",
    "HTMLResponse",
    "JSONResponse",
    "PlainTextResponse",
    "RedirectResponse",
    "Response",
    "SseEvent",
    "SseEventProducer",
    "StreamingResponse",
]
