"""How much of a machine has been seen at work."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spikard.fsm.entity_session import EntitySession
from spikard.fsm.errors import GuardRejectedError
from spikard.fsm.testing.simulated_session import SimulatedSession
from spikard.fsm.testing.simulation import Simulation
from spikard.fsm.timer_table import StateTimer
from spikard.fsm.transition_result import TransitionResult

if TYPE_CHECKING:
    from spikard.fsm.state_machine import StateMachine

Edge = tuple[int, str]
"""A transition by its number, and the one of its sources that it was taken from; -1 is a state's limit of time."""
_LIMIT = "_timeout_"
KINDS = ("state", "transition", "guard")


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole."""

    covered: int
    total: int

    @property
    def ratio(self) -> float:
        """From 0.0 to 1.0; all of nothing is all."""
        return self.covered / self.total if self.total else 1.0

    def __str__(self) -> str:
        return f"{self.covered}/{self.total} ({self.ratio:.0%})"


class Coverage:
    """Which states, transitions, pairs of transitions and answers of guards have been seen.

    It is filled by scenarios and simulated sessions, by `add(session)` with the history of any session, and by
    `record(result)` with single results, those of refused events as well.
    """

    def __init__(self, machine: "StateMachine | Simulation") -> None:
        self.simulation = machine if isinstance(machine, Simulation) else Simulation(machine)
        self.seen_states: set[str] = set()
        self.seen_edges: set[Edge] = set()
        self.seen_pairs: set[tuple[int, int]] = set()
        self.seen_guards: set[tuple[int, bool]] = set()
        self.infeasible: dict[str, str] = {}
        """What cannot be covered, by its name in `missing()`, and why; filled by `testgen`."""
        self._last: int | None = None
        self.see_states(self.simulation.chains[self.simulation.machine.initial_leaf])

    @property
    def states(self) -> Share:
        """States that something rested in, or passed through."""
        return self._share("state")

    @property
    def transitions(self) -> Share:
        """Transitions, each once for each of its sources."""
        return self._share("transition")

    @property
    def guards(self) -> Share:
        """Guarded transitions that fired, and that their guards refused."""
        return self._share("guard")

    @property
    def pairs(self) -> int:
        """How many different pairs of transitions were taken one after the other."""
        return len(self.seen_pairs)

    def missing(self) -> list[str]:
        """What has not been seen, and what stands in its way where that is known."""
        names = [self.name(kind, goal) for kind in KINDS for goal in self.unseen(kind)]
        return [f"{name}: {self.infeasible[name]}" if name in self.infeasible else name for name in names]

    def name(self, kind: str, goal: Any) -> str:
        """How reports call something that can be covered."""
        if kind == "state":
            return f"state '{goal}'"
        if goal[0] < 0:
            return f"the limit of time of '{goal[1]}'"
        transition = self.simulation.transitions[goal[0]]
        if kind == "guard":
            way = "passing" if goal[1] else "refusing"
            return f"guards of '{transition.trigger}' to '{transition.dest}' (transition {goal[0]}) {way}"
        return f"transition '{transition.trigger}' from '{goal[1]}' to '{transition.dest}'"

    def start(self) -> None:
        """Another entity begins: what it takes first follows on nothing."""
        self._last = None

    def add(self, session: EntitySession) -> None:
        """Takes the history of a session; refused events are not in it."""
        self.start()
        if isinstance(session, SimulatedSession):
            for number, result in session.fired:
                self.record(result, number)
        else:
            for result in session.history:
                self.record(result)

    def record(self, result: TransitionResult, number: int | None = None) -> None:
        """Takes one result; `number` is that of its transition, where it is known."""
        metadata = result.metadata
        chain = self._chain(result)
        contest = self.simulation.contest(chain, result.trigger)
        if not result.success:
            if isinstance(result.error, GuardRejectedError):
                self._refused(contest)
            return
        if metadata.get("no_op") or result.target_state is None:
            return
        if number is None:
            number = next((one for one in contest if self._fits(one, result)), None)
        self.see_states(self.simulation.chains[result.target_state])
        self._see_regions(result.target_state)
        if number is None:
            if result.trigger.startswith(_LIMIT):
                self.seen_edges.add((-1, result.trigger.removeprefix(_LIMIT)))
            return
        transition = self.simulation.transitions[number]
        self._refused(contest[: contest.index(number)] if number in contest else ())
        self.seen_edges.update((number, source) for source in transition.source if source in chain)
        if transition.guards:
            self.seen_guards.add((number, True))
        if self._last is not None:
            self.seen_pairs.add((self._last, number))
        self._last = number
        self._through_choices(transition.dest, result)

    def see_states(self, states: Iterable[str]) -> None:
        """Takes states that something is in."""
        self.seen_states.update(states)

    def rest(self, active: Iterable[str]) -> None:
        """Something rests in states for now: what would lead on by itself has been refused."""
        if self.simulation.automatic:
            transitions = self.simulation.transitions
            for state in active:
                numbers = self.simulation.automatic.get(state, ())
                self.seen_guards.update((number, False) for number in numbers if transitions[number].guards)

    def merge(self, other: "Coverage") -> None:
        """Takes everything that another one of the same machine has seen."""
        self.seen_states |= other.seen_states
        self.seen_edges |= other.seen_edges
        self.seen_pairs |= other.seen_pairs
        self.seen_guards |= other.seen_guards

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data."""
        shares: Mapping[str, Share] = {"states": self.states, "transitions": self.transitions, "guards": self.guards}
        figures: dict[str, Any] = {
            name: {"covered": share.covered, "total": share.total, "ratio": round(share.ratio, 4)}
            for name, share in shares.items()
        }
        return {**figures, "pairs": self.pairs, "missing": self.missing()}

    def __str__(self) -> str:
        return f"states {self.states}, transitions {self.transitions}, guards {self.guards}, pairs {self.pairs}"

    def _chain(self, result: TransitionResult) -> tuple[str, ...]:
        if "region" in result.metadata:
            states = self.simulation.original.states
            region = result.metadata["region"]
            parallel = result.metadata.get("parallel_state", "")
            if result.source_state != parallel:
                return (result.source_state,)
            members = next((r.states for r in states[parallel].regions if r.name == region), ())
            return tuple(members)
        return self.simulation.chains.get(result.source_state, (result.source_state,))

    def _fits(self, number: int, result: TransitionResult) -> bool:
        transition = self.simulation.transitions[number]
        if tuple(result.actions_to_execute) != transition.actions:
            return False
        if transition.region != result.metadata.get("region"):
            return False
        target = str(result.target_state)
        if transition.internal:
            return target == result.source_state
        if transition.is_history_target:
            return transition.dest.rpartition("(")[2].rstrip(")") in self.simulation.chains[target]
        leaf = self.simulation.leaves.get(transition.dest)
        return leaf == target or leaf in self.simulation.choices

    def _refused(self, numbers: Iterable[int]) -> None:
        transitions = self.simulation.transitions
        self.seen_guards.update((number, False) for number in numbers if transitions[number].guards)

    def _see_regions(self, state: str) -> None:
        regions = self.simulation.original.states[state].regions
        self.see_states(region.initial for region in regions)

    def _through_choices(self, dest: str, result: TransitionResult) -> None:
        """Follows the choices between a transition and where it has ended."""
        here: str | None = self.simulation.leaves.get(dest)
        passed: set[str] = set()
        while here in self.simulation.choices and here not in passed:
            passed.add(str(here))
            self.see_states(self.simulation.chains[str(here)])
            rules = self.simulation.contest((str(here),), result.trigger)
            taken = next((one for one in rules if self._leads_to(one, str(result.target_state))), None)
            if taken is None:
                return
            self._refused(rules[: rules.index(taken)])
            self.seen_edges.add((taken, str(here)))
            if self.simulation.transitions[taken].guards:
                self.seen_guards.add((taken, True))
            here = self.simulation.leaves.get(self.simulation.transitions[taken].dest)

    def _leads_to(self, number: int, target: str) -> bool:
        dest = self.simulation.transitions[number].dest
        leaf = self.simulation.leaves.get(dest)
        return leaf == target or leaf in self.simulation.choices or leaf is None

    def goals(self, kind: str) -> list[Any]:
        """Everything of a kind (`state`, `transition`, `guard`) that there is to be seen."""
        transitions = self.simulation.transitions
        if kind == "state":
            return list(self.simulation.chains)
        if kind == "transition":
            edges = [(number, source) for number, one in enumerate(transitions) for source in sorted(one.source)]
            timers = self.simulation.timers.values()
            return [*edges, *((-1, _limited(one)) for timer in timers for one in timer if _limited(one))]
        return [(number, way) for number, one in enumerate(transitions) if one.guards for way in (True, False)]

    def seen(self, kind: str) -> set[Any]:
        """What of a kind has been seen."""
        kinds: dict[str, set[Any]] = {
            "state": self.seen_states,
            "transition": self.seen_edges,
            "guard": self.seen_guards,
        }
        return kinds[kind]

    def unseen(self, kind: str) -> list[Any]:
        """What of a kind has not been seen."""
        seen = self.seen(kind)
        return [goal for goal in self.goals(kind) if goal not in seen]

    def _share(self, kind: str) -> Share:
        seen = self.seen(kind)
        feasible = [goal for goal in self.goals(kind) if goal in seen or self.name(kind, goal) not in self.infeasible]
        return Share(sum(goal in seen for goal in feasible), len(feasible))


def _limited(timer: StateTimer) -> str:
    """The state whose time a timer limits, if it has no transition for that."""
    return timer.trigger.removeprefix(_LIMIT) if timer.trigger.startswith(_LIMIT) else ""
