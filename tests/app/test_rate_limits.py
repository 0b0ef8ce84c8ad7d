"""Rate limits on real sockets."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from spikard import HTTPException, RateLimitConfig, Request, Router, ServerConfig, Spikard
from spikard.config import RouteConfig
from spikard.testing import freeze_time
from spikard.testing.frozen_time import FrozenTime
from tests.served import Served
from tests.tls_relay import TlsRelay

Serve = Callable[[Spikard], Served]


@pytest.fixture(autouse=True)
def held() -> Iterator[FrozenTime]:
    """No time passes but what a test lets pass."""
    with freeze_time("2030-01-01T00:00:00Z") as time:
        yield time


def limited(limit: RateLimitConfig | None, **routes: Any) -> Spikard:
    """Two routes, and others with limits of their own."""
    app = Spikard(ServerConfig(rate_limit=limit))
    for name in ("a", "b"):
        app.get(f"/{name}")(handler)
    for name, config in routes.items():
        app.get(f"/{name}", config=RouteConfig(rate_limit=config))(handler)
    return app


async def handler() -> str:
    return "in"


def statuses(served: Served, *paths: str, **headers: str) -> list[int]:
    return [served.client.get(path, headers=headers).status_code for path in paths]


def test_one_limit_for_all_routes(serve: Serve, held: FrozenTime) -> None:
    served = serve(limited(RateLimitConfig(per_second=1, burst=3)))
    assert statuses(served, "/a", "/b", "/a", "/b", "/a") == [200, 200, 200, 429, 429]
    held.tick(1)
    assert statuses(served, "/a", "/b") == [200, 429]
    held.tick(3)
    answer = served.client.get("/a")
    assert (answer.headers["x-ratelimit-remaining"], answer.headers["x-ratelimit-reset"]) == ("2", "1893456005")


def test_routes_and_routers_have_limits_of_their_own(serve: Serve) -> None:
    own, shared = RateLimitConfig(1, 1), RateLimitConfig(1, 2)
    app = limited(RateLimitConfig(1, 1), own=own, off=None, c=shared, d=shared)
    router = Router("/r", config=RouteConfig(rate_limit=RateLimitConfig(1, 2)))
    for name in ("x", "y"):
        router.get(f"/{name}")(handler)
    app.include_router(router)
    served = serve(app)
    assert statuses(served, "/a", "/b") == [200, 429]
    assert statuses(served, "/own", "/own") == [200, 429]
    assert statuses(served, "/off", "/off", "/off") == [200, 200, 200]
    assert statuses(served, "/c", "/d", "/c") == [200, 200, 429]
    assert statuses(served, "/r/x", "/r/y", "/r/x") == [200, 200, 429]


def by_header(request: Request) -> str:
    if request.headers.get("x-client") == "bad":
        raise HTTPException(400, "No such client")
    return request.headers["x-client"]


async def by_header_later(request: Request) -> str:
    await asyncio.sleep(0)
    return by_header(request)


@pytest.mark.parametrize("key", [by_header, by_header_later])
def test_a_function_gives_the_key(serve: Serve, key: Callable[[Request], Any]) -> None:
    served = serve(limited(RateLimitConfig(1, 1, key=key)))
    assert [statuses(served, "/a", **{"x-client": name})[0] for name in ("1", "1", "2", "2", "bad")] == [
        200, 429, 200, 429, 400,
    ]  # fmt: skip
    # What fails is answered as everywhere.
    assert statuses(served, "/a") == [500]


def test_a_key_of_the_wrong_kind(serve: Serve) -> None:
    served = serve(limited(RateLimitConfig(1, 1, key=lambda _request: 7)))  # type: ignore[arg-type,return-value]
    assert statuses(served, "/a") == [500]


def test_the_function_knows_the_route(serve: Serve) -> None:
    seen = []

    def key(request: Request) -> str:
        seen.append((request.route.path, request.path_params, request.client is not None))
        return request.path_params["item"]

    app = Spikard(ServerConfig(rate_limit=RateLimitConfig(1, 1, key=key)))

    @app.get("/items/{item}")
    async def item(item: str, request: Request) -> str:
        return f"{item} {request.path}"

    served = serve(app)
    assert served.client.get("/items/a").json() == "a /items/a"
    assert statuses(served, "/items/a", "/items/b") == [429, 200]
    assert seen[0] == ("/items/{item}", {"item": "a"}, True)


def test_what_is_refused_does_not_reach_hooks_before_validation(serve: Serve) -> None:
    app, seen = limited(RateLimitConfig(1, 1)), []

    @app.pre_validation
    def before(request: Request) -> None:
        seen.append(request.path)

    @app.on_response
    def after(response: Any) -> None:
        seen.append(response.status_code)

    served = serve(app)
    assert statuses(served, "/a", "/b") == [200, 429]
    assert seen == ["/a", 200, 429]


def test_an_exception_handler_may_answer(serve: Serve) -> None:
    app = limited(RateLimitConfig(1, 1))

    @app.exception_handler(429)
    def slow_down(request: Request, exc: HTTPException) -> tuple[dict[str, str], int]:
        return {"wait": str(exc.detail)}, 429

    served = serve(app)
    served.client.get("/a")
    answer = served.client.get("/a")
    assert answer.json() == {"wait": "Rate limit exceeded. Try again in 1 seconds."}
    assert answer.headers["x-ratelimit-remaining"] == "0"


def test_redis_is_shared_by_servers(serve: Serve, redis_url: str, held: FrozenTime) -> None:
    prefix = f"test-{uuid4()}"
    config = RateLimitConfig(1, 2, store=redis_url, prefix=prefix)
    one, other = serve(limited(config)), serve(limited(config))
    assert statuses(one, "/a") + statuses(other, "/b", "/b") + statuses(one, "/a") == [200, 200, 429, 429]
    refused = other.client.get("/a")
    assert (refused.headers["retry-after"], refused.headers["x-ratelimit-remaining"]) == ("1", "0")
    held.tick(1)
    assert statuses(one, "/a", "/a") == [200, 429]
    # Another prefix is another application.
    assert statuses(serve(limited(config.copy(prefix=prefix + "2"))), "/a") == [200]


def test_redis_keeps_its_own_time(serve: Serve, redis_url: str) -> None:
    import redis

    prefix = f"test-{uuid4()}"
    long = "k" * 1000
    config = RateLimitConfig(0.001, 2, key=lambda _request: long, store=redis_url, prefix=prefix)
    served = serve(limited(config))
    with redis.Redis.from_url(redis_url) as client:
        (name,) = [key for _ in statuses(served, "/a") for key in client.scan_iter(f"{prefix}:*")]
        assert len(name) < 150
        assert 999_000 <= client.pttl(name) <= 1_001_000


def test_redis_over_tls(
    serve: Serve, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place = urlsplit(redis_url)
    with TlsRelay(place.port or 6379, tmp_path) as relay:
        config = RateLimitConfig(1, 2, store=f"rediss://localhost:{relay.port}{place.path}", prefix=f"test-{uuid4()}")
        # An authority that nobody knows: no Redis, no limit.
        assert statuses(serve(limited(config)), *["/a"] * 4) == [200] * 4
        assert [record.levelname for record in caplog.records if "rate limits" in record.message] == ["WARNING"]
        monkeypatch.setenv("SSL_CERT_FILE", str(relay.authority))
        one, other = serve(limited(config)), serve(limited(config))
        assert statuses(one, "/a") + statuses(other, "/b", "/b") + statuses(one, "/a") == [200, 200, 429, 429]
    assert len([record for record in caplog.records if "rate limits" in record.message]) == 1


def test_a_dead_redis_lets_everybody_in(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"redis://:hidden@127.0.0.1:{closed.getsockname()[1]}/0"
        served = serve(limited(RateLimitConfig(1, 1, store=url)))
        assert statuses(served, *["/a"] * 5) == [200] * 5
    warnings = [record for record in caplog.records if "rate limits" in record.message]
    assert [record.levelname for record in warnings] == ["WARNING"]
    assert "hidden" not in warnings[0].message


def test_a_redis_that_is_none_lets_everybody_in(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    def hang_up() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    import threading

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hang_up)
        thread.start()
        served = serve(limited(RateLimitConfig(1, 1, store=f"redis://127.0.0.1:{listener.getsockname()[1]}")))
        assert statuses(served, "/a", "/a", "/a") == [200, 200, 200]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert len([record for record in caplog.records if "rate limits" in record.message]) == 1
