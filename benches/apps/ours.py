"""Spikard: this repository."""

import asyncio
import sys
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from spikard import Spikard

from redis_client import redis

app = Spikard()


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


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.get("/items/{id:int}")
async def item(id: int, limit: int, active: bool, q: str) -> dict[str, Any]:
    return {"id": id, "limit": limit, "active": active, "q": q}


@app.post("/orders")
async def order(body: Order) -> dict[str, Any]:
    return {"id": body.id, "customer": body.customer, "quantity": body.quantity}


@app.get("/sleep")
async def sleep() -> dict[str, str]:
    await asyncio.sleep(0)
    return {"message": "Hello, World!"}


@app.get("/redis")
async def redis_get() -> dict[str, str]:
    return {"message": await redis().get("spikard:bench")}


if __name__ == "__main__":
    if sys.argv[2:] == ["embedded"]:
        import uvloop

        uvloop.run(app.serve(host="127.0.0.1", port=int(sys.argv[1])))
    else:
        app.run(host="127.0.0.1", port=int(sys.argv[1]), workers=1)
