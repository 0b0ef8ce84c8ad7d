"""One entity and where it is: a machine with a state, a context and a memory."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from spikard._spikard import TransitionResult
from spikard.fsm.destination_check_result import DestinationCheckResult
from spikard.fsm.event import Event
from spikard.fsm.names import validate_entity_id
from spikard.fsm.parallel_state_config import ParallelStateConfig
from spikard.fsm.region_tracking import RegionTracking
from spikard.fsm.session_actions import acarry_out, carry_out
from spikard.fsm.turn import Turn
from spikard.fsm.workflow import compute_workflow_status

if TYPE_CHECKING:
    from spikard.fsm.event_recorder import EventRecorder
    from spikard.fsm.state_machine import StateMachine
    from spikard.fsm.transition import Transition

# How often deferred events are tried again after one step.
_MAX_REPLAYS = 50
_GENERATED = ("_after_", "_auto_", "_join_", "_timeout_", "__")

# The turn of the session whose step this task is inside of.
_within: ContextVar[Turn | None] = ContextVar("spikard_fsm_within", default=None)


class EntitySession:
    """An entity that events are sent to, one at a time. What an action sends is taken after the step it is part of.

    Triggers are methods (`session.approve(by="ann")`), states are questions (`session.is_open`).
    """

    __slots__ = (
        "__weakref__",
        "_context",
        "_deferred",
        "_entity_id",
        "_history",
        "_machine",
        "_memory",
        "_queued",
        "_regions",
        "_state",
        "_turn",
        "defer_unhandled",
        "execute_actions",
    )

    def __init__(
        self,
        machine: "StateMachine",
        *,
        entity_id: str | None = None,
        context: dict[str, Any] | None = None,
        initial_state: str | None = None,
        defer_unhandled: bool = False,
        execute_actions: bool = False,
        track_regions: bool = False,
        settle: bool = False,
    ) -> None:
        self._machine = machine
        self._entity_id = None if entity_id is None else validate_entity_id(entity_id)
        self._context = dict(context) if context else {}
        self._state = initial_state or machine.initial_leaf
        self._history: list[TransitionResult] = []
        self._memory: dict[str, str] | None = None
        self._deferred: list[tuple[str, dict[str, Any]]] | None = None
        self._queued: list[tuple[str, dict[str, Any]]] | None = None
        self._turn = Turn()
        self._regions: RegionTracking | None = None
        self.defer_unhandled = defer_unhandled
        self.execute_actions = execute_actions
        if track_regions:
            self._regions = RegionTracking(machine, self._state)
        if settle:
            self.apply_data()

    def __repr__(self) -> str:
        return f"EntitySession(id={self.entity_id!r}, machine={self._machine.name!r}, state={self._state!r})"

    def __getattr__(self, name: str) -> Any:
        # Asked for only when there is no such attribute: states and triggers by name.
        if not name.startswith("__"):
            machine = self._machine
            if name.startswith("is_") and machine.validate_state(name[3:]):
                return self._state == name[3:]
            if not name.startswith(_GENERATED):
                for trigger in machine.trigger_names:
                    if name == trigger or name == _python_name(trigger):
                        return lambda **payload: self.send(trigger, **payload)
        raise AttributeError(f"'EntitySession' object has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        machine = self._machine
        triggers = [_python_name(name) for name in machine.trigger_names if not name.startswith(_GENERATED)]
        return [*super().__dir__(), *triggers, *(f"is_{name}" for name in machine.state_names)]

    @property
    def entity_id(self) -> str:
        """What the entity is called; made up if nobody said."""
        if self._entity_id is None:
            self._entity_id = str(uuid4())
        return self._entity_id

    @property
    def machine(self) -> "StateMachine":
        """Its machine."""
        return self._machine

    @property
    def current_state(self) -> str:
        """The state it rests in."""
        return self._state

    @property
    def configuration(self) -> ParallelStateConfig | None:
        """Where the regions are, in a session that tracks them and rests in a parallel state."""
        return None if self._regions is None else self._regions.configuration

    @property
    def context(self) -> dict[str, Any]:
        """What is known of the entity."""
        return self._context

    @context.setter
    def context(self, value: dict[str, Any]) -> None:
        self._context = value

    @property
    def is_final(self) -> bool:
        """Whether nothing leads out of its state."""
        return self._machine.is_terminal(self._state)

    @property
    def workflow_status(self) -> str:
        """`active`, `complete` or `failed`."""
        return compute_workflow_status(self._machine, self._state)

    @property
    def allowed_triggers(self) -> list[str]:
        """The triggers that its state has transitions for."""
        return self._machine.get_available_triggers(self._state)

    @property
    def allowed_transitions(self) -> "list[Transition]":
        """The transitions of its state."""
        return self._machine.get_available_transitions(self._state)

    @property
    def history(self) -> list[TransitionResult]:
        """The steps that it has taken."""
        return self._history.copy()

    @property
    def deferred_events(self) -> list[tuple[str, dict[str, Any]]]:
        """Events that were refused and are tried again after the next step."""
        return list(self._deferred or ())

    def clear_deferred(self) -> None:
        """Forgets deferred events."""
        self._deferred = None

    def update(self, **data: Any) -> None:
        """Puts data into the context and leaves the state alone."""
        self._context.update(data)

    def evaluate_destination(
        self, destination_state: str, context_overrides: Mapping[str, Any] | None = None
    ) -> DestinationCheckResult:
        """Which transitions lead to a state from here, and which of them would now."""
        context = {**self._context, **(context_overrides or {})}
        return self._machine.evaluate_destination(self._state, destination_state, context)

    def can_transition_to(self, destination_state: str, context_overrides: Mapping[str, Any] | None = None) -> bool:
        """Whether any transition leads to a state now."""
        return self.evaluate_destination(destination_state, context_overrides).allowed

    def send(self, trigger: str, /, *, _merge: bool = False, **payload: Any) -> TransitionResult:
        """Sends an event. Its payload is seen by guards and actions, and merged into the context only by `_merge`."""
        turn = self._turn
        if not turn.take():
            return self._queue(trigger, payload)
        try:
            if _merge:
                self._context.update(payload)
            result = self._step(trigger, payload)
            while self._queued:
                self._step(*self._queued.pop(0))
            return result
        finally:
            turn.give()

    async def asend(self, trigger: str, /, *, _merge: bool = False, **payload: Any) -> TransitionResult:
        """`send` with guards, actions and callbacks that may be asynchronous."""
        turn = self._turn
        if not await turn.atake(_within.get()):
            return self._queue(trigger, payload)
        token = _within.set(turn)
        try:
            if _merge:
                self._context.update(payload)
            result = await self._astep(trigger, payload)
            while self._queued:
                await self._astep(*self._queued.pop(0))
            return result
        finally:
            _within.reset(token)
            turn.give()

    def apply_data(self, **data: Any) -> list[TransitionResult]:
        """Merges data into the context and takes the steps that follow from it."""
        if not self._turn.take():
            self._context.update(data)
            return []
        try:
            self._context.update(data)
            return self._go_on({})
        finally:
            self._turn.give()

    async def aapply_data(self, **data: Any) -> list[TransitionResult]:
        """`apply_data` with guards, actions and callbacks that may be asynchronous."""
        if not await self._turn.atake(_within.get()):
            self._context.update(data)
            return []
        token = _within.set(self._turn)
        try:
            self._context.update(data)
            return await self._ago_on({})
        finally:
            _within.reset(token)
            self._turn.give()

    def _queue(self, trigger: str, payload: dict[str, Any]) -> TransitionResult:
        if self._queued is None:
            self._queued = []
        self._queued.append((trigger, payload))
        return TransitionResult.no_op_result(self._state, trigger, {"queued": True, "reason": "queued"})

    def _step(self, trigger: str, payload: dict[str, Any]) -> TransitionResult:
        machine = self._machine
        event = Event(trigger, payload) if payload else trigger
        if self._regions is None:
            result = machine.process(self._state, event, self._context, history=self._memory or _NOTHING)
            if result.success:
                self._take(result, payload)
        else:
            regions = self._regions
            results = regions.process(machine, self._state, event, self._context, self._memory or _NOTHING)
            for result in results:
                if result.success:
                    self._take(result, payload)
            result = results[-1]
        if not result.success:
            if self.defer_unhandled:
                self._defer(trigger, payload)
            return result
        if machine._moves_alone:
            self._go_on(payload)
        if self._deferred:
            self._replay()
        return result

    async def _astep(self, trigger: str, payload: dict[str, Any]) -> TransitionResult:
        machine = self._machine
        event = Event(trigger, payload) if payload else trigger
        if self._regions is None:
            results = [await machine.aprocess(self._state, event, self._context, history=self._memory or _NOTHING)]
        else:
            regions = self._regions
            results = await regions.aprocess(machine, self._state, event, self._context, self._memory or _NOTHING)
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
        machine = self._machine
        if self._regions is None and not machine._nests:
            self._state = str(result.target_state)
            self._history.append(result)
        else:
            self._move(result)
        if self.execute_actions:
            carry_out(machine, result, self._context, payload)
        if machine._callbacks:
            machine._callbacks.fire(result, {**self._context, **payload})

    async def _atake(self, result: TransitionResult, payload: dict[str, Any]) -> None:
        self._move(result)
        if self.execute_actions:
            await acarry_out(self._machine, result, self._context, payload)
        if self._machine._callbacks:
            await self._machine._callbacks.afire(result, {**self._context, **payload})

    def _move(self, result: TransitionResult) -> None:
        self._state = str(result.target_state) if self._regions is None else self._regions.moved(result)
        self._history.append(result)
        if self._machine._nests and (left := result.metadata.get("_history_updates")):
            self._memory = {**(self._memory or {}), **left}

    def _go_on(self, payload: dict[str, Any]) -> list[TransitionResult]:
        machine = self._machine
        taken: list[TransitionResult] = []
        while result := machine._automatic(None, self._state, self._seen(payload), self._memory or _NOTHING):
            if len(taken) == machine._auto_depth:
                taken[-1].metadata["auto_depth_exceeded"] = True
                break
            self._take(result, payload)
            taken.append(result)
        return taken

    async def _ago_on(self, payload: dict[str, Any]) -> list[TransitionResult]:
        machine = self._machine
        taken: list[TransitionResult] = []
        while result := await machine._aautomatic(self._state, self._seen(payload), self._memory or _NOTHING):
            if len(taken) == machine._auto_depth:
                taken[-1].metadata["auto_depth_exceeded"] = True
                break
            await self._atake(result, payload)
            taken.append(result)
        return taken

    def _seen(self, payload: dict[str, Any]) -> dict[str, Any]:
        return {**self._context, **payload} if payload else self._context

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
        machine = self._machine
        snapshot: dict[str, Any] = {
            "entity_id": self.entity_id,
            "current_state": self._state if self.configuration is None else self.configuration.to_string(),
            "context": dict(self._context),
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
