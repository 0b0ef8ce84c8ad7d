"""Sanic, single process, uvloop. Its query arguments are text, so the handlers convert; bodies go through msgspec."""

import asyncio
import sys
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sanic import HTTPResponse, Request, Sanic, json

from redis_client import redis

app = Sanic("bench", configure_logging=False)


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


def problem(error: Exception) -> HTTPResponse:
    return json({"detail": str(error)}, status=422)


@app.get("/hello")
async def hello(_request: Request) -> Any:
    return json({"message": "Hello, World!"})


@app.get("/items/<id:int>")
async def item(request: Request, id: int) -> Any:
    query = request.args
    try:
        content = {
            "id": id,
            "limit": int(query["limit"][0]),
            "active": BOOLEANS[query["active"][0]],
            "q": query["q"][0],
        }
    except (KeyError, ValueError) as error:
        return problem(error)
    return json(content)


@app.post("/orders")
async def order(request: Request) -> Any:
    try:
        body = decode_order(request.body)
    except msgspec.ValidationError as error:
        return problem(error)
    return json({"id": body.id, "customer": body.customer, "quantity": body.quantity})


@app.get("/sleep")
async def sleep(_request: Request) -> Any:
    await asyncio.sleep(0)
    return json({"message": "Hello, World!"})


@app.get("/redis")
async def redis_get(_request: Request) -> Any:
    return json({"message": await redis().get("spikard:bench")})


if __name__ == "__main__":
    app.config.KEEP_ALIVE_TIMEOUT = 75
    app.run(host="127.0.0.1", port=int(sys.argv[1]), single_process=True, access_log=False, debug=False, motd=False)
