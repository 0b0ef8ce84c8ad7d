"""Registering routes: what is refused at the decorator's line, and what can be read back."""

import pytest

import spikard
from spikard import Request, Router, Spikard
from spikard.config import RouteConfig
from spikard.errors import ConfigError, RouteConflict, RouteError


async def nothing() -> None:
    """A handler of no account."""


async def another() -> None:
    """Another one."""


def test_decorators_give_the_function_back() -> None:
    app = Spikard()
    assert app.get("/")(nothing) is nothing
    assert (
        app.register_route("POST", "/", body_schema=None, parameter_schema=None, file_params=None)(nothing) is nothing
    )
    assert app.exception_handler(ValueError)(nothing) is nothing
    assert app.on_startup(nothing) is nothing
    assert app.on_shutdown(nothing) is nothing
    assert app.on_shutdown(early=True)(nothing) is nothing


def test_a_second_handler_for_the_same_route_names_both() -> None:
    app = Spikard()
    app.get("/x/{a}")(nothing_with_a)
    with pytest.raises(RouteConflict, match=r"nothing_with_a.*other_with_b"):
        app.get("/x/{b}")(other_with_b)
    assert [route.handler_name for route in app.get_routes()] == ["nothing_with_a"]


async def nothing_with_a(a: str) -> None: ...


async def other_with_b(b: str) -> None: ...


@pytest.mark.parametrize(
    ("path", "handler"),
    [
        ("/{missing}", nothing),
        ("/{a:nonsense}", nothing_with_a),
        ("/{a:path}/more", nothing_with_a),
        ("relative", nothing),
    ],
)
def test_a_bad_route_is_refused_at_its_line(path: str, handler: object) -> None:
    app = Spikard()
    with pytest.raises(RouteError):
        app.get(path)(handler)
    assert app.get_routes() == []


def test_a_request_parameter_makes_up_for_path_parameters() -> None:
    async def handler(request: Request) -> None: ...

    app = Spikard()
    app.get("/{anything}")(handler)
    assert app.get_routes()[0].path == "/{anything}"


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(RouteError, match="BREW"):
        Spikard().route("/", "BREW")(nothing)
    with pytest.raises(RouteError, match="at least one"):
        Spikard().route("/", methods=[])(nothing)


def test_a_misspelled_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="sumary"):
        Spikard().get("/", sumary="x")


def test_a_prefix_needs_its_slash() -> None:
    with pytest.raises(RouteError, match="/api"):
        Router(prefix="api")


def test_routes_can_be_read_back() -> None:
    app = Spikard()

    @app.post("/items/{item_id:int}", name="make", tags=["a", "b"], summary="Makes one", status_code=201)
    async def make(item_id: int) -> dict[str, int]:
        return {"id": item_id}

    (route,) = app.get_routes()
    assert (route.method, route.path, route.handler, route.handler_name) == (
        "POST",
        "/items/{item_id:int}",
        make,
        "make",
    )
    assert (route.is_async, route.name, route.tags, route.summary) == (True, "make", ("a", "b"), "Makes one")
    assert route.status_code == 201


def test_paths_are_built_from_names() -> None:
    app = Spikard()

    @app.get("/items/{item_id:int}/parts/{part}", name="part")
    async def read(item_id: int, part: str) -> None: ...

    @app.get("/files/{where:path}")
    async def file(where: str) -> None: ...

    assert app.url_for("part", item_id=3, part="a/b c") == "/items/3/parts/a%2Fb%20c"
    assert app.url_for("file", where="a/b c") == "/files/a/b%20c"
    assert app.url_for("read", item_id=3, part="x") == "/items/3/parts/x"
    with pytest.raises(RouteError, match="missing part"):
        app.url_for("part", item_id=3)
    with pytest.raises(RouteError, match="unknown more"):
        app.url_for("file", where="x", more=1)
    with pytest.raises(RouteError, match="'nope'"):
        app.url_for("nope")


def test_an_ambiguous_name_is_said_to_be() -> None:
    app = Spikard()
    app.get("/a")(nothing)
    app.get("/b")(nothing)
    with pytest.raises(RouteError, match="ambiguous"):
        app.url_for("nothing")


