"""Where an entity goes when an event does not fit."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from spikard.fsm.errors import InvalidTransitionError, UndefinedTriggerError
from spikard.fsm.parallel_state_config import ParallelStateConfig
from spikard.fsm.transition_result import TransitionResult

META_KEY = "orchestrator_default_fallback"

FallbackMode = Literal["off", "hint", "persist"]


def parse_mode(meta: Mapping[str, Any] | None) -> FallbackMode:
    """What a machine's `meta` says; off where it says nothing that is known."""
    value = (meta or {}).get(META_KEY)
    if isinstance(value, bool):
        return "persist" if value else "off"
    text = str(value).strip().lower()
    if text == "hint":
        return "hint"
    return "persist" if text == "persist" else "off"


def is_allowlisted_failure(error: BaseException | None) -> bool:
    """Whether the event does not fit; a guard's refusal and a terminal state are answers, not misfits."""
    return type(error) in (UndefinedTriggerError, InvalidTransitionError) and not _is_refusal(error)


def _is_refusal(error: BaseException | None) -> bool:
    context = getattr(error, "context", None) or {}
    return context.get("reason") == "guards_failed"


def scalar_fallback_eligible(result: TransitionResult) -> bool:
    """Whether a result may be replaced by the fallback."""
    return not result.success and is_allowlisted_failure(result.error)


def parallel_fallback_eligible(
    incoming: ParallelStateConfig, updated: ParallelStateConfig, results: Sequence[TransitionResult]
) -> bool:
    """Whether results of regions may be replaced: none has moved, and one says that the event does not fit."""
    return incoming == updated and any(scalar_fallback_eligible(result) for result in results)


def enrich_hint_result(
    result: TransitionResult, fallback_leaf: str, *, parallel_composite_source: str | None = None
) -> TransitionResult:
    """The failure, saying where one could go."""
    hint: dict[str, Any] = {META_KEY: fallback_leaf, "orchestrator_recovery_kind": "hint"}
    if parallel_composite_source is not None:
        hint["orchestrator_parallel_composite_source"] = parallel_composite_source
    if result.error is not None:
        result.error.context.update(hint)
    return TransitionResult.failure_result(
        result.source_state, result.trigger, result.error, {**result.metadata, **hint}
    )  # fmt: skip


def applied_result(
    machine: Any, result: TransitionResult, source: str, fallback: str, composite: str | None
) -> TransitionResult:
    """A step to the fallback in the place of a failure."""
    leaf = machine.hierarchy.effective_target_leaf(fallback)
    error = result.error
    metadata: dict[str, Any] = {
        "orchestrator_applied_default_fallback": True,
        "orchestrator_recovery_kind": "default_fallback",
        META_KEY: leaf,
        "orchestrator_original_error": None if error is None else error.to_dict(),
        "orchestrator_skip_apply_history": True,
    }
    if composite is not None:
        metadata["orchestrator_parallel_composite_source"] = composite
    states = machine.states
    on_exit = states[source].on_exit if source in states else ()
    return TransitionResult.success_result(
        source, leaf, result.trigger, on_exit=tuple(on_exit), on_enter=tuple(states[leaf].on_enter), metadata=metadata
    )
