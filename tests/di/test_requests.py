"""What handlers get from the container, in each way of running, and when it is given back."""

import asyncio
import contextvars
from collections.abc import AsyncIterator
from typing import Any

import pytest

from spikard import (
    HTTPException,
    Inject,
    Provide,
    Request,
    Router,
    Spikard,
)
from spikard.di import Container, Scope, UnknownDependency
from spikard.errors import RouteError
from spikard.testing import TestClient
from tests.conftest import Serve
from tests.di.events import Events, cleaned


class Database:
    def __init__(self) -> None:
        self.name = "db"


class Orders:
    def __init__(self, database: Database) -> None:
        self.database = database


class TestArguments:
    def test_every_kind_of_handler(self, serve: Serve) -> None:
        app = Spikard()
        app.provide("currency", "EUR").provide(Database, Provide(Database, singleton=True)).provide(Orders, Orders)

        @app.get("/direct/{number:int}")
        async def direct(number: int, orders: Orders, *, currency: str, limit: int = 5) -> list[Any]:
            return [number, orders.database.name, currency, limit]

        @app.get("/task/{number:int}")
        async def task(number: int, orders: Orders, *, currency: str, limit: int = 5) -> list[Any]:
            await asyncio.sleep(0)
            return [number, orders.database.name, currency, limit]

        @app.get("/thread/{number:int}")
        def thread(number: int, orders: Orders, *, currency: str, limit: int = 5) -> list[Any]:
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()
            return [number, orders.database.name, currency, limit]

        @app.get("/inline/{number:int}", inline=True)
        def inline(number: int, orders: Orders, *, currency: str, limit: int = 5) -> list[Any]:
            asyncio.get_running_loop()
            return [number, orders.database.name, currency, limit]

        client = serve(app).client
        for path in ("direct", "task", "thread", "inline"):
            assert client.get(f"/{path}/7?limit=2").json() == [7, "db", "EUR", 2]
            assert client.get(f"/{path}/7?currency=USD").json() == [7, "db", "EUR", 5]
            assert client.get(f"/{path}/x").status_code == 422

    def test_only_singletons(self, serve: Serve) -> None:
        app = Spikard().provide(Database, Provide(Database, singleton=True))
        seen: list[Database] = []

        @app.get("/async")
        async def asynchronous(database: Database) -> str:
            seen.append(database)
            return "ok"

        @app.get("/thread")
        def thread(database: Database) -> str:
            seen.append(database)
            return "ok"

        client = serve(app).client
        for path in ("/async", "/thread", "/async"):
            assert client.get(path).json() == "ok"
        assert len(set(map(id, seen))) == 1

    @pytest.mark.parametrize("inline", [True, False])
    def test_values_that_are_awaited(self, serve: Serve, inline: bool) -> None:
        async def connect() -> Database:
            await asyncio.sleep(0)
            return Database()

        app = Spikard().provide(Database, connect).provide(Orders, Orders)

        @app.get("/async")
        async def asynchronous(orders: Orders, database: Database) -> bool:
            return orders.database is database

        @app.get("/sync", inline=inline)
        def synchronous(orders: Orders, database: Database) -> bool:
            return orders.database is database

        client = serve(app).client
        assert client.get("/async").json() is True
        assert client.get("/sync").json() is True

    def test_independent_values_are_awaited_together(self, serve: Serve) -> None:
        waiting: list[asyncio.Event] = []

        async def meet() -> bool:
            waiting.append(asyncio.Event())
            if len(waiting) == 2:
                for event in waiting:
                    event.set()
            async with asyncio.timeout(5):
                await waiting[-1].wait()
            return True

        async def meet_too() -> bool:
            return await meet()

        app = Spikard().provide("one", meet).provide("two", meet_too)

        @app.get("/")
        async def handler(one: bool, two: bool) -> bool:
            return one and two

        assert serve(app).client.get("/").json() is True

    def test_body_request_and_rest_stay_the_handlers_own(self, serve: Serve) -> None:
        app = Spikard().provide(Database, Database)

        @app.post("/{key}")
        async def handler(body: dict[str, int], database: Database, request: Request, **rest: Any) -> list[Any]:
            return [body, database.name, request.method, rest]

        answer = serve(app).client.post("/x", json={"a": 1})
        assert answer.json() == [{"a": 1}, "db", "POST", {"key": "x"}]

    def test_a_path_parameter_is_no_dependency(self, serve: Serve) -> None:
        app = Spikard().provide("name", "injected").provide(int, 7)

        @app.get("/{name}/{count}")
        async def handler(name: str, count: int, other: int) -> list[Any]:
            return [name, count, other]

        assert serve(app).client.get("/path/3").json() == ["path", 3, 7]

    def test_inject_marks(self, serve: Serve) -> None:
        app = Spikard()

        @app.post("/")
        async def handler(orders: Inject[Orders], container: Inject[Container], scope: Inject[Scope]) -> Any:
            return [orders.database.name, container is scope]

        assert serve(app).client.post("/").json() == ["db", True]

    def test_providers_may_ask_for_the_request(self, serve: Serve) -> None:
        def user(request: Request) -> str:
            return request.headers["x-user"]

        async def greeting(user: str) -> str:
            return f"Hello, {user}"

        app = Spikard().provide("user", user).provide("greeting", greeting)

        @app.get("/async")
        async def handler(greeting: str) -> str:
            return greeting

        @app.get("/thread")
        def thread(user: str) -> str:
            return user

        client = serve(app).client
        assert client.get("/async", headers={"x-user": "Ada"}).json() == "Hello, Ada"
        assert client.get("/thread", headers={"x-user": "Bob"}).json() == "Bob"

    def test_one_value_for_each_request(self, serve: Serve) -> None:
        made: list[int] = []

        def number() -> int:
            made.append(1)
            return len(made)

        app = Spikard().provide("number", Provide(number)).provide("again", Provide(lambda number: number))
        app.provide("fresh", Provide(number, cacheable=False))

        @app.get("/")
        async def handler(number: int, again: int, fresh: int) -> list[int]:
            return [number, again, fresh]

        client = serve(app).client
        assert client.get("/").json() == [1, 1, 2]
        assert client.get("/").json() == [3, 3, 4]

    def test_context_of_a_provider_is_the_handlers(self, serve: Serve) -> None:
        tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant", default="none")

        def choose(request: Request) -> None:
            tenant.set(request.query_params["tenant"])

        app = Spikard()

        @app.get("/set", dependencies=[choose])
        async def setting() -> str:
            return tenant.get()

        @app.get("/bare")
        async def bare() -> str:
            return tenant.get()

        client = serve(app).client
        assert client.get("/set?tenant=a").json() == "a"
        assert client.get("/bare").json() == "none"


