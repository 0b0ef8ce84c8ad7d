"""Whoever waits for what the steps of an event request."""

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, Any

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.event import Event
from spikard.fsm.orchestration.requests import Steps
from spikard.fsm.stores.row import EntityChange

if TYPE_CHECKING:
    from spikard.fsm.orchestration.orchestrator import Orchestrator


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
        self.execute = orchestrator.executor.execute_action_spec
        self.pause = time.sleep
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
                except Exception as error:  # noqa: BLE001 - the steps know what to make of it
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
        self._o.background.wait(self._o.schedule(entity_id, change))

    def deliver(self, entity_id: str, message: ActionSpec) -> None:
        """Process an event that an action has raised or sent."""
        target, event, delay = self._o.addressed(entity_id, message)
        if delay:
            self._o.background.wait(self._o.schedule_event(target, event, delay))
        else:
            self.run(self._o.steps(target, event, None))


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
        self.execute = orchestrator.executor.async_execute_action_spec
        self.pause = asyncio.sleep
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
                except Exception as error:  # noqa: BLE001 - the steps know what to make of it
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
        append = getattr(o.event_store, "aappend_event", o.event_store.append_event)
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
        record = getattr(store, "arecord_transition", store.record_transition)
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
        await self._o.schedule(entity_id, change)

    async def deliver(self, entity_id: str, message: ActionSpec) -> None:
        """Process an event that an action has raised or sent."""
        target, event, delay = self._o.addressed(entity_id, message)
        if delay:
            await self._o.schedule_event(target, event, delay)
        else:
            await self.run(self._o.steps(target, event, None))


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _refuse(value: Any) -> None:
    if inspect.isawaitable(value):
        _close(value)
        raise TypeError("the invoke adapter is asynchronous: use async_process_event")


def _close(value: Any) -> None:
    if asyncio.iscoroutine(value):
        value.close()
