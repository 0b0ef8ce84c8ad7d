"""One action out of the outbox, done by somebody else than whoever has processed its event."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from spikard.fsm.action_result import ActionResult
from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.delivery import Delivery
from spikard.fsm.errors import ActionNotFoundError
from spikard.fsm.event import Event
from spikard.fsm.orchestration.acting import MESSAGES, ContextBefore, Message
from spikard.fsm.orchestration.requests import Steps
from spikard.fsm.orchestration.steps import bring, deliver
from spikard.fsm.stores.row import EntityChange, EntityRow, HeldAction, Settlement

if TYPE_CHECKING:
    from spikard.fsm.orchestration.orchestrator import Orchestrator

Bury = Callable[[HeldAction, str, str], None]


def redeliver(o: "Orchestrator", held: HeldAction, bury: Bury) -> Steps:
    """Do a held action, and keep what came of it with what it has changed; how it was settled.

    `bury` is called with the error's text and type before an action is given up. `LeaseLostError` when somebody else
    has the action by now: then nothing is kept.
    """
    action = held.action if isinstance(held.action, ActionSpec) else ActionSpec.from_config(held.action)
    row: EntityRow = yield "load", held.entity_id
    context = _context(row, held)
    before = ContextBefore({key: value for key, value in row.context.items() if key != "new_status"})
    delivery, waiting = Delivery(held.outbox_id), deque[Message]()
    outcome = yield from _done(o, action, context, delivery)
    if outcome.success and delivery.messages:
        try:
            yield from bring(o, Message(held.entity_id, held.outbox_id, delivery.messages), waiting)
        except Exception as error:  # noqa: BLE001 - ends in the settlement
            outcome = ActionResult.fail(action.name, error)
    settlement = Settlement("done", fence=held.fence)
    if not outcome.success:
        settlement = o.outbox.failed(held.attempt, outcome.error, held.fence)
        if settlement.status == "dead":
            # First the letter: who dies in between writes it twice rather than not at all.
            bury(held, str(outcome.error), type(outcome.error).__name__)
    patch, removed = before.changes(context)
    yield (
        "commit",
        EntityChange(held.entity_id, patch=patch or None, removed=removed, settled={held.outbox_id: settlement}),
    )
    if waiting:
        yield from deliver(o, waiting)
    return settlement


def _context(row: EntityRow, held: HeldAction) -> dict[str, Any]:
    about = held.about
    event_id = about.get("event_id")
    event = Event(about.get("trigger") or "unknown", {}, UUID(event_id) if event_id else None)
    return {
        **row.context, "_event": event, "_entity_id": held.entity_id, "new_status": about.get("target_state"),
    }  # fmt: skip


def _done(o: "Orchestrator", action: ActionSpec, context: dict[str, Any], delivery: Delivery) -> Steps:
    if action.name in MESSAGES and action.when is None:
        delivery.messages.append((delivery.key, action))
        return ActionResult.ok(action.name)
    if action.effect is None and not action.name.startswith("_") and not o.executor.registry.has(action.name):
        # Whoever has processed the event knew the action; to leave it out here would lose it.
        missing = ActionNotFoundError(f"Action '{action.name}' is not registered here", action_name=action.name)
        return ActionResult.fail(action.name, missing)
    return (yield "execute", action, context, delivery)
