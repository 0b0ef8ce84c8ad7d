"""The document as a whole: paths, operations, texts, order."""

import functools
import json
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest

from spikard import Cookie, Header, Path, Query, Router, Spikard
from spikard.config import ContactInfo, LicenseInfo, OpenApiConfig, ServerConfig, ServerInfo
from tests.openapi.validity import checked, faults_of, operation


class Tea(msgspec.Struct):
    name: str
    grams: int = 100


def test_an_empty_application_has_a_valid_document() -> None:
    assert checked(Spikard()) == {"openapi": "3.1.0", "info": {"title": "API", "version": "1.0.0"}, "paths": {}}


def test_the_validator_finds_faults() -> None:
    assert faults_of({"openapi": "3.1.0", "info": {"title": "API"}, "paths": {}})


def test_what_the_configuration_says_is_told() -> None:
    described = OpenApiConfig(
        title="Teas",
        version="2.1",
        description="All of them.",
        contact=ContactInfo(name="Ada", email="ada@example.org"),
        license=LicenseInfo("MIT", url="https://opensource.org/license/mit"),
        servers=[ServerInfo("https://tea.example", "live"), ServerInfo("/v1")],
    )
    document = checked(Spikard(ServerConfig(openapi=described)))
    assert document["info"] == {
        "title": "Teas",
        "version": "2.1",
        "description": "All of them.",
        "contact": {"name": "Ada", "email": "ada@example.org"},
        "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
    }
    assert document["servers"] == [{"url": "https://tea.example", "description": "live"}, {"url": "/v1"}]


def test_a_prefix_of_the_proxy_is_the_server() -> None:
    assert checked(Spikard(ServerConfig(root_path="/api")))["servers"] == [{"url": "/api"}]
    named = OpenApiConfig(servers=[ServerInfo("https://tea.example")])
    assert checked(Spikard(ServerConfig(root_path="/api", openapi=named)))["servers"] == [
        {"url": "https://tea.example"}
    ]


def test_paths_stand_in_the_order_of_registration() -> None:
    app = Spikard()
    for path in ("/z", "/a", "/m/{x}"):
        app.get(path)(functools.partial(lambda **values: values))
    assert list(checked(app)["paths"]) == ["/z", "/a", "/m/{x}"]


def test_the_same_routes_give_the_same_text() -> None:
    def made() -> str:
        app = Spikard()

        @app.post("/teas", tags=["b", "a"])
        async def create(body: Tea) -> Tea:
            return body

        @app.get("/teas/{name}")
        async def read(name: str, limit: int = 3) -> list[Tea]:
            return []

        return json.dumps(app.openapi())

    assert made() == made()


def test_the_document_is_made_once_until_a_route_is_added() -> None:
    app = Spikard()
    app.get("/a")(lambda: None)
    first = app.openapi()
    first["info"]["x-kept"] = True
    assert app.openapi() is first
    app.get("/b")(lambda: None)
    assert set(app.openapi()["paths"]) == {"/a", "/b"}


def test_converters_are_left_out_of_paths() -> None:
    app = Spikard()

    @app.get("/files/{number:int}/{rest:path}")
    async def read(number: int, rest: str) -> None: ...

    document = checked(app)
    parameters = operation(document, "get", "/files/{number}/{rest}")["parameters"]
    assert [(one["name"], one["in"], one["required"], one["schema"]["type"]) for one in parameters] == [
        ("number", "path", True, "integer"),
        ("rest", "path", True, "string"),
    ]


def test_patterns_of_one_shape_are_one_path() -> None:
    app = Spikard()

    @app.get("/teas/{name}")
    async def read(name: str) -> None: ...

    @app.delete("/teas/{tea_name}")
    async def remove(tea_name: str) -> None: ...

    document = checked(app)
    assert list(document["paths"]) == ["/teas/{name}"]
    assert operation(document, "delete", "/teas/{name}")["parameters"][0]["name"] == "name"


def test_texts_come_from_the_docstring_unless_given() -> None:
    app = Spikard()

    @app.get("/a")
    async def documented() -> None:
        """Read all of it.

        In two
        paragraphs.
        """

    @app.get("/b", summary="Given", description="As well.")
    async def overridden() -> None:
        """Not this."""

    class Shelf:
        """A class has a docstring of its own."""

        def __call__(self) -> None:
            """Look at the shelf."""

    app.get("/c")(Shelf())
    app.get("/d")(functools.partial(documented))
    app.get("/e")(lambda: None)
    document = checked(app)

    def texts(path: str) -> tuple[Any, Any]:
        found = operation(document, "get", path)
        return found.get("summary"), found.get("description")

    assert texts("/a") == ("Read all of it.", "In two\nparagraphs.")
    assert texts("/b") == ("Given", "As well.")
    assert texts("/c") == ("Look at the shelf.", None)
    assert texts("/d") == ("Read all of it.", "In two\nparagraphs.")
    assert texts("/e") == (None, None)


