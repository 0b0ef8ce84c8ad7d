"""Applications as programs write them: dependencies, origins, documents."""

from typing import Any

from spikard import CorsConfig, Provide, Spikard
from spikard.config import ContactInfo, LicenseInfo, OpenApiConfig, SecuritySchemeInfo, ServerConfig, ServerInfo
from spikard.testing import TestClient, assert_openapi_valid


async def read_database(db: dict[str, str]) -> Any:
    return db


async def read_nothing() -> Any:
    return {"ok": True}


def registered(app: Spikard, handler: Any, path: str = "/items") -> Spikard:
    app.register_route("GET", path, body_schema=None, parameter_schema=None, file_params=None)(handler)
    return app


async def test_values_and_factories_are_injected_by_name() -> None:
    app = Spikard()
    app.provide("config", {"url": "memory://"})
    app.provide("db", Provide(lambda config: {"connected": config["url"]}, depends_on=["config"], singleton=True))
    registered(app, read_database)
    async with TestClient(app) as client:
        assert (await client.get("/items")).json() == {"connected": "memory://"}
    assert "parameters" not in assert_openapi_valid(app)["paths"]["/items"]["get"]


async def test_origins() -> None:
    cors = CorsConfig(allowed_origins=["https://app.example"], allowed_methods=["GET"], allowed_headers=["X-Tea"])
    app = registered(Spikard(config=ServerConfig(cors=cors)), read_nothing)
    preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    async with TestClient(app) as client:
        allowed = await client.options("/items", headers=preflight)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, "https://app.example")
        simple = await client.get("/items", headers={"Origin": "https://app.example"})
        assert simple.headers["access-control-allow-origin"] == "https://app.example"
        assert (await client.get("/items", headers={"Origin": "https://evil.example"})).status_code == 403


async def test_documents_with_everything_configured() -> None:
    described = OpenApiConfig(
        enabled=True,
        title="Tea API",
        version="1.2.3",
        description="Teas.",
        contact=ContactInfo(name="Ada", email="ada@example.org", url="https://example.org"),
        license=LicenseInfo(name="MIT", url="https://opensource.org/license/mit"),
        servers=[ServerInfo(url="https://api.example.org", description="Live")],
        security_schemes={"key": SecuritySchemeInfo(type="apiKey", location="header", name="X-Key")},
    )
    app = registered(Spikard(config=ServerConfig(openapi=described)), read_nothing)
    async with TestClient(app) as client:
        document = (await client.get("/openapi.json")).json()
        assert document["info"]["title"] == "Tea API"
        assert document["components"]["securitySchemes"]["key"]["name"] == "X-Key"
        for path in ("/docs", "/redoc"):
            page = await client.get(path)
            assert (page.status_code, page.headers["content-type"].split(";")[0]) == (200, "text/html")
    assert_openapi_valid(app)
