"""One event of one entity, apart from who waits: what has to be waited for comes out as requests."""

import logging
from collections import deque
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from spikard.fsm.errors import EntityBusyError, EventAnsweredError, EventInProgressError, StaleVersionError
from spikard.fsm.event import Event, new_id
from spikard.fsm.invoke_spec import InvokeSpec
from spikard.fsm.orchestration.acting import Acting, Message
from spikard.fsm.orchestration.attempt import Attempt
from spikard.fsm.orchestration.invoke import changed
from spikard.fsm.orchestration.requests import Steps, conflict_pause
from spikard.fsm.schedulers.due_timer import DueTimer
from spikard.fsm.stores.row import DONE, AnswerRow, EntityChange, Settlement
from spikard.fsm.transition_result import TransitionResult

if TYPE_CHECKING:
    from spikard.fsm.orchestration.orchestrator import Orchestrator

logger = logging.getLogger("spikard.fsm.orchestrator")

# Events that follow from one by messages, one after the other. More than these go round in a circle.
MESSAGES_IN_A_ROW = 1000
# Pauses while somebody else holds the entity or processes the same event: about half a minute.
PATIENCE = 1200

# What is held by the event that is being processed here: actions may bring more events to the same entity.
_held: ContextVar[frozenset[str]] = ContextVar("spikard_fsm_held", default=frozenset())

Waiting = deque[Message]


def process_event(
    o: "Orchestrator",
    entity_id: str,
    event: Event,
    extra: Mapping[str, Any] | None,
    *,
    is_given: bool,
    is_data: bool = False,
    is_keyed: bool = True,
    timer: DueTimer | None = None,
) -> Steps:
    """An event from its coming to its end; with `is_data` only what follows by itself, and a list of it."""
    waiting: Waiting = deque()
    answer = yield from _one(o, entity_id, event, extra, is_given, is_data, waiting, is_keyed, timer)
    if waiting:
        yield from deliver(o, waiting)
    return answer


def deliver(o: "Orchestrator", waiting: Waiting) -> Steps:
    """Bring events that actions have raised or sent to those they are for; each counts once, however often it comes."""
    number = 0
    while waiting:
        message, settlement = waiting.popleft(), DONE
        number += len(message.parts)
        try:
            if number > MESSAGES_IN_A_ROW:
                raise RecursionError(f"more than {MESSAGES_IN_A_ROW} events have followed from one")
            yield from bring(o, message, waiting)
        except Exception as error:
            if message.outbox_id is None:
                raise
            logger.exception("'%s' of '%s' could not be delivered", message.outbox_id, message.entity_id)
            is_endless = isinstance(error, RecursionError)
            settlement = Settlement("dead", str(error)) if is_endless else o.outbox.failed(1, error)
        if message.outbox_id is not None:
            yield "commit", EntityChange(message.entity_id, settled={message.outbox_id: settlement})


def bring(o: "Orchestrator", message: Message, waiting: Waiting) -> Steps:
    """Bring the events of one action to those they are for. An event's id comes from the action's key."""
    for key, spec in message.parts:
        target, event, delay = o.addressed(message.entity_id, spec)
        given = Event(event.trigger, event.payload, uuid5(NAMESPACE_URL, key), source="action")
        if delay:
            rows = o.timing.message_rows([(key, spec)], None)
            later = EntityChange(message.entity_id, metadata={"machine_name": o.machine.name}, arm_timers=rows)
            yield "commit", later
            if o.scheduler is not None:
                yield "timers", message.entity_id, later
        else:
            yield from _one(o, target, given, None, True, False, waiting)


def _one(
    o: "Orchestrator",
    entity_id: str,
    event: Event,
    extra: Mapping[str, Any] | None,
    is_given: bool,
    is_data: bool,
    waiting: Waiting,
    is_keyed: bool = True,
    timer: DueTimer | None = None,
) -> Steps:
    key = f"{entity_id}:{event.event_id}" if is_given and is_keyed and o.remembers else None
    steps = _until_done(
        Attempt(o, entity_id, event, is_given, timer=timer), extra, is_data, key if o.answers_with_step else None
    )
    if key is not None:
        steps = _answered_once(o, key, steps)
    if o.is_pessimistic:
        steps = _alone(o, entity_id, steps)
    answer, messages = yield from steps
    waiting.extend(messages)
    return answer


def _alone(o: "Orchestrator", entity_id: str, steps: Steps) -> Steps:
    """With the entity held from the first look at it until its actions are done."""
    if entity_id in _held.get():
        return (yield from steps)
    holder = new_id()
    for attempt in range(PATIENCE):
        if (yield "hold", entity_id, holder, o.hold_seconds):
            break
        yield "pause", conflict_pause(attempt)
    else:
        raise EntityBusyError(entity_id)
    others = _held.get()
    _held.set(others | {entity_id})
    try:
        answer = yield from steps
    except GeneratorExit:
        raise
    except BaseException:
        _held.set(others)
        yield "release", entity_id, holder
        raise
    _held.set(others)
    yield "release", entity_id, holder
    return answer


