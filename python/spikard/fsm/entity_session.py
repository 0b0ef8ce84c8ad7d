"""One entity and where it is: a machine with a state, a context and a memory."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from spikard._spikard import SessionCore, TransitionResult
from spikard.fsm.destination_check_result import DestinationCheckResult
from spikard.fsm.event import Event
from spikard.fsm.parallel_state_config import ParallelStateConfig
from spikard.fsm.region_tracking import RegionTracking
from spikard.fsm.session_actions import acarry_out, carry_out
from spikard.fsm.turn import take_turn, wake_next
from spikard.fsm.workflow import compute_workflow_status

if TYPE_CHECKING:
    from spikard.fsm.event_recorder import EventRecorder
    from spikard.fsm.state_machine import StateMachine
    from spikard.fsm.transition import Transition

# How often deferred events are tried again after one step.
_MAX_REPLAYS = 50
_GENERATED = ("_after_", "_at_", "_auto_", "_cron_", "_join_", "_timeout_", "__")

# The session whose step this task is inside of.
_within: ContextVar[SessionCore | None] = ContextVar("spikard_fsm_within", default=None)


class EntitySession(SessionCore):
    """An entity that events are sent to, one at a time. What an action sends is taken after the step it is part of.

    Triggers are methods (`session.approve(by="ann")`), states are questions (`session.is_open`). `track_regions` has it
    know the states inside parallel states, `settle` has it take the steps that its first state takes by itself.
    """

    __slots__ = ("__dict__", "__weakref__")

    if TYPE_CHECKING:

        @property
        def machine(self) -> "StateMachine":
            """Its machine."""
            ...

    def __repr__(self) -> str:
        return f"EntitySession(id={self.entity_id!r}, machine={self.machine.name!r}, state={self.current_state!r})"

    def __getattr__(self, name: str) -> Any:
        # Asked for only when there is no such attribute: states and triggers by name.
        if not name.startswith("__"):
            machine = self.machine
            if name.startswith("is_") and machine.validate_state(name[3:]):
                return self.current_state == name[3:]
            if not name.startswith(_GENERATED):
                for trigger in machine.trigger_names:
                    if name == trigger or name == _python_name(trigger):
                        return lambda **payload: self.send(trigger, **payload)
        raise AttributeError(f"'EntitySession' object has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        machine = self.machine
        triggers = [_python_name(name) for name in machine.trigger_names if not name.startswith(_GENERATED)]
        return [*super().__dir__(), *triggers, *(f"is_{name}" for name in machine.state_names)]

    @property
    def entity_id(self) -> str:
        """What the entity is called; made up if nobody said."""
        if self._entity_id is None:
            self._entity_id = str(uuid4())
        return self._entity_id

    @property
    def configuration(self) -> ParallelStateConfig | None:
        """Where the regions are, in a session that tracks them and rests in a parallel state."""
        return None if self._regions is None else self._regions.configuration

    @property
    def is_final(self) -> bool:
        """Whether nothing leads out of its state."""
        return self.machine.is_terminal(self.current_state)

    @property
    def workflow_status(self) -> str:
        """`active`, `complete` or `failed`."""
        return compute_workflow_status(self.machine, self.current_state)

    @property
    def allowed_triggers(self) -> list[str]:
        """The triggers that its state has transitions for."""
        return self.machine.get_available_triggers(self.current_state)

    @property
    def allowed_transitions(self) -> "list[Transition]":
        """The transitions of its state."""
        return self.machine.get_available_transitions(self.current_state)

    @property
    def deferred_events(self) -> list[tuple[str, dict[str, Any]]]:
        """Events that were refused and are tried again after the next step."""
        return list(self._deferred or ())

    def clear_deferred(self) -> None:
        """Forgets deferred events."""
        self._deferred = None

    @property
    def update(self) -> Callable[..., Any]:
        """Puts data into the context and leaves the state alone: `session.update(qty=3)`.

        In machines that have a trigger of this name it is that trigger, as any other.
        """
        if "update" in self.machine._triggers:
            return partial(self.send, "update")
        return self._put

    def _put(self, **data: Any) -> None:
        self.context.update(data)

    def evaluate_destination(
        self, destination_state: str, context_overrides: Mapping[str, Any] | None = None
    ) -> DestinationCheckResult:
        """Which transitions lead to a state from here, and which of them would now."""
        context = {**self.context, **(context_overrides or {})}
        return self.machine.evaluate_destination(self.current_state, destination_state, context)

    def can_transition_to(self, destination_state: str, context_overrides: Mapping[str, Any] | None = None) -> bool:
        """Whether any transition leads to a state now."""
        return self.evaluate_destination(destination_state, context_overrides).allowed

    async def asend(self, trigger: str, *, _merge: bool = False, **payload: Any) -> TransitionResult:
        """`send` with guards, actions and callbacks that may be asynchronous."""
        if not await take_turn(self, _within.get()):
            return self._queue(trigger, payload)
        token = _within.set(self)
        try:
            if _merge:
                self.context.update(payload)
            result = await self._astep(trigger, payload)
            while (event := self._next()) is not None:
                await self._astep(*event)
            return result
        finally:
            _within.reset(token)
            self._give()

    def apply_data(self, **data: Any) -> list[TransitionResult]:
        """Merges data into the context and takes the steps that follow from it."""
        if not self._take_turn():
            self.context.update(data)
            return []
        try:
            self.context.update(data)
            return self._go_on({})
        finally:
            self._give()

    async def aapply_data(self, **data: Any) -> list[TransitionResult]:
        """`apply_data` with guards, actions and callbacks that may be asynchronous."""
        if not await take_turn(self, _within.get()):
            self.context.update(data)
            return []
        token = _within.set(self)
        try:
            self.context.update(data)
            return await self._ago_on({})
        finally:
            _within.reset(token)
            self._give()

    def _wake(self) -> None:
        wake_next(self)

    @property
    def _regions(self) -> RegionTracking | None:
        if not self._tracks_regions:
            return None
        regions: RegionTracking | None = self._tracked
        if regions is None:
            regions = self._tracked = RegionTracking(self.machine, self.current_state)
        return regions

    @_regions.setter
    def _regions(self, regions: RegionTracking | None) -> None:
        self._tracked = regions

    def _step_regions(self, trigger: str, payload: dict[str, Any]) -> TransitionResult:
        """The last of the steps that an event leads to, all of them taken."""
        regions = self._regions
        assert regions is not None  # noqa: S101 - asked only by a session that tracks them
        event = Event(trigger, payload) if payload else trigger
        results = regions.process(self.machine, self.current_state, event, self.context, self._memory or _NOTHING)
        for result in results:
            if result.success:
                self._take(result, payload)
        return results[-1]

    async def _astep(self, trigger: str, payload: dict[str, Any]) -> TransitionResult:
        machine, regions = self.machine, self._regions
        event = Event(trigger, payload) if payload else trigger
        state, context, history = self.current_state, self.context, self._memory or _NOTHING
        if regions is None:
            results = [await machine.aprocess(state, event, context, history=history)]
        else:
            results = await regions.aprocess(machine, state, event, context, history)
        for result in results:
            if result.success:
                await self._atake(result, payload)
        result = results[-1]
        if not result.success:
            if self.defer_unhandled:
                self._defer(trigger, payload)
            return result
        if machine._moves_alone:
            await self._ago_on(payload)
        if self._deferred:
            await self._areplay()
        return result

    def _take(self, result: TransitionResult, payload: dict[str, Any]) -> None:
        self._move(result)
        self._act(result, payload)

    async def _atake(self, result: TransitionResult, payload: dict[str, Any]) -> None:
        self._move(result)
        if self.execute_actions:
            await acarry_out(self.machine, result, self.context, payload)
        if self.machine._callbacks:
            await self.machine._callbacks.afire(result, {**self.context, **payload})

    def _act(self, result: TransitionResult, payload: dict[str, Any]) -> None:
        if self.execute_actions:
            carry_out(self.machine, result, self.context, payload)
        if self.machine._callbacks:
            self.machine._callbacks.fire(result, {**self.context, **payload})

    def _move(self, result: TransitionResult) -> None:
        regions = self._regions
        self._rest(result, None if regions is None else regions.moved(result))

    def _go_on(self, payload: dict[str, Any]) -> list[TransitionResult]:
        machine, payload = self.machine, self._left_of(payload)
        taken: list[TransitionResult] = []
        while result := machine._automatic(None, self.current_state, self._seen(payload), self._memory or _NOTHING):
            if len(taken) == machine._auto_depth:
                taken[-1].metadata["auto_depth_exceeded"] = True
                break
            self._take(result, payload)
            taken.append(result)
        return taken

    async def _ago_on(self, payload: dict[str, Any]) -> list[TransitionResult]:
        machine, payload = self.machine, self._left_of(payload)
        taken: list[TransitionResult] = []
        while result := await machine._aautomatic(self.current_state, self._seen(payload), self._memory or _NOTHING):
            if len(taken) == machine._auto_depth:
                taken[-1].metadata["auto_depth_exceeded"] = True
                break
            await self._atake(result, payload)
            taken.append(result)
        return taken

    def _left_of(self, payload: dict[str, Any]) -> dict[str, Any]:
        """What of a payload is not in the context yet: a step that acts has put it there, and may have changed it."""
        if not self.execute_actions:
            return payload
        return {key: value for key, value in payload.items() if key.startswith("_")}

    def _seen(self, payload: dict[str, Any]) -> dict[str, Any]:
        return {**self.context, **payload} if payload else self.context

    def _defer(self, trigger: str, payload: dict[str, Any]) -> None:
        self._deferred = [*(self._deferred or ()), (trigger, payload)]

    def _replay(self) -> None:
        self.defer_unhandled, defers = False, self.defer_unhandled
        try:
            for _ in range(_MAX_REPLAYS):
                waiting, self._deferred = self._deferred or [], None
                kept = [event for event in waiting if not self._step(*event).success]
                self._deferred = [*kept, *(self._deferred or ())] or None
                if len(kept) == len(waiting):
                    break
        finally:
            self.defer_unhandled = defers

    async def _areplay(self) -> None:
        self.defer_unhandled, defers = False, self.defer_unhandled
        try:
            for _ in range(_MAX_REPLAYS):
                waiting, self._deferred = self._deferred or [], None
                kept = [event for event in waiting if not (await self._astep(*event)).success]
                self._deferred = [*kept, *(self._deferred or ())] or None
                if len(kept) == len(waiting):
                    break
        finally:
            self.defer_unhandled = defers

    def snapshot(self) -> dict[str, Any]:
        """Everything that `from_snapshot` needs to go on from here."""
        machine = self.machine
        snapshot: dict[str, Any] = {
            "entity_id": self.entity_id,
            "current_state": self.current_state if self.configuration is None else self.configuration.to_string(),
            "context": dict(self.context),
            "machine_name": machine.name,
            "machine_version": machine.version,
            "is_terminal": self.is_final,
            "workflow_status": self.workflow_status,
            "history": dict(self._memory or {}),
            "fingerprint": machine.fingerprint,
            "timers": [],
        }
        if self._deferred:
            snapshot["deferred_events"] = [{"trigger": name, "payload": payload} for name, payload in self._deferred]
        if self.execute_actions:
            snapshot["execute_actions"] = True
        return snapshot

    @classmethod
    def from_snapshot(cls, machine: "StateMachine", snapshot: Mapping[str, Any]) -> Self:
        """A session that goes on from where another was."""
        stored = snapshot.get("current_state")
        config = ParallelStateConfig.from_string(stored) if stored and ":" in stored else None
        session = cls(
            machine,
            entity_id=snapshot.get("entity_id"),
            context=dict(snapshot.get("context") or {}),
            initial_state=config.parallel_state if config else stored,
            defer_unhandled="deferred_events" in snapshot,
            execute_actions=bool(snapshot.get("execute_actions")),
            track_regions=config is not None,
        )
        if session._regions is not None:
            session._regions.configuration = config
        session._memory = dict(snapshot.get("history") or {}) or None
        deferred = snapshot.get("deferred_events") or ()
        session._deferred = [(event["trigger"], dict(event.get("payload") or {})) for event in deferred] or None
        return session

    def record(self) -> "EventRecorder":
        """A recorder that sends events to this session and remembers them."""
        from spikard.fsm.event_recorder import EventRecorder

        return EventRecorder(self)


# What a session that has left nothing remembers; never the machine's own memory.
_NOTHING: dict[str, str] = {}


def _python_name(trigger: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in trigger)
