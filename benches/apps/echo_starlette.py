"""Starlette, echoing, for any ASGI server."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket


async def connection(ws: WebSocket) -> None:
    await ws.accept()
    async for message in ws.iter_bytes():
        await ws.send_bytes(message)


async def hello(_request: Request) -> JSONResponse:
    return JSONResponse({"message": "Hello"})


app = Starlette(routes=[WebSocketRoute("/connection", connection), Route("/hello", hello)])
