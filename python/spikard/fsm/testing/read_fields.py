"""Which fields of the context a machine's behaviour depends on."""

from collections.abc import Iterator
from typing import Any

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.check_spec import CheckSpec
from spikard.fsm.guard_spec import GuardSpec
from spikard.fsm.testing.candidate_values import Conditions
from spikard.fsm.testing.guard_probe import Probe
from spikard.fsm.testing.simulation import Simulation, flattened


def read_fields(simulation: Simulation) -> set[str]:
    """The fields that guards, conditions of states and of actions, and computed effects look at."""
    machine = simulation.original
    guards = [guard for one in simulation.transitions for guard in one.guards]
    specs = [spec for one in simulation.transitions for spec in one.actions]
    for state in machine.states.values():
        guards += [GuardSpec.from_config(item.to_config()) for item in state.when]
        specs += [*state.on_enter, *state.on_exit]
    guards += [guard for spec in specs for guard in _conditions(spec)]
    return _fields(simulation, guards)


def lasting_fields(simulation: Simulation) -> set[str]:
    """Those that are looked at without an event that could bring them anew: by time, by automatic steps, by actions."""
    machine = simulation.original
    by_time = {timer.trigger for timers in simulation.timers.values() for timer in timers}
    guards = [
        guard
        for one in simulation.transitions
        if one.auto or one.trigger in by_time or one.trigger.startswith("_join_")
        for guard in one.guards
    ]
    specs = [spec for one in simulation.transitions for spec in one.actions]
    for state in machine.states.values():
        guards += [GuardSpec.from_config(item.to_config()) for item in state.when]
        specs += [*state.on_enter, *state.on_exit]
    if any(state.when for state in machine.states.values()):
        guards += [guard for one in simulation.transitions for guard in one.guards]
    guards += [guard for spec in specs for guard in _conditions(spec)]
    return _fields(simulation, guards)


def _fields(simulation: Simulation, guards: list[GuardSpec]) -> set[str]:
    machine = simulation.original
    fields = set(Conditions(guards).fields)
    for guard in guards:
        for leaf in flattened(guard):
            registry = machine.guard_registry
            if leaf.name is not None and registry.has(leaf.name) and not registry.is_async(leaf.name):
                function = registry.resolve(leaf.name)
                fields.update(() if function is None else Probe(leaf.name, function, leaf.params).fields)
    return {name.partition(".")[0] for name in fields}


def _conditions(spec: ActionSpec) -> Iterator[GuardSpec]:
    """What an action depends on, written as guards."""
    yield from _condition(spec.when)
    if spec.effect == "compute":
        for text in spec.params.values():
            yield from _condition(text)
    if spec.name == "_branch":
        yield from _condition(spec.params.get("when"))
        for item in (*(spec.params.get("then") or ()), *(spec.params.get("else") or ())):
            yield from _conditions(item if isinstance(item, ActionSpec) else ActionSpec.from_config(item))


def _condition(written: Any) -> Iterator[GuardSpec]:
    if isinstance(written, str):
        yield GuardSpec(expr=written)
    elif isinstance(written, CheckSpec):
        yield GuardSpec(check=written)
    elif written is not None:
        yield GuardSpec.from_config(written)
