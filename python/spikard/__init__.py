"""Spikard: a web framework whose server is the event loop's selector.

- `app`: the application and its life
- `routing`: routes, routers, registration on the current application
- `di`: values that handlers ask for and the application makes
- `params`: where a handler's arguments come from
- `responses`: kinds of answers
- `config`: every setting
- `exceptions`: what handlers raise
- `datastructures`: headers, query parameters, state
- `sse`, `websocket`: streams of events, messages in both directions
- `background`: work beside and after the answer
- `testing`: clients for tests
"""

from spikard import background
from spikard._spikard import Request, __version__
from spikard.app.application import Spikard
from spikard.background import BackgroundTasks
from spikard.config import (
    ApiKeyConfig,
    CompressionConfig,
    CorsConfig,
    JwtConfig,
    RateLimitConfig,
    ServerConfig,
    StaticFilesConfig,
)
from spikard.datastructures import UploadFile
from spikard.di import Inject, Provide
from spikard.exceptions import HTTPException, ProblemDetails, ValidationException
from spikard.params import Body, Cookie, File, Form, Header, Path, Query
from spikard.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from spikard.responses.encoding import register_encoder
from spikard.routing.decorators import delete, get, head, options, patch, post, put, route, trace
from spikard.routing.route import HttpMethod, Route
from spikard.routing.router import Router
from spikard.schema.custom import register_decoder
from spikard.sse import EventStreamResponse, SseEvent, SseEventProducer, sse
from spikard.websocket import WebSocket, WebSocketDisconnect, websocket

App = Spikard

__all__ = [
    "ApiKeyConfig",
    "App",
    "BackgroundTasks",
    "Body",
    "CompressionConfig",
    "Cookie",
    "CorsConfig",
    "EventStreamResponse",
    "File",
    "FileResponse",
    "Form",
    "HTMLResponse",
    "HTTPException",
    "Header",
    "HttpMethod",
    "Inject",
    "JSONResponse",
    "JwtConfig",
    "Path",
    "PlainTextResponse",
    "ProblemDetails",
    "Provide",
    "Query",
    "RateLimitConfig",
    "RedirectResponse",
    "Request",
    "Response",
    "Route",
    "Router",
    "ServerConfig",
    "Spikard",
    "SseEvent",
    "SseEventProducer",
    "StaticFilesConfig",
    "StreamingResponse",
    "UploadFile",
    "ValidationException",
    "WebSocket",
    "WebSocketDisconnect",
    "__version__",
    "background",
    "delete",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "register_decoder",
    "register_encoder",
    "route",
    "sse",
    "trace",
    "websocket",
]
