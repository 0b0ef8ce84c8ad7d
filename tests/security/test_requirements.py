"""What routes demand of whoever asks."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from spikard import ApiKeyConfig, JwtConfig, Request, Router, ServerConfig, Spikard
from spikard.config import RouteConfig
from spikard.errors import ConfigError, RouteError
from spikard.security import Requirement, requires
from tests.served import Served

Serve = Callable[[Spikard], Served]
SECRET = "a secret of thirty-two bytes or more"
OWNERS = {"admin": {"roles": ["admin"]}, "user": {"roles": "user reader"}, "odd": 7}


def bearer(**claims: Any) -> dict[str, str]:
    return {"authorization": "Bearer " + jwt.encode({"exp": time.time() + 3600, **claims}, SECRET)}


@pytest.fixture
def served(serve: Serve) -> Served:
    app = Spikard(ServerConfig(jwt_auth=JwtConfig(secret=SECRET), api_key_auth=ApiKeyConfig(keys=OWNERS.get)))

    @app.get("/closed")
    async def closed() -> str:
        return "closed"

    @app.get("/open", security=None)
    async def opened(request: Request) -> dict[str, Any]:
        return request.auth

    @app.get("/off", config=RouteConfig(auth=None))
    async def off() -> str:
        return "off"

    @app.get("/keys", config=RouteConfig(auth=ApiKeyConfig(keys=["own"])))
    async def keys() -> str:
        return "keys"

    @app.get("/admin", security=requires(roles=["admin"]))
    async def admin() -> str:
        return "admin"

    @app.get("/write", security=requires(scopes=["read", "write"]))
    async def write() -> str:
        return "write"

    @app.get("/any", security=requires(scopes=["write"], roles=["admin"], require_all=False))
    async def either() -> str:
        return "any"

    @app.get("/nested", security=requires(permissions=["p"], permissions_claim="resource.api.permissions"))
    async def nested() -> str:
        return "nested"

    @app.get("/known", security=requires())
    async def known() -> str:
        return "known"

    inner = Router("/inner", config=RouteConfig(auth=JwtConfig(secret=SECRET, audience="inner")))

    @inner.get("/a")
    async def a() -> str:
        return "a"

    @inner.get("/b", config=RouteConfig(auth=None))
    async def b() -> str:
        return "b"

    app.include_router(inner)
    return serve(app)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/closed", {}, 401),
        ("/closed", bearer(), 200),
        ("/open", {}, 200),
        ("/open", {"authorization": "Bearer rubbish"}, 200),
        ("/off", {}, 200),
        ("/keys", {"x-api-key": "own"}, 200),
        ("/keys", {"x-api-key": "admin"}, 401),
        ("/keys", bearer(), 401),
        ("/admin", {}, 401),
        ("/admin", bearer(), 403),
        ("/admin", bearer(roles=["user", "admin"]), 200),
        ("/admin", bearer(roles="user admin"), 200),
        ("/admin", bearer(roles=["administrator"]), 403),
        ("/admin", {"x-api-key": "admin"}, 200),
        ("/admin", {"x-api-key": "user"}, 403),
        ("/admin", {"x-api-key": "odd"}, 403),
        ("/write", bearer(scope="read"), 403),
        ("/write", bearer(scope="write openid read"), 200),
        ("/any", bearer(scope="read"), 403),
        ("/any", bearer(scope="write"), 200),
        ("/any", bearer(roles=["admin"]), 200),
        ("/nested", bearer(resource={"api": {"permissions": ["p"]}}), 200),
        ("/nested", bearer(resource={"api": {"permissions": ["q"]}}), 403),
        ("/nested", bearer(resource=["api"]), 403),
        ("/known", {}, 401),
        ("/known", bearer(), 200),
        ("/inner/a", bearer(), 401),
        ("/inner/a", bearer(aud="inner"), 200),
        ("/inner/b", {}, 200),
    ],
)
def test_who_may_do_what(served: Served, path: str, headers: dict[str, str], status: int) -> None:
    assert served.client.get(path, headers=headers).status_code == status


def test_the_answer_says_what_is_missing(served: Served) -> None:
    answer = served.client.get("/write", headers=bearer(scope="read"))
    assert answer.json()["detail"] == "Required scopes 'write' missing"
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="api", error="insufficient_scope", error_description="Required scopes \'write\' missing"'
    )
    assert answer.headers["cache-control"] == "no-store"


def test_a_demand_that_nothing_can_meet_ends_the_start(serve: Serve) -> None:
    app = Spikard()

    @app.get("/admin", security=requires(roles=["admin"]))
    async def admin() -> None:
        pass

    with pytest.raises(ConfigError, match="/admin demands"):
        serve(app)


@pytest.mark.parametrize("security", [False, "admin", ["admin"], [], 7])
def test_anything_else_is_refused_at_registration(security: Any) -> None:
    app = Spikard()
    with pytest.raises(RouteError, match="security"):
        app.get("/x", security=security)(lambda: None)


def test_requirements() -> None:
    assert requires(scopes=["a"], roles=("b",)) == Requirement(scopes=("a",), roles=("b",))
    with pytest.raises(ValueError, match="list of names"):
        requires(roles="admin")
    with pytest.raises(ValueError, match="not empty"):
        requires(roles=[""])
