"""Values of the container in hooks."""

from typing import Any

from spikard import HTTPException, Provide, Request, Response, Router, Spikard
from spikard.di import Inject
from tests.conftest import Serve
from tests.di.events import Events, cleaned, cleaned_async


class Users:
    """Knows who may come in."""

    def __init__(self, request: Request) -> None:
        self.token = request.headers.get("x-token")

    def name(self) -> str:
        if self.token != "secret":
            raise HTTPException(401, "Who are you?")
        return "Ada"


def test_each_phase(serve: Serve) -> None:
    app, events = Spikard(), Events()
    app.provide("sync", Provide(cleaned(events, "sync"))).provide("waiting", Provide(cleaned_async(events, "waiting")))

    @app.on_request
    def begin(request: Request, sync: str) -> None:
        request.state.begun = sync

    @app.pre_validation
    async def look(request: Request, *, waiting: str) -> None:
        request.state.looked = waiting

    @app.pre_handler
    async def sign_in(request: Request, users: Inject[Users]) -> None:
        request.state.name = users.name()

    @app.on_response
    async def sign(response: Response, request: Request, sync: str) -> None:
        response.headers["x-signed"] = sync

    @app.on_error
    def tell(response: Response, sync: str) -> None:
        response.headers["x-told"] = sync

    @app.get("/")
    async def handler(request: Request) -> list[Any]:
        return [request.state.begun, request.state.looked, request.state.name]

    client = serve(app).client
    answer = client.get("/", headers={"x-token": "secret"})
    assert answer.json() == ["sync", "waiting", "Ada"]
    assert answer.headers["x-signed"] == "sync"
    assert "x-told" not in answer.headers
    assert events.seen.count("open sync") == events.seen.count("close sync") == 2
    refused = client.get("/")
    assert (refused.status_code, refused.headers["x-told"]) == (401, "sync")


def test_of_a_router_beside_an_injected_handler(serve: Serve) -> None:
    app = Spikard().provide("value", "real")
    router = Router("/r")

    @router.pre_handler
    def leave(request: Request, value: str) -> None:
        request.state.left = value

    @router.get("/")
    def handler(request: Request, value: str) -> list[str]:
        return [request.state.left, value]

    app.include_router(router)
    client = serve(app).client
    assert client.get("/r/").json() == ["real", "real"]
    with app.container.override("value", value="fake"):
        assert client.get("/r/").json() == ["fake", "fake"]
    assert client.get("/r/").json() == ["real", "real"]
