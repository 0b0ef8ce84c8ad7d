"""One try to bring an entity from one stored state to the next: load, compute, what is to be kept."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spikard.fsm.action_result import ActionResult
from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.action_steps import holds
from spikard.fsm.errors import ErrorCode, FSMError, TimerGoneError
from spikard.fsm.event import Event
from spikard.fsm.orchestration import fallback
from spikard.fsm.orchestration.acting import outbox_id
from spikard.fsm.orchestration.requests import Steps
from spikard.fsm.orchestration.timing import is_done_behind, is_of_timers
from spikard.fsm.parallel_state_config import ParallelStateConfig
from spikard.fsm.region_tracking import RegionTracking
from spikard.fsm.schedulers.due_timer import DueTimer
from spikard.fsm.stored_state import parse_stored_state
from spikard.fsm.stores.row import EntityChange, EntityRow, OutboxRow, TransitionRow
from spikard.fsm.templates import render_template_value
from spikard.fsm.transition_result import TransitionResult

if TYPE_CHECKING:
    from spikard.fsm.orchestration.orchestrator import Orchestrator

logger = logging.getLogger("spikard.fsm.orchestrator")


class Attempt:
    """One try to bring an entity from one stored state to the next."""

    __slots__ = (
        "context",
        "effects",
        "entity_id",
        "event",
        "history",
        "is_given",
        "is_shown",
        "orchestrator",
        "plans",
        "results",
        "row",
        "specs",
        "state",
        "timer",
        "tracking",
        "trail",
        "trigger",
    )  # fmt: skip

    def __init__(
        self,
        orchestrator: "Orchestrator",
        entity_id: str,
        event: Event | None,
        is_given: bool,
        trigger: str = "",
        timer: DueTimer | None = None,
    ) -> None:
        self.orchestrator = orchestrator
        self.entity_id = entity_id
        # None for a mere trigger, until somebody wants to see an event.
        self.event = event
        self.trigger = trigger if event is None else event.trigger
        self.is_given = is_given
        self.is_shown = False
        self.timer = timer
        self.plans: list[TransitionResult] = []
        self.effects: list[ActionResult] = []
        self.results: list[TransitionResult] = []
        self.specs: list[Sequence[ActionSpec]] = []

    def load(self, extra: Mapping[str, Any] | None) -> Steps:
        """Read the entity and make the context of the event."""
        self.open((yield "load", self.entity_id), extra)

    def open(self, row: EntityRow, extra: Mapping[str, Any] | None) -> None:
        """Begin with an entity as it was read."""
        state = row.state
        if self.timer is not None and not self.orchestrator.timing.holds(self.timer, state):
            raise TimerGoneError(self.timer.timer_key)
        if state is None:
            state = self.orchestrator.initial_of(self.entity_id)
        self.row, self.state, self.history = row, state, row.history
        # The stored states on the way, for timers.
        self.trail = [state]
        context = dict(row.context)
        if self.event is not None and self.event.payload:
            context.update(self.event.payload)
        if extra:
            context.update(extra)
        self.context = context
        self.is_shown = bool(extra)
        self.tracking = self._track(state) if self.orchestrator.has_regions else None

    def show(self) -> Event:
        """Put into the context what guards and actions find there; the event."""
        event = self.event
        if event is None:
            event = self.event = Event(self.trigger)
        self.context["_event"] = event
        self.context["_entity_id"] = self.entity_id
        self.is_shown = True
        return event

    def _track(self, state: str) -> RegionTracking:
        machine = self.orchestrator.machine
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
        text = "Context validation failed"
        if o.checks_context:
            ok, messages = o.machine.validate_context(self.context)
        if not messages and o.context_validator is not None:
            ok, messages = yield "validate", self.entity_id, self.state, self.trigger, self.context
            messages = [] if ok else list(messages) or ["the context validator refused"]
            text = f"Validation failed: {'; '.join(messages)}"
        if not messages:
            return None
        error = FSMError(text, {"validation_errors": list(messages)}, code=ErrorCode.VALIDATION_FAILED)
        metadata = {"reason": "context_validation"}
        return TransitionResult.failure_result(self.state, self.trigger, error, metadata)

    def compute(self) -> Steps:
        """The steps that the event leads to, before anything follows by itself."""
        if self.tracking is not None:
            self.results = yield "regions", self.tracking, self.state, self.event, self.context, self.history
        else:
            self.results = [(yield "process", self.state, self.event, self.context, self.history)]
        if not self.results[0].success:
            self.results[0] = self._fallen_back(self.results[0])
        return self.results[0]

    def refusal(self, result: TransitionResult) -> TransitionResult:
        """What the caller learns of an event that does not fit: regions that have no use for it stay where they are."""
        config = None if self.tracking is None else self.tracking.configuration
        if config is None or self.orchestrator.fallback_mode != "off" or not fallback.scalar_fallback_eligible(result):
            return result
        return TransitionResult.no_op_result(config.to_string(), self.trigger)

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
            current = self.take(result)
        if not self.orchestrator.goes_on_alone:
            return current
        for _ in range(self.orchestrator.auto_depth):
            step = yield "automatic", current, self.context, self.history
            if step is None:
                break
            if self.tracking is not None and self.tracking.configuration is None:
                step = self.tracking._entering(step)
            current = self.take(step)
        else:
            if self.plans and (yield "automatic", current, self.context, self.history) is not None:
                self.plans[-1].metadata["auto_depth_exceeded"] = True
                logger.warning("%s of '%s' goes on by itself without end", self.entity_id, machine.name)
        return current

    def take(self, result: TransitionResult) -> str:
        """Take a step as taken, with its effects; where the entity is then."""
        specs = result.all_action_specs
        updates = result.metadata.get("_history_updates")
        if updates and not result.metadata.get("orchestrator_skip_apply_history"):
            self.history = {**self.history, **updates}
        current = self.tracking.moved(result) if self.tracking is not None else str(result.target_state)
        if self.orchestrator.follows_states:
            self.trail.append(self.stored(current))
        self.plan(result, specs, [action for action in specs if action.effect is not None], current)
        return current

    def plan(
        self,
        result: TransitionResult,
        specs: Sequence[ActionSpec],
        effects: Iterable[ActionSpec],
        current: str | None = None,
    ) -> None:
        """Note a step with its actions, and apply their effects."""
        self.plans.append(result)
        self.specs.append(specs)
        if specs:
            self.context["new_status"] = result.target_state if current is None else current
            execute = self.orchestrator.executor.execute_action_spec
            self.effects += [execute(action, self.context) for action in effects]

    def stored(self, current: str) -> str:
        """The text that stores keep of where the entity now is."""
        configuration = self.tracking.configuration if self.tracking is not None else None
        return configuration.to_string() if configuration is not None else current

    def change(self, current: str, transition_id: str) -> EntityChange:
        """All that is to be kept of this attempt, as one."""
        o, row, plans, context = self.orchestrator, self.row, self.plans, self.context
        before, stored = row.state or o.initial_leaf, current if self.tracking is None else self.stored(current)
        now = o.clock.now() if stored != before or row.entered_at is None else None
        left, armed = o.timing.between(self.trail, row.state is None, context, now) if o.timing.is_needed else ((), ())
        source = plans[0].source_state if plans else self.state
        has_actions = any(self.specs)
        change = EntityChange(
            self.entity_id,
            row.version if o.is_optimistic else None,
            stored,
            {key: value for key, value in context.items() if key[0:1] != "_"} if self.is_shown else context.copy(),
            None,
            (),
            self.history,
            {"trigger": self.trigger, "source_state": source, "target_state": current, **o.about(current)},
            o.fingerprint,
            now,
            left,
            armed,
            self._lines(transition_id),
            self._outbox(transition_id) if has_actions and o.keeps_outbox else (),
            o.outbox_lease,
        )
        if has_actions or self.timer is not None:
            self._set_timers(change, transition_id)
        return change

    def _set_timers(self, change: EntityChange, transition_id: str) -> None:
        timing = self.orchestrator.timing
        later, change.cancel_keys = self._later(transition_id)
        if later:
            change.arm_timers += timing.message_rows(later, change.entered_at)
        if self.timer is not None:
            change.arm_timers += timing.again(self.timer, self.context, change.cancel_timers)
            change.spent = timing.spent(self.timer)

    def _lines(self, transition_id: str) -> tuple[TransitionRow, ...]:
        plans, specs = self.plans, self.specs
        if len(plans) == 1:
            return (self._line(plans[0], specs[0], transition_id),)
        return tuple([self._line(*each, transition_id) for each in zip(plans, specs, strict=True)])

    def _line(self, plan: TransitionResult, specs: Sequence[ActionSpec], transition_id: str) -> TransitionRow:
        names = tuple([action.name for action in specs]) if specs else ()
        source, target, trigger = plan.source_state, plan.target_state, plan.trigger
        values = (source, target, trigger, True, None, None, names, self._event_id(), None, transition_id)
        # Made as a tuple is: all values are there.
        return tuple.__new__(TransitionRow, values)

    def _event_id(self) -> str | None:
        return str(self.event.event_id) if self.is_given and self.event is not None else None

    def refused(self) -> EntityChange | None:
        """What is to be kept of a timer whose event was refused; None where nothing is."""
        timing, timer = self.orchestrator.timing, self.timer
        spent = None if timer is None else timing.spent(timer)
        if timer is None or spent is None:
            return None
        metadata = {"machine_name": self.orchestrator.machine.name}
        again = timing.again(timer, self.context, ())
        return EntityChange(timer.entity_id, metadata=metadata, arm_timers=again, spent=spent)

    def _later(self, transition_id: str) -> tuple[list[tuple[str, ActionSpec]], tuple[str, ...]]:
        """The messages that are sent later, each with an id, and the keys of those that are cancelled."""
        sent, cancelled = [], []
        for number, action in enumerate(action for specs in self.specs for action in specs):
            if not is_of_timers(action) or not holds(action.when, self.context):
                continue
            params = render_template_value(action.params, self.context)
            if action.name == "_cancel":
                cancelled.append(f"#{params.get('id')}")
            else:
                sent.append((f"{transition_id}-later-{number}", replace(action, params=params)))
        if sent and self.orchestrator.scheduler is None and "durable" not in self.orchestrator.capabilities:
            event = sent[0][1].params.get("event")
            raise RuntimeError(f"'{event}' is to be sent later, and neither a scheduler nor a durable store is there")
        return sent, tuple(cancelled)

    def _outbox(self, transition_id: str) -> tuple[OutboxRow, ...]:
        rows: list[OutboxRow] = []
        for plan, specs in zip(self.plans, self.specs, strict=True):
            about: dict[str, Any] | None = None
            for action in specs:
                if is_done_behind(action):
                    about = about or self._about(plan)
                    rows.append(OutboxRow(outbox_id(transition_id, len(rows)), transition_id, len(rows), action, about))
        return tuple(rows)

    def _about(self, plan: TransitionResult) -> dict[str, Any]:
        return {
            "trigger": self.trigger, "source_state": plan.source_state, "target_state": plan.target_state,
            "event_id": self._event_id(),
        }  # fmt: skip
