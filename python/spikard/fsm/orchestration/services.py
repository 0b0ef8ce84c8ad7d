"""Services of states as functions, and as machines of their own."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from spikard.fsm.background_loop import BackgroundLoop
from spikard.fsm.invoke_spec import InvokeSpec
from spikard.fsm.stores.row import EntityChange, TimerRow
from spikard.fsm.workflow import WORKFLOW_STATUS_ACTIVE, WORKFLOW_STATUS_FAILED

if TYPE_CHECKING:
    from spikard.fsm.orchestration.orchestrator import Orchestrator

logger = logging.getLogger("spikard.fsm.services")

Service = Callable[[dict[str, Any]], Any]
MACHINE = "machine:"
# Told to the state that has invoked it, where that names no event of its own.
_DONE, _FAILED = "done.invoke.{}", "error.invoke.{}"


class ServiceAdapter:
    """Runs what states invoke: functions by their names, and `machine:<name>` as an entity of another machine.

    A function gets the context as it was when the state was entered, and may be `async`; others run in threads. What it
    returns comes to the entity as `data` with the event `on_done`, its exception as `error` with `on_error`, once, and
    only while the entity rests in the state. Where the store keeps timers, the event is kept there before it is
    brought: if the process dies in between, a worker or a scheduler of that store brings it. Leaving the state cancels
    the service; a function in a thread goes on, and nobody hears of it.

    A machine needs a `runtime`. Its entity, `<entity>.<id>`, is looked at every `poll_seconds` until it has ended.
    """

    def __init__(
        self, services: Mapping[str, Service] | None = None, *, runtime: Any = None, poll_seconds: float = 0.5
    ) -> None:
        self._services: dict[str, Service] = dict(services or {})
        self._runtime = runtime
        self._poll_seconds = poll_seconds
        self._orchestrator: Orchestrator | None = None
        self._running: dict[tuple[str, str], Future[None]] = {}
        self._background = BackgroundLoop()

    def register(self, name: str, service: Service) -> None:
        """Have a function be called for states that invoke it by its name."""
        self._services[name] = service

    def bind(self, orchestrator: "Orchestrator") -> None:
        """Tell an orchestrator's entities of what becomes of their services."""
        self._orchestrator = orchestrator

    def start(self, spec: InvokeSpec, source_state: str, context: dict[str, Any]) -> None:  # noqa: ARG002 - the protocol
        """A state was entered."""
        entity_id = str(context["_entity_id"])
        given = {key: value for key, value in context.items() if not key.startswith("_")}
        self._end(entity_id, spec)
        self._running[entity_id, spec.id] = self._background.submit(self._run(entity_id, spec, given))

    def stop(self, spec: InvokeSpec, context: dict[str, Any]) -> None:
        """The state is being left."""
        self._end(str(context["_entity_id"]), spec)

    def close(self) -> None:
        """Cancel what runs."""
        running = list(self._running.values())
        self._running.clear()
        for service in running:
            service.cancel()
        self._background.close()

    def _end(self, entity_id: str, spec: InvokeSpec) -> None:
        service = self._running.pop((entity_id, spec.id), None)
        if service is not None:
            service.cancel()

    async def _run(self, entity_id: str, spec: InvokeSpec, context: dict[str, Any]) -> None:
        try:
            data = await self._result(entity_id, spec, context)
        except Exception as error:  # noqa: BLE001 - the entity is told
            logger.warning("Service '%s' of '%s' failed: %s", spec.id, entity_id, error)
            trigger = spec.on_error or _FAILED.format(spec.id)
            told, is_wanted = {"error": str(error), "error_type": type(error).__name__}, spec.on_error is not None
        else:
            trigger, told, is_wanted = spec.on_done or _DONE.format(spec.id), {"data": data}, spec.on_done is not None
        if is_wanted:
            # From here on leaving the state is what the event itself does: it must not cancel it.
            self._running.pop((entity_id, spec.id), None)
            try:
                await self._tell(entity_id, spec, trigger, {**told, "invoke_id": spec.id})
            except Exception:
                logger.exception("'%s' of '%s' could not be told of '%s'", trigger, entity_id, spec.id)

    async def _result(self, entity_id: str, spec: InvokeSpec, context: dict[str, Any]) -> Any:
        if spec.src.startswith(MACHINE):
            return await self._child(spec.src.removeprefix(MACHINE), f"{entity_id}.{spec.id}", context)
        service = self._services.get(spec.src)
        if service is None:
            raise LookupError(f"no service is registered as '{spec.src}'")
        if inspect.iscoroutinefunction(service):
            return await service(context)
        outcome = await asyncio.to_thread(service, context)
        return await outcome if inspect.isawaitable(outcome) else outcome

    async def _child(self, machine: str, child_id: str, context: dict[str, Any]) -> dict[str, Any]:
        runtime = self._runtime
        if runtime is None:
            raise LookupError(f"machine '{machine}' cannot be run without a runtime; pass it to ServiceAdapter")
        from spikard.fsm.runtime.errors import EntityAlreadyExists

        with suppress(EntityAlreadyExists):
            # It is there where this process goes on with what another has begun.
            await asyncio.to_thread(runtime.create_entity, machine, child_id, context=context)
        while True:
            child = await asyncio.to_thread(runtime.get_entity, machine, child_id)
            if child is None:
                raise LookupError(f"entity '{child_id}' of machine '{machine}' is gone")
            if child.workflow_status not in (None, WORKFLOW_STATUS_ACTIVE):
                break
            await asyncio.sleep(self._poll_seconds)
        if child.workflow_status == WORKFLOW_STATUS_FAILED:
            raise RuntimeError(f"entity '{child_id}' of machine '{machine}' has ended in '{child.state}'")
        return {"state": child.state, "context": child.context}

    async def _tell(self, entity_id: str, spec: InvokeSpec, trigger: str, payload: dict[str, Any]) -> None:
        o = self._orchestrator
        if o is None:
            raise RuntimeError("the adapter belongs to no orchestrator")
        row = await o.access.aload(entity_id)
        active = frozenset() if row.state is None else o.timing.active(row.state)
        state = next((name for name in active if spec in o.machine.states[name].invoke), None)
        if state is None:
            return
        now = o.clock.now()
        timer = TimerRow(f"{state}#invoke.{spec.id}", trigger, now, now, 0, payload)
        if o.access.is_whole:
            metadata = {"machine_name": o.machine.name}
            await o.access.acommit(EntityChange(entity_id, metadata=metadata, arm_timers=(timer,)))
        if await o.afire(o.timing.due(entity_id, timer)) is None and o.access.is_whole:
            # Left in between: nobody is to find it any more.
            await o.access.acommit(EntityChange(entity_id, cancel_keys=(timer.timer_key,)))
