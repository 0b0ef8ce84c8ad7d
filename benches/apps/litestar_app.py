"""Litestar with msgspec Structs; served by granian."""

import asyncio
from typing import Annotated, Literal

import msgspec
from litestar import Litestar, get, post
from msgspec import Meta

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


@get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@get("/items/{id:int}")
async def item(id: int, limit: int, active: bool, q: str) -> dict[str, int | bool | str]:
    return {"id": id, "limit": limit, "active": active, "q": q}


@post("/orders", status_code=200)
async def order(data: Order) -> dict[str, int | str]:
    return {"id": data.id, "customer": data.customer, "quantity": data.quantity}


@get("/sleep")
async def sleep() -> dict[str, str]:
    await asyncio.sleep(0)
    return {"message": "Hello, World!"}


@get("/redis")
async def redis_get() -> dict[str, str]:
    return {"message": await redis().get("spikard:bench")}


app = Litestar([hello, item, order, sleep, redis_get], openapi_config=None)
