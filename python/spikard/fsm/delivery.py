"""One action of a kept step on its way: under which key it is done, and whom it wants to hear of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spikard.fsm.action_spec import ActionSpec


class Delivery:
    """The action that is being done. `messages` are the events it raises or sends, each with its own key."""

    __slots__ = ("key", "messages")

    def __init__(self, key: str) -> None:
        self.key = key
        self.messages: list[tuple[str, ActionSpec]] = []

    @contextmanager
    def part(self, number: int) -> Iterator[None]:
        """One of several actions that are done as parts of this one."""
        whole, self.key = self.key, f"{self.key}.{number}"
        try:
            yield
        finally:
            self.key = whole


current_delivery: ContextVar[Delivery | None] = ContextVar("spikard_fsm_delivery", default=None)


def idempotency_key() -> str | None:
    """The key of the action that is being done: the same at every attempt, and of no other action.

    A receiver that keeps the keys it has seen does everything once, however often it is asked. None where an action is
    not done for an orchestrator.
    """
    delivery = current_delivery.get()
    return None if delivery is None else delivery.key
