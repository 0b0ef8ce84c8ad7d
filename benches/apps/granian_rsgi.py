"""Bare granian over RSGI: no framework, routing and parsing by hand, msgspec for JSON."""

import asyncio
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta

from redis_client import redis

encode = msgspec.json.Encoder().encode
JSON_HEADERS = [("content-type", "application/json")]


class Order(msgspec.Struct):
    id: Annotated[int, Meta(ge=1)]
    customer: Annotated[str, Meta(min_length=1, max_length=80)]
    email: Annotated[str, Meta(min_length=3, max_length=120)]
    status: Literal["new", "paid", "shipped"]
    currency: Annotated[str, Meta(min_length=3, max_length=3)]
    amount: Annotated[float, Meta(gt=0)]
    quantity: Annotated[int, Meta(ge=1, le=1000)]
    paid: bool
    tags: list[str]
    address: str
    created: str
    note: Annotated[str, Meta(max_length=1000)]


decode_order = msgspec.json.Decoder(Order).decode
BOOLEANS = {"true": True, "false": False}


def answer(proto: Any, status: int, content: object) -> None:
    proto.response_bytes(status, JSON_HEADERS, encode(content))


async def items(scope: Any, proto: Any) -> None:
    query = parse_qs(scope.query_string)
    try:
        content = {
            "id": int(scope.path[7:]),
            "limit": int(query["limit"][0]),
            "active": BOOLEANS[query["active"][0]],
            "q": query["q"][0],
        }
    except (KeyError, ValueError) as error:
        answer(proto, 422, {"detail": str(error)})
    else:
        answer(proto, 200, content)


async def orders(_scope: Any, proto: Any) -> None:
    try:
        order = decode_order(await proto())
    except msgspec.ValidationError as error:
        answer(proto, 422, {"detail": str(error)})
    else:
        answer(proto, 200, {"id": order.id, "customer": order.customer, "quantity": order.quantity})


async def app(scope: Any, proto: Any) -> None:
    path = scope.path
    if path == "/hello":
        answer(proto, 200, {"message": "Hello, World!"})
    elif path.startswith("/items/"):
        await items(scope, proto)
    elif path == "/orders":
        await orders(scope, proto)
    elif path == "/sleep":
        await asyncio.sleep(0)
        answer(proto, 200, {"message": "Hello, World!"})
    elif path == "/redis":
        answer(proto, 200, {"message": await redis().get("spikard:bench")})
    else:
        answer(proto, 404, {"detail": "not found"})
