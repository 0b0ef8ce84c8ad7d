"""Parallel states and their regions, for those who ask in names."""

from collections.abc import Mapping

from spikard.fsm.parallel_state_config import ParallelStateConfig
from spikard.fsm.state import State


class ParallelStateManager:
    """What is known of a machine's parallel states."""

    def __init__(self, states: Mapping[str, State]) -> None:
        self._states = states

    def is_parallel_state(self, state_name: str) -> bool:
        """Whether a state has regions."""
        return self.get_parallel_state(state_name) is not None

    def get_parallel_state(self, state_name: str) -> State | None:
        """The state of a name, if it is parallel."""
        state = self._states.get(state_name)
        return state if state is not None and state.is_parallel else None

    def enter_parallel_state(self, parallel_state_name: str) -> ParallelStateConfig:
        """All regions in their initial states."""
        state = self._parallel(parallel_state_name)
        return ParallelStateConfig(state.name, {region.name: region.initial for region in state.regions})

    def exit_parallel_state(self, config: ParallelStateConfig) -> list[str]:
        """The states that are left with a parallel state, itself last."""
        return [*config.region_states.values(), config.parallel_state]

    def process_region_transition(
        self, config: ParallelStateConfig, region_name: str, new_state: str
    ) -> ParallelStateConfig:
        """The same with one region moved."""
        region = self._parallel(config.parallel_state).get_region(region_name)
        if region is None:
            raise ValueError(f"Region '{region_name}' not found in '{config.parallel_state}'")
        if region.states and new_state not in region.states:
            raise ValueError(f"State '{new_state}' not valid for region '{region_name}'")
        return config.with_region_state(region_name, new_state)

    def find_region_for_state(self, parallel_state_name: str, state_name: str) -> str | None:
        """The region that lists a state."""
        state = self.get_parallel_state(parallel_state_name)
        regions = () if state is None else state.regions
        return next((region.name for region in regions if region.contains(state_name)), None)

    def check_join_condition(self, config: ParallelStateConfig) -> bool:
        """Whether every region that has an end rests in it."""
        state = self.get_parallel_state(config.parallel_state)
        ends = [] if state is None else [region for region in state.regions if region.final is not None]
        return bool(ends) and all(config.get_region_state(region.name) == region.final for region in ends)

    @staticmethod
    def get_join_trigger(parallel_state_name: str) -> str:
        """The trigger of the transition that leaves a parallel state whose regions are done."""
        return f"_join_{parallel_state_name}"

    def validate_config(self, config: ParallelStateConfig) -> list[str]:
        """What is wrong with a configuration."""
        state = self.get_parallel_state(config.parallel_state)
        if state is None:
            return [f"'{config.parallel_state}' is not a parallel state"]
        known = set(state.region_names)
        given = set(config.region_states)
        faults = []
        if known - given:
            faults.append(f"Missing regions: {known - given}")
        if given - known:
            faults.append(f"Unknown regions: {given - known}")
        for region in state.regions:
            active = config.get_region_state(region.name)
            if active is not None and region.states and active not in region.states:
                faults.append(f"Invalid state '{active}' for region '{region.name}'")
        return faults

    def _parallel(self, name: str) -> State:
        state = self.get_parallel_state(name)
        if state is None:
            raise ValueError(f"'{name}' is not a parallel state")
        return state
