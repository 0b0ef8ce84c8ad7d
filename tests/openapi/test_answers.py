"""Responses: of the handler, of the route, of the framework; and who may call."""

from typing import Annotated, Any, Literal

import msgspec
import pytest

from spikard import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    ProblemDetails,
    RedirectResponse,
    Response,
    Router,
    Spikard,
    StreamingResponse,
)
from spikard.config import (
    ApiKeyConfig,
    CorsConfig,
    JwtConfig,
    OpenApiConfig,
    RateLimitConfig,
    RouteConfig,
    SecuritySchemeInfo,
    ServerConfig,
)
from tests.openapi.validity import checked, operation

SECRET = "s" * 32


class Tea(msgspec.Struct):
    name: str


class Refusal(msgspec.Struct):
    reason: str


def responses_for(returned: Any, **options: Any) -> dict[str, Any]:
    app = Spikard()

    async def read() -> Any: ...

    if returned is not ...:
        read.__annotations__["return"] = returned
    else:
        read.__annotations__.clear()
    app.get("/", **options)(read)
    found: dict[str, Any] = operation(checked(app), "get", "/")["responses"]
    assert found.pop("500")
    return found


TEA = {"$ref": "#/components/schemas/Tea"}
REFUSAL = {"$ref": "#/components/schemas/Refusal"}


@pytest.mark.parametrize(
    ("returned", "status", "media_type", "schema"),
    [
        (Tea, "200", "application/json", TEA),
        (str, "200", "application/json", {"type": "string"}),
        (bytes, "200", "application/octet-stream", {"type": "string", "format": "binary"}),
        (HTMLResponse, "200", "text/html", {"type": "string"}),
        (PlainTextResponse, "200", "text/plain", {"type": "string"}),
        (StreamingResponse, "200", "application/octet-stream", {"type": "string", "format": "binary"}),
        (tuple[Tea, Literal[201]], "201", "application/json", TEA),
        (tuple[Tea, int, dict[str, str]], "200", "application/json", TEA),
        (Tea | None, "200", "application/json", {"anyOf": [TEA, {"type": "null"}]}),
    ],
    ids=str,
)
def test_the_return_annotation_is_told(returned: Any, status: str, media_type: str, schema: Any) -> None:
    responses = responses_for(returned)
    assert list(responses) == [status]
    assert responses[status]["content"] == {media_type: {"schema": schema}}


def test_what_has_no_content_has_none() -> None:
    assert responses_for(Response) == {"200": {"description": "OK"}}
    assert responses_for(None, status_code=204) == {"204": {"description": "No Content"}}
    assert responses_for(..., status_code=204) == {"204": {"description": "No Content"}}
    redirect = responses_for(RedirectResponse)
    assert list(redirect) == ["307"]
    assert "Location" in redirect["307"]["headers"]
    assert responses_for(JSONResponse)["200"]["content"] == {"application/json": {}}


def test_alternatives_stand_beside_each_other() -> None:
    found = responses_for(tuple[Tea, Literal[200, 201]] | tuple[Refusal, Literal[409]] | RedirectResponse)
    assert list(found) == ["200", "201", "307", "409"]
    assert found["201"]["content"]["application/json"]["schema"] == TEA
    assert found["409"] == {"description": "Conflict", "content": {"application/json": {"schema": REFUSAL}}}


def test_the_class_of_responses_decides_the_media_type() -> None:
    found = responses_for(str, response_class=PlainTextResponse)
    assert found["200"]["content"] == {"text/plain": {"schema": {"type": "string"}}}


def test_the_status_of_the_route_is_told() -> None:
    assert responses_for(Tea, status_code=201)["201"]["content"]["application/json"]["schema"] == TEA


def test_an_explicit_schema_is_told() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    assert responses_for(dict, response_schema=schema)["200"]["content"]["application/json"]["schema"] == schema


