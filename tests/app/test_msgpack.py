"""MessagePack bodies of every kind: what can be read comes through as it is, all else is the client's fault."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikard import Spikard
from tests.served import Mode, Served

MEDIA_TYPE = {"content-type": "application/msgpack"}

NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
# Well-formed but for one byte, which noise hardly ever is.
DAMAGED = st.builds(
    lambda body, at, byte: body[: at % len(body)] + bytes([byte]) + body[at % len(body) + 1 :],
    VALUES.map(msgspec.msgpack.encode),
    st.integers(0, 1000),
    st.integers(0, 255),
)


class Order(msgspec.Struct):
    name: str
    amount: int = 1
    notes: dict[str, Any] = {}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """An application that says what it was sent."""
    app = Spikard()

    @app.post("/any")
    async def anything(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @app.post("/order")
    async def order(body: Order) -> Order:
        return body

    with Served(app, Mode.INLINE) as served:
        yield served


@settings(deadline=None)
@given(value=VALUES)
def test_values_come_through(served: Served, value: Any) -> None:
    body = msgspec.msgpack.encode({"value": value})
    response = served.client.post("/any", content=body, headers=MEDIA_TYPE)
    assert (response.status_code, response.json()) == (200, {"value": value})


@settings(deadline=None)
@given(body=st.binary(max_size=100) | DAMAGED)
def test_whatever_is_sent(served: Served, body: bytes) -> None:
    for path in ("/any", "/order"):
        response = served.client.post(path, content=body, headers=MEDIA_TYPE)
        assert response.status_code in {200, 400, 422}, response.text


@pytest.mark.parametrize(
    "body",
    [
        b"\x91" * 100_000,  # nested without end
        b"\xdd\xff\xff\xff\xff",  # four thousand million items, none of them there
        b"\xc6\xff\xff\xff\xff",
        b"\x81\xa1a" * 1000 + b"\xc0",
        b"\x81\x01\x02",  # a number as a key
        b"\xd6\xff\x00\x00\x00\x00",  # a time
        b"\xc7\x01\x05\x00",  # an extension that nobody knows
        b"\x81\xa1a\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",  # not a number
    ],
)
def test_what_is_meant_badly(served: Served, body: bytes) -> None:
    response = served.client.post("/any", content=body, headers=MEDIA_TYPE)
    assert response.status_code in {200, 400, 422}, response.text
    assert served.client.post("/any", content=b"\x80", headers=MEDIA_TYPE).json() == {}
