"""One event of one entity, apart from who waits: what has to be waited for comes out as requests.

A request is the name of a method of a driver with its arguments; there is a driver that blocks and one that awaits.
"""

import logging
import random
from collections.abc import Generator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from spikard.fsm.action_result import ActionResult, action_results_to_payload
from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.errors import ErrorCode, FSMError, StaleVersionError
from spikard.fsm.event import Event, new_id
from spikard.fsm.orchestration import fallback
from spikard.fsm.orchestration.invoke import changed
from spikard.fsm.parallel_state_config import ParallelStateConfig
from spikard.fsm.region_tracking import RegionTracking
from spikard.fsm.stored_state import parse_stored_state
from spikard.fsm.stores.row import EntityChange, EntityRow, OutboxRow, TimerRow, TransitionRow
from spikard.fsm.transition_result import TransitionResult

if TYPE_CHECKING:
    from spikard.fsm.orchestration.orchestrator import Orchestrator

logger = logging.getLogger("spikard.fsm.orchestrator")

Request = tuple[Any, ...]
Steps = Generator[Request, Any, Any]

_PLAIN = (str, int, float, bool, type(None))
_MESSAGES = frozenset({"_raise", "_send"})


class Attempt:
    """One try to bring an entity from one stored state to the next."""

    __slots__ = (
        "context", "effects", "entity_id", "event", "history", "is_given", "orchestrator", "plans", "results",
        "row", "specs", "state", "tracking",
    )  # fmt: skip

    def __init__(self, orchestrator: "Orchestrator", entity_id: str, event: Event, is_given: bool) -> None:
        self.orchestrator = orchestrator
        self.entity_id = entity_id
        self.event = event
        self.is_given = is_given
        self.plans: list[TransitionResult] = []
        self.effects: list[ActionResult] = []
        self.results: list[TransitionResult] = []
        self.specs: list[Sequence[ActionSpec]] = []

    def load(self, extra: Mapping[str, Any] | None) -> Steps:
        """Read the entity and make the context of the event."""
        row: EntityRow = yield "load", self.entity_id
        state = row.state
        if state is None:
            if not self.orchestrator.use_initial_state_when_missing:
                raise ValueError(f"Entity '{self.entity_id}' has no state and use_initial_state_when_missing is False")
            state = self.orchestrator.initial_leaf
        self.row, self.state, self.history = row, state, row.history
        context = {**row.context, **self.event.payload} if self.event.payload else dict(row.context)
        if extra:
            context.update(extra)
        context["_event"] = self.event
        context["_entity_id"] = self.entity_id
        self.context = context
        self.tracking = self._track(state)

    def _track(self, state: str) -> RegionTracking | None:
        machine = self.orchestrator.machine
        if not self.orchestrator.has_regions:
            return None
        parsed = parse_stored_state(state, machine.is_parallel_state)
        name = parsed.parallel_state if isinstance(parsed, ParallelStateConfig) else parsed
        tracking = RegionTracking(machine, name)
        if isinstance(parsed, ParallelStateConfig):
            tracking.configuration = parsed
            self.state = name
        return tracking

    def validate(self) -> Steps:
        """What the definition and the validator have against the context; None where they have nothing."""
        o = self.orchestrator
        messages: list[str] = []
        if o.checks_context:
            ok, messages = o.machine.validate_context(self.context)
        if not messages and o.context_validator is not None:
            ok, messages = yield "validate", self.entity_id, self.state, self.event.trigger, self.context
            messages = [] if ok else list(messages) or ["the context validator refused"]
        if not messages:
            return None
        error = FSMError(
            f"Validation failed: {'; '.join(messages)}",
            {"validation_errors": list(messages)},
            code=ErrorCode.VALIDATION_FAILED,
        )
        metadata = {"reason": "context_validation"}
        return TransitionResult.failure_result(self.state, self.event.trigger, error, metadata)

    def compute(self) -> Steps:
        """The steps that the event leads to, before anything follows by itself."""
        if self.tracking is not None:
            self.results = yield "regions", self.tracking, self.state, self.event, self.context, self.history
        else:
            self.results = [(yield "process", self.state, self.event, self.context, self.history)]
        if not self.results[0].success:
            self.results[0] = self._fallen_back(self.results[0])
        return self.results[0]

    def _fallen_back(self, result: TransitionResult) -> TransitionResult:
        o = self.orchestrator
        if o.fallback_mode == "off" or not fallback.scalar_fallback_eligible(result):
            return result
        composite = None
        if self.tracking is not None and self.tracking.configuration is not None:
            composite = self.tracking.configuration.to_string()
        if o.fallback_mode == "hint":
            leaf = o.machine.hierarchy.effective_target_leaf(str(o.fallback_state))
            return fallback.enrich_hint_result(result, leaf, parallel_composite_source=composite)
        return fallback.applied_result(o.machine, result, self.state, str(o.fallback_state), composite)

    def follow(self) -> Steps:
        """Apply the effects of the steps, and find those that follow without an event."""
        machine, current = self.orchestrator.machine, self.state
        for result in self.results:
            current = self._take(result)
        if not self.orchestrator.goes_on_alone:
            return current
        for _ in range(self.orchestrator.auto_depth):
            step = yield "automatic", current, self.context, self.history
            if step is None:
                break
            if self.tracking is not None and self.tracking.configuration is None:
                step = self.tracking._entering(step)
            current = self._take(step)
        else:
            if self.plans and (yield "automatic", current, self.context, self.history) is not None:
                self.plans[-1].metadata["auto_depth_exceeded"] = True
                logger.warning("%s of '%s' goes on by itself without end", self.entity_id, machine.name)
        return current

    def _take(self, result: TransitionResult) -> str:
        self.plans.append(result)
        specs = result.all_action_specs
        self.specs.append(specs)
        updates = result.metadata.get("_history_updates")
        if updates and not result.metadata.get("orchestrator_skip_apply_history"):
            self.history = {**self.history, **updates}
        current = self.tracking.moved(result) if self.tracking is not None else str(result.target_state)
        self.context["new_status"] = current
        if specs:
            execute = self.orchestrator.executor.execute_action_spec
            self.effects += [execute(a, self.context) for a in specs if a.effect is not None]
        return current

    def stored(self, current: str) -> str:
        """The text that stores keep of where the entity now is."""
        configuration = self.tracking.configuration if self.tracking is not None else None
        return configuration.to_string() if configuration is not None else current

    def change(self, current: str, transition_id: str) -> EntityChange:
        """All that is to be kept of this attempt, as one."""
        o, row = self.orchestrator, self.row
        stored, first = self.stored(current), self.plans[0] if self.plans else None
        has_moved = stored != (row.state or o.initial_leaf)
        now = o.clock.now() if has_moved or row.entered_at is None else None
        left, armed = o.timers_between(row.state or o.initial_leaf, stored, row.state is None, now)
        metadata: dict[str, Any] = {
            "trigger": self.event.trigger,
            "source_state": self.state if first is None else first.source_state,
            "target_state": current,
            **o.about(current),
        }
        return EntityChange(
            self.entity_id,
            row.version if o.is_optimistic else None,
            stored,
            {key: value for key, value in self.context.items() if not key.startswith("_")},
            history=self.history,
            metadata=metadata,
            fingerprint=o.fingerprint,
            entered_at=now,
            cancel_timers=left,
            arm_timers=armed,
            transitions=tuple(
                self._line(plan, specs, transition_id) for plan, specs in zip(self.plans, self.specs, strict=True)
            ),
            outbox=self._outbox(transition_id),
        )

    def _line(self, plan: TransitionResult, specs: Sequence[ActionSpec], transition_id: str) -> TransitionRow:
        event_id = str(self.event.event_id) if self.is_given else None
        return TransitionRow(
            plan.source_state, plan.target_state, plan.trigger, event_id=event_id, transition_id=transition_id,
            actions_executed=tuple(action.name for action in specs),
        )  # fmt: skip

    def _outbox(self, transition_id: str) -> tuple[OutboxRow, ...]:
        actions = [action for specs in self.specs for action in specs if action.effect is None]
        return tuple(
            OutboxRow(f"{transition_id}-{ordinal}", transition_id, ordinal, action)
            for ordinal, action in enumerate(actions)
        )

    def act(self, outbox: tuple[OutboxRow, ...], messages: list[ActionSpec]) -> Steps:
        """Do what the plans ask for; the outcomes, and what has become of the rows of the outbox."""
        outcomes: list[ActionResult] = []
        settled: dict[str, str] = {}
        rows, effects = iter(outbox), iter(self.effects)
        for plan, specs in zip(self.plans, self.specs, strict=True):
            self.context["new_status"] = plan.target_state
            for action in specs:
                if action.effect is not None:
                    outcomes.append(next(effects))
                    continue
                row = next(rows)
                if action.name in _MESSAGES:
                    messages.append(action)
                    settled[row.outbox_id] = "done"
                    continue
                outcome: ActionResult = yield "execute", action, self.context
                outcomes.append(outcome)
                settled[row.outbox_id] = "done" if outcome.success else "failed"
                if self.orchestrator.executor.stop_on_error and not outcome.success:
                    return outcomes, settled
        return outcomes, settled

    def write_back(self, kept: Mapping[str, Any], settled: Mapping[str, str], version: int) -> Steps:
        """Keep what actions have changed in the context: these keys only, whatever else was written meanwhile."""
        patch = {
            key: value
            for key, value in self.context.items()
            # The same list may hold other things than before.
            if not key.startswith("_")
            and (key not in kept or kept[key] is not value or not isinstance(value, _PLAIN))
            and key != "new_status"
        }
        removed = tuple(key for key in kept if key not in self.context)
        if not patch and not removed and not settled:
            return
        o = self.orchestrator
        for attempt in range(o.max_conflict_retries + 1):
            expected = version if o.is_optimistic else None
            change = EntityChange(self.entity_id, expected, patch=patch, removed=removed, settled=settled)
            try:
                yield "commit", change
                return
            except StaleVersionError:
                if attempt == o.max_conflict_retries:
                    raise
                yield "pause", conflict_pause(attempt)
                row: EntityRow = yield "load", self.entity_id
                version = row.version