def test_routes_add_answers() -> None:
    found = responses_for(
        Tea,
        responses={
            404: "There is no such tea",
            409: Refusal,
            410: ProblemDetails,
            418: {"description": "A teapot", "model": Refusal, "headers": {"X-Pot": {"schema": {"type": "string"}}}},
            "4XX": {"description": "Others", "content": {"application/xml": {"schema": {"type": "string"}}}},
            202: None,
            "default": {"content": {"application/json": {"schema": Tea}}},
        },
    )
    assert list(found) == ["200", "202", "404", "409", "410", "418", "4XX", "default"]
    assert found["202"] == {"description": "Accepted"}
    assert found["404"] == {"description": "There is no such tea"}
    assert found["409"]["content"]["application/json"]["schema"] == REFUSAL
    assert found["410"]["content"]["application/problem+json"]["schema"]["$ref"].endswith("/ProblemDetails")
    assert found["418"]["content"]["application/json"]["schema"] == REFUSAL
    assert found["418"]["description"] == "A teapot"
    assert found["4XX"]["content"]["application/xml"]["schema"] == {"type": "string"}
    assert found["default"]["content"]["application/json"]["schema"] == TEA


def test_routers_add_answers_to_all_their_routes() -> None:
    app, router = Spikard(), Router("/teas", responses={404: "Gone"})
    router.get("/a", responses={409: "Busy"})(lambda: None)
    app.include_router(router)
    found = operation(checked(app), "get", "/teas/a")["responses"]
    assert (found["404"]["description"], found["409"]["description"]) == ("Gone", "Busy")


def statuses(app: Spikard, method: str, path: str) -> set[str]:
    return {status for status in operation(checked(app), method, path)["responses"] if status >= "4"}


def test_refusals_are_told_where_they_can_happen() -> None:
    app = Spikard()
    app.get("/plain")(lambda: None)

    @app.get("/query")
    async def query(limit: int = 1) -> None: ...

    @app.get("/path/{name}")
    async def path(name: str) -> None: ...

    @app.get("/header")
    async def header(request: Any = None) -> None: ...

    @app.post("/json")
    async def json(body: Tea) -> None: ...

    @app.post("/raw")
    async def raw(body: bytes) -> None: ...

    @app.post("/unlimited", config=RouteConfig(max_body_size=None))
    async def unlimited(body: bytes) -> None: ...

    assert statuses(app, "get", "/plain") == {"500"}
    assert statuses(app, "get", "/query") == {"400", "422", "500"}
    assert statuses(app, "get", "/path/{name}") == {"400", "404", "422", "500"}
    assert statuses(app, "post", "/json") == {"400", "413", "415", "422", "500"}
    assert statuses(app, "post", "/raw") == {"413", "500"}
    assert statuses(app, "post", "/unlimited") == {"500"}


def test_refusals_are_problems() -> None:
    app = Spikard()

    @app.post("/json")
    async def json(body: Tea) -> None: ...

    document = checked(app)
    responses = operation(document, "post", "/json")["responses"]
    for status in ("400", "413", "415", "500"):
        assert responses[status]["content"] == {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
        }
    assert responses["422"]["content"] == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/HTTPValidationProblem"}}
    }
    assert {"ProblemDetails", "HTTPValidationProblem", "ValidationFault"} <= document["components"]["schemas"].keys()


def test_only_problems_in_use_are_components() -> None:
    app = Spikard()
    app.get("/")(lambda: None)
    assert set(checked(app)["components"]["schemas"]) == {"ProblemDetails"}


def test_limits_are_told_where_they_apply() -> None:
    app = Spikard(
        ServerConfig(rate_limit=RateLimitConfig(per_second=1, burst=1), cors=CorsConfig(["https://a.example"]))
    )
    app.get("/limited")(lambda: None)
    app.get("/free", config=RouteConfig(rate_limit=None, cors=None))(lambda: None)
    assert statuses(app, "get", "/limited") == {"403", "429", "500"}
    assert statuses(app, "get", "/free") == {"500"}


def test_without_authentication_there_are_no_schemes() -> None:
    app = Spikard()
    app.get("/")(lambda: None)
    document = checked(app)
    assert "securitySchemes" not in document["components"]
    assert "security" not in document
    assert "security" not in operation(document, "get", "/")