def _answered_once(o: "Orchestrator", key: str, steps: Steps) -> Steps:
    """The same event a second time gets the first one's answer."""
    if o.answers_with_step:
        try:
            answer, messages = yield from steps
        except EventAnsweredError:
            return o.replayed((yield "answer", key)), []
        if not answer.success and (recorded := (yield "answer", key)) is not None:
            # It does not fit any more because it has been here before.
            return o.replayed(recorded), []
        return answer, messages
    recorded = yield from _begun(key)
    if recorded is not None:
        return o.replayed(recorded), []
    try:
        answer, messages = yield from steps
    except GeneratorExit:
        raise
    except BaseException:
        yield "forget", key
        raise
    if answer.success:
        yield "finish", key, o.recorded(answer)
    else:
        yield "forget", key
    return answer, messages


def _begun(key: str) -> Steps:
    for attempt in range(PATIENCE):
        try:
            return (yield "begin", key)
        except EventInProgressError:
            if attempt == PATIENCE - 1:
                raise
        yield "pause", conflict_pause(attempt)
    return None


def _until_done(attempt: Attempt, extra: Mapping[str, Any] | None, is_data: bool, answer_key: str | None) -> Steps:
    attempt, refusal, change, transition_id = yield from _until_kept(attempt, extra, is_data, answer_key)
    if refusal is not None:
        if (ending := attempt.refused()) is not None:
            yield "commit", ending
            if attempt.orchestrator.scheduler is not None and ending.arm_timers:
                yield "timers", attempt.entity_id, ending
        return refusal, []
    messages: list[Message] = []
    if attempt.plans:
        messages = yield from act(attempt, change, transition_id, answer_key)
    return (attempt.plans if is_data else attempt.plans[0]), messages


def _until_kept(attempt: Attempt, extra: Mapping[str, Any] | None, is_data: bool, answer_key: str | None) -> Steps:
    o, number = attempt.orchestrator, 0
    while True:
        row = yield "load", attempt.entity_id
        if is_data and not o.concerns(row.state):
            # There is no such entity, and it does not begin by itself: nothing follows.
            return attempt, [], None, ""
        attempt.open(row, extra)
        try:
            outcome = yield from _compute_and_keep(attempt, extra, number == 0, is_data, answer_key)
        except StaleVersionError:
            if number == o.max_conflict_retries:
                raise
        else:
            return attempt, *outcome
        yield "pause", conflict_pause(number)
        number += 1
        attempt = Attempt(o, attempt.entity_id, attempt.event, attempt.is_given, timer=attempt.timer)


def _compute_and_keep(
    attempt: Attempt, extra: Mapping[str, Any] | None, is_first: bool, is_data: bool, answer_key: str | None
) -> Steps:
    o, event, context = attempt.orchestrator, attempt.show(), attempt.context
    if not is_data:
        if is_first:
            if o.event_store is not None:
                # With all that came with it: a replay has nothing else.
                yield "append_event", attempt.entity_id, event.with_payload(**extra) if extra else event
            if o.observed:
                yield "before_process", attempt.entity_id, attempt.state, event.trigger, context
        if o.validates and (refusal := (yield from attempt.validate())) is not None:
            return refusal, None, ""
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
            return attempt.refusal(result), None, ""
    current = yield from attempt.follow()
    transition_id = new_id()
    change = attempt.change(current, transition_id)
    if answer_key is not None and attempt.plans:
        payload = o.recorded(attempt.plans[0])
        payload["metadata"]["transition_id"] = transition_id
        change.answer = AnswerRow(answer_key, payload, o.answer_seconds)
    yield "commit", change
    return None, change, transition_id


def act(attempt: Attempt, change: EntityChange, transition_id: str, answer_key: str | None) -> Steps:
    """Do what a kept step asks for; the events that are to be brought to somebody."""
    o, plans, context = attempt.orchestrator, attempt.plans, attempt.context
    if o.audits_apart:
        first = None
        for plan in plans:
            line = yield "record_transition", attempt.entity_id, plan
            first = first or line
        transition_id = first or transition_id
    stopping, starting = _services(attempt)
    for spec in stopping:
        yield "stop", spec, context
    acting = Acting(attempt, change.transitions[0].transition_id)
    try:
        yield from acting.run()
        for source, spec in starting:
            yield "start", spec, source, context
    except GeneratorExit:
        raise
    except BaseException:
        yield from acting.abandon()
        raise
    yield from acting.write_back(answer_key)
    note(plans, acting, transition_id)
    if o.machine._callbacks:
        for plan in plans:
            yield "callbacks", plan, context
    if o.scheduler is not None and change.sets_timers:
        yield "timers", attempt.entity_id, change
    return acting.messages


def _services(attempt: Attempt) -> tuple[list[InvokeSpec], list[tuple[str, InvokeSpec]]]:
    """The services to stop, and those to start, each with the state that the entity came from.

    A state that is only passed through starts nothing.
    """
    o = attempt.orchestrator
    if o.invoke_adapter is None:
        return [], []
    trail = [o.timing.active(stored) for stored in attempt.trail]
    lasting = frozenset.intersection(*trail)
    stopping, _ = changed(o.machine, trail[0], lasting)
    _, starting = changed(o.machine, frozenset() if attempt.row.state is None else lasting, trail[-1])
    source = attempt.plans[0].source_state
    return stopping, [(source, spec) for spec in starting]


def note(plans: list[TransitionResult], acting: Acting, transition_id: str) -> None:
    """Say in the metadata of a step what has come of it."""
    plans[0].metadata.update({**acting.told(), "transition_id": transition_id})
    if len(plans) > 1:
        plans[0].metadata["following"] = [(plan.trigger, plan.source_state, plan.target_state) for plan in plans[1:]]
