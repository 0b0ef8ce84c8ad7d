"""Running scenarios against a machine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spikard.fsm.clock import SimulatedClock
from spikard.fsm.errors import FSMError
from spikard.fsm.state_machine import StateMachine
from spikard.fsm.testing.coverage import Coverage
from spikard.fsm.testing.scenario import Scenario, Step
from spikard.fsm.testing.simulated_session import SimulatedSession
from spikard.fsm.testing.simulation import Simulation
from spikard.fsm.transition_result import TransitionResult


@dataclass(frozen=True, slots=True)
class StepFailure:
    """What was expected of a step, and what came instead."""

    number: int
    """Which step, from 1."""
    step: Step
    what: str
    expected: Any
    actual: Any

    def __str__(self) -> str:
        return f"step {self.number} ({self.step}): {self.what} is {self.actual!r}, expected {self.expected!r}"


@dataclass(frozen=True, slots=True)
class ScenarioOutcome:
    """What became of one scenario."""

    scenario: Scenario
    failures: tuple[StepFailure, ...]
    final_state: str

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return not self.failures

    def check(self) -> None:
        """Raises AssertionError that says what was not."""
        if self.failures:
            raise AssertionError(f"{self.scenario.name}: " + "; ".join(map(str, self.failures)))


@dataclass(frozen=True, slots=True)
class ScenarioReport:
    """What became of several scenarios, and how much of the machine they have seen."""

    outcomes: tuple[ScenarioOutcome, ...]
    coverage: Coverage = field(repr=False)

    @property
    def passed(self) -> bool:
        """Whether all of them passed."""
        return not self.failures

    @property
    def failures(self) -> list[ScenarioOutcome]:
        """Those that did not."""
        return [outcome for outcome in self.outcomes if not outcome.passed]

    def check(self) -> None:
        """Raises AssertionError that tells of everything that was not as expected."""
        if self.failures:
            lines = [f"{one.scenario.name}: {failure}" for one in self.failures for failure in one.failures]
            raise AssertionError("\n".join(lines))

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "passed": self.passed,
            "scenarios": [
                {
                    "name": one.scenario.name,
                    "passed": one.passed,
                    "final_state": one.final_state,
                    "failures": [str(failure) for failure in one.failures],
                }
                for one in self.outcomes
            ],
            "coverage": self.coverage.to_dict(),
        }


def run_scenarios(
    machine: StateMachine,
    scenarios: Iterable[Scenario | Mapping[str, Any]],
    *,
    execute_actions: bool = False,
    contracts: bool = True,
    coverage: Coverage | None = None,
) -> ScenarioReport:
    """Runs scenarios, each with an entity of its own in simulated time.

    Registered guards are asked; a guard that nobody registered needs an answer in the scenario. Effects are applied,
    actions are planned only, unless `execute_actions=True`.
    """
    simulation = Simulation(machine)
    seen = Coverage(simulation) if coverage is None else coverage
    outcomes = [_run(simulation, scenario, seen, execute_actions, contracts) for scenario in scenarios]
    return ScenarioReport(tuple(outcomes), seen)


def run_scenario(
    machine: StateMachine,
    scenario: Scenario | Mapping[str, Any],
    *,
    execute_actions: bool = False,
    contracts: bool = True,
) -> ScenarioOutcome:
    """Runs one scenario; see `run_scenarios`."""
    report = run_scenarios(machine, [scenario], execute_actions=execute_actions, contracts=contracts)
    return report.outcomes[0]


def play(simulation: Simulation, session: SimulatedSession, scenario: Scenario, step: Step) -> list[TransitionResult]:
    """Lets a step happen to a session; gives its results, the refused ones as well."""
    simulation.answers.clear()
    simulation.answers.update(scenario.guards)
    simulation.answers.update(step.guards)
    before = len(session.fired)
    if step.wait is not None:
        results = session.advance(step.wait)
    elif step.data is not None:
        results = session.apply_data(**step.data)
    else:
        results = [session.send(str(step.event), **step.payload)]
    refused = [result for result in results if not result.success]
    return [*(result for _, result in session.fired[before:]), *refused]


def _run(
    simulation: Simulation, given: Scenario | Mapping[str, Any], coverage: Coverage, acts: bool, contracts: bool
) -> ScenarioOutcome:
    scenario = given if isinstance(given, Scenario) else Scenario.from_config(given)
    session = SimulatedSession(
        simulation,
        context=dict(scenario.context),
        state=scenario.state,
        clock=SimulatedClock(),
        execute_actions=acts,
        contracts=contracts,
    )
    coverage.start()
    coverage.see_states(session.active)
    failures: list[StepFailure] = []
    for number, step in enumerate(scenario.steps, 1):
        before = len(session.fired)
        try:
            results = play(simulation, session, scenario, step)
        except FSMError as error:
            failures.append(StepFailure(number, step, "error", None, str(error)))
            break
        for fired, result in session.fired[before:]:
            coverage.record(result, fired)
        for result in results:
            if not result.success:
                coverage.record(result)
        coverage.rest(session.active)
        found = list(_failures(number, step, session, results))
        failures += found
        if any(failure.what in {"state", "refused"} for failure in found):
            # What follows would only say the same again.
            break
    return ScenarioOutcome(scenario, tuple(failures), session.place)


def _failures(
    number: int, step: Step, session: SimulatedSession, results: list[TransitionResult]
) -> Iterable[StepFailure]:
    refused = step.event is not None and any(not result.success for result in results)
    if step.refused is not None or step.event is not None:
        expected = bool(step.refused)
        if refused != expected:
            found = next((str(result.error) for result in results if not result.success), "accepted")
            yield StepFailure(number, step, "refused", expected, found)
    if step.state is not None:
        actual = session.place if ":" in step.state else session.current_state
        if actual != step.state:
            yield StepFailure(number, step, "state", step.state, actual)
    if step.actions is not None:
        planned = tuple(name for result in results if result.success for name in result.all_actions)
        if planned != step.actions:
            yield StepFailure(number, step, "actions", list(step.actions), list(planned))
    for key, value in step.context.items():
        if key not in session.context or session.context[key] != value:
            yield StepFailure(number, step, f"context['{key}']", value, session.context.get(key))
