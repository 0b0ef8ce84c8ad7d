"""A session whose time is simulated: delays and limits of time fire when the clock is moved on."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from spikard.fsm.action_registry import ActionRegistry
from spikard.fsm.action_result import ActionResult
from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.action_steps import ActionSteps
from spikard.fsm.clock import Clock, SimulatedClock
from spikard.fsm.entity_session import EntitySession
from spikard.fsm.parallel_state_config import ParallelStateConfig
from spikard.fsm.session_actions import acarry_out, carry_out
from spikard.fsm.testing.contracts import Contracts
from spikard.fsm.testing.simulation import Simulation
from spikard.fsm.transition_result import TransitionResult

if TYPE_CHECKING:
    from spikard.fsm.state_machine import StateMachine

START = datetime(2026, 1, 1, tzinfo=UTC)
_NO_ACTIONS = ActionRegistry()


class SimulatedSession(EntitySession):
    """An entity in simulated time. Its `clock` stands still until `advance`, which fires the timers that are due.

    Effects are applied to the context; other actions are only planned, unless `execute_actions=True`. Regions of
    parallel states are followed. With `contracts`, a broken one raises `ContractError`.
    """

    __slots__ = ("_contracts", "_due", "clock", "fired", "simulation")

    def __init__(
        self,
        machine: "StateMachine | Simulation",
        *,
        context: dict[str, Any] | None = None,
        state: str | None = None,
        clock: Clock | None = None,
        execute_actions: bool = False,
        contracts: bool = True,
    ) -> None:
        simulation = machine if isinstance(machine, Simulation) else Simulation(machine)
        self.simulation = simulation
        self.clock: Clock = SimulatedClock(START) if clock is None else clock
        self.fired: list[tuple[int | None, TransitionResult]] = []
        """The steps it has taken, each with the number of its transition."""
        self._due: dict[str, tuple[datetime, str]] = {}
        self._contracts = Contracts(simulation.original) if contracts else None
        stored = None if state is None or ":" not in state else ParallelStateConfig.from_string(state)
        super().__init__(
            simulation.machine,
            context=context,
            initial_state=stored.parallel_state if stored else state,
            execute_actions=execute_actions,
            track_regions=simulation.has_regions,
        )
        if stored is not None and self._regions is not None:
            self._regions.configuration = stored
        self._arm(frozenset())

    def clone(self) -> "SimulatedSession":
        """Another session that is where this one is, and goes its own way from there."""
        other = SimulatedSession.__new__(SimulatedSession)
        EntitySession.__init__(other, self.machine, context=self.context, initial_state=self.current_state)
        other.execute_actions = self.execute_actions
        other.simulation, other._contracts = self.simulation, self._contracts
        other.clock, other.fired, other._due = StillClock(self.clock.now()), [], self._due.copy()
        other._memory, other._deferred = self._memory, self._deferred
        other._regions = None if self._regions is None else self._regions.copy()
        return other

    @property
    def place(self) -> str:
        """Where it rests, regions included, as stores keep it."""
        configuration = self.configuration
        return self.current_state if configuration is None else configuration.to_string()

    @property
    def active(self) -> tuple[str, ...]:
        """All states that it is in: from the leaf to the root, then those of regions."""
        chains, configuration = self.simulation.chains, self.configuration
        if configuration is None:
            return chains[self.current_state]
        return (*chains[self.current_state], *configuration.get_all_active())

    @property
    def memory(self) -> Mapping[str, str]:
        """Where compound states were left."""
        return self._memory or {}

    @property
    def timers(self) -> dict[str, tuple[datetime, str]]:
        """What time will do: when, and the event, by the key of the timer."""
        return self._due.copy()

    def next_timer(self) -> float | None:
        """Seconds until the next timer; None where none runs."""
        if not self._due:
            return None
        return (min(due for due, _ in self._due.values()) - self.clock.now()).total_seconds()

    def advance(self, seconds: float) -> list[TransitionResult]:
        """Lets time pass: timers fire in the order of their time, each at its moment. Gives what became of them."""
        end = self.clock.now() + timedelta(seconds=seconds)
        results = []
        while ready := [(due, key) for key, (due, _) in self._due.items() if due <= end]:
            due, key = min(ready)
            _, trigger = self._due.pop(key)
            self.pass_time((due - self.clock.now()).total_seconds())
            results.append(self.send(trigger))
        self.pass_time((end - self.clock.now()).total_seconds())
        return results

    def pass_time(self, seconds: float) -> None:
        """Moves the clock on; timers stay where they are."""
        if not isinstance(self.clock, (SimulatedClock, StillClock)):
            raise TypeError(f"{type(self.clock).__name__} cannot be moved; give the session a SimulatedClock")
        self.clock.advance(max(seconds, 0.0))

    def apply_data(self, **data: Any) -> list[TransitionResult]:
        """Merges data into the context and takes the steps that follow from it."""
        before = frozenset(self.active)
        results = super().apply_data(**data)
        self._arm(before)
        return results

    def _step(self, trigger: str, payload: dict[str, Any]) -> TransitionResult:
        before = frozenset(self.active)
        result = super()._step(trigger, payload)
        self._arm(before)
        return result

    async def _astep(self, trigger: str, payload: dict[str, Any]) -> TransitionResult:
        before = frozenset(self.active)
        result = await super()._astep(trigger, payload)
        self._arm(before)
        return result

    def _arm(self, before: frozenset[str]) -> None:
        timers = self.simulation.timers
        if not timers:
            return
        now, after = self.clock.now(), frozenset(self.active)
        for name in before - after:
            for timer in timers.get(name, ()):
                self._due.pop(timer.key, None)
        for name in after - before:
            for timer in timers.get(name, ()):
                moment = timer.due(self.context, now)
                if moment is not None:
                    self._due[timer.key] = (moment, timer.trigger)

    def _take(self, result: TransitionResult, payload: dict[str, Any]) -> None:
        checks = self._begin(result, payload)
        if self.execute_actions:
            carry_out(self.machine, result, self.context, payload)
            if self.machine._callbacks:
                self.machine._callbacks.fire(result, {**self.context, **payload})
        else:
            self._apply(result, payload)
        checks.after(self.context)

    async def _atake(self, result: TransitionResult, payload: dict[str, Any]) -> None:
        checks = self._begin(result, payload)
        if self.execute_actions:
            await acarry_out(self.machine, result, self.context, payload)
            if self.machine._callbacks:
                await self.machine._callbacks.afire(result, {**self.context, **payload})
        else:
            self._apply(result, payload)
        checks.after(self.context)

    def _left_of(self, payload: dict[str, Any]) -> dict[str, Any]:
        # Effects are applied whether other actions are done or not.
        return {key: value for key, value in payload.items() if key.startswith("_")}

    def _begin(self, result: TransitionResult, payload: dict[str, Any]) -> "Contracts.Around":
        metadata = result.metadata
        number = self.simulation.number(metadata)
        if number is not None:
            metadata["transition_description"] = self.simulation.transitions[number].description
        before = self.active
        self._move(result)
        self.fired.append((number, result))
        if self._contracts is None:
            return Contracts.NONE
        return self._contracts.around(number, before, self.active, {**self.context, **payload})

    def _apply(self, result: TransitionResult, payload: dict[str, Any]) -> None:
        seen = {**self.context, **payload, "new_status": result.target_state}
        steps = ActionSteps(_NO_ACTIONS, strict=False, stop_on_error=False, clock=self.clock)
        for spec in result.all_action_specs:
            if spec.effect is not None or spec.name == "_branch":
                _drive(steps, spec, seen)
        for key in [key for key in self.context if key not in seen]:
            del self.context[key]
        self.context.update((key, value) for key, value in seen.items() if not key.startswith("_"))

    def copy_context(self) -> dict[str, Any]:
        """What is known of the entity, as it is now."""
        return dict(self.context)

    @classmethod
    def from_snapshot(cls, machine: "StateMachine", snapshot: Mapping[str, Any]) -> Self:
        """A session that goes on from where another was; its timers start anew."""
        session = cls(machine, context=dict(snapshot.get("context") or {}), state=snapshot.get("current_state"))
        session._memory = dict(snapshot.get("history") or {}) or None
        return session


class StillClock:
    """A clock that nobody waits for: cheap enough for one to each of very many sessions."""

    __slots__ = ("at",)

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """The moment it stands at."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Nobody may wait for it."""
        raise RuntimeError(f"nobody moves this clock: it cannot be waited for, {seconds} seconds or any")

    def advance(self, seconds: float) -> None:
        """Moves it on."""
        self.at += timedelta(seconds=seconds)


def _drive(steps: ActionSteps, spec: ActionSpec, context: dict[str, Any]) -> None:
    """Applies an effect, or those in a branch; what else is in it is not done."""
    running = steps.of(spec, context)
    try:
        next(running)
        while True:
            running.send(ActionResult.skipped(spec.name, "simulated"))
    except StopIteration:
        return
