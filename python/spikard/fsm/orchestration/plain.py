"""An event whose machine, store and orchestrator ask for nothing but the step: the same steps, with nobody between."""

import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spikard.fsm.errors import StaleVersionError
from spikard.fsm.event import new_id
from spikard.fsm.orchestration.attempt import Attempt
from spikard.fsm.orchestration.requests import conflict_pause
from spikard.fsm.orchestration.steps import act, deliver

if TYPE_CHECKING:
    from spikard.fsm.orchestration.orchestrator import Orchestrator
    from spikard.fsm.transition_result import TransitionResult


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
        or o.fallback_mode != "off"
    )


def process_plain(
    o: "Orchestrator", entity_id: str, trigger: str, extra: Mapping[str, Any] | None
) -> "TransitionResult":
    """A trigger from its coming to its end, on this thread."""
    number = 0
    while True:
        attempt = Attempt(o, entity_id, None, False, trigger)
        attempt.open(o.store.load(entity_id), extra)
        # Guards may want to see the event. Without any, nobody does before actions are done.
        event = attempt.show() if o.has_guards else trigger
        result = o.machine.process(attempt.state, event, attempt.context, history=attempt.history)
        if not result.success:
            return result
        if result.all_action_specs:
            attempt.show()
        transition_id = new_id()
        change = attempt.change(attempt.take(result), transition_id)
        try:
            o.store.commit(change)
        except StaleVersionError:
            if number == o.max_conflict_retries:
                raise
            time.sleep(conflict_pause(number))
            number += 1
        else:
            break
    if attempt.specs[0]:
        messages = o.blocking.run(act(attempt, change, transition_id, None))
        if messages:
            o.blocking.run(deliver(o, deque(messages)))
    else:
        result.metadata["transition_id"] = transition_id
    return result
