"""The cookies of requests."""

from typing import Any

from spikard import Request, Spikard
from spikard.datastructures import Cookies
from tests.conftest import Serve

SENT = "a=1; b=x%20y; a=2"


def test_the_last_of_a_name_counts_and_all_can_be_read(serve: Serve) -> None:
    app = Spikard()

    @app.get("/")
    async def read(request: Request) -> dict[str, Any]:
        cookies = request.cookies
        return {"a": cookies["a"], "all": cookies.getlist("a"), "b": cookies.getlist("b"), "c": cookies.getlist("c")}

    @app.get("/whole")
    async def whole(request: Request) -> dict[str, str]:
        return request.cookies

    client = serve(app).client
    answer = client.get("/", headers={"cookie": SENT})
    assert answer.json() == {"a": "2", "all": ["1", "2"], "b": ["x y"], "c": []}
    assert client.get("/whole", headers={"cookie": SENT}).json() == {"a": "2", "b": "x y"}


def test_handlers_read_what_a_hook_has_made_of_them(serve: Serve) -> None:
    app = Spikard()

    @app.on_request
    async def change(request: Request) -> None:
        request.cookies["a"] = "3"
        if "reset" in request.query_params:
            request.cookies = {"c": "4"}

    @app.get("/")
    async def read(request: Request) -> dict[str, list[str]]:
        return {name: request.cookies.getlist(name) for name in request.cookies}

    client = serve(app).client
    assert client.get("/", headers={"cookie": SENT}).json() == {"a": ["3"], "b": ["x y"]}
    assert client.get("/?reset=1", headers={"cookie": SENT}).json() == {"c": ["4"]}


def test_a_value_that_was_set_or_removed_has_no_others_beside_it() -> None:
    cookies = Cookies([("a", "1"), ("a", "2"), ("b", "3")])
    assert cookies == {"a": "2", "b": "3"}
    cookies["a"] = "4"
    del cookies["b"]
    assert (cookies.getlist("a"), cookies.getlist("b")) == (["4"], [])
