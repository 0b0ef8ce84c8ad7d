"""Whoever waits for what the steps of an event request."""

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, Any

from spikard.fsm.action_result import ActionResult
from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.delivery import Delivery, current_delivery
from spikard.fsm.event import Event
from spikard.fsm.offer import offered
from spikard.fsm.orchestration.idempotency import InMemoryIdempotencyStore
from spikard.fsm.orchestration.requests import Steps
from spikard.fsm.stores.row import EntityChange
from spikard.fsm.transition_result import TransitionResult

if TYPE_CHECKING:
    from spikard.fsm.orchestration.orchestrator import Orchestrator


Todo = list[tuple[ActionSpec, Delivery]]


class BlockingDriver:
    """Does what is requested on this thread."""

    def __init__(self, orchestrator: "Orchestrator") -> None:
        self._o = orchestrator
        machine, observer = orchestrator.machine, orchestrator.observer
        keeper = orchestrator.store if orchestrator.access.is_whole else orchestrator.access
        self.load = keeper.load
        self.commit = keeper.commit
        self.process = lambda state, event, context, history: machine.process(state, event, context, history=history)
        self.automatic = lambda state, context, history: machine._automatic(None, state, context, history)
        self.pause = time.sleep
        self.hold, self.release = orchestrator.access.try_hold, orchestrator.access.release
        self.answer = orchestrator.access.answer
        self.callbacks = machine._callbacks.fire
        self.before_process = observer.before_process
        self.before_transition = observer.before_transition
        self.after_transition = observer.after_transition
        self.on_error = observer.on_error

    def run(self, steps: Steps) -> Any:
        """Drive an event to its end."""
        try:
            request = next(steps)
            while True:
                try:
                    answer = getattr(self, request[0])(*request[1:])
                except BaseException as error:  # noqa: BLE001 - the steps know what to make of it
                    request = steps.throw(error)
                else:
                    request = steps.send(answer)
        except StopIteration as done:
            return done.value

    def regions(self, tracking: Any, state: str, event: Event, context: dict[str, Any], history: Any) -> Any:
        """What the event does to regions."""
        return tracking.process(self._o.machine, state, event, context, history)

    def validate(self, *arguments: Any) -> Any:
        """Ask the context's validator."""
        assert self._o.context_validator is not None  # noqa: S101 - asked only where there is one
        answer = self._o.context_validator(*arguments)
        if inspect.isawaitable(answer):
            _close(answer)
            raise TypeError("context_validator is asynchronous: use async_process_event")
        return answer

    def append_event(self, entity_id: str, event: Event) -> None:
        """Keep the event."""
        o = self._o
        o.event_store.append_event(
            entity_id, event.trigger, payload=event.payload or None, event_id=str(event.event_id),
            source=event.source, machine_name=o.machine.name,
        )  # fmt: skip

    def record_transition(self, entity_id: str, plan: Any) -> Any:
        """Keep a line of the past; its id."""
        return self._o.audit_store.record_transition(
            entity_id=entity_id, source_state=plan.source_state, trigger=plan.trigger,
            target_state=plan.target_state, success=plan.success,
        )  # fmt: skip

    def start(self, *arguments: Any) -> None:
        """Start a service."""
        _refuse(self._o.invoke_adapter.start(*arguments))

    def stop(self, *arguments: Any) -> None:
        """Stop a service."""
        _refuse(self._o.invoke_adapter.stop(*arguments))

    def timers(self, entity_id: str, change: EntityChange) -> None:
        """Tell the scheduler."""
        timing = self._o.timing
        if not timing.look():
            self._o.background.wait(timing.schedule(entity_id, change))

    def execute(self, action: ActionSpec, context: dict[str, Any], delivery: Delivery) -> ActionResult:
        """Do an action."""
        token = current_delivery.set(delivery)
        try:
            return self._o.executor.execute_action_spec(action, context)
        finally:
            current_delivery.reset(token)

    def execute_together(self, todo: Todo, context: dict[str, Any]) -> list[ActionResult]:
        """Do actions of which the order does not matter: one after the other, as nobody awaits them."""
        return [self.execute(action, context, delivery) for action, delivery in todo]

    def carry(self, plan: TransitionResult, context: dict[str, Any]) -> list[ActionResult]:
        """Have a plan carried out by an executor that does so in its own way."""
        return list(self._o.carrier.execute(plan, context).action_results)

    def begin(self, key: str) -> Any:
        """Ask whether an event was processed before."""
        return self._o.idempotency.begin(key)

    def finish(self, key: str, answer: dict[str, Any]) -> None:
        """Remember what was answered to an event."""
        self._o.idempotency.finish(key, answer)

    def forget(self, key: str) -> None:
        """Have an event be new again."""
        forget = getattr(self._o.idempotency, "forget", None)
        if forget is not None:
            forget(key)


