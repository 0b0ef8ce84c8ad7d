"""Where the regions are of an entity that rests in a parallel state."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spikard._spikard import TransitionResult
from spikard.fsm.event import Event
from spikard.fsm.parallel_state_config import ParallelStateConfig

if TYPE_CHECKING:
    from spikard.fsm.state_machine import StateMachine


class RegionTracking:
    """Gives events to regions first, leaves a parallel state when they are done or one of them goes elsewhere."""

    __slots__ = ("_machine", "configuration")

    def __init__(self, machine: "StateMachine", state: str) -> None:
        self._machine = machine
        self.configuration = machine.enter_parallel_state(state) if machine.is_parallel_state(state) else None

    def copy(self) -> "RegionTracking":
        """Another one, with the regions where they are now."""
        other = RegionTracking.__new__(RegionTracking)
        other._machine, other.configuration = self._machine, self.configuration
        return other

    def process(
        self,
        machine: "StateMachine",
        state: str,
        event: str | Event,
        context: dict[str, Any],
        history: Mapping[str, str],
    ) -> list[TransitionResult]:
        """The steps that an event leads to, at least one."""
        config = self.configuration
        if config is None:
            return [self._entering(machine.process(state, event, context, history=history))]
        after, results = machine.process_parallel(config, event, context)
        if not after_any(results):
            return [self._leaving(config, machine.process(state, event, context, history=history))]
        join = self._settle(config, after, results)
        if join is not None:
            result = machine.process(state, join, context, history=history)
            if result.success:
                results.append(self._leaving(after, result))
        return results

    async def aprocess(
        self,
        machine: "StateMachine",
        state: str,
        event: str | Event,
        context: dict[str, Any],
        history: Mapping[str, str],
    ) -> list[TransitionResult]:
        """`process` with guards that may be asynchronous."""
        config = self.configuration
        if config is None:
            return [self._entering(await machine.aprocess(state, event, context, history=history))]
        after, results = await machine.aprocess_parallel(config, event, context)
        if not after_any(results):
            return [self._leaving(config, await machine.aprocess(state, event, context, history=history))]
        join = self._settle(config, after, results)
        if join is not None:
            result = await machine.aprocess(state, join, context, history=history)
            if result.success:
                results.append(self._leaving(after, result))
        return results

    def moved(self, result: TransitionResult) -> str:
        """The state that the entity rests in after a step, which may be the parallel state itself."""
        target = str(result.target_state)
        config = self.configuration
        if config is not None and "region" in result.metadata and "left" not in result.metadata:
            return config.parallel_state
        if self._machine.is_parallel_state(target):
            if config is None or config.parallel_state != target:
                self.configuration = self._machine.enter_parallel_state(target)
        else:
            self.configuration = None
        return target

    def _settle(
        self, before: ParallelStateConfig, after: ParallelStateConfig, results: list[TransitionResult]
    ) -> str | None:
        """Takes the regions' new states; the trigger that joins them, if they are done."""
        state = self._machine.get_state(before.parallel_state)
        for position, result in enumerate(results):
            region = state.get_region(result.metadata["region"])
            if region is not None and region.states and result.target_state not in region.states:
                others = {name: at for name, at in after.region_states.items() if name != region.name}
                left = ParallelStateConfig(before.parallel_state, others)
                results[position] = self._leaving(left, result)
                results[position].metadata["left"] = before.parallel_state
                del results[position + 1 :]
                return None
        self.configuration = after
        join: str | None = results[-1].metadata.get("_join_trigger")
        return join

    def _leaving(self, config: ParallelStateConfig, result: TransitionResult) -> TransitionResult:
        """A step out of the parallel state, with the exits of what its regions leave before its own."""
        if not result.success or result.target_state == config.parallel_state:
            return result
        states = self._machine.states
        regions = states[config.parallel_state].region_names
        active = [config.region_states[name] for name in reversed(regions) if name in config.region_states]
        exits = [action for name in active for action in states[name].on_exit if name in states]
        own = states[config.parallel_state].on_exit if "region" in result.metadata else ()
        return TransitionResult(
            True,
            config.parallel_state,
            result.target_state,
            result.trigger,
            result.actions_to_execute,
            (*result.on_exit_actions, *exits, *own) if own else (*exits, *result.on_exit_actions),
            result.on_enter_actions,
            None,
            result.metadata,
        )

    def _entering(self, result: TransitionResult) -> TransitionResult:
        """A step into a parallel state, with what its regions enter behind its own."""
        target = result.target_state
        if not result.success or target is None or not self._machine.is_parallel_state(target):
            return result
        states = self._machine.states
        initial = [region.initial for region in states[target].regions]
        enters = [action for name in initial if name in states for action in states[name].on_enter]
        return TransitionResult(
            True,
            result.source_state,
            target,
            result.trigger,
            result.actions_to_execute,
            result.on_exit_actions,
            (*result.on_enter_actions, *enters),
            None,
            result.metadata,
        )


def after_any(results: list[TransitionResult]) -> bool:
    """Whether a region has moved."""
    return any("region" in result.metadata for result in results)
