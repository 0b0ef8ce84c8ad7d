"""The machines that come with the package."""

from typing import Any

import pytest

from spikard.fsm import check_config, lint, resolve_submachines, validate_config
from spikard.fsm.config_text import read_text
from spikard.fsm.template_gallery import template_names, template_scenarios, template_text

NAMES = template_names()


def test_there_is_one_for_every_start() -> None:
    assert NAMES == [
        "blank",
        "deployment_pipeline",
        "document_approval",
        "ecommerce_order",
        "loan_application",
        "reference_full",
        "support_ticket",
        "traffic_light",
    ]


def test_others_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"There is no template '\.\./x'; there are blank"):
        template_text("../x")


@pytest.mark.parametrize("name", NAMES)
def test_each_is_valid_and_without_findings(name: str) -> None:
    config: dict[str, Any] = read_text(template_text(name)).value()
    assert check_config(config) == []
    expanded = resolve_submachines(config)
    assert validate_config(expanded) == []
    assert [finding for finding in lint(expanded) if finding.severity != "info"] == []


@pytest.mark.parametrize("name", NAMES)
def test_scenarios_name_events_and_states_that_there_are(name: str) -> None:
    config = resolve_submachines(read_text(template_text(name)).value())
    states = {state["name"] for state in config["states"]}
    events = {transition.get("trigger") for transition in config["transitions"]}
    for scenario in template_scenarios(name):
        assert {step["state"] for step in scenario["steps"]} <= states
        assert {step["event"] for step in scenario["steps"]} <= events
