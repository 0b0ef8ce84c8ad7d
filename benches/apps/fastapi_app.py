"""FastAPI; served by uvicorn[standard] and by granian."""

import asyncio
from typing import Annotated, Literal

from fastapi import FastAPI
from pydantic import BaseModel, Field

from redis_client import redis

app = FastAPI(openapi_url=None)


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


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.get("/items/{id}")
async def item(id: int, limit: int, active: bool, q: str) -> dict[str, int | bool | str]:
    return {"id": id, "limit": limit, "active": active, "q": q}


@app.post("/orders")
async def order(body: Order) -> dict[str, int | str]:
    return {"id": body.id, "customer": body.customer, "quantity": body.quantity}


@app.get("/sleep")
async def sleep() -> dict[str, str]:
    await asyncio.sleep(0)
    return {"message": "Hello, World!"}


@app.get("/redis")
async def redis_get() -> dict[str, str]:
    return {"message": await redis().get("spikard:bench")}
