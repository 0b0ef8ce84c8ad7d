"""Rules for Hypothesis: they find what is wrong with a machine, and nothing where nothing is."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from spikard.fsm import StateMachine
from spikard.fsm.config_text import read_text
from spikard.fsm.template_gallery import template_text
from spikard.fsm.testing import ContractError, to_state_machine

FEW = settings(
    max_examples=8,
    stateful_step_count=15,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("name", ["reference_full", "deployment_pipeline"])
def test_whatever_happens_templates_rest_somewhere(name: str) -> None:
    machine = StateMachine.from_dict(read_text(template_text(name)).value())
    run_state_machine_as_test(to_state_machine(machine), settings=FEW)


def test_a_broken_contract_is_found() -> None:
    config: dict[str, Any] = {
        "meta": {"machine_name": "oven"},
        "states": [
            {"name": "off", "type": "initial"},
            {
                "name": "on",
                "contracts": {"invariant": "not heat or heat < 3"},
                "timeout": {"seconds": 5, "destination": "off"},
            },
        ],
        "transitions": [
            {"trigger": "switch", "source": "off", "dest": "on", "guards": ["is_closed"]},
            {"trigger": "turn", "source": "on", "dest": "on", "internal": True, "actions": [{"increment": "heat"}]},
        ],
    }
    rules = to_state_machine(StateMachine.from_dict(config), context={"heat": 0})
    assert rules.__name__ == "OvenRules"
    many = settings(FEW, max_examples=200)
    with pytest.raises(ContractError, match="invariant 'not heat or heat < 3'"):
        run_state_machine_as_test(rules, settings=many)
