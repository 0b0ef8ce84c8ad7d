"""State machines as Hypothesis sees them: it looks for sequences of events that break something, and shortens them."""

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from spikard.fsm.state_machine import StateMachine
from spikard.fsm.testing.exploration import first_context
from spikard.fsm.testing.inputs import Inputs
from spikard.fsm.testing.simulated_session import SimulatedSession
from spikard.fsm.testing.simulation import Simulation

# The longest that Hypothesis lets pass at once, in seconds.
_LONGEST = 10_000_000.0


def to_state_machine(
    machine: StateMachine,
    *,
    context: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    execute_actions: bool = False,
) -> type[RuleBasedStateMachine]:
    """A class for Hypothesis with a rule for every event, one for data, and one for time.

    Its `session` is a `SimulatedSession`; subclasses add rules and invariants of their own. Contracts are checked.
    `TestOrder = to_state_machine(order).TestCase` is a test.
    """
    simulation = Simulation(machine)
    found = Inputs(Simulation(machine, is_search=True), inputs, exhaustive=True)
    start = dict(first_context(simulation, found) if context is None else context)
    answers = strategies.fixed_dictionaries({name: strategies.booleans() for name in sorted(found.free)})

    def begin(self: Any) -> None:
        self.session = SimulatedSession(simulation, context=dict(start), execute_actions=execute_actions)

    def rests(self: Any) -> None:
        session = self.session
        assert session.current_state in machine.states  # noqa: S101 - what Hypothesis reports
        assert not machine.states[session.current_state].is_choice  # noqa: S101

    members: dict[str, Any] = {
        "__doc__": f"Whatever may happen to a {machine.name}.",
        "simulation": simulation,
        "begin": initialize()(begin),
        "rests_somewhere": invariant()(rests),
    }
    for trigger in sorted({one.trigger for one in machine.transitions if not one.trigger.startswith("_")}):
        payload = _payload(found, trigger, (inputs or {}).get(trigger, ()))
        members[f"send_{trigger}"] = rule(payload=payload, answers=answers)(_sender(trigger))
    if simulation.timers:
        seconds = strategies.floats(0, _LONGEST, allow_nan=False)
        members["let_time_pass"] = rule(seconds=seconds, answers=answers)(_passing)
    name = "".join(part.capitalize() for part in machine.name.replace("/", "_").split("_"))
    return type(f"{name}Rules", (RuleBasedStateMachine,), members)


def _payload(
    found: Inputs, trigger: str, given: Sequence[Mapping[str, Any]]
) -> "strategies.SearchStrategy[dict[str, Any]]":
    fields: dict[str, Any] = {}
    for transition in found.simulation.transitions:
        if transition.trigger == trigger:
            for (kind, name), values in found.of_guards(list(transition.guards)).items():
                if kind == "field" and "." not in name:
                    fields[name] = strategies.sampled_from(values)
    drawn = strategies.fixed_dictionaries({}, optional=fields)
    if not given:
        return drawn
    return strategies.one_of(drawn, strategies.sampled_from([dict(payload) for payload in given]))


def _sender(trigger: str) -> Any:
    def send(self: Any, payload: dict[str, Any], answers: dict[str, bool]) -> None:
        self.simulation.answers.update(answers)
        self.session.send(trigger, **payload)

    return send


def _passing(self: Any, seconds: float, answers: dict[str, bool]) -> None:
    self.simulation.answers.update(answers)
    self.session.advance(seconds)
