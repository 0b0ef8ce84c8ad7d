"""What configurations may look like, code by code."""

import json
from pathlib import Path
from typing import Any

import pytest

from spikard.fsm import ConfigCode, ConfigurationError, ConfigValidator, StateMachine, check_config, validate_config

CASES = json.loads((Path(__file__).parent.parent / "data" / "fsm" / "invalid.json").read_text(encoding="utf-8"))


def door(**more: Any) -> dict[str, Any]:
    return {
        "states": [{"name": "closed", "type": "initial"}, {"name": "open"}],
        "transitions": [{"trigger": "push", "source": "closed", "dest": "open"}],
        **more,
    }


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_errors_have_codes_and_texts(case: dict[str, Any]) -> None:
    issues = [issue for issue in check_config(case["config"]) if issue.severity == "error"]
    texts = validate_config(case["config"], strict=False)
    assert [issue.code.value for issue in issues] == case["codes"]
    if "texts" in case:
        assert texts == case["texts"]
    else:
        assert case["contains"] in texts[0]


def test_every_error_code_has_a_case() -> None:
    shown = {code for case in CASES for code in case["codes"]}
    errors = {code.value for code in ConfigCode if code.value.startswith("C")}
    assert errors - shown == {"C041"}  # A warning.


def test_strict_validation_raises_with_all_errors() -> None:
    with pytest.raises(ConfigurationError, match=r"Configuration validation failed with 2 error\(s\)") as caught:
        validate_config({})
    assert caught.value.context["errors"] == ["[states] Field required", "[transitions] Field required"]


def test_good_configurations_have_no_errors() -> None:
    assert validate_config(door()) == []
    assert ConfigValidator().validate(door(anything={"goes": "here"})) == []


def test_hints_name_what_was_probably_meant() -> None:
    config = door()
    config["transitions"][0]["dest"] = "opne"
    [issue] = check_config(config)
    assert (issue.code, issue.path, issue.hint) == (
        ConfigCode.DESTINATION_UNDEFINED,
        "transitions.0.dest",
        "did you mean 'open'?",
    )
    assert issue.line is None


def test_issues_of_texts_know_their_place() -> None:
    text = "states:\n  - name: a\n    type: initial\ntransitions:\n  - trigger: go\n    source: a\n    dest: b\n"
    [issue] = check_config(text)
    assert (issue.line, issue.column) == (7, 11)
    assert str(issue).startswith("line 7, column 11: error C013 [transitions.0.dest]:")


def test_warnings_are_no_errors() -> None:
    config = door(
        meta={"orchestrator_default_fallback": True, "version": 2},
        error_policy={"on_invalid_trigger": "x", "colour": "red"},
    )
    validator = ConfigValidator()
    assert validator.validate(config) == []
    codes = [issue.code.value for issue in check_config(config)]
    assert codes == ["W002", "W001", "W004", "W003", "W005"]
    assert any("error_policy.on_invalid_trigger is not used" in text for text in validator.config_warnings(config))


def test_a_choice_needs_a_way_out_for_the_rest() -> None:
    config = door()
    config["states"].append({"name": "which", "type": "choice"})
    assert [issue.code for issue in check_config(config)] == [ConfigCode.CHOICE_WITHOUT_ELSE]
    config["transitions"].append({"trigger": "push", "source": "which", "dest": "open"})
    assert check_config(config) == []


def test_legacy_03_a_star_is_a_source() -> None:
    config = door()
    config["transitions"].append({"trigger": "reset", "source": "*", "dest": "closed"})
    assert validate_config(config) == []


def test_a_configuration_that_contains_itself_is_refused() -> None:
    config = door()
    config["metadata"] = config
    with pytest.raises(ConfigurationError, match="nested deeper"):
        validate_config(config)


def test_large_machines_are_checked() -> None:
    states = [{"name": f"s{number}", "type": "initial" if number == 0 else "stable"} for number in range(1000)]
    transitions = [
        {"trigger": f"t{number % 7}", "source": f"s{number % 1000}", "dest": f"s{(number * 7) % 1000}"}
        for number in range(5000)
    ]
    config = {"states": states, "transitions": transitions}
    assert validate_config(config) == []


def test_error_policies_are_looked_through_whatever_else_is_wrong() -> None:
    [text] = ConfigValidator().config_warnings({"error_policy": {"zz": 1}})
    assert text.startswith("error_policy key 'zz' is not recognized")


@pytest.mark.parametrize(
    ("context", "faults"),
    [
        ({"n": 1, "k": 1}, []),
        ({"n": -1}, ["Context invariant 'above' failed", "Context invariant 'context_invariant' failed"]),
        (
            {"n": "x", "k": 1},
            ["Context invariant 'above' is invalid: '>' not supported between instances of 'str' and 'int'"],
        ),
    ],
)
def test_values_that_cannot_be_compared_make_invariants_invalid(context: dict[str, Any], faults: list[str]) -> None:
    machine = StateMachine.from_dict(
        {
            "meta": {"validate_context": True},
            "states": [{"name": "a", "type": "initial"}],
            "transitions": [],
            "context_invariants": [
                {"name": "above", "field": "n", "op": "gt", "value": 0},
                {"check": {"field": "k", "op": "is_set"}},
            ],
        }
    )
    assert machine.validate_context(context) == (not faults, faults)
