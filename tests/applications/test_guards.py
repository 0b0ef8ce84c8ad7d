"""Applications as programs write them: rate limits, tokens, API keys."""

import time
from typing import Any

import httpx
import jwt
import pytest

from spikard import Spikard
from spikard.config import ApiKeyConfig, JwtConfig, RateLimitConfig, ServerConfig
from spikard.testing import TestClient, freeze_time

SECRET = "a text that is long enough for the longest of the hashes it is used with"


async def answer() -> Any:
    return {"message": "in"}


def guarded(config: ServerConfig, *paths: str) -> Spikard:
    """Routes that are nothing but reached or not."""
    app = Spikard(config=config)
    for path in paths or ("/items",):
        app.register_route("GET", path, body_schema=None, parameter_schema=None, file_params=None)(answer)
    return app


def token(key: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    return jwt.encode({"sub": "ada", "exp": time.time() + 3600, **claims}, key, algorithm=algorithm)


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def told(response: httpx.Response) -> tuple[int, str, str]:
    """Status, title and detail of a refusal."""
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["title"], response.json()["detail"]


async def test_a_burst_and_what_is_over_it() -> None:
    limit = RateLimitConfig(per_second=1, burst=3, ip_based=False)
    with freeze_time("2030-01-01T00:00:00Z") as held:
        async with TestClient(guarded(ServerConfig(rate_limit=limit), "/items", "/other")) as client:
            answers = [await client.get(path) for path in ("/items", "/other", "/items", "/items")]
            assert [one.status_code for one in answers] == [200, 200, 200, 429]
            assert [one.headers["x-ratelimit-remaining"] for one in answers] == ["2", "1", "0", "0"]
            assert told(answers[3]) == (429, "Too Many Requests", "Rate limit exceeded. Try again in 1 seconds.")
            assert answers[3].headers["retry-after"] == "1"
            held.tick(1)
            assert (await client.get("/items")).json() == {"message": "in"}


async def test_a_limit_for_each_address() -> None:
    # In this mode the peer's address is the key; it must be known without any proxy.
    limit = RateLimitConfig(per_second=1, burst=1)
    with freeze_time("2030-01-01T00:00:00Z"):
        async with TestClient(guarded(ServerConfig(rate_limit=limit))) as client:
            assert [(await client.get("/items")).status_code for _ in range(3)] == [200, 429, 429]


async def test_an_application_keeps_its_limit_to_itself() -> None:
    config = ServerConfig(rate_limit=RateLimitConfig(per_second=1, burst=1))
    with freeze_time("2030-01-01T00:00:00Z"):
        async with TestClient(guarded(config)) as one, TestClient(guarded(config)) as other:
            assert [(await client.get("/items")).status_code for client in (one, other, one)] == [200, 200, 429]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            {},
            (401, "Missing or invalid Authorization header", "Expected 'Authorization: Bearer <token>'"),
        ),
        (
            {"Authorization": "Basic YTpi"},
            (
                401, "Invalid Authorization header format",
                "Authorization header must use Bearer scheme: 'Bearer <token>'",
            ),
        ),
        (
            bearer("one.two"),
            (
                401, "Malformed JWT token",
                "Malformed JWT token: expected 3 parts separated by dots, found 2",
            ),
        ),
        (bearer(token(exp=1_600_000_000)), (401, "JWT validation failed", "Token has expired")),
        (
            bearer(token("another text that is long enough for the hashes")),
            (401, "JWT validation failed", "Token signature is invalid"),
        ),
        (bearer(token(algorithm="HS512")), (401, "JWT validation failed", "Token signature is invalid")),
        (
            bearer(token(nbf=2_900_000_000)),
            (401, "JWT validation failed", "JWT not valid yet, not before claim is in the future"),
        ),
    ],
)  # fmt: skip
async def test_tokens_that_are_refused(headers: dict[str, str], expected: tuple[int, str, str]) -> None:
    async with TestClient(guarded(ServerConfig(jwt_auth=JwtConfig(secret=SECRET)))) as client:
        assert told(await client.get("/items", headers=headers)) == expected


async def test_a_token_that_is_good() -> None:
    config = JwtConfig(secret=SECRET, algorithm="HS256", audience=["https://api.example"], issuer="https://id.example")
    async with TestClient(guarded(ServerConfig(jwt_auth=config))) as client:
        good = {"aud": ["https://api.example", "https://other.example"], "iss": "https://id.example"}
        # The year 82270.
        for claims in (good, {**good, "exp": 2_534_023_007_990}):
            assert (await client.get("/items", headers=bearer(token(**claims)))).json() == {"message": "in"}
        wrong = await client.get("/items", headers=bearer(token(**{**good, "aud": ["https://other.example"]})))
        assert told(wrong) == (401, "JWT validation failed", "Token audience is invalid")
        wrong = await client.get("/items", headers=bearer(token(**{**good, "iss": "https://evil.example"})))
        assert told(wrong)[2] == "Token issuer is invalid, expected 'https://id.example'"
        assert wrong.headers["www-authenticate"].startswith('Bearer realm="api", error="invalid_token"')


async def test_claims_that_are_demanded() -> None:
    config = JwtConfig(secret=SECRET, required_claims=["role", "permissions"])
    async with TestClient(guarded(ServerConfig(jwt_auth=config))) as client:
        assert told(await client.get("/items", headers=bearer(token()))) == (
            403, "Forbidden", "Required claims 'role' and 'permissions' missing from JWT",
        )  # fmt: skip
        good = token(role="admin", permissions=["read"])
        assert (await client.get("/items", headers=bearer(good))).status_code == 200


async def test_keys_in_headers_and_queries() -> None:
    config = ApiKeyConfig(keys=["sk_test_1", "sk_test_2"], deprecated_keys=["sk_old"], exempt=["/public/*"])
    async with TestClient(guarded(ServerConfig(api_key_auth=config), "/items", "/public/x")) as client:
        for key in ("sk_test_1", "sk_test_2"):
            assert (await client.get("/items", headers={"X-API-Key": key})).json() == {"message": "in"}
            assert (await client.get("/items", params={"api_key": key})).status_code == 200
        old = await client.get("/items", headers={"X-API-Key": "sk_old"})
        assert (old.status_code, old.headers["x-api-key-deprecated"]) == (200, "true")
        assert (await client.get("/public/x")).status_code == 200
        assert told(await client.get("/items")) == (
            401, "Missing API key", "Expected 'X-API-Key' header or 'api_key' query parameter with valid API key",
        )  # fmt: skip
        for wrong in ("sk_test_3", "", "SK_TEST_1"):
            refused = await client.get("/items", headers={"X-API-Key": wrong})
            assert told(refused)[:2] in {(401, "Invalid API key"), (401, "Missing API key")}


async def test_tokens_and_keys_together() -> None:
    config = ServerConfig(
        jwt_auth=JwtConfig(secret=SECRET), api_key_auth=ApiKeyConfig(keys=["k"], header_name="X-Service-Key")
    )
    async with TestClient(guarded(config)) as client:
        assert (await client.get("/items", headers=bearer(token()))).status_code == 200
        assert (await client.get("/items", headers={"X-Service-Key": "k"})).status_code == 200
        # A token that is there decides alone.
        both = {**bearer("a.b.c"), "X-Service-Key": "k"}
        assert told(await client.get("/items", headers=both))[0] == 401
        assert told(await client.get("/items"))[1] == "Missing or invalid Authorization header"
