"""Which fields of the context a machine changes itself."""

from collections.abc import Iterable, Iterator

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.state import State
from spikard.fsm.transition import Transition

# What every step writes.
STATUS = "new_status"


def written_fields(specs: Iterable[ActionSpec]) -> frozenset[str]:
    """The fields that effects change."""
    return frozenset({STATUS} | {name for spec in specs for name in _written(spec)})


def times(specs: Iterable[ActionSpec]) -> frozenset[str]:
    """The fields that effects put the time into."""
    return frozenset(str(spec.params.get("field")) for spec in specs if spec.effect == "timestamp")


def all_specs(states: Iterable[State], transitions: Iterable[Transition]) -> list[ActionSpec]:
    """Every action of a machine."""
    specs = [spec for state in states for spec in (*state.on_enter, *state.on_exit)]
    return [*specs, *(spec for transition in transitions for spec in transition.actions)]


def _written(spec: ActionSpec) -> Iterator[str]:
    if spec.effect in {"set", "compute"}:
        yield from spec.params
    elif spec.effect is not None:
        yield str(spec.params.get("field"))
    elif spec.name == "_branch":
        for item in (*(spec.params.get("then") or ()), *(spec.params.get("else") or ())):
            yield from _written(item if isinstance(item, ActionSpec) else ActionSpec.from_config(item))
