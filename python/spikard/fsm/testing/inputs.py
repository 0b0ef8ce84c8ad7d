"""What can happen to an entity at a place, such that every outcome there is comes up."""

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from spikard.fsm.builtin_guards import GUARDS
from spikard.fsm.definition import is_on
from spikard.fsm.errors import FSMError
from spikard.fsm.guard_spec import GuardSpec
from spikard.fsm.testing.candidate_values import Conditions, around_constants
from spikard.fsm.testing.contracts import ContractError
from spikard.fsm.testing.guard_probe import Probe
from spikard.fsm.testing.scenario import Step
from spikard.fsm.testing.simulated_session import SimulatedSession
from spikard.fsm.testing.simulation import Simulation, flattened, is_registered
from spikard.fsm.transition_result import TransitionResult

# Combinations of values that are tried for one event at one place.
MAX_TRIES = 5000
_GENERATED = ("_after_", "_auto_", "_join_", "_timeout_", "__")
Outcome = tuple[Any, ...]
Taken = tuple[int | None, TransitionResult]


@dataclass(frozen=True, slots=True)
class Move:
    """An input and where it leads; `session` is the entity afterwards."""

    step: Step
    session: SimulatedSession
    refused: bool
    taken: tuple[Taken, ...]
    """The steps that were taken, each with the number of its transition, and the refused ones."""

    @property
    def numbers(self) -> tuple[int | None, ...]:
        """The transitions that fired."""
        return tuple(number for number, result in self.taken if result.success)


@dataclass(frozen=True, slots=True)
class _Question:
    """Guards that are asked at a place; the fields and free guards that decide them, with what each is tried with."""

    guards: tuple[GuardSpec, ...]
    variables: dict[tuple[str, str], list[Any]]
    kept: tuple[str, ...]
    """Fields that are looked at and left as they are."""
    doubt: str


@dataclass(frozen=True, slots=True)
class _Pool:
    """Values of fields, out of conditions and of guards in Python."""

    conditions: Conditions
    asked: list[Probe]

    def values(self, name: str, kind: str | None, *, whole: bool) -> list[Any]:
        values = self.conditions.values(name, kind) if name in self.conditions.fields else []
        values += around_constants(constant for probe in self.asked for constant in probe.of(name))
        if whole and kind is None:
            # Of each type that comparisons tell apart, something that is none of the constants.
            values += ["~", 0, 1, True, False]
        return distinct([*values, None])