def test_tokens_and_keys_are_detected() -> None:
    app = Spikard(ServerConfig(jwt_auth=JwtConfig(SECRET), api_key_auth=ApiKeyConfig(["key"], header_name="X-Key")))
    app.get("/both")(lambda: None)
    app.get("/open", config=RouteConfig(auth=None))(lambda: None)
    app.get("/key", config=RouteConfig(auth=ApiKeyConfig(["other"], header_name="X-Other")))(lambda: None)
    document = checked(app)
    assert document["components"]["securitySchemes"] == {
        "bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "apiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "apiKeyAuth_": {"type": "apiKey", "in": "header", "name": "X-Other"},
    }
    assert operation(document, "get", "/both")["security"] == [{"bearerAuth": []}, {"apiKeyAuth": []}]
    assert operation(document, "get", "/key")["security"] == [{"apiKeyAuth_": []}]
    assert "security" not in operation(document, "get", "/open")
    assert statuses(app, "get", "/both") == {"401", "500"}
    assert statuses(app, "get", "/open") == {"500"}


def test_tokens_may_be_optional_and_paths_exempt() -> None:
    app = Spikard(ServerConfig(jwt_auth=JwtConfig(SECRET, optional=True, exempt=["/free"], required_claims=["sub"])))
    app.get("/maybe")(lambda: None)
    app.get("/free")(lambda: None)
    document = checked(app)
    assert operation(document, "get", "/maybe")["security"] == [{"bearerAuth": []}, {}]
    assert statuses(app, "get", "/maybe") == {"401", "403", "500"}
    assert "security" not in operation(document, "get", "/free")


def test_exempt_patterns_open_the_routes_they_cover() -> None:
    jwt, key = (
        JwtConfig(SECRET, exempt=["/free/*", "/teas/{id}", "/cups/{id}", "/half"]),
        ApiKeyConfig(["k"], exempt=["/free*", "/teas/{x}", "/cups/{x}"]),
    )
    app = Spikard(ServerConfig(jwt_auth=jwt, api_key_auth=key))
    for path in ("/free/x", "/free/{rest:path}", "/teas/{tea:int}", "/teas/{tea}/reviews", "/cups/{all:path}", "/half"):
        app.get(path)(lambda request: None)
    document = checked(app)
    asked = {
        path: [name for one in item["get"].get("security", []) for name in one]
        for path, item in document["paths"].items()
    }
    both = ["bearerAuth", "apiKeyAuth"]
    assert asked == {
        "/free/x": [], "/free/{rest}": [], "/teas/{tea}": [], "/teas/{tea}/reviews": both, "/cups/{all}": both,
        "/half": ["apiKeyAuth"],
    }  # fmt: skip


def test_configured_schemes_are_used() -> None:
    schemes = {
        "token": SecuritySchemeInfo("http", scheme="bearer", bearer_format="JWT", description="Ask for one."),
        "login": SecuritySchemeInfo(
            "oauth2",
            flows={"clientCredentials": {"tokenUrl": "https://id.example/token", "scopes": {"read": "Read."}}},
        ),
        "cookie": SecuritySchemeInfo("apiKey", location="cookie", name="key"),
        "open": SecuritySchemeInfo("openIdConnect", url="https://id.example/.well-known/openid-configuration"),
    }
    app = Spikard(
        ServerConfig(
            openapi=OpenApiConfig(security_schemes=schemes),
            jwt_auth=JwtConfig(SECRET),
            api_key_auth=ApiKeyConfig(["k"], cookie_name="key"),
        )
    )
    app.get("/")(lambda: None)
    app.get("/own", security=[{"login": ["read"]}])(lambda: None)
    document = checked(app)
    assert list(document["components"]["securitySchemes"]) == ["token", "login", "cookie", "open"]
    assert document["components"]["securitySchemes"]["token"]["description"] == "Ask for one."
    assert operation(document, "get", "/")["security"] == [{"token": []}, {"cookie": []}]
    assert operation(document, "get", "/own")["security"] == [{"login": ["read"]}]


def test_an_annotated_answer_keeps_its_bounds() -> None:
    found = responses_for(Annotated[int, msgspec.Meta(ge=1)])
    assert found["200"]["content"]["application/json"]["schema"] == {"type": "integer", "minimum": 1}
