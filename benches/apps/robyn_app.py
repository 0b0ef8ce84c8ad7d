"""Robyn, one process and one worker. The handlers convert the query parameters; bodies go through msgspec."""

import asyncio
import sys
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from robyn import Request, Response, Robyn

from redis_client import redis

app = Robyn(__file__)


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
JSON_HEADERS = {"content-type": "application/json"}


def problem(error: Exception) -> Response:
    return Response(status_code=422, headers=JSON_HEADERS, description=msgspec.json.encode({"detail": str(error)}))


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.get("/items/:id")
async def item(request: Request) -> Any:
    query = request.query_params
    try:
        return {
            "id": int(request.path_params["id"]),
            "limit": int(query.get("limit", "")),
            "active": BOOLEANS[query.get("active", "")],
            "q": query.get("q", ""),
        }
    except (KeyError, ValueError) as error:
        return problem(error)


@app.post("/orders")
async def order(request: Request) -> Any:
    try:
        body = decode_order(request.body)
    except msgspec.ValidationError as error:
        return problem(error)
    return {"id": body.id, "customer": body.customer, "quantity": body.quantity}


@app.get("/sleep")
async def sleep() -> dict[str, str]:
    await asyncio.sleep(0)
    return {"message": "Hello, World!"}


@app.get("/redis")
async def redis_get() -> dict[str, str]:
    return {"message": await redis().get("spikard:bench")}


if __name__ == "__main__":
    # Robyn reads its own flags from sys.argv, so the port is taken out before it starts.
    port = int(sys.argv.pop(1))
    app.start(host="127.0.0.1", port=port, _check_port=False)