def test_operations_have_names_of_their_own() -> None:
    app = Spikard()

    async def handler() -> None: ...

    app.route("/a", methods=["GET", "POST"], name="both")(handler)
    app.get("/a/b")(handler)
    app.get("/a_b")(handler)
    app.get("/{x}")(functools.partial(lambda **values: values))
    app.get("/")(handler)
    document = checked(app)
    names = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert names == ["both", "both_post", "get_a_b", "get_a_b_get", "get_x", "get"]


def test_hidden_routes_are_left_out() -> None:
    app, hidden = Spikard(), Router("/internal", include_in_schema=False)
    app.get("/shown")(lambda: None)
    app.get("/unlisted", include_in_schema=False)(lambda: None)
    hidden.get("/also")(lambda: None)
    app.include_router(hidden)
    assert list(checked(app)["paths"]) == ["/shown"]


def test_tags_are_listed_once() -> None:
    app = Spikard()
    app.get("/a", tags=["tea", "hot"])(lambda: None)
    app.get("/b", tags=["tea"], deprecated=True)(lambda: None)
    document = checked(app)
    assert document["tags"] == [{"name": "tea"}, {"name": "hot"}]
    assert operation(document, "get", "/a")["tags"] == ["tea", "hot"]
    assert "deprecated" not in operation(document, "get", "/a")
    assert operation(document, "get", "/b")["deprecated"] is True


def test_parameters_have_their_names_on_the_wire() -> None:
    app = Spikard()

    @app.get("/{tea_id}")
    async def read(
        tea_id: Annotated[int, Path(ge=1, description="Which one.")],
        limit: Annotated[int, Query(le=100, example=20)] = 10,
        x_trace_id: Annotated[str | None, Header()] = None,
        session: Annotated[str, Cookie(alias="sid", deprecated=True)] = "",
        tags: Annotated[list[str], Query(alias="tag")] = ["hot"],  # noqa: B006
        internal: Annotated[str, Query(include_in_schema=False)] = "",
        parts: Annotated[list[int] | None, Query(separator="|")] = None,
        made: Annotated[float, Query(default_factory=lambda: 1 / 0)] = ...,
    ) -> None: ...

    parameters = operation(checked(app), "get", "/{tea_id}")["parameters"]
    assert parameters[:5] == [
        {
            "name": "tea_id",
            "in": "path",
            "required": True,
            "description": "Which one.",
            "schema": {"type": "integer", "minimum": 1},
        },
        {
            "name": "limit",
            "in": "query",
            "required": False,
            "schema": {"type": "integer", "maximum": 100, "examples": [20], "default": 10},
        },
        {
            "name": "tag",
            "in": "query",
            "required": False,
            "schema": {"type": "array", "items": {"type": "string"}, "default": ["hot"]},
        },
        {
            "name": "parts",
            "in": "query",
            "required": False,
            "style": "pipeDelimited",
            "explode": False,
            "schema": {"type": "array", "items": {"type": "integer"}},
        },
        {"name": "made", "in": "query", "required": False, "schema": {"type": "number"}},
    ]
    assert [(one["name"], one["in"], one.get("deprecated")) for one in parameters[5:]] == [
        ("x-trace-id", "header", None),
        ("sid", "cookie", True),
    ]


def test_media_types_of_the_route_are_told() -> None:
    app = Spikard()

    @app.post("/", consumes=["application/json"], produces=["application/vnd.tea+json"])
    async def write(body: Tea) -> Tea:
        return body

    found = operation(checked(app), "post", "/")
    assert list(found["requestBody"]["content"]) == ["application/json"]
    assert list(found["responses"]["200"]["content"]) == ["application/vnd.tea+json"]
    assert "406" in found["responses"]


def test_every_media_type_that_is_taken_is_told() -> None:
    app = Spikard()

    @app.post("/object")
    async def write(body: Tea) -> None: ...

    @app.post("/list")
    async def write_all(body: list[Tea]) -> None: ...

    document = checked(app)
    assert list(operation(document, "post", "/object")["requestBody"]["content"]) == [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/msgpack",
    ]
    assert list(operation(document, "post", "/list")["requestBody"]["content"]) == [
        "application/json",
        "application/msgpack",
    ]


def test_an_explicit_parameter_schema_is_told() -> None:
    app = Spikard()
    schema = {
        "type": "object",
        "properties": {
            "limit": {"type": "integer", "source": "query", "default": 5, "annotation": "int"},
            "x_key": {"type": "string", "source": "header"},
        },
        "required": ["x_key"],
    }

    async def read(limit: int, x_key: str) -> None: ...

    app.register_route("GET", "/teas", body_schema=None, parameter_schema=schema, file_params=None)(read)
    assert operation(checked(app), "get", "/teas")["parameters"] == [
        {"name": "limit", "in": "query", "required": False, "schema": {"type": "integer", "default": 5}},
        {"name": "x-key", "in": "header", "required": True, "schema": {"type": "string"}},
    ]


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options", "trace"])
def test_every_method_has_its_operation(method: str) -> None:
    app = Spikard()
    register: Callable[..., Any] = getattr(app, method)
    register("/a")(lambda: None)
    assert list(checked(app)["paths"]["/a"]) == [method]
