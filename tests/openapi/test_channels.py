"""The AsyncAPI document: WebSockets, streams of events, and where it is served."""

import gzip
import json
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import jsonschema
import msgspec

from spikard import Header, Query, Spikard, SseEvent, WebSocket
from spikard.config import AsyncApiConfig, ContactInfo, JwtConfig, OpenApiConfig, ServerConfig, ServerInfo
from tests.conftest import Serve

# Published by the makers of the format.
SCHEMA = Path(__file__).parents[1] / "data" / "asyncapi" / "3.0.0.json.gz"


class Line(msgspec.Struct):
    room: str
    text: str
    answers: list["Line"] = []


class Price(msgspec.Struct):
    symbol: str
    cents: int


@cache
def validator() -> Any:
    schema = json.loads(gzip.decompress(SCHEMA.read_bytes()))
    return jsonschema.Draft7Validator(schema)


def checked(app: Spikard) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(app.asyncapi(), allow_nan=False))
    faults = [
        f"{'/'.join(map(str, one.absolute_path))}: {one.message[:300]}" for one in validator().iter_errors(document)
    ]
    assert faults == []
    assert list(unresolved(document, document)) == []
    return document


def unresolved(document: Any, part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            found = document
            for word in part["$ref"].removeprefix("#/").split("/"):
                found = found.get(word.replace("~1", "/")) if isinstance(found, dict) else None
            if found is None:
                yield part["$ref"]
        for value in part.values():
            yield from unresolved(document, value)
    elif isinstance(part, list):
        for value in part:
            yield from unresolved(document, value)


def made(**config: Any) -> Spikard:
    app = Spikard(ServerConfig(**config))

    @app.websocket("/rooms/{room}", tags=["chat"], subprotocols=["chat.v2"])
    async def talk(message: Line, room: Literal["tea", "coffee"], since: int = 0) -> Line:
        """Talk in a room.

        Everybody hears it.
        """
        return message

    @app.sse("/prices/{symbol}")
    async def prices(symbol: str) -> AsyncIterator[Price]:
        """Follow a price."""
        yield Price(symbol, 1)

    return app


def test_an_application_without_channels_has_a_valid_document() -> None:
    assert checked(Spikard()) == {
        "asyncapi": "3.0.0",
        "info": {"title": "API", "version": "1.0.0"},
        "channels": {},
        "operations": {},
    }


def test_the_validator_finds_faults() -> None:
    assert list(validator().iter_errors({"asyncapi": "3.0.0", "info": {"title": "API"}}))


def test_a_websocket_receives_and_sends() -> None:
    document = checked(made())
    channel = document["channels"]["rooms_room"]
    assert channel["address"] == "/rooms/{room}"
    assert channel["summary"] == "Talk in a room."
    assert channel["description"] == "Everybody hears it."
    assert channel["tags"] == [{"name": "chat"}]
    assert channel["parameters"] == {"room": {"enum": ["tea", "coffee"]}}
    assert channel["bindings"]["ws"]["query"]["properties"] == {"since": {"type": "integer", "default": 0}}
    assert channel["x-subprotocols"] == ["chat.v2"]
    operations = document["operations"]
    assert operations["receive_rooms_room"]["action"] == "receive"
    assert operations["send_rooms_room"]["action"] == "send"
    messages = document["components"]["messages"]
    line = {"$ref": "#/components/schemas/Line"}
    assert messages["rooms_room_received"]["payload"] == line
    assert messages["rooms_room_sent"]["payload"] == line
    assert document["components"]["schemas"]["Line"]["properties"]["answers"]["items"] == line


def test_a_stream_of_events_only_sends() -> None:
    document = checked(made())
    assert [name for name in document["operations"] if "prices" in name] == ["send_prices_symbol"]
    payload = document["components"]["messages"]["prices_symbol_sent"]["payload"]
    assert payload == {"$ref": "#/components/schemas/Price"}


def test_a_stream_of_events_is_also_an_operation_of_openapi() -> None:
    app = made()
    operation = app.openapi()["paths"]["/prices/{symbol}"]["get"]
    assert operation["responses"]["200"]["content"] == {
        "text/event-stream": {"schema": {"$ref": "#/components/schemas/Price"}}
    }
    assert [one["name"] for one in operation["parameters"]] == ["symbol"]
    assert "/rooms/{room}" not in app.openapi()["paths"]


def test_every_style_of_websocket_has_its_channel() -> None:
    app = Spikard()

    @app.websocket("/connection")
    async def connection(ws: WebSocket, x_key: Annotated[str, Header()], last: Annotated[int, Query(ge=0)] = 1) -> None:
        await ws.accept()

    class Room:
        async def handle_message(self, message: Line) -> Line:
            return message

    app.websocket("/object")(Room())
    app.websocket("/untyped", message_schema={"type": "object"})(untyped)
    app.websocket("/hidden", include_in_schema=False)(untyped)

    @app.sse("/events")
    async def events() -> AsyncIterator[SseEvent]:
        yield SseEvent("x")

    document = checked(app)
    assert list(document["channels"]) == ["connection", "object", "untyped", "events"]
    headers = document["channels"]["connection"]["bindings"]["ws"]["headers"]
    assert headers == {"type": "object", "properties": {"x-key": {"type": "string"}}, "required": ["x-key"]}
    assert document["components"]["messages"]["object_received"]["payload"] == {"$ref": "#/components/schemas/Line"}
    assert document["components"]["messages"]["untyped_received"]["payload"] == {"type": "object"}


async def untyped(message: dict) -> None: ...


def test_credentials_and_servers_are_told() -> None:
    app = made(
        jwt_auth=JwtConfig("s" * 32),
        openapi=OpenApiConfig(servers=[ServerInfo("https://tea.example/live", "live"), ServerInfo("/local")]),
        asyncapi=AsyncApiConfig(title="Talk", version="2", contact=ContactInfo(name="Ada")),
    )
    document = checked(app)
    assert document["info"] == {"title": "Talk", "version": "2", "contact": {"name": "Ada"}}
    assert document["servers"] == {
        "server1": {"host": "tea.example", "protocol": "wss", "pathname": "/live", "description": "live"}
    }
    assert document["operations"]["send_rooms_room"]["security"] == [
        {"$ref": "#/components/securitySchemes/bearerAuth"}
    ]
    assert document["components"]["securitySchemes"]["bearerAuth"]["scheme"] == "bearer"


def test_the_document_is_served(serve: Serve) -> None:
    app = made(asyncapi=AsyncApiConfig(enabled=True))
    answer = serve(app).client.get("/asyncapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == app.asyncapi()


def test_the_document_is_served_beside_that_of_openapi_when_there_are_channels(serve: Serve) -> None:
    assert serve(made(openapi=OpenApiConfig(enabled=True))).client.get("/asyncapi.json").status_code == 200
    plain = Spikard(ServerConfig(openapi=OpenApiConfig(enabled=True)))
    assert serve(plain).client.get("/asyncapi.json").status_code == 404
    assert serve(made()).client.get("/asyncapi.json").status_code == 404
