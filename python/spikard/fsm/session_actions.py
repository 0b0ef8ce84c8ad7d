"""Carrying out what a step of a session asks for."""

from typing import TYPE_CHECKING, Any

from spikard._spikard import TransitionResult
from spikard.fsm.action_executor import ActionExecutor
from spikard.fsm.action_result import action_results_to_payload

if TYPE_CHECKING:
    from spikard.fsm.state_machine import StateMachine


def carry_out(
    machine: "StateMachine", result: TransitionResult, context: dict[str, Any], payload: dict[str, Any]
) -> None:
    """Does what a step asks for; what that changes is in the context afterwards, and so is the payload."""
    seen = {**context, **payload, "new_status": result.target_state}
    execution = ActionExecutor(machine.action_registry).execute(result, seen)
    _merge(context, seen)
    if execution.action_results:
        result.metadata["action_results"] = action_results_to_payload(execution.action_results)


async def acarry_out(
    machine: "StateMachine", result: TransitionResult, context: dict[str, Any], payload: dict[str, Any]
) -> None:
    """`carry_out` with actions that may be asynchronous."""
    seen = {**context, **payload, "new_status": result.target_state}
    execution = await ActionExecutor(machine.action_registry).async_execute(result, seen)
    _merge(context, seen)
    if execution.action_results:
        result.metadata["action_results"] = action_results_to_payload(execution.action_results)


def _merge(context: dict[str, Any], seen: dict[str, Any]) -> None:
    for key in [key for key in context if key not in seen]:
        del context[key]
    context.update((key, value) for key, value in seen.items() if not key.startswith("_"))
