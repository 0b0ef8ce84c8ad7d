"""A case: one request, the answer it must get, and the rate at which its latency is taken."""

import json
from dataclasses import dataclass
from typing import Any

JSON_TYPE = "application/json"
REDIS_KEY = "spikard:bench"
REDIS_VALUE = "Hello, Redis!"
BODY_BYTES = 1024

HELLO = {"message": "Hello, World!"}
ORDER: dict[str, Any] = {
    "id": 1001,
    "customer": "Ada Lovelace",
    "email": "ada@example.org",
    "status": "paid",
    "currency": "EUR",
    "amount": 129.5,
    "quantity": 3,
    "paid": True,
    "tags": ["books", "express", "gift"],
    "address": "12 St James's Square, London SW1Y 4JH",
    "created": "2026-01-15T09:30:00Z",
    "note": "",
}


@dataclass(frozen=True)
class Case:
    """One measured request. `rate` is requests per second of the latency run, below every server's saturation."""

    name: str
    title: str
    target: str
    rate: int
    statuses: frozenset[int] = frozenset({200})
    answer: Any = None
    body: bytes | None = None

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"


def encode(order: dict[str, Any]) -> bytes:
    """The order as JSON of exactly `BODY_BYTES` bytes: the note fills what is missing."""
    missing = BODY_BYTES - len(json.dumps(order | {"note": ""}, separators=(",", ":")))
    filler = ("Please leave the parcel with the neighbour. " * 40)[:missing]
    return json.dumps(order | {"note": filler}, separators=(",", ":")).encode()


VALID = encode(ORDER)
INVALID = encode(ORDER | {"status": "lost", "amount": -1, "quantity": "three"})

CASES = (
    Case("hello", "JSON hello, `async def`", "/hello", 2000, answer=HELLO),
    Case(
        "parameters",
        "path int + 3 typed query parameters",
        "/items/42?limit=20&active=true&q=rust",
        2000,
        answer={"id": 42, "limit": 20, "active": True, "q": "rust"},
    ),
    Case(
        "body",
        "1 KB JSON body → typed model of 12 fields",
        "/orders",
        1500,
        answer={"id": 1001, "customer": "Ada Lovelace", "quantity": 3},
        body=VALID,
    ),
    Case(
        "invalid",
        "the same body with 3 errors → 422",
        "/orders",
        1500,
        statuses=frozenset({400, 422}),
        body=INVALID,
    ),
    Case("sleep", "`await asyncio.sleep(0)`", "/sleep", 2000, answer=HELLO),
    Case("redis", "one Redis GET through `redis.asyncio`", "/redis", 1000, answer={"message": REDIS_VALUE}),
)
# Measured apart from the rounds: not requests, but the process itself.
EXTRAS = {"idle": "10,000 idle keep-alive connections", "start": "import + start to the first answer"}
