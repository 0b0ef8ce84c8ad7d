"""socketify, one process. It parses nothing by type, so the handlers do; bodies go through msgspec."""

import asyncio
import sys
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from socketify import App

from redis_client import redis


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


encode = msgspec.json.Encoder().encode
decode_order = msgspec.json.Decoder(Order).decode
BOOLEANS = {"true": True, "false": False}


def answer(response: Any, content: object, status: str = "200 OK") -> None:
    response.write_status(status).write_header(b"content-type", b"application/json").end(encode(content))


async def hello(response: Any, _request: Any) -> None:
    answer(response, {"message": "Hello, World!"})


async def item(response: Any, request: Any) -> None:
    try:
        content = {
            "id": int(request.get_parameter(0)),
            "limit": int(request.get_query("limit")),
            "active": BOOLEANS[request.get_query("active")],
            "q": request.get_query("q"),
        }
    except (KeyError, TypeError, ValueError) as error:
        answer(response, {"detail": str(error)}, "422 Unprocessable Content")
    else:
        answer(response, content)


async def order(response: Any, _request: Any) -> None:
    try:
        body = decode_order((await response.get_data()).getvalue())
    except msgspec.ValidationError as error:
        answer(response, {"detail": str(error)}, "422 Unprocessable Content")
    else:
        answer(response, {"id": body.id, "customer": body.customer, "quantity": body.quantity})


async def sleep(response: Any, _request: Any) -> None:
    await asyncio.sleep(0)
    answer(response, {"message": "Hello, World!"})


async def redis_get(response: Any, _request: Any) -> None:
    answer(response, {"message": await redis().get("spikard:bench")})


if __name__ == "__main__":
    app = App()
    app.get("/hello", hello)
    app.get("/items/:id", item)
    app.post("/orders", order)
    app.get("/sleep", sleep)
    app.get("/redis", redis_get)
    app.listen({"port": int(sys.argv[1]), "host": "127.0.0.1"})
    app.run()
