"""Answers held to what their routes promise."""

import logging
from typing import Any

import msgspec
import pytest

from spikard import JSONResponse, Spikard
from spikard.config import RouteConfig, ServerConfig
from tests.conftest import Serve


class Item(msgspec.Struct):
    name: str
    price: float


def answers(app: Spikard) -> None:
    async def item(kind: str) -> Any:
        match kind:
            case "good":
                return {"name": "tea", "price": 1.5}
            case "bad":
                return {"name": 1}
            case "response":
                return JSONResponse({"name": 1})
            case "refusal":
                return {"error": "no"}, 404
            case _:
                return Item("tea", 2)

    item.__annotations__["return"] = Item
    app.get("/{kind}")(item)
    app.get("/{kind}/never", config=RouteConfig(validate_response="never"))(item)
    app.get("/{kind}/always", config=RouteConfig(validate_response=True))(item)


@pytest.mark.parametrize(("setting", "debug"), [("always", False), ("debug", True)])
def test_a_broken_promise_is_a_500(setting: str, debug: bool, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard(config=ServerConfig(validate_responses=setting), debug=debug)
    answers(app)
    client = serve(app).client
    assert [client.get(f"/{kind}").status_code for kind in ("good", "struct", "refusal")] == [200, 200, 404]
    with caplog.at_level(logging.ERROR, "spikard.error"):
        assert [client.get(f"/{kind}").status_code for kind in ("bad", "response")] == [500, 500]
    assert "does not allow" in caplog.text
    assert client.get("/bad/never").status_code == 200


def test_nothing_is_checked_unless_asked(serve: Serve) -> None:
    app = Spikard()
    answers(app)
    client = serve(app).client
    assert [client.get(path).status_code for path in ("/bad", "/bad/never", "/bad/always")] == [200, 200, 500]
