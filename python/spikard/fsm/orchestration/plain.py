"""An event whose machine, store and orchestrator ask for nothing but the step: the same steps, with nobody between."""

import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spikard.fsm.errors import StaleVersionError
from spikard.fsm.event import new_id
from spikard.fsm.execution_result import ExecutionMode
from spikard.fsm.orchestration.acting import Acting, Message
from spikard.fsm.orchestration.attempt import Attempt
from spikard.fsm.orchestration.deeds import Deeds, DeedsOfSteps
from spikard.fsm.orchestration.requests import conflict_pause
from spikard.fsm.orchestration.steps import act, deliver, note
from spikard.fsm.stores.row import EntityChange, EntityRow, OutboxRow, TransitionRow

if TYPE_CHECKING:
    from spikard.fsm.orchestration.orchestrator import Orchestrator
    from spikard.fsm.transition_result import TransitionResult

_tuple = tuple.__new__


def is_plain(o: "Orchestrator") -> bool:
    """Whether events without ids may be processed here: what the longer way would look for is not there."""
    return o.access.is_whole and not (
        o.has_regions
        or o.goes_on_alone
        or o.validates
        or o.observed
        or o.is_pessimistic
        or o.audits_apart
        or o.event_store is not None
        or o.scheduler is not None
        or o.invoke_adapter is not None
        or o.carrier is not None
        or o.fallback_mode != "off"
    )


class PlainEvents:
    """Triggers from their coming to their end, on this thread; what does not change is looked up once."""

    __slots__ = (
        "_about", "_computes", "_deeds", "_fingerprint", "_initial", "_is_followed", "_is_here", "_is_optimistic",
        "_is_seen", "_keeps_outbox", "_lease", "_now", "_o", "_store",
    )  # fmt: skip

    def __init__(self, orchestrator: "Orchestrator") -> None:
        self._o = orchestrator
        self._store = orchestrator.store
        self._computes = orchestrator.machine.process
        self._now = orchestrator.clock.now
        self._initial = orchestrator.initial_leaf
        self._fingerprint = orchestrator.fingerprint
        self._is_optimistic = orchestrator.is_optimistic
        # Guards may want to see the event. Without any, nobody does before actions are done.
        self._is_seen = orchestrator.has_guards
        self._is_followed = orchestrator.has_guards or orchestrator.timing.is_needed
        is_one_by_one = orchestrator.mode is not ExecutionMode.PHASED and orchestrator.outbox.delivery != "deferred"
        self._is_here = is_one_by_one and not self._is_followed
        self._deeds = DeedsOfSteps()
        self._about = {state: orchestrator.about(state) for state in orchestrator.machine.states}
        self._keeps_outbox, self._lease = orchestrator.keeps_outbox, orchestrator.outbox_lease

    def process(self, entity_id: str, trigger: str, extra: Mapping[str, Any] | None) -> "TransitionResult":
        """One trigger for one entity."""
        store, number = self._store, 0
        while True:
            row = store.load(entity_id)
            attempt = deeds = context = None
            if self._is_seen:
                attempt = self._opened(row, trigger, extra)
                result = self._computes(attempt.state, attempt.show(), attempt.context, history=attempt.history)
            else:
                _, state, _, kept, history, _, _ = row
                if state is None:
                    state = self._o.initial_of(entity_id)
                context = {**kept, **extra} if extra else None
                result = self._computes(state, trigger, context or kept, history=history)
            if not result.success:
                return result
            transition_id = new_id()
            if self._is_followed or result.all_action_specs:
                attempt, deeds, change = self._loud(row, trigger, extra, result, attempt, transition_id)
            else:
                change = self._change(row, trigger, result, context, transition_id, None)
            try:
                store.commit(change)
            except StaleVersionError:
                if number == self._o.max_conflict_retries:
                    raise
                time.sleep(conflict_pause(number))
                number += 1
            else:
                break
        if attempt is None or not attempt.specs[0]:
            result.metadata["transition_id"] = transition_id
        else:
            self._act(attempt, deeds, change, transition_id)
        return result

    def _loud(
        self,
        row: EntityRow,
        trigger: str,
        extra: Mapping[str, Any] | None,
        result: "TransitionResult",
        opened: Attempt | None,
        transition_id: str,
    ) -> tuple[Attempt, Deeds | None, EntityChange]:
        """What a step changes that acts or may set timers. The deeds are there if they can be done here."""
        attempt = opened or self._opened(row, trigger, extra)
        if result.all_action_specs:
            attempt.show()
            if self._is_here and not self._o.executor.stop_on_error:
                deeds = self._deeds.of(result)
                if deeds.is_done_here:
                    attempt.plan(result, deeds.specs, deeds.effects)
                    return attempt, deeds, self._change(row, trigger, result, attempt.context, transition_id, deeds)
        return attempt, None, attempt.change(attempt.take(result), transition_id)

    def _opened(self, row: EntityRow, trigger: str, extra: Mapping[str, Any] | None) -> Attempt:
        attempt = Attempt(self._o, row.entity_id, None, False, trigger)
        attempt.open(row, extra)
        return attempt

    def _change(
        self,
        row: EntityRow,
        trigger: str,
        result: "TransitionResult",
        context: Mapping[str, Any] | None,
        transition_id: str,
        deeds: Deeds | None,
    ) -> EntityChange:
        """What a step changes that sets no timers. `context` is the one with what has come along and was shown."""
        entity_id, state, version, kept, history, _, entered_at = row
        source, target, updates = result.source_state, str(result.target_state), result.metadata.get("_history_updates")
        # What is as it was read need not be kept again, unless there is nothing yet.
        if context is not None:
            context = {key: value for key, value in context.items() if key[0:1] != "_"}
        elif version == 0:
            context = dict(kept)
        names: tuple[str, ...] = ()
        rows: tuple[OutboxRow, ...] = ()
        if deeds is not None:
            names = deeds.names
            if self._keeps_outbox:
                about = {"trigger": trigger, "source_state": source, "target_state": target, "event_id": None}
                rows = deeds.rows(transition_id, about)
        line = (source, target, result.trigger, True, None, None, names, None, None, transition_id)
        return EntityChange(
            entity_id,
            version if self._is_optimistic else None,
            target,
            context,
            None,
            (),
            {**history, **updates} if updates else history if version == 0 else None,
            {"trigger": trigger, "source_state": source, "target_state": target, **self._about[target]},
            self._fingerprint,
            self._now() if target != (state or self._initial) or entered_at is None else None,
            (),
            (),
            # Made as a tuple is: all values are there.
            (_tuple(TransitionRow, line),),
            rows,
            self._lease,
        )

    def _act(self, attempt: Attempt, deeds: Deeds | None, change: EntityChange, transition_id: str) -> None:
        """Do what a kept step asks for, and bring its events to those they are for."""
        if deeds is None:
            messages = self._o.blocking.run(act(attempt, change, transition_id, None))
        else:
            messages = self._do(attempt, deeds, change, transition_id)
        if messages:
            self._o.blocking.run(deliver(self._o, deque(messages)))

    def _do(self, attempt: Attempt, deeds: Deeds, change: EntityChange, transition_id: str) -> list[Message]:
        o = self._o
        acting = Acting(attempt, transition_id)
        try:
            acting.run_here(deeds.behind, change.context or {})
        except BaseException:
            o.blocking.run(acting.abandon())
            raise
        ending = acting.ending(None)
        if ending is not None:
            self._store.commit(ending)
        note(attempt.plans, acting, transition_id)
        if o.machine._callbacks:
            o.machine._callbacks.fire(attempt.plans[0], attempt.context)
        return acting.messages