class Inputs:
    """Finds the inputs of places. What events carry are fields that their guards look at; `given` adds payloads.

    With `own=False`, fields that the machine itself writes are left to it; with `free=True`, all named guards may
    answer anything. `exhaustive` inputs are all combinations of values that anything in the machine, or one of the
    `extra` guards, may tell apart.
    """

    def __init__(
        self,
        simulation: Simulation,
        given: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        *,
        own: bool = False,
        free: bool = False,
        extra: Sequence[GuardSpec] = (),
        exhaustive: bool = False,
    ) -> None:
        self.simulation = simulation
        self.given = dict(given or {})
        self.own = own
        machine = simulation.original
        self.free = frozenset(
            name
            for name in simulation.names
            if free or not is_registered(name, machine.guard_registry) or machine.guard_registry.is_async(name)
        )
        self.written = simulation.written
        self.kinds = {one["key"]: one.get("type") for one in machine.get_state_variables()}
        self.extra = Conditions(extra)
        self.routes = bool((machine.meta.get("classification") or {}).get("auto_route"))
        self.checks_context = is_on(machine.meta.get("validate_context"), False)
        self._followers = self._free_names(
            guard
            for one in simulation.transitions
            if one.auto or one.trigger.startswith("_join_")
            for guard in self._guards_of(simulation.contest(one.source, one.trigger), one.trigger)
        )
        self.doubt = ""
        """Why the values tried so far may not stand for all there are."""
        self.broken: list[tuple[SimulatedSession, Step, ContractError]] = []
        self.is_exhaustive = exhaustive
        self._pool = self._everything(extra) if exhaustive else None
        self._questions: dict[Any, _Question] = {}
        self._found: dict[Any, list[Step]] = {}
        self._triggers: dict[Any, list[str]] = {}

    def moves(self, session: SimulatedSession) -> Iterator[Move]:
        """Everything that may happen next, one move for each different outcome."""
        for trigger in self.triggers(session):
            yield from self.of_event(session, trigger)
        yield from self.of_data(session)
        wait = session.next_timer()
        if wait is not None:
            if len({key.partition("#")[0] for key in session.timers}) > 1:
                self.doubt = self.doubt or f"which of several timers is the first at '{session.place}' is left open"
            for answers in self._answers_of_timer(session):
                move = self.attempt(session, Step(wait=max(wait, 0.0), guards=answers))
                if move is not None:
                    yield move

    def triggers(self, session: SimulatedSession) -> list[str]:
        """The events that something is there for."""
        active = session.active
        if active not in self._triggers:
            found = {
                trigger
                for state in active
                for trigger in self.simulation.triggers.get(state, ())
                if not trigger.startswith(_GENERATED)
            }
            self._triggers[active] = sorted(found)
        return self._triggers[active]

    def of_event(self, session: SimulatedSession, trigger: str) -> Iterator[Move]:
        """The different outcomes of one event."""
        key = (session.active, trigger)
        if key not in self._questions:
            self._questions[key] = self._question(self.event_guards(session, trigger))
        question = self._questions[key]
        given = [Step(event=trigger, payload=dict(payload)) for payload in self.given.get(trigger, ())]
        if not question.variables and not given:
            move = self.attempt(session, Step(event=trigger))
            if move is not None:
                yield move
            return
        yield from self._different(session, key, given, (Step(event=trigger), "payload"), question)

    def of_data(self, session: SimulatedSession) -> Iterator[Move]:
        """Data that come without an event, where something waits for them."""
        key = (session.active, None)
        if key not in self._questions:
            self._questions[key] = self._question(self._latent_guards(session))
        question = self._questions[key]
        if any(kind == "field" for kind, _ in question.variables):
            for move in self._different(session, key, [], (Step(data={}), "data"), question):
                if move.step.data:
                    yield move

    def latent(self, session: SimulatedSession) -> Outcome:
        """What waiting guards would say now: they tell entities apart that rest in the same place."""
        key = (session.active, None)
        if key not in self._questions:
            self._questions[key] = self._question(self._latent_guards(session))
        question = self._questions[key]
        return tuple(self._holds(guard, session.context) for guard in question.guards if self._is_asked(guard))

    def attempt(self, session: SimulatedSession, step: Step) -> Move | None:
        """What a step leads to; None where it cannot be taken."""
        if self.checks_context:
            seen = {**session.context, **step.payload, **(step.data or {})}
            if not self.simulation.original.validate_context(seen)[0]:
                return None
        after = session.clone()
        self.simulation.answers.clear()
        self.simulation.answers.update(step.guards)
        try:
            if step.wait is not None:
                results = after.advance(step.wait)
            elif step.data is not None:
                results = after.apply_data(**step.data)
            else:
                results = [after.send(str(step.event), **step.payload)]
        except ContractError as error:
            self.broken.append((session, step, error))
            return None
        except FSMError:
            return None
        refused = step.event is not None and not results[0].success
        failed = [(None, result) for result in results if not result.success]
        return Move(step, after, refused, (*after.fired, *failed))

    def event_guards(self, session: SimulatedSession, trigger: str) -> list[GuardSpec]:
        """All guards that an event has asked, those of choices behind it and of what follows from it included."""
        return self._guards_of(self.simulation.contest(session.active, trigger), trigger)

    def of_guards(self, guards: list[GuardSpec]) -> dict[tuple[str, str], list[Any]]:
        """What decides guards: fields and free guards, each with what it is tried with."""
        return self._question(guards).variables

    def contest_guards(self, session: SimulatedSession, trigger: str) -> _Question:
        """The guards of an event and what decides them."""
        key = (session.active, trigger)
        if key not in self._questions:
            self._questions[key] = self._question(self.event_guards(session, trigger))
        return self._questions[key]

    def fitting(self, context: dict[str, Any]) -> dict[str, Any] | None:
        """A context like the given one that the machine has nothing against; None where none is found."""
        machine = self.simulation.original
        guards = [
            GuardSpec.from_config({key: value for key, value in one.items() if key not in {"name", "description"}})
            for one in machine.get_context_invariants()
        ]
        conditions = Conditions(guards)
        domains = [conditions.values(name, self.kinds.get(name)) for name in conditions.fields]
        for values in itertools.islice(itertools.product(*domains), MAX_TRIES):
            given = dict(zip(conditions.fields, values, strict=True))
            tried = {**context, **placed({k: v for k, v in given.items() if v is not None}, context)}
            if machine.validate_context(tried)[0]:
                return tried
        return None

    def step(self, base: Step, kind: str, session: SimulatedSession, values: Mapping[tuple[str, str], Any]) -> Step:
        """A step with values for fields and answers of guards."""
        fields = {name: value for (what, name), value in values.items() if what == "field"}
        answers = {name: bool(value) for (what, name), value in values.items() if what == "guard"}
        carried = placed(fields, session.context)
        if kind == "data":
            return replace(base, data=carried, guards=answers)
        return replace(base, payload=carried, guards=answers)

    def _guards_of(self, numbers: Iterable[int], trigger: str) -> list[GuardSpec]:
        guards: list[GuardSpec] = []
        waiting, seen = list(numbers), set()
        while waiting:
            number = waiting.pop(0)
            if number in seen:
                continue
            seen.add(number)
            transition = self.simulation.transitions[number]
            guards += transition.guards
            leaf = self.simulation.leaves.get(transition.dest)
            if leaf in self.simulation.choices:
                waiting += self.simulation.contest((str(leaf),), trigger)
        return guards

    def _latent_guards(self, session: SimulatedSession) -> list[GuardSpec]:
        """The guards that are asked without an event of somebody: automatic steps, timers, joins."""
        simulation, guards = self.simulation, []
        active = session.active
        for name in active:
            for timer in simulation.timers.get(name, ()):
                guards += self._guards_of(simulation.contest(active, timer.trigger), timer.trigger)
        for state, trigger in ((name, one) for name in active for one in simulation.triggers.get(name, ())):
            numbers = simulation.by_source[state, trigger]
            transitions = [simulation.transitions[number] for number in numbers]
            if trigger.startswith("_join_") or any(transition.auto for transition in transitions):
                guards += self._guards_of(numbers, trigger)
            if self.routes:
                for transition in transitions:
                    target = simulation.original.states.get(transition.dest)
                    for item in target.when if target is not None else ():
                        guards += [*transition.guards, GuardSpec.from_config(item.to_config())]
        return guards

    def _answers_of_timer(self, session: SimulatedSession) -> Iterator[dict[str, bool]]:
        due, timers = session.next_timer(), session.timers
        now = session.clock.now()
        triggers = [trigger for at, trigger in timers.values() if (at - now).total_seconds() == due]
        guards = [
            guard
            for trigger in triggers
            for guard in self._guards_of(self.simulation.contest(session.active, trigger), trigger)
        ]
        names = sorted(self._free_names(guards))
        for values in itertools.islice(itertools.product((True, False), repeat=len(names)), MAX_TRIES):
            yield dict(zip(names, values, strict=True))

    def _free_names(self, guards: Iterable[GuardSpec]) -> set[str]:
        return {
            leaf.name
            for guard in guards
            for leaf in flattened(guard)
            if leaf.name is not None and leaf.name in self.free
        }

    @property
    def is_exact(self) -> bool:
        """Whether the values tried so far stand for all there are."""
        return not self.doubt

    def _everything(self, extra: Sequence[GuardSpec]) -> "_Pool":
        states = self.simulation.original.states.values()
        guards = [guard for one in self.simulation.transitions for guard in one.guards]
        guards += [GuardSpec.from_config(item.to_config()) for state in states for item in state.when]
        conditions = Conditions([*guards, *extra])
        return _Pool(conditions, self._asked(conditions))

    def _question(self, guards: list[GuardSpec]) -> _Question:
        conditions = Conditions(guards)
        variables: dict[tuple[str, str], list[Any]] = {
            ("guard", name): [True, False] for name in sorted(self._free_names(guards) | self._followers)
        }
        asked = self._asked(conditions)
        doubt = conditions.doubt or ("; ".join(f"guard '{probe.name}' is written in Python" for probe in asked))
        fields = [*conditions.fields, *(name for probe in asked for name in probe.fields)]
        kept = []
        for name in dict.fromkeys(fields):
            root = name.partition(".")[0]
            if root in self.written and not self.own:
                kept.append(root)
                continue
            pool = self._pool or _Pool(conditions, asked)
            variables["field", name] = pool.values(name, self.kinds.get(root), whole=self._pool is not None)
        unique = {str(guard.to_config()): guard for guard in guards}
        return _Question(tuple(unique.values()), variables, tuple(kept), doubt)

    def _asked(self, conditions: Conditions) -> list[Probe]:
        """What registered guards look at."""
        registry = self.simulation.original.guard_registry
        found = []
        for guard in conditions.named:
            name = guard.name or ""
            function = None if name in self.free else registry.resolve(name)
            if function is not None and name not in GUARDS:
                found.append(Probe(name, function, guard.params))
        return found

    def _is_asked(self, guard: GuardSpec) -> bool:
        return not self._free_names([guard])

    def _holds(self, guard: GuardSpec, context: dict[str, Any]) -> bool | None:
        try:
            return self.simulation.machine.guard_registry.passes(guard, context)
        except FSMError:
            return None

    def _different(
        self,
        session: SimulatedSession,
        key: Any,
        given: list[Step],
        base: tuple[Step, str],
        question: _Question,
    ) -> Iterator[Move]:
        """One move for each different outcome; what was found at a place before is tried first."""
        self.doubt = self.doubt or question.doubt
        if self._pool is not None:
            for step in itertools.chain(given, [base[0]], self._steps(session, base, question)):
                move = self.attempt(session, step)
                if move is not None:
                    yield move
            return
        outcomes: set[Outcome] = set()
        context = session.context
        key = (key, *(repr(context.get(name)) for name in question.kept))
        known = self._found.get(key)
        steps = (
            [*given, base[0], *known]
            if known is not None
            else itertools.chain(given, [base[0]], self._steps(session, base, question))
        )
        found: list[Step] = []
        for step in steps:
            move = self.attempt(session, step)
            if move is None:
                continue
            outcome = (move.numbers, move.session.place, move.refused, *self._after(move))
            if outcome not in outcomes:
                outcomes.add(outcome)
                found.append(step)
                yield move
        if known is None:
            self._found[key] = [step for step in found if step not in given and step != base[0]]

    def _after(self, move: Move) -> Outcome:
        return self.latent(move.session) if self.simulation.timers or self.simulation.has_regions else ()

    def _steps(self, session: SimulatedSession, base: tuple[Step, str], question: _Question) -> Iterator[Step]:
        names, domains = list(question.variables), list(question.variables.values())
        size = 1
        for domain in domains:
            size *= len(domain)
        if size > MAX_TRIES:
            self.doubt = self.doubt or f"there are {size} combinations of values at '{session.place}'"
            combinations = narrowed(question, MAX_TRIES)
        else:
            combinations = itertools.product(*domains)
        for values in combinations:
            yield self.step(*base, session, dict(zip(names, values, strict=True)))


