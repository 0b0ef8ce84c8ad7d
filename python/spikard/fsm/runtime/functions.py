"""Single calls, with a runtime that is given, made of given stores, or configured."""

from typing import Any

from spikard.fsm.action_registry import ActionRegistry
from spikard.fsm.guard_registry import GuardRegistry
from spikard.fsm.machine_stores.client import MachineStoreClient
from spikard.fsm.queue.client import QueueClient
from spikard.fsm.runtime.runtime import FsmRuntime
from spikard.fsm.transition_result import TransitionResult


def process_event(
    *,
    machine: str,
    entity_id: str,
    trigger: str,
    runtime: FsmRuntime | None = None,
    machine_store: MachineStoreClient | None = None,
    state_store: Any = None,
    actions: ActionRegistry | None = None,
    guards: GuardRegistry | None = None,
    version: str | None = None,
    context: dict[str, Any] | None = None,
) -> TransitionResult:
    """Bring an event to an entity."""
    found, is_ours = _runtime(runtime, machine_store, state_store, actions, guards)
    try:
        return found.process_event(machine, entity_id, trigger, version=version, context=context)
    finally:
        if is_ours:
            found.close()


def apply_data(
    *,
    machine: str,
    entity_id: str,
    data: dict[str, Any],
    runtime: FsmRuntime | None = None,
    machine_store: MachineStoreClient | None = None,
    state_store: Any = None,
    actions: ActionRegistry | None = None,
    guards: GuardRegistry | None = None,
    version: str | None = None,
    context: dict[str, Any] | None = None,
) -> list[TransitionResult]:
    """Merge data into an entity's context, and do what follows from it."""
    found, is_ours = _runtime(runtime, machine_store, state_store, actions, guards)
    try:
        return found.apply_data(machine, entity_id, data, version=version, context=context)
    finally:
        if is_ours:
            found.close()


def queue_apply_data(
    *,
    machine: str,
    entity_id: str,
    data: dict[str, Any],
    runtime: FsmRuntime | None = None,
    queue: QueueClient | None = None,
    idempotency_key: str | None = None,
    max_attempts: int = 5,
) -> str:
    """Have a worker do that; the id to ask for."""
    if queue is not None and runtime is None:
        return queue.submit_apply_data(
            machine=machine, entity_id=entity_id, data=data, idempotency_key=idempotency_key, max_attempts=max_attempts
        )
    found, is_ours = _runtime(runtime, None, None, None, None)
    try:
        return found.queue_apply_data(
            machine, entity_id, data, idempotency_key=idempotency_key, max_attempts=max_attempts
        )
    finally:
        if is_ours:
            found.close()


def _runtime(
    runtime: FsmRuntime | None,
    machine_store: MachineStoreClient | None,
    state_store: Any,
    actions: ActionRegistry | None,
    guards: GuardRegistry | None,
) -> tuple[FsmRuntime, bool]:
    """A runtime, and whether it is to be closed here."""
    if runtime is not None:
        return runtime, False
    if machine_store is not None and state_store is not None:
        made = FsmRuntime(machine_store=machine_store, state_store=state_store, actions=actions, guards=guards)
        return made, False
    if machine_store is not None or state_store is not None:
        raise TypeError("machine_store and state_store go together: pass both, a runtime, or neither")
    return FsmRuntime.from_config(), True
