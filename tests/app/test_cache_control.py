"""What routes say about the keeping of their answers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from spikard import FileResponse, HTTPException, Response, Router, Spikard, StreamingResponse
from spikard.config import CompressionConfig, RouteConfig
from tests.conftest import Serve
from tests.served import Served

MINUTE = RouteConfig(cache_control="public, max-age=60")


def app_with(file: Path) -> Spikard:
    app = Spikard()

    @app.get("/{status:int}", config=MINUTE)
    async def answer(status: int) -> Response:
        return Response(status_code=status)

    @app.get("/own", config=MINUTE)
    async def own() -> Response:
        return Response("x", headers={"Cache-Control": "no-store"})

    @app.get("/thread", config=MINUTE)
    def thread() -> str:
        return "x"

    @app.get("/raised", config=MINUTE)
    async def raised() -> None:
        raise HTTPException(404)

    @app.get("/streamed", config=MINUTE)
    async def streamed() -> StreamingResponse:
        async def chunks() -> AsyncIterator[str]:
            yield "x"

        return StreamingResponse(chunks())

    @app.get("/file", config=MINUTE)
    async def whole() -> FileResponse:
        return FileResponse(file)

    fixed = RouteConfig(cache_control="no-transform", compression=CompressionConfig(min_size=0))

    @app.get("/fixed", config=fixed)
    async def untouched() -> dict[str, str]:
        return {"text": "x" * 2_000}

    @app.get("/plain")
    async def plain() -> str:
        return "x"

    router = Router(prefix="/router", config=MINUTE)

    @router.get("/inherited")
    async def inherited() -> str:
        return "x"

    @router.get("/other", config=RouteConfig(cache_control="private"))
    async def other() -> str:
        return "x"

    app.include_router(router)
    return app


@pytest.fixture
def served(serve: Serve, tmp_path: Path) -> Served:
    file = tmp_path / "tea.txt"
    file.write_text("Assam")
    return serve(app_with(file))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/200", "public, max-age=60"),
        ("/204", "public, max-age=60"),
        ("/304", "public, max-age=60"),
        ("/302", None),
        ("/400", None),
        ("/503", None),
        ("/raised", None),
        ("/x", None),
        ("/own", "no-store"),
        ("/thread", "public, max-age=60"),
        ("/streamed", "public, max-age=60"),
        ("/plain", None),
        ("/router/inherited", "public, max-age=60"),
        ("/router/other", "private"),
    ],
)
def test_successful_answers_that_say_nothing_get_what_the_route_says(
    served: Served, path: str, expected: str | None
) -> None:
    assert served.client.get(path).headers.get("cache-control") == expected


def test_a_file_that_has_not_changed_may_be_kept_for_as_long(served: Served) -> None:
    first = served.client.get("/file")
    again = served.client.get("/file", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert first.headers["cache-control"] == again.headers["cache-control"] == "public, max-age=60"


def test_what_the_route_forbids_to_transform_is_not_compressed(served: Served) -> None:
    response = served.client.get("/fixed", headers={"Accept-Encoding": "gzip"})
    assert response.headers["cache-control"] == "no-transform"
    assert "content-encoding" not in response.headers