def narrowed(question: _Question, most: int) -> Iterator[tuple[Any, ...]]:
    """Some combinations out of too many: first those that fulfil the checks of single guards, then a lattice."""
    names = list(question.variables)
    for guard in question.guards:
        checks = Conditions([guard]).checks
        domains = []
        for kind, name in names:
            values = question.variables[kind, name]
            mine = [check for check in checks if check.field == name]
            fitting = (
                [v for v in values if all(_fulfils(check, name, v) for check in mine)] if kind == "field" else values
            )
            domains.append((fitting or values)[:4] if mine or kind == "guard" else values[:2])
        yield from itertools.islice(itertools.product(*domains), most // max(len(question.guards), 1))
    chance = random.Random(0)  # noqa: S311 - no secret
    for _ in range(most):
        yield tuple(chance.choice(question.variables[name]) for name in names)
    # Each value of each variable at least once.
    for place, variable in enumerate(names):
        for value in question.variables[variable]:
            yield tuple(value if i == place else question.variables[one][0] for i, one in enumerate(names))


def _fulfils(check: Any, name: str, value: Any) -> bool:
    from spikard.fsm.checks import evaluate_check

    try:
        return evaluate_check(check, {name: value})
    except (TypeError, ValueError):
        return False


def placed(fields: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted names, put where the dots say, beside what the context has there."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        root, *rest = name.split(".")
        if rest:
            found[root] = _put(found.get(root, context.get(root)), rest, value)
        else:
            found[root] = value
    return found


def _put(there: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    first, *rest = path
    if first.isdigit():
        items = list(there) if isinstance(there, list) else []
        items += [None] * (int(first) + 1 - len(items))
        items[int(first)] = _put(items[int(first)], rest, value)
        return items
    mapping = dict(there) if isinstance(there, Mapping) else {}
    mapping[first] = _put(mapping.get(first), rest, value)
    return mapping


def distinct(values: Iterable[Any]) -> list[Any]:
    """Each value once, of each type."""
    return list({f"{type(value).__name__} {value!r}": value for value in values}.values())
