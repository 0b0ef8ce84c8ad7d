"""A specimen: the bytes of one request, and what a sound server may do with it."""

import json
from dataclasses import dataclass
from enum import Enum
from random import Random

from spikard_bench.case import INVALID, VALID


class Manner(Enum):
    """How the bytes are sent."""

    WHOLE = "whole"
    # In small pieces with pauses: slow, but within every limit.
    SLOW = "slow"
    # Sent, and then the client is gone without reading.
    ABANDONED = "abandoned"


@dataclass(frozen=True)
class Specimen:
    """One request. A valid one must get `status` and the JSON `answer`, if given; a malformed one a 4xx or a close."""

    kind: str
    data: bytes
    valid: bool
    status: int = 0
    answer: object = None
    manner: Manner = Manner.WHOLE


def request(method: str, target: str, body: bytes | None = None) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1"]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def valid(random: Random) -> Specimen:
    """A well-formed request whose answer is known."""
    kind = random.choice(("hello", "hello", "hello", "item", "order", "invalid order", "sleep", "unknown path"))
    match kind:
        case "item":
            number = random.randrange(1_000_000)
            answer = {"id": number, "limit": 20, "active": True, "q": "rust"}
            data = request("GET", f"/items/{number}?limit=20&active=true&q=rust")
            return Specimen(kind, data, True, 200, answer)
        case "order":
            answer = {"id": 1001, "customer": "Ada Lovelace", "quantity": 3}
            return Specimen(kind, request("POST", "/orders", VALID), True, 200, answer)
        case "invalid order":
            return Specimen(kind, request("POST", "/orders", INVALID), True, 422)
        case "unknown path":
            return Specimen(kind, request("GET", f"/nothing/{random.randrange(1000)}"), True, 404)
        case _:
            target = "/sleep" if kind == "sleep" else "/hello"
            return Specimen(kind, request("GET", target), True, 200, {"message": "Hello, World!"})


def hostile(random: Random) -> Specimen:
    """A malformed request, or a client that behaves badly. The slow one is well-formed and must be answered."""
    kind = random.choice(
        (
            "bad line",
            "bad version",
            "control bytes",
            "huge header",
            "many headers",
            "truncated body",
            "bad chunk",
            "two lengths",
            "broken json",
            "abandoned",
            "half a head",
            "slow",
        )
    )
    head = b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    post = b"POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    whole = {
        "bad line": b"COMPLETE NONSENSE " + random.randbytes(20).hex().encode() + b"\r\n\r\n",
        "bad version": b"GET /hello HTTP/9.7\r\nHost: 127.0.0.1\r\n\r\n",
        "control bytes": b"GET /he\x00llo HTTP/1.1\r\nHost: 127.0.0.1\r\nX: \x01\x02\r\n\r\n",
        "huge header": head + b"X-Huge: " + b"a" * random.randrange(1_000_000, 2_000_000) + b"\r\n\r\n",
        "many headers": head + b"".join(b"X-%d: 1\r\n" % number for number in range(2000)) + b"\r\n",
        "bad chunk": post + b"Transfer-Encoding: chunked\r\n\r\nNOTHEX\r\n{}\r\n0\r\n\r\n",
        "two lengths": post + b"Content-Length: 2\r\nContent-Length: 7\r\n\r\n{}",
        "broken json": request("POST", "/orders", VALID[: random.randrange(10, 900)]),
    }
    if kind in whole:
        return Specimen(kind, whole[kind], False)
    if kind == "slow":
        return Specimen(kind, request("GET", "/hello"), True, 200, {"message": "Hello, World!"}, Manner.SLOW)
    cut = {
        "truncated body": request("POST", "/orders", VALID)[: -random.randrange(1, 1000)],
        "half a head": head[: random.randrange(1, len(head))],
        "abandoned": request("GET", "/sleep"),
    }
    return Specimen(kind, cut[kind], False, manner=Manner.ABANDONED)


def matches(specimen: Specimen, status: int, body: bytes) -> bool:
    """Is this the answer the valid specimen must get?"""
    if status != specimen.status:
        return False
    if specimen.answer is None:
        return True
    try:
        return bool(json.loads(body) == specimen.answer)
    except ValueError:
        return False
