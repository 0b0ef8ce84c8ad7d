"""A FastAPI application below a path: what it is most used for has to work there."""

from collections.abc import AsyncIterator
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Header, HTTPException, WebSocket
from pydantic import BaseModel
from websockets.exceptions import InvalidStatus

from spikard import Spikard
from spikard.testing import MemoryClient


class Order(BaseModel):
    tea: str
    grams: int = 100


def shop(log: list[str]) -> FastAPI:
    app = FastAPI(title="Tea")

    async def customer(x_customer: Annotated[str | None, Header()] = None) -> AsyncIterator[str]:
        if x_customer is None:
            raise HTTPException(401, "Who are you?")
        log.append(f"{x_customer} came")
        yield x_customer
        log.append(f"{x_customer} left")

    Who = Annotated[str, Depends(customer)]  # noqa: N806 - a type

    @app.post("/orders", status_code=201)
    async def order(order: Order, who: Who) -> dict[str, object]:
        return {"who": who, "grams": order.grams}

    @app.websocket("/talk/{room}")
    async def talk(ws: WebSocket, room: str, who: Who) -> None:
        await ws.accept()
        async for text in ws.iter_text():
            await ws.send_json({"room": room, "who": who, "said": text})

    return app


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
async def client(log: list[str]) -> AsyncIterator[MemoryClient]:
    app = Spikard()
    app.mount("/shop", shop(log))
    async with MemoryClient(app) as client:
        yield client


async def test_bodies_and_dependencies(client: MemoryClient, log: list[str]) -> None:
    answer = await client.post("/shop/orders", json={"tea": "Assam"}, headers={"x-customer": "ada"})
    assert (answer.status_code, answer.json()) == (201, {"who": "ada", "grams": 100})
    assert log == ["ada came", "ada left"]
    assert (await client.post("/shop/orders", json={"tea": "Assam"})).status_code == 401
    refused = await client.post("/shop/orders", json={"tea": 1}, headers={"x-customer": "ada"})
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "tea"])


async def test_websockets_and_dependencies(client: MemoryClient, log: list[str]) -> None:
    async with client.websocket("/shop/talk/tea", headers={"x-customer": "grace"}) as ws:
        for text in ("hello", "bye"):
            await ws.send(text)
            assert await ws.receive_json() == {"room": "tea", "who": "grace", "said": text}
    assert log[0] == "grace came"
    with pytest.raises(InvalidStatus) as refused:
        async with client.websocket("/shop/talk/tea"):
            pass
    assert refused.value.response.status_code in (401, 403)


async def test_its_pages_find_their_document(client: MemoryClient) -> None:
    page = await client.get("/shop/docs")
    assert page.status_code == 200
    assert "/shop/openapi.json" in page.text
    document = (await client.get("/shop/openapi.json")).json()
    assert list(document["paths"]) == ["/orders"]
    assert document["servers"] == [{"url": "/shop"}]