class AwaitingDriver:
    """Awaits what is requested."""

    def __init__(self, orchestrator: "Orchestrator") -> None:
        self._o = orchestrator
        machine, observer = orchestrator.machine, orchestrator.observer
        keeper = orchestrator.store if orchestrator.access.is_whole else orchestrator.access
        self.load = keeper.aload
        self.commit = keeper.acommit
        self.process = lambda state, event, context, history: machine.aprocess(state, event, context, history=history)
        self.automatic = machine._aautomatic
        self.pause = asyncio.sleep
        self.hold, self.release = orchestrator.access.atry_hold, orchestrator.access.arelease
        self.answer = orchestrator.access.aanswer
        self.callbacks = machine._callbacks.afire
        self.before_process = observer.async_before_process
        self.before_transition = observer.async_before_transition
        self.after_transition = observer.async_after_transition
        self.on_error = observer.async_on_error

    async def run(self, steps: Steps) -> Any:
        """Drive an event to its end."""
        try:
            request = next(steps)
            while True:
                try:
                    answer = await getattr(self, request[0])(*request[1:])
                except BaseException as error:  # noqa: BLE001 - the steps know what to make of it, also when cancelled
                    request = steps.throw(error)
                else:
                    request = steps.send(answer)
        except StopIteration as done:
            return done.value

    async def regions(self, tracking: Any, state: str, event: Event, context: dict[str, Any], history: Any) -> Any:
        """What the event does to regions."""
        return await tracking.aprocess(self._o.machine, state, event, context, history)

    async def validate(self, *arguments: Any) -> Any:
        """Ask the context's validator."""
        assert self._o.context_validator is not None  # noqa: S101 - asked only where there is one
        return await _awaited(self._o.context_validator(*arguments))

    async def append_event(self, entity_id: str, event: Event) -> None:
        """Keep the event."""
        o = self._o
        append = offered(o.event_store, "aappend_event") or o.event_store.append_event
        await _awaited(
            append(
                entity_id,
                event.trigger,
                payload=event.payload or None,
                event_id=str(event.event_id),
                source=event.source,
                machine_name=o.machine.name,
            )
        )

    async def record_transition(self, entity_id: str, plan: Any) -> Any:
        """Keep a line of the past; its id."""
        store = self._o.audit_store
        record = offered(store, "arecord_transition") or store.record_transition
        return await _awaited(
            record(
                entity_id=entity_id,
                source_state=plan.source_state,
                trigger=plan.trigger,
                target_state=plan.target_state,
                success=plan.success,
            )
        )

    async def start(self, *arguments: Any) -> None:
        """Start a service."""
        await _awaited(self._o.invoke_adapter.start(*arguments))

    async def stop(self, *arguments: Any) -> None:
        """Stop a service."""
        await _awaited(self._o.invoke_adapter.stop(*arguments))

    async def timers(self, entity_id: str, change: EntityChange) -> None:
        """Tell the scheduler."""
        await self._o.timing.schedule(entity_id, change)

    async def execute(self, action: ActionSpec, context: dict[str, Any], delivery: Delivery) -> ActionResult:
        """Do an action."""
        token = current_delivery.set(delivery)
        try:
            return await self._o.executor.async_execute_action_spec(action, context)
        finally:
            current_delivery.reset(token)

    async def execute_together(self, todo: Todo, context: dict[str, Any]) -> list[ActionResult]:
        """Do actions at once."""
        calls = (self.execute(action, context, delivery) for action, delivery in todo)
        return list(await asyncio.gather(*calls))

    async def carry(self, plan: TransitionResult, context: dict[str, Any]) -> list[ActionResult]:
        """Have a plan carried out by an executor that does so in its own way."""
        return list((await self._o.carrier.async_execute(plan, context)).action_results)

    async def begin(self, key: str) -> Any:
        """Ask whether an event was processed before."""
        return await self._asked("begin", key)

    async def finish(self, key: str, answer: dict[str, Any]) -> None:
        """Remember what was answered to an event."""
        await self._asked("finish", key, answer)

    async def forget(self, key: str) -> None:
        """Have an event be new again."""
        if hasattr(self._o.idempotency, "forget"):
            await self._asked("forget", key)

    async def _asked(self, name: str, *arguments: Any) -> Any:
        store = self._o.idempotency
        method = getattr(store, name)
        if isinstance(store, InMemoryIdempotencyStore):
            return method(*arguments)
        if inspect.iscoroutinefunction(method):
            return await method(*arguments)
        return await asyncio.to_thread(method, *arguments)


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _refuse(value: Any) -> None:
    if inspect.isawaitable(value):
        _close(value)
        raise TypeError("the invoke adapter is asynchronous: use async_process_event")


def _close(value: Any) -> None:
    if asyncio.iscoroutine(value):
        value.close()
