"""Testing state machines: scenarios, coverage, generated paths, proofs by search, replays.

- `scenario`, `scenario_files`, `runner`: stories of an entity, in files, run against a machine
- `simulation`, `simulated_session`: machines and entities to try things with, in simulated time
- `contracts`, `coverage`: what must hold all the time, and how much has been seen
- `generation`, with `boundaries`, `expectations`, `feasibility`, `pytest_file`: scenarios that cover a machine
- `exploration`, with `inputs`, `candidate_values`, `guard_probe`, `pattern_sample`, `read_fields`, `static_reach`: the
  search for them
"""

from spikard.fsm.testing.contracts import ContractError
from spikard.fsm.testing.coverage import Coverage, Share
from spikard.fsm.testing.generation import STRATEGIES, TestSuite, shrink, testgen
from spikard.fsm.testing.pytest_file import to_pytest
from spikard.fsm.testing.runner import ScenarioOutcome, ScenarioReport, StepFailure, run_scenario, run_scenarios
from spikard.fsm.testing.scenario import Scenario, Step
from spikard.fsm.testing.scenario_files import load_scenarios, parse_scenarios, template_scenarios
from spikard.fsm.testing.simulated_session import SimulatedSession
from spikard.fsm.testing.simulation import Simulation

__all__ = [
    "STRATEGIES",
    "ContractError",
    "Coverage",
    "Scenario",
    "ScenarioOutcome",
    "ScenarioReport",
    "Share",
    "SimulatedSession",
    "Simulation",
    "Step",
    "StepFailure",
    "TestSuite",
    "load_scenarios",
    "parse_scenarios",
    "run_scenario",
    "run_scenarios",
    "shrink",
    "template_scenarios",
    "testgen",
    "to_pytest",
]
