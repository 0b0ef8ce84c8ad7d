"""The actions of a kept step, done in place: what comes of each, and what they change in the context."""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from spikard.fsm.action_result import ActionResult, action_results_to_payload
from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.delivery import Delivery, current_delivery
from spikard.fsm.errors import StaleVersionError
from spikard.fsm.execution_result import ExecutionMode
from spikard.fsm.orchestration.requests import Steps, conflict_pause
from spikard.fsm.orchestration.timing import is_done_behind, is_of_timers
from spikard.fsm.stores.row import DONE, AnswerRow, EntityChange, EntityRow, Settlement
from spikard.fsm.transition_result import TransitionResult

if TYPE_CHECKING:
    from spikard.fsm.orchestration.attempt import Attempt
    from spikard.fsm.orchestration.orchestrator import Orchestrator

_PLAIN = frozenset({str, int, float, bool, type(None)})
_MISSING = object()
MESSAGES = frozenset({"_raise", "_send"})
IN_OUTBOX = "in_outbox"


class Message(NamedTuple):
    """Events that an action of an entity wants brought to somebody, each with its key; then its row is done."""

    entity_id: str
    outbox_id: str | None
    parts: list[tuple[str, ActionSpec]]


class ContextBefore:
    """A context as it was before actions had it."""

    __slots__ = ("_kept",)

    def __init__(self, public: Mapping[str, Any]) -> None:
        self._kept = {
            key: value if type(value) in _PLAIN else _copied(value)
            for key, value in public.items()
            if key != "new_status"
        }

    def changes(self, context: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The values that are new, and the keys that are gone."""
        kept, patch, met = self._kept, {}, 0
        for key, value in context.items():
            before = kept.get(key, _MISSING)
            met += before is not _MISSING
            # What is the same cannot have been changed: only what never changes is not kept as a copy.
            if before is value or key[0:1] == "_" or key == "new_status":
                continue
            if before is _MISSING or type(before) is not type(value) or before != value:
                patch[key] = value
        return patch, () if met == len(kept) else tuple([key for key in kept if key not in context])


class Acting:
    """Does what the plans of an attempt ask for, once the step is kept."""

    __slots__ = ("_attempt", "_before", "_keys", "_transition_id", "messages", "outcomes", "settled")

    def __init__(self, attempt: "Attempt", transition_id: str) -> None:
        self._attempt = attempt
        self._transition_id = transition_id
        self._before: ContextBefore | None = None
        self._keys: list[str] = []
        self.outcomes: list[ActionResult] = []
        self.settled: dict[str, Settlement] = {}
        self.messages: list[Message] = []

    def run(self) -> Steps:
        """Do the actions, in the executor's mode where somebody awaits them."""
        attempt = self._attempt
        o, effects = attempt.orchestrator, iter(attempt.effects)
        is_deferred = o.outbox.delivery == "deferred"
        if o.carrier is not None and not is_deferred:
            yield from self._carry(effects)
            return
        for plan, specs in zip(attempt.plans, attempt.specs, strict=True):
            if specs:
                attempt.context["new_status"] = plan.target_state
            for group in _groups(plan, specs, o.mode):
                todo: list[tuple[ActionSpec, Delivery]] = []
                first = len(self.outcomes)
                for action in group:
                    if action.effect is not None:
                        self.outcomes.append(next(effects))
                    elif is_of_timers(action):
                        continue
                    elif is_deferred:
                        self.outcomes.append(ActionResult.skipped(action.name, IN_OUTBOX))
                    else:
                        todo.append((action, self._delivery()))
                if todo:
                    applied = len(self.outcomes)
                    yield from self._do(todo)
                    self.outcomes[first:] = _in_order(group, self.outcomes[first:applied], self.outcomes[applied:])
                if o.executor.stop_on_error and not all(outcome.success for outcome in self.outcomes):
                    self._leave_out()
                    return

    def run_here(self, todo: Sequence[tuple[str, int, ActionSpec]], before: Mapping[str, Any]) -> None:
        """Do actions one after the other on this thread, each under the key that ends as told.

        `before` is the context without what is hidden.
        """
        attempt = self._attempt
        context, execute = attempt.context, attempt.orchestrator.executor.execute_action_spec
        if todo:
            self._before = ContextBefore(before)
        for end, _, action in todo:
            delivery = Delivery(self._transition_id + end)
            token = current_delivery.set(delivery)
            try:
                outcome = execute(action, context)
            finally:
                current_delivery.reset(token)
            self._settle(action, delivery, outcome)
        if attempt.effects:
            self.outcomes = _in_order(attempt.specs[0], attempt.effects, self.outcomes)

    def abandon(self) -> Steps:
        """Keep what was done, and let others do the rest at once."""
        for key in self._all_keys():
            self.settled.setdefault(key, Settlement("failed", "interrupted"))
        yield from self.write_back(None)

    def write_back(self, answer_key: str | None) -> Steps:
        """Keep what has become of the actions, and the values of the context that they have changed."""
        change = self.ending(answer_key)
        if change is not None:
            yield from merge(self._attempt.orchestrator, change)

    def ending(self, answer_key: str | None) -> EntityChange | None:
        """What is to be kept of the actions; None where nothing is."""
        attempt = self._attempt
        o = attempt.orchestrator
        patch, removed = ({}, ()) if self._before is None else self._before.changes(attempt.context)
        settled = self.settled if o.keeps_outbox else {}
        if not patch and not removed and not settled:
            return None
        answer = None
        if answer_key is not None:
            result = attempt.plans[0]
            payload = o.recorded(result)
            payload["metadata"] = {**payload["metadata"], **self.told()}
            answer = AnswerRow(answer_key, payload, o.answer_seconds, is_first=False)
        return EntityChange(attempt.entity_id, patch=patch or None, removed=removed, settled=settled, answer=answer)

    def told(self) -> dict[str, Any]:
        """What metadata say of it."""
        results = {"action_results": action_results_to_payload(self.outcomes)} if self.outcomes else {}
        return {**results, "transition_id": self._transition_id}

    def _delivery(self) -> Delivery:
        key = outbox_id(self._transition_id, len(self._keys))
        self._keys.append(key)
        if self._before is None:
            self._before = ContextBefore({k: v for k, v in self._attempt.context.items() if k[0:1] != "_"})
        return Delivery(key)

    def _do(self, todo: list[tuple[ActionSpec, Delivery]]) -> Steps:
        o, context = self._attempt.orchestrator, self._attempt.context
        if len(todo) > 1 and o.mode is not ExecutionMode.SEQUENTIAL:
            outcomes = yield "execute_together", todo, context
            for (action, delivery), outcome in zip(todo, outcomes, strict=True):
                self._settle(action, delivery, outcome)
            return
        for action, delivery in todo:
            if action.name in MESSAGES and action.when is None:
                delivery.messages.append((delivery.key, action))
                self._tell(delivery)
                continue
            self._settle(action, delivery, (yield "execute", action, context, delivery))
            if o.executor.stop_on_error and not self.outcomes[-1].success:
                return

    def _carry(self, effects: Iterator[ActionResult]) -> Steps:
        """Have an executor of its own way do what a plan asks for; effects are applied, and messages are sent here."""
        context = self._attempt.context
        for plan, specs in zip(self._attempt.plans, self._attempt.specs, strict=True):
            if not specs:
                continue
            context["new_status"] = plan.target_state
            first = len(self.outcomes)
            applied = [next(effects) for action in specs if action.effect is not None]
            todo = [(action, self._delivery()) for action in specs if is_done_behind(action)]
            sent = [(action, delivery) for action, delivery in todo if action.name in MESSAGES and action.when is None]
            for action, delivery in sent:
                delivery.messages.append((delivery.key, action))
                self._tell(delivery)
            carried = [each for each in todo if each not in sent]
            outcomes = yield "carry", _only(plan, [action for action, _ in carried]), context
            # One that stops early tells of fewer: the others are left out.
            for (action, delivery), outcome in zip(carried, outcomes, strict=False):
                self._settle(action, delivery, outcome)
            self.outcomes[first:] = _in_order(specs, applied, self.outcomes[first:])
        self._leave_out()

    def _settle(self, action: ActionSpec, delivery: Delivery, outcome: ActionResult) -> None:
        if action.name not in MESSAGES:
            self.outcomes.append(outcome)
        if not outcome.success:
            self.settled[delivery.key] = self._attempt.orchestrator.outbox.failed(1, outcome.error)
        elif delivery.messages:
            self._tell(delivery)
        else:
            self.settled[delivery.key] = DONE

    def _tell(self, delivery: Delivery) -> None:
        is_kept = self._attempt.orchestrator.keeps_outbox
        self.messages.append(
            Message(self._attempt.entity_id, delivery.key if is_kept else None, delivery.messages)
        )  # fmt: skip

    def _leave_out(self) -> None:
        done = {message.outbox_id for message in self.messages}
        for key in self._all_keys():
            if key not in done:
                self.settled.setdefault(key, DONE)

    def _all_keys(self) -> list[str]:
        number = sum(is_done_behind(action) for specs in self._attempt.specs for action in specs)
        return [outbox_id(self._transition_id, ordinal) for ordinal in range(number)]


def outbox_id(transition_id: str, ordinal: int) -> str:
    """The name of a step's action, which is the key it is done under. Names sort as actions are to be done."""
    return f"{transition_id}-{ordinal:03d}"


def merge(o: "Orchestrator", change: EntityChange) -> Steps:
    """Keep values of a context, whatever else was written meanwhile. Stores of whole steps merge by themselves."""
    if o.access.is_whole:
        yield "commit", change
        return
    if not change.touches_entity:
        return
    for attempt in range(o.max_conflict_retries + 1):
        row: EntityRow = yield "load", change.entity_id
        change.expected_version = row.version if o.is_optimistic else None
        try:
            yield "commit", change
            return
        except StaleVersionError:
            if attempt == o.max_conflict_retries:
                raise
            yield "pause", conflict_pause(attempt)


def _groups(plan: TransitionResult, specs: Sequence[ActionSpec], mode: ExecutionMode) -> Iterator[Sequence[ActionSpec]]:
    if mode is not ExecutionMode.PHASED:
        yield specs
        return
    yield from (plan.on_exit_actions, plan.actions_to_execute, plan.on_enter_actions)


def _in_order(
    actions: Sequence[ActionSpec], effects: Iterable[ActionResult], others: Iterable[ActionResult]
) -> list[ActionResult]:
    """What came of actions, as they stand in the plan: effects were applied before the others were done."""
    applied, done = iter(effects), iter(others)
    placed = [
        next(done if action.effect is None else applied, None)
        for action in actions
        if action.effect is not None or (action.name not in MESSAGES and is_done_behind(action))
    ]
    # Of what was left out after a failure nothing came.
    return [outcome for outcome in placed if outcome is not None]


def _only(plan: TransitionResult, wanted: Sequence[ActionSpec]) -> TransitionResult:
    """A plan with some of its actions; the same one where these are all."""
    if len(wanted) == len(plan.all_action_specs):
        return plan
    kept = {id(action) for action in wanted}
    exits, between, enters = (
        tuple([action for action in phase if id(action) in kept])
        for phase in (plan.on_exit_actions, plan.actions_to_execute, plan.on_enter_actions)
    )
    return TransitionResult.success_result(
        plan.source_state, str(plan.target_state), plan.trigger, between, exits, enters, plan.metadata
    )  # fmt: skip


def _copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001 - what cannot be copied counts as changed
        return object()
