"""The answer of a machine: a plan, or why there is none."""

from dataclasses import dataclass, field
from typing import Any

from spikard._spikard import TransitionResult

__all__ = ["TransitionResult"]


@dataclass(frozen=True)
class _Fields:
    success: bool
    source_state: str
    target_state: str | None
    trigger: str
    actions_to_execute: tuple[Any, ...] = ()
    on_exit_actions: tuple[Any, ...] = ()
    on_enter_actions: tuple[Any, ...] = ()
    error: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)


# For `dataclasses.replace`, `fields` and `asdict`, and for `match`, which programs use on results.
TransitionResult.__dataclass_fields__ = _Fields.__dataclass_fields__  # type: ignore[attr-defined]
TransitionResult.__match_args__ = tuple(_Fields.__dataclass_fields__)  # type: ignore[misc, attr-defined]
