"""The `spikard` 0.1.1 of PyPI. Its wheel holds the extension only; the application object it wants is written here."""

import asyncio
import os
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from redis_client import redis


class Order(msgspec.Struct):
    id: int
    customer: str
    email: str
    status: str
    currency: str
    amount: float
    quantity: int
    paid: bool
    tags: list[str]
    address: str
    created: str
    note: str


decode_order = msgspec.json.Decoder(Order).decode


def convert(params: dict[str, Any], handler: Callable[..., Any]) -> dict[str, Any]:
    """Keep what the handler asks for; the body comes as the validated JSON text."""
    arguments = {name: params[name] for name in handler.__annotations__ if name in params}
    if "body" in arguments:
        arguments["body"] = decode_order(arguments["body"])
    return arguments


# The extension logs every request unless told otherwise, and looks two Python functions up by their module paths.
os.environ.setdefault("RUST_LOG", "off")
for name in ("spikard", "spikard._internal", "spikard._internal.serialization", "spikard._internal.converters"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["spikard._internal.serialization"].__dict__["to_builtins"] = msgspec.to_builtins
sys.modules["spikard._internal.converters"].__dict__["convert_params"] = convert

ORDER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "customer": {"type": "string", "minLength": 1, "maxLength": 80},
        "email": {"type": "string", "minLength": 3, "maxLength": 120},
        "status": {"enum": ["new", "paid", "shipped"]},
        "currency": {"type": "string", "minLength": 3, "maxLength": 3},
        "amount": {"type": "number", "exclusiveMinimum": 0},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 1000},
        "paid": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "address": {"type": "string"},
        "created": {"type": "string"},
        "note": {"type": "string", "maxLength": 1000},
    },
}
ORDER_SCHEMA["required"] = list(ORDER_SCHEMA["properties"])
ITEM_SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "source": "path"},
        "limit": {"type": "integer", "source": "query"},
        "active": {"type": "boolean", "source": "query"},
        "q": {"type": "string", "source": "query"},
    },
    "required": ["id", "limit", "active", "q"],
}


@dataclass
class Route:
    method: str
    path: str
    handler: Callable[..., Any]
    handler_name: str
    request_schema: dict[str, Any] | None = None
    response_schema: dict[str, Any] | None = None
    parameter_schema: dict[str, Any] | None = None
    file_params: dict[str, Any] | None = None
    is_async: bool = True
    body_param_name: str | None = None


async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


async def item(id: int, limit: int, active: bool, q: str) -> dict[str, Any]:
    return {"id": id, "limit": limit, "active": active, "q": q}


async def order(body: Order) -> dict[str, Any]:
    return {"id": body.id, "customer": body.customer, "quantity": body.quantity}


async def sleep() -> dict[str, str]:
    await asyncio.sleep(0)
    return {"message": "Hello, World!"}


async def redis_get() -> dict[str, str]:
    return {"message": await redis().get("spikard:bench")}


class Application:
    def get_routes(self) -> list[Route]:
        return [
            Route("GET", "/hello", hello, "hello"),
            Route("GET", "/items/{id}", item, "item", parameter_schema=ITEM_SCHEMA),
            Route("POST", "/orders", order, "order", request_schema=ORDER_SCHEMA, body_param_name="body"),
            Route("GET", "/sleep", sleep, "sleep"),
            Route("GET", "/redis", redis_get, "redis_get"),
        ]

    def get_lifecycle_hooks(self) -> dict[str, list[Any]]:
        return {"on_request": [], "pre_validation": [], "pre_handler": [], "on_response": [], "on_error": []}

    def get_websocket_handlers(self) -> dict[str, Any]:
        return {}

    def get_sse_producers(self) -> dict[str, Any]:
        return {}


if __name__ == "__main__":
    config = types.SimpleNamespace(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        workers=1,
        enable_request_id=False,
        max_body_size=1 << 20,
        request_timeout=None,
        compression=None,
        rate_limit=None,
        jwt_auth=None,
        api_key_auth=None,
        static_files=[],
        graceful_shutdown=True,
        shutdown_timeout=1,
        openapi=None,
    )
    import _spikard

    _spikard.run_server(Application(), config)