def conflict_pause(attempt: int) -> float:
    """Seconds before the next try: a little longer each time, and never the same for all who have lost."""
    return random.uniform(0, min(0.001 * 2**attempt, 0.05))  # noqa: S311 - no secret


def process_event(
    o: "Orchestrator",
    entity_id: str,
    event: Event,
    extra: Mapping[str, Any] | None,
    *,
    is_given: bool,
    is_data: bool = False,
) -> Steps:
    """An event from its coming to its end; with `is_data` only what follows by itself, and a list of it."""
    key = f"{entity_id}:{event.event_id}" if is_given else None
    if key is not None and (recorded := o.idempotency.begin(key)) is not None:
        return o.replayed(recorded)
    attempt, refusal, version, change, transition_id = yield from _until_kept(
        Attempt(o, entity_id, event, is_given), extra, is_data
    )
    if refusal is not None:
        return refusal
    messages: list[ActionSpec] = []
    yield from _act(attempt, change, version, transition_id, messages)
    if key is not None:
        o.idempotency.finish(key, o.recorded(attempt.plans[0]))
    for message in messages:
        yield "deliver", entity_id, message
    return attempt.plans if is_data else attempt.plans[0]


def _until_kept(attempt: Attempt, extra: Mapping[str, Any] | None, is_data: bool) -> Steps:
    o, number = attempt.orchestrator, 0
    while True:
        yield from attempt.load(extra)
        try:
            outcome = yield from _compute_and_keep(attempt, number == 0, is_data)
        except StaleVersionError:
            if number == o.max_conflict_retries:
                raise
        else:
            return attempt, *outcome
        yield "pause", conflict_pause(number)
        number += 1
        attempt = Attempt(o, attempt.entity_id, attempt.event, attempt.is_given)


