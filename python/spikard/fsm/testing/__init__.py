"""Testing state machines: scenarios, coverage, generated paths, proofs by search, replays.

- `scenario`, `scenario_files`, `runner`: stories of an entity, in files, run against a machine
- `simulation`, `simulated_session`: machines and entities to try things with, in simulated time
- `contracts`, `coverage`: what must hold all the time, and how much has been seen
- `generation`, with `boundaries`, `expectations`, `feasibility`, `pytest_file`: scenarios that cover a machine
- `exploration`, with `inputs`, `candidate_values`, `guard_probe`, `pattern_sample`, `read_fields`, `static_reach`: the
  search for them
- `verification`, with `properties` and `condition`, and `reach`: what holds of everything that can happen
- `mutation`: whether scenarios notice that something is wrong
- `replay`: what was recorded, once more
- `stateful`: rules for Hypothesis
"""

from typing import TYPE_CHECKING, Any

from spikard.fsm.testing.contracts import ContractError
from spikard.fsm.testing.coverage import Coverage, Share
from spikard.fsm.testing.generation import STRATEGIES, TestSuite, shrink, testgen
from spikard.fsm.testing.mutation import Mutant, MutationReport, mutants, mutation_report
from spikard.fsm.testing.properties import Property
from spikard.fsm.testing.pytest_file import to_pytest
from spikard.fsm.testing.reach import Reachability, reachability
from spikard.fsm.testing.replay import Replay, replay, replay_entity
from spikard.fsm.testing.runner import ScenarioOutcome, ScenarioReport, StepFailure, run_scenario, run_scenarios
from spikard.fsm.testing.scenario import Scenario, Step
from spikard.fsm.testing.scenario_files import load_scenarios, parse_scenarios, template_scenarios
from spikard.fsm.testing.simulated_session import SimulatedSession
from spikard.fsm.testing.simulation import Simulation
from spikard.fsm.testing.verification import Verdict, Verification, verify

if TYPE_CHECKING:
    from spikard.fsm.testing.stateful import to_state_machine as to_state_machine

__all__ = [
    "STRATEGIES",
    "ContractError",
    "Coverage",
    "Mutant",
    "MutationReport",
    "Property",
    "Reachability",
    "Replay",
    "Scenario",
    "ScenarioOutcome",
    "ScenarioReport",
    "Share",
    "SimulatedSession",
    "Simulation",
    "Step",
    "StepFailure",
    "TestSuite",
    "Verdict",
    "Verification",
    "load_scenarios",
    "mutants",
    "mutation_report",
    "parse_scenarios",
    "reachability",
    "replay",
    "replay_entity",
    "run_scenario",
    "run_scenarios",
    "shrink",
    "template_scenarios",
    "testgen",
    "to_pytest",
    "to_state_machine",
    "verify",
]


def __getattr__(name: str) -> Any:
    # Needs Hypothesis, which the rest does without.
    if name == "to_state_machine":
        from spikard.fsm.testing.stateful import to_state_machine

        return to_state_machine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
