"""API keys on real sockets."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from spikard import ApiKeyConfig, HTTPException, Request, ServerConfig, Spikard
from tests.served import Served

Serve = Callable[[Spikard], Served]
OWNERS = {"k-ada": {"name": "ada", "roles": ["admin"]}, "k-bob": {"name": "bob"}}


def protected(config: ApiKeyConfig) -> Spikard:
    """Says who asks."""
    app = Spikard(ServerConfig(api_key_auth=config))

    @app.get("/me")
    async def me(request: Request) -> dict[str, Any]:
        return {"user": request.user, "auth": request.auth}

    return app


def owner(key: str) -> dict[str, Any] | None:
    return OWNERS.get(key)


async def owner_later(key: str) -> dict[str, Any] | None:
    await asyncio.sleep(0)
    return OWNERS.get(key)


@pytest.mark.parametrize("known", [owner, owner_later])
def test_the_application_knows_the_keys(serve: Serve, known: Callable[[str], Any]) -> None:
    served = serve(protected(ApiKeyConfig(keys=known)))
    answer = served.client.get("/me", headers={"x-api-key": "k-ada"})
    assert answer.json() == {"user": OWNERS["k-ada"], "auth": {"scheme": "api_key", "principal": OWNERS["k-ada"]}}
    refused = served.client.get("/me", headers={"x-api-key": "k-eve"})
    assert (refused.status_code, refused.json()["title"]) == (401, "Invalid API key")
    absent = served.client.get("/me")
    assert (absent.status_code, absent.json()["title"]) == (401, "Missing API key")


def test_true_and_false_will_do(serve: Serve) -> None:
    served = serve(protected(ApiKeyConfig(keys=lambda key: key == "right")))
    assert served.client.get("/me", headers={"x-api-key": "right"}).json()["user"] is True
    assert served.client.get("/me", headers={"x-api-key": "wrong"}).status_code == 401


def test_any_object_is_the_same_object(serve: Serve) -> None:
    class User:
        pass

    user = User()
    app = Spikard(ServerConfig(api_key_auth=ApiKeyConfig(keys=lambda _key: user)))

    @app.get("/same")
    async def same(request: Request) -> bool:
        return request.user is user and request.auth["principal"] is user

    assert serve(app).client.get("/same", headers={"x-api-key": "x"}).json() is True


def test_a_list_gives_the_key(serve: Serve) -> None:
    served = serve(protected(ApiKeyConfig(keys=["one", "two"])))
    assert served.client.get("/me", params={"api_key": "two"}).json()["user"] == "two"


@pytest.mark.parametrize("is_async", [False, True])
def test_a_function_that_fails(serve: Serve, is_async: bool) -> None:
    def plain(key: str) -> Any:
        if key == "full":
            raise HTTPException(429, "Too many of them")
        raise ValueError("the database is on fire")

    async def later(key: str) -> Any:
        await asyncio.sleep(0)
        return plain(key)

    served = serve(protected(ApiKeyConfig(keys=later if is_async else plain)))
    broken = served.client.get("/me", headers={"x-api-key": "x"})
    assert (broken.status_code, broken.json()["title"]) == (500, "Internal Server Error")
    assert "fire" not in broken.text
    full = served.client.get("/me", headers={"x-api-key": "full"})
    assert (full.status_code, full.json()["detail"]) == (429, "Too many of them")


def test_deprecated_keys(serve: Serve) -> None:
    served = serve(protected(ApiKeyConfig(keys=owner, deprecated_keys=["old", "k-bob"])))
    old = served.client.get("/me", headers={"x-api-key": "old"})
    assert (old.status_code, old.headers["x-api-key-deprecated"], old.json()["user"]) == (200, "true", "old")
    bob = served.client.get("/me", headers={"x-api-key": "k-bob"})
    assert (bob.headers["x-api-key-deprecated"], bob.json()["user"]) == ("true", OWNERS["k-bob"])
    assert "x-api-key-deprecated" not in served.client.get("/me", headers={"x-api-key": "k-ada"}).headers
