"""Starlette, moving a gigabyte, for any ASGI server."""

import os
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, StreamingResponse
from starlette.routing import Route

FILE, SIZE = os.environ["TRANSFER_FILE"], int(os.environ["TRANSFER_SIZE"])
CHUNK = bytes(65536)


async def hello(_request: Request) -> JSONResponse:
    return JSONResponse({"message": "Hello"})


async def up(request: Request) -> JSONResponse:
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
    return JSONResponse({"bytes": count})


async def chunks() -> AsyncIterator[bytes]:
    for _ in range(SIZE // len(CHUNK)):
        yield CHUNK


async def down(_request: Request) -> StreamingResponse:
    return StreamingResponse(chunks(), media_type="application/octet-stream")


async def file(_request: Request) -> FileResponse:
    return FileResponse(FILE)


app = Starlette(
    routes=[
        Route("/hello", hello),
        Route("/up", up, methods=["POST"]),
        Route("/down", down),
        Route("/file", file),
    ]
)
