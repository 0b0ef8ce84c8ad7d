"""The actions of one transition from one state, sorted once instead of with every event."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.orchestration.acting import MESSAGES
from spikard.fsm.stores.row import OutboxRow

if TYPE_CHECKING:
    from spikard.fsm.transition_result import TransitionResult

# How many transitions are remembered at most: actions of others are sorted again each time.
MOST_KEPT = 4096

_tuple = tuple.__new__


class Deeds:
    """What the actions of a step are: their names, the effects, and those that are done once the step is kept."""

    __slots__ = ("behind", "effects", "is_done_here", "names", "specs")

    def __init__(self, specs: Sequence[ActionSpec]) -> None:
        self.specs = specs
        self.names = tuple([action.name for action in specs])
        self.effects = tuple([action for action in specs if action.effect is not None])
        others = [action for action in specs if action.effect is None]
        # Each with the end of its key.
        self.behind = tuple([(f"-{number:03d}", number, action) for number, action in enumerate(others)])
        # What is brought to somebody or sent later takes more than a call.
        self.is_done_here = not any(action.name in MESSAGES or action.name == "_cancel" for action in others)

    def rows(self, transition_id: str, about: dict[str, Any]) -> tuple[OutboxRow, ...]:
        """The rows of the outbox of one step. `about` says of which."""
        return tuple(
            [
                # Made as a tuple is: all values are there.
                _tuple(OutboxRow, (transition_id + end, transition_id, number, action, about))
                for end, number, action in self.behind
            ]
        )


class DeedsOfSteps:
    """The deeds of the steps of one machine. May be asked by any number of threads."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int, int], tuple[Deeds, tuple[Sequence[ActionSpec], ...]]] = {}

    def of(self, result: "TransitionResult") -> Deeds:
        """The deeds of a step."""
        phases = result.on_exit_actions, result.actions_to_execute, result.on_enter_actions
        # A machine hands out the same tuples with every step of a kind, and they stay as long as they are kept here.
        key = id(phases[0]), id(phases[1]), id(phases[2])
        found = self._kept.get(key)
        if found is not None:
            return found[0]
        deeds = Deeds(result.all_action_specs)
        if len(self._kept) < MOST_KEPT:
            self._kept[key] = deeds, phases
        return deeds
