"""The machine of all entities: each is advanced once, and tells somebody of it."""

import os
import socket
import threading
from typing import Any

from spikard.fsm import ActionRegistry, idempotency_key

NAME = "bench_million"
# Every so many entities are advanced by the trigger whose effect is an HTTP call; the others tell over a plain socket.
HTTP_EVERY = 200


def definition(http_url: str) -> dict[str, Any]:
    """The machine, as configurations write it."""
    call = {"url": http_url, "body": {"entity": "{{ number }}"}, "on_error": "fail", "timeout": 5}
    return {
        "meta": {"machine_name": NAME, "version": "1"},
        "states": [{"name": "created", "type": "initial"}, {"name": "advanced"}],
        "transitions": [
            {
                "trigger": "advance",
                "source": "created",
                "dest": "advanced",
                "actions": [{"increment": "steps"}, "tell"],
            },
            {
                "trigger": "advance_http",
                "source": "created",
                "dest": "advanced",
                "actions": [{"increment": "steps"}, {"http": call}],
            },
        ],
    }


def entity(number: int) -> str:
    """The name of an entity."""
    return f"m{number:07d}"


def trigger(number: int) -> str:
    """What advances an entity."""
    return "advance_http" if number % HTTP_EVERY == 0 else "advance"


class Line:
    """A connection of each thread to the receiver, which answers when it has counted."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._address = host, int(port)
        self._own = threading.local()

    def tell(self, ctx: dict[str, Any]) -> None:
        """Tell the receiver under the key of the action."""
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = socket.create_connection(self._address, timeout=10)
        connection.sendall(f"{idempotency_key()}\n".encode())
        if connection.recv(16) != b"counted\n":
            del self._own.connection
            raise ConnectionError("the receiver has not counted")


def actions() -> ActionRegistry:
    """What the machine's actions do."""
    registry = ActionRegistry()
    registry.register("tell", Line(os.environ["RECEIVER"]).tell)
    return registry