class TestRouters:
    def test_prefixes_are_joined_without_doubling_slashes(self) -> None:
        app = Spikard()
        inner, outer = Router(prefix="/items/"), Router(prefix="/api")
        inner.get("/{a}")(nothing_with_a)
        outer.include_router(inner)
        app.include_router(outer, prefix="/v1/")
        assert [route.path for route in app.get_routes()] == ["/v1/api/items/{a}"]

    def test_the_prefix_alone_is_a_path(self) -> None:
        app, router = Spikard(), Router(prefix="/items")
        router.get("")(nothing)
        router.get("/")(another)
        app.include_router(router)
        assert [route.path for route in app.get_routes()] == ["/items", "/items/"]

    def test_nesting_and_late_routes(self) -> None:
        app, outer, inner = Spikard(), Router(prefix="/outer"), Router(prefix="/inner")
        app.include_router(outer)
        outer.include_router(inner)
        inner.get("/late")(nothing)
        assert [route.path for route in app.get_routes()] == ["/outer/inner/late"]

    def test_one_router_in_two_places(self) -> None:
        app, router = Spikard(), Router(prefix="/items")
        router.get("/{a}")(nothing_with_a)
        app.include_router(router, prefix="/v1", tags=["v1"])
        app.include_router(router, prefix="/v2", tags=["v2"])
        assert [(route.path, route.tags) for route in app.get_routes()] == [
            ("/v1/items/{a}", ("v1",)),
            ("/v2/items/{a}", ("v2",)),
        ]

    def test_a_router_cannot_hold_itself(self) -> None:
        outer, inner = Router(), Router()
        outer.include_router(inner)
        for holder in (inner, outer):
            with pytest.raises(RouteError, match="itself"):
                holder.include_router(holder)
        with pytest.raises(RouteError, match="itself"):
            inner.include_router(outer)

    def test_tags_and_configuration_are_inherited(self) -> None:
        app = Spikard()
        router = Router(tags=["outer"], config=RouteConfig(max_body_size=10, request_timeout=5))
        router.get("/own", tags=["own"], config=RouteConfig(max_body_size=20))(nothing)
        router.get("/inherited")(another)
        app.include_router(router, tags=["app"], config=RouteConfig(request_timeout=9, max_json_depth=3))
        own, inherited = app.get_routes()
        assert own.tags == ("app", "outer", "own")
        assert (own.config.max_body_size, own.config.request_timeout, own.config.max_json_depth) == (20, 5, 3)
        assert (inherited.config.max_body_size, inherited.config.request_timeout) == (10, 5)

    def test_a_group_is_included_at_the_end_of_the_block(self) -> None:
        app = Spikard()
        with app.group("/api/v1", tags=["v1"]) as api:
            api.get("/ping")(nothing)
            assert app.get_routes() == []
        assert [(route.path, route.tags) for route in app.get_routes()] == [("/api/v1/ping", ("v1",))]

    def test_hidden_routers_hide_their_routes(self) -> None:
        app, router = Spikard(), Router(include_in_schema=False)
        router.get("/x")(nothing)
        app.include_router(router)
        assert not app.get_routes()[0].include_in_schema


class TestModuleDecorators:
    def test_they_register_on_the_application_built_last(self) -> None:
        Spikard()
        app = Spikard()
        spikard.get("/get")(nothing)
        spikard.route("/route", methods=("put", "PATCH"))(nothing)
        spikard.route("/post", "post")(nothing)
        spikard.route("/default")(nothing)
        assert Spikard.current_instance is app
        assert [(route.method, route.path) for route in app.get_routes()] == [
            ("GET", "/get"),
            ("PUT", "/route"),
            ("PATCH", "/route"),
            ("POST", "/post"),
            ("GET", "/default"),
        ]

    def test_without_an_application_they_say_what_to_do(self) -> None:
        Spikard.current_instance = None
        with pytest.raises(RuntimeError, match=r"Spikard\(\)"):
            spikard.get("/")


@pytest.mark.parametrize("wrong", [99, 200, 600, "ValueError", int])
def test_exception_handlers_are_for_exceptions_and_error_statuses(wrong: object) -> None:
    with pytest.raises(ConfigError):
        Spikard().exception_handler(wrong)
