"""Mutants of the machines that come with the package, and the share that generated paths notice."""

import pytest

from spikard.fsm import StateMachine
from spikard.fsm.config_text import read_text
from spikard.fsm.template_gallery import template_names, template_text
from spikard.fsm.testing import MutationReport, mutants, mutation_report, testgen


def template(name: str) -> StateMachine:
    return StateMachine.from_dict(read_text(template_text(name)).value())


@pytest.mark.parametrize("name", template_names())
def test_generated_paths_notice_nearly_every_mutant(name: str) -> None:
    machine = template(name)
    report = mutation_report(machine, testgen(machine, ["transitions", "boundary"]))
    assert len(report.killed) > 0
    assert report.score >= 0.95, [str(mutant) for mutant in report.survived]


def test_mutants_are_of_every_kind() -> None:
    kinds = {mutant.kind for name in template_names() for mutant in mutants(template(name))}
    assert kinds == {
        "drop transition", "retarget", "drop guard", "negate guard", "change operator", "change constant",
        "drop action", "swap action", "drop on_enter", "swap on_enter", "drop on_exit", "swap on_exit",
        "drop timeout", "retarget timeout",
    }  # fmt: skip


def test_without_scenarios_all_mutants_live() -> None:
    report = mutation_report(template("blank"), [])
    assert (report.score, str(report)) == (0.0, "0 of 2 mutants killed (0%)")
    assert report.to_dict()["survived"] == [
        "drop transition: 'finish' from start to 'done'",
        "retarget: 'finish' from start to 'done'",
    ]
    assert MutationReport((), ()).score == 1.0


def test_mutants_differ_from_the_machine_and_from_each_other() -> None:
    machine = template("ecommerce_order")
    prints = [mutant.machine.fingerprint for mutant in mutants(machine)]
    assert machine.fingerprint not in prints
    assert len(set(prints)) == len(prints)
