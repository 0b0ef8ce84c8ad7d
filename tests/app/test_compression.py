"""Compressed answers and request bodies."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from typing import Any

import brotli
import pytest

from spikard import CompressionConfig, PlainTextResponse, Response, ServerConfig, Spikard, StreamingResponse
from spikard.config import RouteConfig
from tests.conftest import Serve
from tests.served import Served

ZSTD_MAGIC = bytes.fromhex("28b52ffd")
LARGE = {"text": "so it goes on and on " * 5_000}
SMALL = {"text": "x"}


def app_with(config: CompressionConfig | None) -> Spikard:
    app = Spikard(ServerConfig(compression=config))

    @app.get("/large")
    async def large() -> dict[str, str]:
        return LARGE

    @app.get("/small")
    async def small() -> dict[str, str]:
        return SMALL

    @app.get("/image")
    async def image() -> Response:
        return Response(b"\x89PNG" * 1000, media_type="image/png")

    @app.get("/tagged")
    async def tagged() -> Response:
        return PlainTextResponse("t" * 3_000, headers={"ETag": '"1"', "Vary": "Cookie"})

    @app.get("/fixed")
    async def fixed() -> Response:
        return PlainTextResponse("t" * 3_000, headers={"Cache-Control": "no-transform"})

    @app.get("/coded")
    async def coded() -> Response:
        return PlainTextResponse(gzip.compress(b"t" * 3_000), headers={"Content-Encoding": "gzip"})

    @app.get("/own", config=RouteConfig(compression=CompressionConfig(min_size=0, zstd=False, brotli=False)))
    async def own() -> dict[str, str]:
        return SMALL

    @app.get("/off", config=RouteConfig(compression=None))
    async def off() -> dict[str, str]:
        return LARGE

    @app.post("/echo")
    async def echo(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @app.post("/ignore")
    async def ignore() -> str:
        return "ignored"

    return app


def raw(served: Served, path: str, accept: str | None, method: str = "GET") -> tuple[Any, bytes]:
    """Headers and the body as it came over the wire."""
    request = served.client.build_request(method, path)
    del request.headers["accept-encoding"]
    if accept is not None:
        request.headers["accept-encoding"] = accept
    response = served.client.send(request, stream=True)
    body = b"".join(response.iter_raw())
    response.close()
    return response, body


@pytest.fixture
def served(serve: Serve) -> Served:
    return serve(app_with(CompressionConfig()))


def test_the_client_chooses_the_coding(served: Served) -> None:
    plain = raw(served, "/large", None)[1]
    for accept, coding in (
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("*", "zstd"),
        ("zstd;q=0, br;q=0, *;q=0.1", "gzip"),
    ):
        response, body = raw(served, "/large", accept)
        assert response.headers["content-encoding"] == coding, accept
        assert response.headers["vary"] == "Accept-Encoding"
        assert response.headers["content-length"] == str(len(body))
        assert len(body) < len(plain) / 20
        decoded = {
            "gzip": gzip.decompress,
            "br": brotli.decompress,
            # Checked against the reference decoder in the Rust tests.
            "zstd": lambda body: plain if body.startswith(ZSTD_MAGIC) else body,
        }[coding](body)
        assert decoded == plain


@pytest.mark.parametrize("accept", [None, "", "identity", "deflate", "gzip;q=0, *;q=0", "identity;q=0", "gzip;q=9"])
def test_who_accepts_none_gets_none_but_learns_of_them(served: Served, accept: str | None) -> None:
    response, body = raw(served, "/large", accept)
    assert "content-encoding" not in response.headers
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.headers["content-length"] == str(len(body))


@pytest.mark.parametrize("path", ["/small", "/image", "/fixed", "/off"])
def test_what_is_not_worth_it_is_left_alone(served: Served, path: str) -> None:
    response, _ = raw(served, path, "gzip")
    assert not {"content-encoding", "vary"} & set(response.headers)


def test_what_is_coded_already_is_not_coded_again(served: Served) -> None:
    response, body = raw(served, "/coded", "gzip, br")
    assert (response.headers["content-encoding"], gzip.decompress(body)) == ("gzip", b"t" * 3_000)


def test_tags_become_weak_and_vary_grows(served: Served) -> None:
    response, _ = raw(served, "/tagged", "gzip")
    assert (response.headers["etag"], response.headers["vary"]) == ('W/"1"', "Cookie, Accept-Encoding")
    response, _ = raw(served, "/tagged", None)
    assert (response.headers["etag"], response.headers["vary"]) == ('"1"', "Cookie, Accept-Encoding")


def test_head_says_what_get_would(served: Served) -> None:
    _, body = raw(served, "/large", "gzip")
    head, nothing = raw(served, "/large", "gzip", "HEAD")
    assert nothing == b""
    assert head.headers["content-length"] == str(len(body))
    assert head.headers["content-encoding"] == "gzip"


def test_a_route_has_its_own_way(served: Served) -> None:
    response, body = raw(served, "/own", "zstd, br, gzip")
    assert response.headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == b'{"text":"x"}'


def test_problems_are_compressed_too(serve: Serve) -> None:
    response, body = raw(serve(app_with(CompressionConfig(min_size=0))), "/nowhere", "gzip")
    assert (response.status_code, response.headers["content-encoding"]) == (404, "gzip")
    assert b"not-found" in gzip.decompress(body)


def test_off_is_off(serve: Serve) -> None:
    served = serve(app_with(None))
    response, _ = raw(served, "/large", "gzip")
    assert not {"content-encoding", "vary"} & set(response.headers)
    # A route may still want it.
    assert raw(served, "/own", "gzip")[0].headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("quality", [0, 1, 9, 11])
def test_every_quality_is_taken(serve: Serve, quality: int) -> None:
    served = serve(app_with(CompressionConfig(quality=quality, exclude_types=["text/csv"])))
    for accept in ("gzip", "br", "zstd"):
        assert raw(served, "/large", accept)[0].headers["content-encoding"] == accept


def test_excluded_types(serve: Serve) -> None:
    served = serve(app_with(CompressionConfig(exclude_types=["application/*"])))
    assert "content-encoding" not in raw(served, "/large", "gzip")[0].headers
    assert "content-encoding" in raw(served, "/tagged", "gzip")[0].headers


def test_each_piece_of_a_stream_can_be_read_at_once(serve: Serve) -> None:
    app, gate = Spikard(), asyncio.Event()

    async def pieces() -> AsyncIterator[str]:
        yield "first"
        await gate.wait()
        yield "second"

    @app.get("/")
    async def handler() -> StreamingResponse:
        return StreamingResponse(pieces(), media_type="text/plain")

    served = serve(app)
    decoder = zlib.decompressobj(wbits=31)
    with served.client.stream("GET", "/", headers={"accept-encoding": "gzip"}) as response:
        assert response.headers["content-encoding"] == "gzip"
        assert response.headers["transfer-encoding"] == "chunked"
        chunks = response.iter_raw()
        text = b""
        while text != b"first":
            text += decoder.decompress(next(chunks))
        served.loop.call_soon_threadsafe(gate.set)
        text += b"".join(decoder.decompress(chunk) for chunk in chunks)
    assert text == b"firstsecond"
    assert decoder.eof


CODED = {"gzip": gzip.compress, "br": brotli.compress}


@pytest.mark.parametrize("coding", CODED)
def test_compressed_bodies_are_taken_when_asked_for(serve: Serve, coding: str) -> None:
    served = serve(app_with(CompressionConfig(decode_requests=True)))
    body = b'{"text": "' + b"x" * 2_000 + b'"}'
    headers = {"content-type": "application/json", "content-encoding": coding}
    response = served.client.post("/echo", content=CODED[coding](body), headers=headers)
    assert (response.status_code, response.json()) == (200, {"text": "x" * 2_000})


def test_bodies_are_refused_in_codings_nobody_undoes(serve: Serve) -> None:
    body = gzip.compress(b"{}")
    for config, taken in ((CompressionConfig(), "identity"), (None, "identity")):
        client = serve(app_with(config)).client
        response = client.post("/echo", content=body, headers={"content-encoding": "gzip"})
        assert (response.status_code, response.headers["accept-encoding"]) == (415, taken)
        assert response.headers["content-type"] == "application/problem+json"
    client = serve(app_with(CompressionConfig(decode_requests=True))).client
    for coding in ("compress", "gzip, gzip", "?"):
        response = client.post("/echo", content=body, headers={"content-encoding": coding})
        assert (response.status_code, response.headers["accept-encoding"]) == (415, "zstd, br, gzip")
    plain = client.post("/echo", content=b"{}", headers={"content-encoding": "identity"})
    assert (plain.status_code, plain.json()) == (200, {})
    # Nobody reads this one.
    assert client.post("/ignore", content=body, headers={"content-encoding": "compress"}).status_code == 200


@pytest.mark.parametrize("coding", CODED)
def test_the_limit_is_on_what_comes_out(serve: Serve, coding: str) -> None:
    app = Spikard(ServerConfig(max_body_size=10_000, compression=CompressionConfig(decode_requests=True)))

    @app.post("/")
    async def handler(body: bytes) -> int:
        return len(body)

    client = serve(app).client
    headers = {"content-type": "application/octet-stream", "content-encoding": coding}

    def status(size: int) -> int:
        return client.post("/", content=CODED[coding](b"x" * size), headers=headers).status_code

    assert [status(10_000), status(10_001), status(50_000_000)] == [200, 413, 413]
    broken = client.post("/", content=CODED[coding](b"x" * 100)[:-3], headers=headers)
    assert (broken.status_code, broken.json()["detail"]) == (400, f"The request body is not valid {coding}")
