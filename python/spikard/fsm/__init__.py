"""State machines: definitions, plans of transitions, and whatever carries them out.

Names are imported when they are first used, so that a program loads what it needs and nothing else.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spikard.fsm.action_spec import EFFECT_TYPES, ActionSpec
    from spikard.fsm.check_spec import CHECK_OPS, CheckSpec
    from spikard.fsm.destination_candidate import DestinationCandidate
    from spikard.fsm.destination_check_result import DestinationCheckResult
    from spikard.fsm.guard_spec import GuardSpec
    from spikard.fsm.history_type import HistoryType, parse_history_dest
    from spikard.fsm.invoke_spec import InvokeSpec
    from spikard.fsm.parallel_state_config import ParallelStateConfig
    from spikard.fsm.region import Region
    from spikard.fsm.state import State
    from spikard.fsm.state_type import StateType
    from spikard.fsm.timeout import Timeout
    from spikard.fsm.transition import Transition
    from spikard.fsm.when_check import WhenCheck

# The module of each public name, by module.
_MODULES = {
    "ActionSpec": "action_spec",
    "EFFECT_TYPES": "action_spec",
    "CHECK_OPS": "check_spec",
    "CheckSpec": "check_spec",
    "DestinationCandidate": "destination_candidate",
    "DestinationCheckResult": "destination_check_result",
    "GuardSpec": "guard_spec",
    "HistoryType": "history_type",
    "parse_history_dest": "history_type",
    "InvokeSpec": "invoke_spec",
    "ParallelStateConfig": "parallel_state_config",
    "Region": "region",
    "State": "state",
    "StateType": "state_type",
    "Timeout": "timeout",
    "Transition": "transition",
    "WhenCheck": "when_check",
}

__all__ = [
    "CHECK_OPS",
    "EFFECT_TYPES",
    "ActionSpec",
    "CheckSpec",
    "DestinationCandidate",
    "DestinationCheckResult",
    "GuardSpec",
    "HistoryType",
    "InvokeSpec",
    "ParallelStateConfig",
    "Region",
    "State",
    "StateType",
    "Timeout",
    "Transition",
    "WhenCheck",
    "parse_history_dest",
]


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
