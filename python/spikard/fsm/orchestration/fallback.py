"""Where an entity goes when an event does not fit."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from spikard.fsm.errors import InvalidTransitionError, UndefinedTriggerError
from spikard.fsm.parallel_state_config import ParallelStateConfig
from spikard.fsm.transition_result import TransitionResult

META_KEY = "orchestrator_default_fallback"

# What metadata of results say.
MD_FALLBACK_STATE = META_KEY
MD_APPLIED = "orchestrator_applied_default_fallback"
MD_RECOVERY_KIND = "orchestrator_recovery_kind"
MD_ORIGINAL_ERROR = "orchestrator_original_error"
MD_SKIP_APPLY_HISTORY = "orchestrator_skip_apply_history"
MD_PARALLEL_COMPOSITE_SOURCE = "orchestrator_parallel_composite_source"

FallbackMode = Literal["off", "hint", "persist"]

MODE_OFF: FallbackMode = "off"
MODE_HINT: FallbackMode = "hint"
MODE_PERSIST: FallbackMode = "persist"


def parse_mode(meta: Mapping[str, Any] | None) -> FallbackMode:
    """What a machine's `meta` says; off where it says nothing that is known."""
    value = (meta or {}).get(META_KEY)
    if isinstance(value, bool):
        return MODE_PERSIST if value else MODE_OFF
    text = str(value).strip().lower()
    if text == MODE_HINT:
        return MODE_HINT
    return MODE_PERSIST if text == MODE_PERSIST else MODE_OFF


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
    hint: dict[str, Any] = {MD_FALLBACK_STATE: fallback_leaf, MD_RECOVERY_KIND: "hint"}
    if parallel_composite_source is not None:
        hint[MD_PARALLEL_COMPOSITE_SOURCE] = parallel_composite_source
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
        MD_APPLIED: True,
        MD_RECOVERY_KIND: "default_fallback",
        MD_FALLBACK_STATE: leaf,
        MD_ORIGINAL_ERROR: None if error is None else error.to_dict(),
        MD_SKIP_APPLY_HISTORY: True,
    }
    if composite is not None:
        metadata[MD_PARALLEL_COMPOSITE_SOURCE] = composite
    states = machine.states
    on_exit = states[source].on_exit if source in states else ()
    return TransitionResult.success_result(
        source, leaf, result.trigger, on_exit=tuple(on_exit), on_enter=tuple(states[leaf].on_enter), metadata=metadata
    )