def _compute_and_keep(attempt: Attempt, is_first: bool, is_data: bool) -> Steps:
    o, event, context = attempt.orchestrator, attempt.event, attempt.context
    if not is_data:
        if is_first:
            if o.event_store is not None:
                yield "append_event", attempt.entity_id, event
            if o.observed:
                yield "before_process", attempt.entity_id, attempt.state, event.trigger, context
        if o.validates and (refusal := (yield from attempt.validate())) is not None:
            return refusal, 0, None, ""
        if o.observed:
            yield "before_transition", attempt.state, event.trigger, context
        try:
            result = yield from attempt.compute()
        except Exception as error:
            if o.observed:
                yield "on_error", error, context
            raise
        if o.observed:
            yield "after_transition", result, context
        if not result.success:
            return result, 0, None, ""
    current = yield from attempt.follow()
    transition_id = new_id()
    change = attempt.change(current, transition_id)
    version = yield "commit", change
    return None, version, change, transition_id


def _act(attempt: Attempt, change: EntityChange, version: int, transition_id: str, messages: list[ActionSpec]) -> Steps:
    o, plans, context = attempt.orchestrator, attempt.plans, attempt.context
    if not plans:
        return
    if o.audits_apart:
        first = None
        for plan in plans:
            line = yield "record_transition", attempt.entity_id, plan
            first = first or line
        transition_id = first or transition_id
    stopping, starting = _services(o, plans)
    for _, spec in stopping:
        yield "stop", spec, context
    outcomes, settled = yield from attempt.act(change.outbox, messages)
    for source, spec in starting:
        yield "start", spec, source, context
    if change.outbox:
        yield from attempt.write_back(change.context or {}, settled, version)
    _note(plans, outcomes, transition_id)
    if o.machine._callbacks:
        for plan in plans:
            yield "callbacks", plan, context
    if o.scheduler is not None and (change.cancel_timers or change.arm_timers):
        yield "timers", attempt.entity_id, change


def _services(o: "Orchestrator", plans: list[TransitionResult]) -> tuple[list[Any], list[Any]]:
    stopping: list[Any] = []
    starting: list[Any] = []
    if o.invoke_adapter is not None:
        for plan in plans:
            stop, start = changed(o.machine, plan.source_state, str(plan.target_state))
            stopping += stop
            starting += [(plan.source_state, spec) for _, spec in start]
    return stopping, starting


def _note(plans: list[TransitionResult], outcomes: list[ActionResult], transition_id: str) -> None:
    metadata = plans[0].metadata
    if outcomes:
        metadata["action_results"] = action_results_to_payload(outcomes)
    metadata["transition_id"] = transition_id
    if len(plans) > 1:
        metadata["following"] = [(plan.trigger, plan.source_state, plan.target_state) for plan in plans[1:]]


def timer_rows(timers: list[tuple[str, str, float]], now: Any) -> tuple[TimerRow, ...]:
    """Timers that start now."""
    return tuple(TimerRow(key, trigger, now + timedelta(seconds=seconds)) for key, trigger, seconds in timers)
