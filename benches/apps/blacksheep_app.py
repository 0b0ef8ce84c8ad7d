"""BlackSheep with pydantic models; served by granian."""

import asyncio
from typing import Annotated, Literal

from blacksheep import Application, FromJSON, FromQuery, Response, get, json, post
from pydantic import BaseModel, Field

from redis_client import redis

app = Application()


class Order(BaseModel):
    id: Annotated[int, Field(ge=1)]
    customer: Annotated[str, Field(min_length=1, max_length=80)]
    email: Annotated[str, Field(min_length=3, max_length=120)]
    status: Literal["new", "paid", "shipped"]
    currency: Annotated[str, Field(min_length=3, max_length=3)]
    amount: Annotated[float, Field(gt=0)]
    quantity: Annotated[int, Field(ge=1, le=1000)]
    paid: bool
    tags: list[str]
    address: str
    created: str
    note: Annotated[str, Field(max_length=1000)]


@get("/hello")
async def hello() -> Response:
    return json({"message": "Hello, World!"})


@get("/items/{int:id}")
async def item(id: int, limit: FromQuery[int], active: FromQuery[bool], q: FromQuery[str]) -> Response:
    return json({"id": id, "limit": limit.value, "active": active.value, "q": q.value})


@post("/orders")
async def order(data: FromJSON[Order]) -> Response:
    body = data.value
    return json({"id": body.id, "customer": body.customer, "quantity": body.quantity})


@get("/sleep")
async def sleep() -> Response:
    await asyncio.sleep(0)
    return json({"message": "Hello, World!"})


@get("/redis")
async def redis_get() -> Response:
    return json({"message": await redis().get("spikard:bench")})
