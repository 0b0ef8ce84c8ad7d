"""Events for entities that are kept somewhere: load, validate, compute, keep, act."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from spikard.fsm.action_executor import ActionExecutor
from spikard.fsm.action_registry import ActionRegistry
from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.background_loop import BackgroundLoop
from spikard.fsm.clock import Clock, FsmClock
from spikard.fsm.due_moments import delay_of
from spikard.fsm.errors import TimerGoneError
from spikard.fsm.event import Event
from spikard.fsm.execution_result import ExecutionMode
from spikard.fsm.guard_registry import GuardRegistry
from spikard.fsm.hooks.observer import TransitionObserver
from spikard.fsm.offer import is_overridden, offered
from spikard.fsm.orchestration.drivers import AwaitingDriver, BlockingDriver
from spikard.fsm.orchestration.fallback import FallbackMode, parse_mode
from spikard.fsm.orchestration.idempotency import DAY, IdempotencyStore, InMemoryIdempotencyStore
from spikard.fsm.orchestration.outbox_policy import OutboxPolicy
from spikard.fsm.orchestration.plain import PlainEvents, is_plain
from spikard.fsm.orchestration.requests import Steps
from spikard.fsm.orchestration.steps import process_event
from spikard.fsm.orchestration.store_access import StoreAccess
from spikard.fsm.orchestration.timing import Timing
from spikard.fsm.schedulers.due_timer import DueTimer
from spikard.fsm.stores.row import EntityChange
from spikard.fsm.transition_result import TransitionResult
from spikard.fsm.workflow import compute_workflow_status

if TYPE_CHECKING:
    from spikard.fsm.state_machine import StateMachine

logger = logging.getLogger("spikard.fsm.orchestrator")

CONCURRENCIES = ("optimistic", "pessimistic", "none")
# For how long one process may keep an entity to itself before it is taken for dead.
HOLD_SECONDS = 30.0
# How an executor carries out plans.
CARRYING = ("execute", "async_execute", "async_execute_with_mode")
# How many entities are made in one transaction.
CREATED_TOGETHER = 2000
# How many events are read at once when an entity's past is gone through.
REPLAY_PAGE = 1000

Verdict = tuple[bool, list[str]]
ContextValidatorFn = Callable[[str, str, str, dict[str, Any]], Verdict | Awaitable[Verdict]]


class Orchestrator:
    """Brings events to entities: one step of an entity is kept as a whole, then its actions are done.

    With `concurrency="optimistic"` a step that was computed from a state somebody else has changed in the meantime is
    computed again, up to `max_conflict_retries` times; with `"pessimistic"` an entity is held from the first look at it
    until its actions are done; with `"none"` the last one to write wins. `outbox` says how actions are delivered.
    `idempotency` is where answers to events are kept: by default with the step itself where the store can do that, else
    in memory; with False an event that comes twice counts twice.
    """

    def __init__(
        self,
        machine: "StateMachine",
        state_store: Any,
        guards: GuardRegistry | None = None,
        actions: ActionRegistry | None = None,
        *,
        context_validator: ContextValidatorFn | None = None,
        executor: ActionExecutor | None = None,
        scheduler: Any = None,
        use_initial_state_when_missing: bool = True,
        invoke_adapter: Any = None,
        hooks: Iterable[Any] | None = None,
        audit_store: Any = None,
        event_store: Any = None,
        outbox: OutboxPolicy | str | bool | None = None,
        concurrency: Literal["optimistic", "pessimistic", "none"] = "optimistic",
        max_conflict_retries: int = 5,
        idempotency: IdempotencyStore | bool | None = None,
        clock: Clock | None = None,
        context_model: Any = None,
    ) -> None:
        if concurrency not in CONCURRENCIES:
            raise ValueError(f"concurrency must be one of {', '.join(CONCURRENCIES)}, got {concurrency!r}")
        if max_conflict_retries < 0:
            raise ValueError(f"max_conflict_retries must not be negative, got {max_conflict_retries}")
        self.machine = machine
        self.store = state_store
        if guards is not None:
            machine.bind_guards(guards)
        # The machine keeps its own actions: it may have other orchestrators, with others.
        own = ActionExecutor(machine.action_registry if actions is None else actions)
        # By its type: a double says of itself that it is an instance.
        is_ours = issubclass(type(executor), ActionExecutor)
        self.executor = executor if executor is not None and is_ours else own
        # An executor that carries out whole plans in its own way gets them whole.
        is_own_way = executor is not None and (not is_ours or is_overridden(executor, CARRYING, "execute_action_spec"))
        self.carrier: Any = executor if is_own_way else None
        self.context_validator = context_validator or (_model_validator(context_model) if context_model else None)
        self.scheduler = scheduler
        self.use_initial_state_when_missing = use_initial_state_when_missing
        self.invoke_adapter = invoke_adapter
        self.observer = TransitionObserver()
        for hook in hooks or ():
            self.observer.add_hook(hook)
        self.observed = bool(self.observer.hooks)
        self.audit_store = audit_store
        self.event_store = event_store
        self.max_conflict_retries = max_conflict_retries
        self.clock = clock or FsmClock()
        self._concurrency = concurrency
        self.is_pessimistic = concurrency == "pessimistic"
        self.hold_seconds = HOLD_SECONDS
        self._remember(idempotency)
        self.mode: ExecutionMode = getattr(self.executor, "default_mode", ExecutionMode.SEQUENTIAL)
        self.outbox = OutboxPolicy.of(outbox)
        self.outbox_lease = self.outbox.lease_seconds if self.outbox.delivery == "inline" else 0.0
        self.background = BackgroundLoop()
        self._read(machine)
        self._callbacks = machine._callbacks.functions
        self._of_store: Mapping[str, Any] = getattr(state_store, "__dict__", {})
        self._reach()
        if self.is_pessimistic:
            self._require("holds", "concurrency='pessimistic'")
        if self.outbox.delivery == "deferred":
            self._require("outbox", "outbox='deferred'")

    def _reach(self) -> None:
        """Look at what the store can do, and how events are brought to it."""
        self._seen = len(self._of_store)
        self.access = StoreAccess(self.store)
        is_whole, self.capabilities = self.access.is_whole, self.access.capabilities
        # A store of whole steps keeps the line of a transition with the step itself.
        self.audits_apart = self.audit_store is not None and not (self.audit_store is self.store and is_whole)
        self.is_optimistic = self._concurrency != "none" and "versions" in self.capabilities
        # A store that can keeps the answer to an event with the step itself: nothing comes between the two.
        self.answers_with_step = self._keeps_answers and "answers" in self.capabilities
        self.keeps_outbox = is_whole and self.outbox.delivery != "off"
        self.blocking = BlockingDriver(self)
        self._awaiting = AwaitingDriver(self)
        self._plain = PlainEvents(self) if is_plain(self) else None

    def _require(self, capability: str, option: str) -> None:
        if capability not in self.access.capabilities:
            raise ValueError(f"{option} needs a store with '{capability}' among its capabilities")

    def _remember(self, given: IdempotencyStore | bool | None) -> None:
        self.remembers = given is not False
        self._keeps_answers = given in (None, True) or getattr(given, "store", None) is self.store
        self.answer_seconds: float = getattr(given, "seconds", DAY)
        is_bool = given is None or isinstance(given, bool)
        self.idempotency: IdempotencyStore = InMemoryIdempotencyStore() if is_bool else given  # type: ignore[assignment]

    def _read(self, machine: "StateMachine") -> None:
        """What the definition says, once instead of with every event."""
        states, meta = machine.states, machine.meta
        self.initial_leaf: str = machine.hierarchy.effective_target_leaf(machine.get_initial_state().name)
        self.fingerprint: str = machine.fingerprint
        self.has_regions = bool(machine.parallel_states)
        self.checks_context = bool(meta.get("validate_context"))
        self.validates = self.checks_context or self.context_validator is not None
        self.auto_depth = int(meta.get("auto_depth") or 20)
        self.fallback_state: str | None = machine.error_policy.default_fallback
        is_defined = self.fallback_state is not None and self.fallback_state in states
        self.fallback_mode: FallbackMode = parse_mode(meta) if is_defined else "off"
        routed = bool((meta.get("classification") or {}).get("auto_route"))
        self.goes_on_alone = routed or any(transition.auto for transition in machine.transitions)
        self._about = {name: self._described(name) for name in states}
        self.timing = Timing(self)
        # Whether anything goes by the states on the way.
        self.follows_states = self.timing.is_needed or self.invoke_adapter is not None
        bind = offered(self.invoke_adapter, "bind")
        if bind is not None:
            bind(self)
        serve = offered(self.scheduler, "serve")
        if serve is not None:
            serve(machine.name, self)
        self.has_guards = any(transition.guards for transition in machine.transitions)

    def process_event(
        self, entity_id: str, event: str | Event, context: dict[str, Any] | None = None
    ) -> TransitionResult:
        """Bring an event to an entity and wait on this thread."""
        if len(self._of_store) != self._seen:
            self._reach()
        if self._plain is not None and type(event) is str and event and not self._callbacks:
            return self._plain.process(entity_id, event, context)
        if not self.access.has_sync:
            raise TypeError("process_event requires a sync StateStore (get_state, set_state, get_context)")
        result: TransitionResult = self.blocking.run(self.steps(entity_id, event, context))
        return result

    async def async_process_event(
        self, entity_id: str, event: str | Event, context: dict[str, Any] | None = None
    ) -> TransitionResult:
        """Bring an event to an entity. A store that cannot be awaited is asked in a thread."""
        if len(self._of_store) != self._seen:
            self._reach()
        if not (self.access.has_async or self.access.has_sync):
            raise TypeError("async_process_event requires an AsyncStateStore (aget_state, aset_state, aget_context)")
        result: TransitionResult = await self._awaiting.run(self.steps(entity_id, event, context))
        return result

    def create_many(
        self, entities: Iterable[tuple[str, Mapping[str, Any]]], *, batch_size: int = CREATED_TOGETHER
    ) -> int:
        """Keep new entities in the machine's initial state, each with a context, many in one transaction.

        Entities that are kept already stay as they are; how many were new. No action is done.
        """
        self._require("create", "create_many")
        leaf, now = self.initial_leaf, self.clock.now()
        armed = () if self.timing.is_computed(leaf) else self.timing.at_entry(leaf, {}, now)
        pattern = EntityChange(
            "", 0, leaf, {}, history={}, metadata={**self.about(leaf), "target_state": leaf}, entered_at=now,
            fingerprint=self.fingerprint, arm_timers=armed,
        )  # fmt: skip
        number, waiting = 0, iter(entities)
        while batch := list(itertools.islice(waiting, batch_size)):
            if armed or not self.timing.is_computed(leaf):
                number += self.store.create_many(pattern, batch)
                continue
            for entity_id, context in batch:
                pattern.arm_timers = self.timing.at_entry(leaf, context, now)
                number += self.store.create_many(pattern, [(entity_id, context)])
        return number

    async def acreate_many(
        self, entities: Iterable[tuple[str, Mapping[str, Any]]], *, batch_size: int = CREATED_TOGETHER
    ) -> int:
        """`create_many`, awaited."""
        return await asyncio.to_thread(self.create_many, entities, batch_size=batch_size)

    def apply_data(self, entity_id: str, data: dict[str, Any]) -> list[TransitionResult]:
        """Merge data into an entity's context, and do what follows from it by itself."""
        if not self.access.has_sync:
            raise TypeError("apply_data requires a sync StateStore (get_state, set_state, get_context)")
        results: list[TransitionResult] = self.blocking.run(self.data_steps(entity_id, data))
        return results

    async def async_apply_data(self, entity_id: str, data: dict[str, Any]) -> list[TransitionResult]:
        """`apply_data`, awaited."""
        results: list[TransitionResult] = await self._awaiting.run(self.data_steps(entity_id, data))
        return results

    def replay(self, entity_id: str, *, up_to_sequence: int | None = None) -> list[TransitionResult]:
        """What an entity's events do, brought one after the other to a new session; nothing is kept.

        `up_to_sequence` is the last event to be brought.
        """
        if self.event_store is None:
            raise RuntimeError("No event store configured on this orchestrator")
        session = self.machine.create(entity_id=entity_id)
        results: list[TransitionResult] = []
        after = 0
        while lines := self.event_store.get_events(entity_id, after_sequence=after, limit=REPLAY_PAGE):
            for line in lines:
                after = line["sequence"]
                if up_to_sequence is not None and after > up_to_sequence:
                    return results
                results.append(session.send(line["trigger"], **(line.get("payload") or {})))
        return results

    async def restore_timers(self, policy: Literal["resume", "restart"] = "resume") -> int:
        """After a restart: have a scheduler of this process fire the timers that the store has kept; how many.

        `resume` fires what is overdue at once, `restart` waits for whole delays again. A durable scheduler finds its
        timers by itself, and there is nothing to restore (0).
        """
        if self.scheduler is None:
            raise RuntimeError("this orchestrator has no scheduler that could fire timers")
        if policy not in ("resume", "restart"):
            raise ValueError(f"policy must be 'resume' or 'restart', not {policy!r}")
        return await self.timing.restore(policy)

    async def close(self) -> None:
        """Let go of what the orchestrator has started itself, and of its scheduler; the store stays connected."""
        if self.scheduler is not None:
            # What was scheduled by a blocking call runs in the background, and has to be ended there.
            closing = self.scheduler.close()
            await (asyncio.wrap_future(self.background.submit(closing)) if self.background.is_running else closing)
        self.background.close()

    def steps(
        self, entity_id: str, event: str | Event, context: Mapping[str, Any] | None, *, is_keyed: bool = True
    ) -> Steps:
        """The steps of an event, for a driver. Without a key it counts as often as it comes."""
        is_given = isinstance(event, Event)
        return process_event(self, entity_id, _event(event), context, is_given=is_given, is_keyed=is_keyed)

    def data_steps(self, entity_id: str, data: Mapping[str, Any]) -> Steps:
        """The steps of data for an entity, for a driver."""
        return process_event(self, entity_id, Event("__apply_data"), data, is_given=False, is_data=True)

    def concerns(self, state: str | None) -> bool:
        """Whether data are for an entity with this state: for one that has none only where it begins by itself."""
        return state is not None or self.use_initial_state_when_missing

    def initial_of(self, entity_id: str) -> str:
        """The state of an entity that has none yet; `ValueError` where there has to be one."""
        if not self.use_initial_state_when_missing:
            raise ValueError(f"Entity '{entity_id}' has no state and use_initial_state_when_missing is False")
        return self.initial_leaf

    def about(self, state: str) -> dict[str, Any]:
        """What stores keep beside a state."""
        return self._about.get(state) or self._described(state)

    def _described(self, state: str) -> dict[str, Any]:
        return {
            "is_terminal": state in self.machine.terminal_states,
            "workflow_status": compute_workflow_status(self.machine, state),
            "machine_name": self.machine.name,
            "machine_version": self.machine.version,
        }

    def recorded(self, result: TransitionResult) -> dict[str, Any]:
        """A result as plain data, for the day the event comes again."""
        return {
            "source_state": result.source_state,
            "target_state": result.target_state,
            "trigger": result.trigger,
            "metadata": dict(result.metadata),
        }

    def replayed(self, recorded: Mapping[str, Any]) -> TransitionResult:
        """The result of an event that has come before."""
        return TransitionResult.success_result(
            recorded["source_state"], recorded["target_state"], recorded["trigger"],
            metadata={**recorded["metadata"], "replayed": True},
        )  # fmt: skip

    # Time

    def fire(self, timer: DueTimer) -> TransitionResult | None:
        """Bring the event of a timer to its entity; None where the entity has left the timer's state since."""
        try:
            fired: TransitionResult = self.blocking.run(self.timer_steps(timer))
        except TimerGoneError:
            self.timing.drop(timer)
            return None
        return fired

    async def afire(self, timer: DueTimer) -> TransitionResult | None:
        """`fire`, awaited."""
        try:
            fired: TransitionResult = await self._awaiting.run(self.timer_steps(timer))
        except TimerGoneError:
            self.timing.drop(timer)
            return None
        return fired

    def timer_steps(self, timer: DueTimer) -> Steps:
        """The steps of a timer's event, for a driver; `TimerGoneError` where it is of no concern any more."""
        target, event = self.timing.event_of(timer)
        return process_event(self, target, event, None, is_given=False, timer=timer)

    def addressed(self, entity_id: str, message: ActionSpec) -> tuple[str, Event, float]:
        """Whom an action's message is for, the event, and after how many seconds."""
        params = message.params
        event = Event(str(params["event"]), dict(params.get("payload") or {}))
        return str(params.get("to") or entity_id), event, delay_of(params.get("delay"))


def _event(event: str | Event) -> Event:
    return event if isinstance(event, Event) else Event(event)


def _model_validator(model: Any) -> ContextValidatorFn:
    """A validator out of a model: pydantic's own, or whatever msgspec can convert to."""
    validate = getattr(model, "model_validate", None)
    if validate is None:
        import msgspec

        def validate(data: dict[str, Any]) -> Any:
            return msgspec.convert(data, model)

    def check(entity_id: str, state: str, trigger: str, context: dict[str, Any]) -> Verdict:  # noqa: ARG001
        public = {key: value for key, value in context.items() if not key.startswith("_")}
        try:
            validate(public)
        except ValueError as error:
            return False, [str(error)]
        return True, []

    return check
