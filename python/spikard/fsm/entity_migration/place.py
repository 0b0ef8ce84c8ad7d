"""Where an entity rests, carried from one version's names to another's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from spikard.fsm.entity_migration.rule import MigrationRule
from spikard.fsm.parallel_state_config import ParallelStateConfig

if TYPE_CHECKING:
    from spikard.fsm.state_machine import StateMachine


class Place(NamedTuple):
    """A state, and the active state of each region of it."""

    name: str
    regions: Mapping[str, str]

    @classmethod
    def of(cls, stored: str) -> "Place":
        """Reads what stores keep."""
        config = ParallelStateConfig.from_string(stored)
        return cls(config.parallel_state, config.region_states)

    @property
    def text(self) -> str:
        """What stores keep."""
        return ParallelStateConfig(self.name, self.regions).to_string()


class Names:
    """Former names of states as rules and `metadata.was` have changed them, one version after the other."""

    def __init__(self, machine: "StateMachine", rules: Sequence[MigrationRule]) -> None:
        self._machine = machine
        self._rules = rules
        self._was = {old: name for name, state in machine.states.items() for old in _former(state.metadata.get("was"))}

    def state(self, name: str) -> str:
        """What a state is called now."""
        for rule in self._rules:
            name = rule.states.get(name, name)
        return name if name in self._machine.states else self._was.get(name, name)

    def place(self, before: Place) -> Place:
        """Where an entity rests now, or ValueError that says what is missing."""
        place = before
        for rule in self._rules:
            whole = rule.states.get(place.text)
            if whole is not None:
                place = Place.of(whole)
                continue
            regions = {}
            for region, state in place.regions.items():
                name = rule.regions.get(region, region)
                if name is not None:
                    regions[name] = rule.states.get(state, state)
            renamed = Place.of(rule.states.get(place.name, place.name))
            place = Place(renamed.name, renamed.regions or regions)
        name = self._known(place.name)
        if not self._machine.is_parallel_state(name):
            return self._single(name, place.regions)
        return self._in_regions(name, place.regions)

    def _known(self, name: str) -> str:
        if name in self._machine.states:
            return name
        if name in self._was:
            return self._was[name]
        raise ValueError(f"state '{name}' does not exist any more; map it, as in states: {{{name}: new_name}}")

    def _single(self, name: str, regions: Mapping[str, str]) -> Place:
        if regions:
            raise ValueError(
                f"state '{name}' has no regions any more, and the entity is in {', '.join(sorted(regions))}; map the "
                "regions to null"
            )
        machine = self._machine
        leaf = machine.hierarchy.effective_target_leaf(name)
        if machine.is_parallel_state(leaf):
            return self._in_regions(leaf, {})
        if machine.states[leaf].is_choice:
            raise ValueError(f"'{leaf}' is a choice, in which nothing rests")
        for parallel in machine.parallel_states:
            for region in machine.states[parallel].regions:
                if leaf in region.states:
                    raise ValueError(
                        f"state '{leaf}' is inside of region '{region.name}' of '{parallel}'; map to "
                        f"'{parallel}:{region.name}={leaf}'"
                    )
        return Place(leaf, {})

    def _in_regions(self, name: str, given: Mapping[str, str]) -> Place:
        machine = self._machine
        active = dict(machine.enter_parallel_state(name).region_states)
        for region in given:
            if region not in active:
                raise ValueError(
                    f"state '{name}' has no region '{region}' any more; map it, as in regions: {{{region}: new_name}}"
                )
            found = self._known(given[region])
            members = next(one.states for one in machine.states[name].regions if one.name == region)
            if members and found not in members:
                raise ValueError(f"state '{found}' is not in region '{region}' of '{name}'; map '{given[region]}'")
            active[region] = found
        return Place(name, active)


def _former(was: object) -> Iterable[str]:
    if isinstance(was, str):
        return (was,)
    return [one for one in was if isinstance(one, str)] if isinstance(was, (list, tuple)) else ()
