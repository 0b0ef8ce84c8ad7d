"""One entity in a chart."""

import contextlib
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from spikard._spikard import ChartRun, TransitionResult
from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.charts.family import Family, Sender
from spikard.fsm.charts.step import ChartStep
from spikard.fsm.charts.timers import ChartEvent, Timer
from spikard.fsm.clock import Clock, FsmClock
from spikard.fsm.entity_session import EntitySession, _within
from spikard.fsm.errors import ConfigurationError, FSMError
from spikard.fsm.invoke_spec import InvokeSpec
from spikard.fsm.session_actions import acarry_out, carry_out
from spikard.fsm.turn import take_turn

if TYPE_CHECKING:
    from spikard.fsm.charts.statechart import Statechart

logger = logging.getLogger("spikard.fsm.charts")

_SCXML_KINDS = ("", "scxml", "http://www.w3.org/TR/scxml", "http://www.w3.org/TR/scxml/")


class ChartSession(EntitySession):
    """An entity in a chart. Events come one at a time; each is followed to its end, whatever it raises.

    What is sent with a delay comes by the clock: with the next event, with `fire_due`, or while `run` waits.
    """

    __slots__ = (
        "_children",
        "_family",
        "_invoke_id",
        "_outcome",
        "_parent",
        "_progress",
        "_run",
    )
    _family: Family

    if TYPE_CHECKING:

        @property
        def machine(self) -> "Statechart":
            """Its chart."""
            ...

    def __init__(
        self,
        machine: "Statechart",
        *,
        entity_id: str | None = None,
        context: dict[str, Any] | None = None,
        initial_state: str | None = None,
        execute_actions: bool = False,
        clock: Clock | None = None,
        senders: Mapping[str, Sender] | None = None,
        invokers: Mapping[str, Any] | None = None,
        parent: "ChartSession | None" = None,
        invoke_id: str | None = None,
        memory: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            machine, entity_id=entity_id, initial_state=machine.initial_leaf, execute_actions=execute_actions
        )
        if initial_state is not None:
            raise FSMError("A chart begins where its document says; 'initial_state' is not for charts")
        self._family = parent._family if parent else Family(self, clock or FsmClock(), senders or {}, invokers or {})
        self._parent = parent
        self._invoke_id = invoke_id
        self._children: dict[str, ChartSession] = {}
        self._outcome: Any = None
        self._progress = ChartStep()
        if parent is not None and self._entity_id is None:
            self._entity_id = f"{parent.session_id}.{invoke_id}"
        self._run = ChartRun(
            machine.chart,
            self.session_id,
            dict(context or {}),
            declares=parent is None,
            kinds=list(self._family.senders),
            invoke_id=invoke_id,
            microsteps=machine.max_microsteps,
            memory=memory,
        )
        self._family.sessions[self.session_id] = self
        if memory is None:
            if parent is not None:
                self._carry_out(self._run.start(self._ask, self._now()))
            else:
                with self._step_of_family():
                    self._carry_out(self._run.start(self._ask, self._now()))
                    self._family.go_on()

    def __getattr__(self, name: str) -> Any:
        # Of the states a chart is in, each is one that the session is in.
        if name.startswith("is_") and self.machine.validate_state(name[3:]):
            return self.in_state(name[3:])
        return super().__getattr__(name)

    @property
    def session_id(self) -> str:
        """What charts call `_sessionid`; the entity's id."""
        return self.entity_id

    @property
    def current_state(self) -> str:
        """The innermost state that everything active is in: a leaf, or a parallel state."""
        return self._run.resting or ""

    @property
    def configuration(self) -> frozenset[str]:  # type: ignore[override]  # charts have sets of states, not regions
        """All active states; where the chart has ended, the final state it ended in."""
        return frozenset(self._run.configuration)

    @property
    def active_states(self) -> list[str]:
        """All active states in document order."""
        return self._run.configuration

    @property
    def leaves(self) -> list[str]:
        """The active states with nothing active in them."""
        return self._run.leaves

    def in_state(self, state: str) -> bool:
        """Whether a state is active."""
        return state in self._run.configuration

    @property
    def context(self) -> dict[str, Any]:
        """A copy of the data model."""
        return self._run.values()

    @context.setter
    def context(self, value: dict[str, Any]) -> None:
        self._write_back(self.context, dict(value))

    @property
    def is_final(self) -> bool:
        """Whether the chart has ended."""
        return not self._run.running

    @property
    def workflow_status(self) -> str:
        """`complete` where the chart has ended, else `active`."""
        return "complete" if self.is_final else "active"

    @property
    def outcome(self) -> Any:
        """What the chart ended with: the `donedata` of its final state."""
        return self._outcome

    @property
    def children(self) -> "dict[str, ChartSession]":
        """The sessions that were invoked and run, by their ids."""
        return dict(self._children)

    @property
    def allowed_triggers(self) -> list[str]:
        """The events that active states have transitions for, as they describe them."""
        return sorted(self._run.descriptors)

    @property
    def next_due(self) -> datetime | None:
        """When the next delayed event of this session or its children is due."""
        return self._family.timers.next_due

    def update(self, **data: Any) -> None:
        """Puts data into the data model and leaves the states alone."""
        for name, value in data.items():
            self._run.set(name, value)

    def send(self, trigger: str, *, _merge: bool = False, **payload: Any) -> TransitionResult:
        """Sends an event; its payload is `_event.data`. Returns when all that follows from it is done."""
        if not self._family.root._take_turn():
            self._post(_event(trigger, payload))
            return TransitionResult.no_op_result(self.current_state, trigger, {"queued": True})
        try:
            return self._conclude(self._took_event(trigger, payload, merges=_merge))
        finally:
            self._family.root._give()

    async def asend(self, trigger: str, *, _merge: bool = False, **payload: Any) -> TransitionResult:
        """`send` with actions and callbacks that may be asynchronous."""
        async with self._aturn(_event(trigger, payload)) as taken:
            if not taken:
                return TransitionResult.no_op_result(self.current_state, trigger, {"queued": True})
            return await self._aconclude(self._took_event(trigger, payload, merges=_merge))

    def apply_data(self, **data: Any) -> list[TransitionResult]:
        """Puts data into the data model and takes the transitions that follow from it."""
        self.update(**data)
        if not self._family.root._take_turn():
            return []
        try:
            result = self._conclude(self._took_data())
            return [result] if result.metadata["taken"] else []
        finally:
            self._family.root._give()

    async def aapply_data(self, **data: Any) -> list[TransitionResult]:
        """`apply_data` with actions and callbacks that may be asynchronous."""
        self.update(**data)
        async with self._aturn(None) as taken:
            if not taken:
                return []
            result = await self._aconclude(self._took_data())
            return [result] if result.metadata["taken"] else []

    def fire_due(self) -> list[TransitionResult]:
        """Takes the delayed events that are due by the clock."""
        if not self._family.root._take_turn():
            return []
        try:
            result = self._conclude(self._took_due())
            return [result] if result.metadata["taken"] else []
        finally:
            self._family.root._give()

    async def run(self) -> None:
        """Waits for delayed events by the clock and takes them, until the chart has ended or nothing is on its way."""
        clock = self._family.clock
        while not self.is_final and (due := self.next_due) is not None:
            await clock.sleep(max(0.0, (due - clock.now()).total_seconds()))
            async with self._aturn(None) as taken:
                if taken:
                    await self._aconclude(self._took_due())

    def stop(self) -> None:
        """Ends the session from outside: its states are left, its children stopped, nothing more is sent."""
        with self._step_of_family():
            self._carry_out(self._run.cancel(self._ask, self._now()))
            self._family.leave(self)

    def _took_event(self, trigger: str, payload: dict[str, Any], *, merges: bool) -> ChartStep:
        if merges:
            self.update(**payload)
        step = self._begin(trigger, payload)
        self._family.fire_due()
        self._post(_event(trigger, payload))
        self._family.go_on()
        return step

    def _took_data(self) -> ChartStep:
        step = self._begin("_auto_", {})
        self._carry_out(self._run.settle(self._ask, self._now()))
        self._family.go_on()
        return step

    def _took_due(self) -> ChartStep:
        step = self._begin("_after_", {})
        self._family.go_on()
        return step

    def _begin(self, trigger: str, payload: dict[str, Any]) -> ChartStep:
        self._progress = ChartStep(trigger, self.current_state, payload)
        return self._progress

    def _result(self, step: ChartStep) -> TransitionResult:
        source = step.source
        metadata = {
            "left": step.left,
            "taken": step.taken,
            "entered": step.entered,
            "configuration": self.active_states,
        }
        if not step.taken:
            metadata.update(no_op=True, reason="no_matching_transition")
            return TransitionResult.no_op_result(source, step.trigger, metadata)
        actions = [ActionSpec.from_config(action) for action in step.actions]
        result = TransitionResult.success_result(source, self.current_state, step.trigger, actions, metadata=metadata)
        self._rest(result, self.current_state)
        return result

    def _conclude(self, step: ChartStep) -> TransitionResult:
        result = self._result(step)
        if self.execute_actions and step.actions:
            before, seen = self.context, self.context
            carry_out(self.machine, result, seen, step.payload)
            self._write_back(before, seen)
        if self.machine._callbacks:
            self.machine._callbacks.fire(result, {**self.context, **step.payload})
        return result

    async def _aconclude(self, step: ChartStep) -> TransitionResult:
        result = self._result(step)
        if self.execute_actions and step.actions:
            before, seen = self.context, self.context
            await acarry_out(self.machine, result, seen, step.payload)
            self._write_back(before, seen)
        if self.machine._callbacks:
            await self.machine._callbacks.afire(result, {**self.context, **step.payload})
        return result

    def _write_back(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        after.pop("new_status", None)
        for name in before.keys() - after.keys():
            self._run.unset(name)
        self.update(**{name: value for name, value in after.items() if name not in before or before[name] != value})

    def _now(self) -> int:
        return int(self._family.clock.now().timestamp() * 1_000_000)

    def _ask(self, name: str, context: dict[str, Any]) -> bool | None:
        guards = self.machine.guard_registry
        if not guards.has(name):
            return None
        try:
            return guards.evaluate(name, context)
        except Exception:
            logger.exception("The guard '%s' failed", name)
            return False

    @contextlib.contextmanager
    def _step_of_family(self) -> Any:
        taken = self._family.root._take_turn()
        try:
            yield taken
        finally:
            if taken:
                self._family.root._give()

    @contextlib.asynccontextmanager
    async def _aturn(self, otherwise: ChartEvent | None) -> Any:
        root = self._family.root
        if not await take_turn(root, _within.get()):
            if otherwise is not None:
                self._post(otherwise)
            yield False
            return
        token = _within.set(root)
        try:
            yield True
        finally:
            _within.reset(token)
            root._give()

    def _post(self, event: ChartEvent) -> None:
        self._run.post(event)

    def _report(self, name: str, message: str, send_id: str | None = None) -> None:
        self._run.report(name, message, send_id)

    def _advance(self) -> bool:
        """Takes what waits; whether there was anything."""
        orders = self._run.advance(self._ask, self._now())
        if orders is None:
            return False
        self._carry_out(orders)
        return True

    def _carry_out(self, orders: list[tuple[Any, ...]]) -> None:
        for order in orders:
            _DOES[order[0]](self, *order[1:])

    def _did_leave(self, state: str) -> None:
        self._progress.left.append(state)

    def _did_enter(self, state: str) -> None:
        self._progress.entered.append(state)

    def _did_take(self, source: str, event: str | None, targets: list[str]) -> None:
        self._progress.taken.append({"source": source, "event": event, "targets": targets})

    def _did_log(self, label: str | None, value: Any) -> None:
        logger.info("%s: %s", label or self.machine.name, value)

    def _did_err(self, event: str, message: str) -> None:
        logger.debug("%s in '%s': %s", event, self.machine.name, message)
        self._progress.errors.append(message)

    def _did_send(self, event: ChartEvent, target: str | None, kind: str, delay: int) -> None:
        self._family.send(self, event, target, kind, delay)

    def _did_cancel(self, send_id: str) -> None:
        self._family.timers.forget(self.session_id, send_id)

    def _did_start(self, invoke_id: str, kind: str, form: str, source: Any, data: dict[str, Any]) -> None:
        if kind not in _SCXML_KINDS:
            adapter = self._family.invokers.get(kind)
            if adapter is None:
                self._report("error.execution", f"there is no way to invoke '{kind}'")
                return
            adapter.start(InvokeSpec(invoke_id, str(source)), self.current_state, data)
            return
        try:
            machine = self.machine._child(form, source)
        except (ConfigurationError, ValueError) as error:
            self._report("error.communication", str(error))
            return
        child = ChartSession.__new__(ChartSession)
        self._children[invoke_id] = child
        child.__init__(machine, context=data, parent=self, invoke_id=invoke_id)  # type: ignore[misc]

    def _did_stop(self, invoke_id: str) -> None:
        child = self._children.pop(invoke_id, None)
        if child is not None:
            child._parent = None
            child._carry_out(child._run.cancel(child._ask, child._now()))
            self._family.leave(child)

    def _did_forward(self, invoke_id: str, event: ChartEvent) -> None:
        child = self._children.get(invoke_id)
        if child is not None:
            child._post(event)

    def _did_act(self, action: Any) -> None:
        self._progress.actions.append(action)

    def _did_end(self, data: Any) -> None:
        self._outcome = data
        self._family.leave(self)
        parent = self._parent
        if parent is not None and self._invoke_id is not None:
            parent._children.pop(self._invoke_id, None)
            parent._post((f"done.invoke.{self._invoke_id}", "external", None, None, None, self._invoke_id, data))

    def snapshot(self) -> dict[str, Any]:
        """Everything that `from_snapshot` needs to go on from here; a session whose children run has none."""
        if self._children:
            names = ", ".join(sorted(self._children))
            raise FSMError(f"A session with children that run has no snapshot: {names}")
        machine = self.machine
        return {
            "entity_id": self.entity_id,
            "current_state": self.current_state,
            "configuration": self.active_states,
            "context": self.context,
            "machine_name": machine.name,
            "machine_version": machine.version,
            "is_terminal": self.is_final,
            "workflow_status": self.workflow_status,
            "execute_actions": self.execute_actions,
            "fingerprint": machine.fingerprint,
            "chart": self._run.remember(),
            "timers": [timer.to_data() for timer in self._family.timers],
        }

    @classmethod
    def from_snapshot(cls, machine: Any, snapshot: Mapping[str, Any], **options: Any) -> Self:
        """A session that goes on from where another was; delayed events come when they were to come."""
        session = cls(
            machine,
            entity_id=snapshot.get("entity_id") or str(uuid4()),
            execute_actions=bool(snapshot.get("execute_actions")),
            memory=dict(snapshot["chart"]),
            **options,
        )
        session._outcome = snapshot["chart"].get("done")
        for data in snapshot.get("timers") or ():
            session._family.timers.arm(Timer.from_data(session.session_id, data))
        return session


_DOES: dict[str, Any] = {
    "left": ChartSession._did_leave,
    "entered": ChartSession._did_enter,
    "took": ChartSession._did_take,
    "log": ChartSession._did_log,
    "error": ChartSession._did_err,
    "send": ChartSession._did_send,
    "cancel": ChartSession._did_cancel,
    "start": ChartSession._did_start,
    "stop": ChartSession._did_stop,
    "forward": ChartSession._did_forward,
    "act": ChartSession._did_act,
    "done": ChartSession._did_end,
}


def _event(name: str, payload: dict[str, Any]) -> ChartEvent:
    return (name, "external", None, None, None, None, payload or None)
