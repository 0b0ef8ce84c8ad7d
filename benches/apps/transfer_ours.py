"""Ours, moving a gigabyte: in as a stream, out as a stream and as a file."""

import sys
from collections.abc import AsyncIterator

from spikard import FileResponse, Request, Spikard, StreamingResponse
from spikard.config import RouteConfig, ServerConfig

PORT, FILE, SIZE = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
CHUNK = bytes(65536)
app = Spikard(ServerConfig(port=PORT, max_body_size=2 * SIZE))


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello"}


@app.post("/up", config=RouteConfig(stream_body=True))
async def up(request: Request) -> dict[str, int]:
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
    return {"bytes": count}


async def chunks() -> AsyncIterator[bytes]:
    for _ in range(SIZE // len(CHUNK)):
        yield CHUNK


@app.get("/down")
async def down() -> StreamingResponse:
    return StreamingResponse(chunks(), media_type="application/octet-stream")


@app.get("/file")
async def file() -> FileResponse:
    return FileResponse(FILE)


if __name__ == "__main__":
    app.run()