class TestRegistration:
    def test_registered_after_the_route(self, serve: Serve) -> None:
        app = Spikard(container=Container())

        @app.get("/")
        async def handler(orders: Orders, currency: str) -> list[str]:
            return [orders.database.name, currency]

        app.container.add_scoped(Orders).add_instance("currency", "EUR")
        assert serve(app).client.get("/").json() == ["db", "EUR"]

    def test_what_nobody_provides_is_refused(self, serve: Serve) -> None:
        app = Spikard(container=Container())

        @app.get("/")
        async def handler(orders: Orders) -> None: ...

        with pytest.raises(RouteError, match="nothing can fill"):
            serve(app)

        with pytest.raises(RouteError, match="nothing can fill"):

            @Spikard().get("/")
            async def other(orders: Orders) -> None: ...

    def test_faults_are_found_at_the_start(self, serve: Serve) -> None:
        app = Spikard()

        @app.get("/")
        async def handler(name: Inject[str]) -> None: ...

        with pytest.raises(UnknownDependency, match="handler -> str"):
            serve(app)

    def test_required_by_routes_and_routers(self, serve: Serve) -> None:
        app, events = Spikard(), Events()
        app.provide("audit", Provide(cleaned(events, "audit")))

        async def guard(request: Request) -> None:
            events("guard")
            if request.headers.get("x-token") != "secret":
                raise HTTPException(403, "No entry")

        router = Router("/admin", dependencies=[guard])

        @router.get("/", dependencies=["audit"])
        async def handler() -> str:
            events("handler")
            return "in"

        app.include_router(router)
        client = serve(app).client
        refused = client.get("/admin/")
        assert (refused.status_code, refused.json()["detail"]) == (403, "No entry")
        assert events.seen == ["guard"]
        assert client.get("/admin/", headers={"x-token": "secret"}).json() == "in"
        assert events.wait_for("close audit")[1:] == ["guard", "open audit", "handler", "close audit"]


