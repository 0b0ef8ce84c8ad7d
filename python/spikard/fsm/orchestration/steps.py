"""One event of one entity, apart from who waits: what has to be waited for comes out as requests."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spikard.fsm.action_result import ActionResult, action_results_to_payload
from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.errors import StaleVersionError
from spikard.fsm.event import Event, new_id
from spikard.fsm.orchestration.attempt import Attempt
from spikard.fsm.orchestration.invoke import changed
from spikard.fsm.orchestration.requests import Steps, conflict_pause
from spikard.fsm.stores.row import EntityChange
from spikard.fsm.transition_result import TransitionResult

if TYPE_CHECKING:
    from spikard.fsm.orchestration.orchestrator import Orchestrator


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
            return attempt.refusal(result), 0, None, ""
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
