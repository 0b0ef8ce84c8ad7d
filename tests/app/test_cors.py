"""Scripts of other sites: what holds beyond a single route, and below routes."""

from collections.abc import AsyncIterator

import pytest

from spikard import HTTPException, Response, Router, ServerConfig, Spikard, StreamingResponse
from spikard.config import CorsConfig, RouteConfig
from spikard.errors import RouteError
from tests.conftest import Serve

SITE = "https://a.example"
ORIGIN = {"origin": SITE}
ONLY_SITE = CorsConfig(allowed_origins=[SITE])


def app_with(cors: CorsConfig | None = ONLY_SITE, **fields: object) -> Spikard:
    return Spikard(config=ServerConfig(cors=cors, **fields))


def preflight(client, path: str, method: str, origin: str = SITE):
    return client.options(path, headers={"origin": origin, "access-control-request-method": method})


def test_every_kind_of_answer_may_be_read(serve: Serve) -> None:
    app = app_with()

    @app.get("/broken")
    async def broken() -> str:
        raise ZeroDivisionError

    @app.get("/refused")
    async def refused() -> str:
        raise HTTPException(410)

    @app.get("/streamed")
    async def streamed() -> StreamingResponse:
        async def chunks() -> AsyncIterator[str]:
            yield "a"
            yield "b"

        return StreamingResponse(chunks())

    client = serve(app).client
    for path, status in [("/broken", 500), ("/refused", 410), ("/streamed", 200), ("/nowhere", 404), ("/%ff", 400)]:
        response = client.get(path, headers=ORIGIN)
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == SITE, path
        assert response.headers["vary"] == "Origin", path


def test_what_a_handler_says_itself_stands(serve: Serve) -> None:
    app = app_with(CorsConfig(allowed_origins=[SITE], allow_credentials=True, expose_headers=["X-Total"]))

    @app.get("/")
    async def root() -> Response:
        own = {"Access-Control-Allow-Origin": "https://own.example", "Vary": "Accept"}
        return Response("x", headers=own)

    headers = serve(app).client.get("/", headers=ORIGIN).headers
    assert headers["access-control-allow-origin"] == "https://own.example"
    assert "access-control-allow-credentials" not in headers
    assert headers["vary"] == "Accept, Origin"


def test_a_foreign_request_does_not_reach_its_handler(serve: Serve) -> None:
    app, calls = app_with(), []

    @app.post("/")
    async def root() -> str:
        calls.append(1)
        return "done"

    client = serve(app).client
    response = client.post("/", headers={"origin": "https://evil.example"})
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["type"].endswith("/cors-forbidden")
    assert response.json()["detail"] == "CORS request from origin 'https://evil.example' not allowed"
    assert calls == []
    assert client.post("/").json() == "done"


def test_the_site_itself_is_never_blocked(serve: Serve) -> None:
    app = app_with()

    @app.post("/")
    async def root() -> str:
        return "done"

    served = serve(app)
    assert served.client.post("/", headers={"origin": served.url}).json() == "done"
    assert served.client.post("/", headers={"origin": served.url.replace("http:", "https:")}).status_code == 403


def test_a_websocket_from_elsewhere_is_refused_before_the_upgrade(serve: Serve) -> None:
    app = app_with(CorsConfig(allowed_origins=[SITE], block_disallowed=False))

    @app.get("/")
    async def root() -> str:
        return "plain"

    client = serve(app).client
    upgrade = {"connection": "upgrade", "upgrade": "WebSocket", "sec-websocket-version": "13"}
    assert client.get("/", headers={"origin": "https://evil.example"}).status_code == 200
    assert client.get("/", headers={"origin": "https://evil.example", **upgrade}).status_code == 403
    assert client.get("/", headers={**ORIGIN, **upgrade}).status_code != 403


def test_routes_and_routers_have_policies_of_their_own(serve: Serve) -> None:
    app = app_with()
    other = CorsConfig(allowed_origins=["https://b.example"], allowed_methods=["GET", "PUT"], max_age=5)
    router = Router("/b", config=RouteConfig(cors=other))

    async def answer() -> str:
        return "answer"

    router.get("/x")(answer)
    router.put("/x")(answer)
    router.get("/off", config=RouteConfig(cors=None))(answer)
    app.include_router(router)
    app.get("/a")(answer)
    client = serve(app).client
    assert client.get("/a", headers=ORIGIN).status_code == 200
    assert client.get("/b/x", headers=ORIGIN).status_code == 403
    assert client.get("/b/x", headers={"origin": "https://b.example"}).status_code == 200
    off = client.get("/b/off", headers={"origin": "https://c.example"})
    assert (off.status_code, "vary" in off.headers) == (200, False)
    granted = preflight(client, "/b/x", "PUT", "https://b.example")
    assert granted.status_code == 204
    assert granted.headers["access-control-max-age"] == "5"
    assert granted.headers["access-control-allow-methods"] == "GET, PUT"
    assert preflight(client, "/b/x", "PUT").status_code == 403
    # With CORS off there, it is an ordinary OPTIONS.
    plain = preflight(client, "/b/off", "GET", "https://b.example")
    assert plain.status_code == 204
    assert plain.headers["allow"] == "GET, HEAD, OPTIONS"
    assert "access-control-allow-origin" not in plain.headers


def test_one_route_alone_may_be_open(serve: Serve) -> None:
    app = app_with(None)

    @app.get("/open", config=RouteConfig(cors=CorsConfig()))
    async def opened() -> str:
        return "open"

    @app.get("/closed")
    async def closed() -> str:
        return "closed"

    client = serve(app).client
    assert client.get("/open", headers=ORIGIN).headers["access-control-allow-origin"] == "*"
    closed_answer = client.get("/closed", headers=ORIGIN)
    assert closed_answer.status_code == 200
    assert "access-control-allow-origin" not in closed_answer.headers
    assert preflight(client, "/open", "GET").headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in preflight(client, "/closed", "GET").headers


def test_a_preflight_may_ask_about_what_no_route_answers(serve: Serve) -> None:
    client = serve(app_with()).client
    granted = preflight(client, "/nowhere", "PATCH")
    assert granted.status_code == 204
    assert "PATCH" in granted.headers["access-control-allow-methods"]
    assert granted.content == b""


def test_a_pattern_the_server_cannot_use_is_named_at_once() -> None:
    app = app_with(None)
    with pytest.raises(RouteError, match="allowed_origin_regex"):

        @app.get("/", config=RouteConfig(cors=CorsConfig(allowed_origins=[], allowed_origin_regex="(?=x)x")))
        async def root() -> str:
            return "never"
