"""Random walks through the machines that come with the package and the open samples, beside the plain interpreter."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from spikard.fsm import FSMError, ParallelStateConfig, StateMachine
from spikard.fsm.template_gallery import template_names, template_text
from tests.fsm.open_machines import open_machines
from tests.fsm.plain_definition import plain_definition
from tests.fsm.reference_engine import ReferenceEngine
from tests.fsm.reference_guards import Circumstances
from tests.fsm.walks import plain, stages

STEPS = 8
UNHEARD = "nothing_of_the_kind"


def own_machines() -> Iterator[tuple[str, dict[str, Any]]]:
    """The machines that come with the package, and those of the examples."""
    for name in template_names():
        yield name, yaml.safe_load(template_text(name))
    for file in sorted((Path(__file__).parents[2] / "examples").rglob("*.yaml")):
        if not file.name.endswith(".scenarios.yaml"):
            config = yaml.safe_load(file.read_text(encoding="utf-8"))
            if "states" in config:
                yield file.stem, config


def walkable() -> Iterator[tuple[str, dict[str, Any]]]:
    """All machines that can be built out of what they say themselves."""
    yield from own_machines()
    for sample in open_machines():
        if sample.entry["builds"] is not False and not _refers_to_files(sample.config) and _builds(sample.config):
            yield f"sample {sample.name}", sample.config


def _refers_to_files(config: dict[str, Any]) -> bool:
    return any(isinstance(state.get("submachine"), str) for state in config.get("states") or ())


def _builds(config: dict[str, Any]) -> bool:
    try:
        StateMachine.from_dict(config)
    except FSMError:
        return False
    return True


class Walker:
    """Goes the same ways through a machine and through the plain interpreter."""

    def __init__(self, config: dict[str, Any]) -> None:
        definition = plain_definition(config)
        self.machine = StateMachine.from_dict(config)
        self.reference = ReferenceEngine(definition)
        self.circumstances = Circumstances(definition)
        self.answers: dict[str, bool] = {}
        for name in self.circumstances.names:
            self.machine.guard_registry.register(name, lambda _context, name=name: self.answers[name])
        states = definition["states"]
        self.leaves = [s["name"] for s in states if "initial_child" not in s and s.get("type") != "choice"]
        heard = {rule["trigger"] for rule in definition["transitions"] if not rule.get("auto")}
        self.triggers = sorted(heard | {UNHEARD})

    def walk(self, chance: random.Random) -> int:
        """One walk from the beginning or from anywhere; how many of its steps led on."""
        state, led_on = chance.choice([self.machine.initial_leaf, chance.choice(self.leaves)]), 0
        history: dict[str, str] = {}
        regions = self._entered(state)
        for _ in range(STEPS):
            trigger = chance.choice(self.triggers)
            if self.reference.normalizer and chance.random() < 0.3:
                trigger = trigger.upper()
            answers, context = self.circumstances.drawn(chance)
            self.answers.update(answers)
            if regions is not None and (moved := self._move(regions, trigger, context)) is not None:
                regions, led_on = moved, led_on + 1
                continue
            result = self.machine.process(state, trigger, context, history=history)
            expected = self.reference.process(state, trigger, self.answers, history, context)
            assert plain(result) == expected, (state, trigger, self.answers, context, history)
            if result.success and not result.metadata.get("no_op"):
                led_on += 1
                if state != result.target_state or not result.metadata.get("internal"):
                    state = str(result.target_state)
                    regions = self._entered(state)
                history.update(expected.left)
        return led_on

    def _entered(self, state: str) -> ParallelStateConfig | None:
        if not self.machine.is_parallel_state(state):
            return None
        regions = self.machine.enter_parallel_state(state)
        assert regions.region_states == self.reference.fork(state)
        return regions

    def _move(self, regions: ParallelStateConfig, trigger: str, context: dict[str, Any]) -> ParallelStateConfig | None:
        after, results = self.machine.process_parallel(regions, trigger, context)
        expected = self.reference.move(
            regions.parallel_state, regions.region_states, trigger, self.answers, context
        )  # fmt: skip
        found = [
            (result.metadata["region"], result.source_state, result.target_state, list(result.all_actions))
            for result in results
            if "region" in result.metadata
        ]
        assert (after.region_states, found) == (expected.states, expected.moves), (regions, trigger, context)
        assert any("_join_trigger" in result.metadata for result in results) == expected.joins
        return after if found else None


MACHINES = dict(walkable())
WALKERS: dict[str, Walker] = {}


@pytest.mark.parametrize("stage", stages(), ids=lambda stage: str(stage[0]))
@pytest.mark.parametrize("name", MACHINES)
def test_walks_agree(name: str, stage: tuple[int, int]) -> None:
    walker = WALKERS.setdefault(name, Walker(MACHINES[name]))
    number, walks = stage
    chance = random.Random(f"walks {name} {number}")
    led_on = sum(walker.walk(chance) for _ in range(walks))
    assert led_on > 0 or not MACHINES[name].get("transitions"), json.dumps(MACHINES[name])
