"""Who is told what a runtime does."""

import logging
from collections.abc import Sequence
from typing import Any

from spikard.fsm.runtime.snapshot import ControlAuditEvent
from spikard.fsm.transition_result import TransitionResult

logger = logging.getLogger("spikard.fsm.runtime")


class RuntimeObserver:
    """Is called after each thing that a runtime has done; what it raises is logged and changes nothing."""

    def on_machine_registered(self, *, name: str, version: str, machine_id: str) -> None:
        """A machine was registered."""

    def on_entity_created(self, *, machine: str, entity_id: str, state: str) -> None:
        """An entity was made."""

    def on_transition(self, *, machine: str, entity_id: str, result: TransitionResult) -> None:
        """An event was brought to an entity, whether it led anywhere or not."""

    def on_apply_data(self, *, machine: str, entity_id: str, results: list[TransitionResult]) -> None:
        """Data was merged into an entity's context."""

    def on_queue_submit(self, *, machine: str, entity_id: str, event_id: str) -> None:
        """Data was handed to the workers."""

    def on_error(self, *, op: str, machine: str | None, entity_id: str | None, exc: BaseException) -> None:
        """A call ended in an exception."""

    def on_control_audit(self, *, event: ControlAuditEvent) -> None:
        """An operator has changed something."""


class NullObserver(RuntimeObserver):
    """Does nothing with what it is told."""


def tell(observers: Sequence[RuntimeObserver], callback: str, **about: Any) -> None:
    """Tell all of them."""
    for observer in observers:
        try:
            getattr(observer, callback)(**about)
        except Exception:
            logger.exception("Observer %s failed in %s", type(observer).__name__, callback)