class TestFaults:
    def test_the_problem_tells_no_names(self, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
        app = Spikard().provide("value", Provide(lambda scope: scope["secret name"]))

        @app.get("/")
        async def handler(value: str) -> str:
            return value

        client = serve(app).client
        answer = client.get("/")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["type"].endswith("/dependency-error")
        assert problem["title"] == "Dependency Resolution Failed"
        assert problem["errors"][0]["type"] == "missing_dependency"
        assert "secret name" not in answer.text
        assert "secret name" in caplog.text
        app.debug = True
        assert "secret name" in client.get("/").json()["errors"][0]["msg"]

    def test_wrong_types_and_cycles(self, serve: Serve) -> None:
        app = Spikard().provide(Database, Provide(lambda: "not a database"))
        app.provide("a", Provide(lambda scope: scope["b"])).provide("b", Provide(lambda scope: scope["a"]))

        @app.get("/type")
        async def wrong(database: Database) -> None: ...

        client = serve(app).client
        assert client.get("/type").json()["errors"][0]["type"] == "type_mismatch"

    def test_a_fault_of_a_provider_is_its_own(self, serve: Serve) -> None:
        def refuse() -> str:
            raise HTTPException(401, "Who are you?")

        app = Spikard().provide("user", refuse)

        @app.get("/")
        async def handler(user: str) -> str:
            return user

        assert serve(app).client.get("/").status_code == 401


class TestOverrides:
    @pytest.fixture
    def app(self) -> Spikard:
        app = Spikard().provide(Database, Provide(Database, singleton=True)).provide(Orders, Orders)

        @app.get("/direct")
        async def direct(orders: Orders) -> str:
            return orders.database.name

        @app.get("/task")
        async def task(orders: Orders) -> str:
            await asyncio.sleep(0)
            return orders.database.name

        @app.get("/thread")
        def thread(orders: Orders, database: Database) -> str:
            return orders.database.name

        @app.get("/inline", inline=True)
        def inline(database: Database) -> str:
            return database.name

        @app.get("/plain")
        async def plain(database: Database) -> str:
            return database.name

        return app

    PATHS = ("/direct", "/task", "/thread", "/inline", "/plain")

    def test_while_the_server_runs(self, serve: Serve, app: Spikard) -> None:
        client, events = serve(app).client, Events()

        class Fake(Database):
            def __init__(self) -> None:
                self.name = "fake"

        async def connect() -> AsyncIterator[Database]:
            async with asyncio.timeout(10):
                await asyncio.sleep(0)
            database = Fake()
            database.name = "awaited"
            yield database
            events("closed")

        for path in self.PATHS:
            assert client.get(path).json() == "db"
            with app.container.override(Database, value=Fake()):
                assert client.get(path).json() == "fake"
                with app.container.override(Database, Provide(connect)):
                    assert client.get(path).json() == "awaited"
                    events.wait_for("closed")
                    events.seen.clear()
                assert client.get(path).json() == "fake"
            assert client.get(path).json() == "db"

    async def test_of_a_test_client(self, app: Spikard) -> None:
        fake = Database()
        fake.name = "fake"
        for overrides, expected in (({Database: fake}, "fake"), ({}, "db"), ({Database: Provide(Database)}, "db")):
            async with TestClient(app, overrides=overrides) as client:
                for path in self.PATHS:
                    assert (await client.get(path)).json() == expected

    async def test_a_client_that_fails_to_start_leaves_nothing(self, app: Spikard) -> None:
        app.on_startup(lambda: 1 / 0)
        layer = app.container.layer
        with pytest.raises(ZeroDivisionError):
            async with TestClient(app, overrides={Database: 1}):
                pass
        assert app.container.layer is layer
