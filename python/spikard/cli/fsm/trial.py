"""One entity that is tried out, and the language it is spoken to in."""

import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from spikard.fsm.clock import SimulatedClock
from spikard.fsm.delays import parse_delay
from spikard.fsm.errors import FSMError
from spikard.fsm.state_machine import StateMachine
from spikard.fsm.testing.simulated_session import SimulatedSession
from spikard.fsm.testing.simulation import Simulation
from spikard.fsm.testing.written_fields import STATUS
from spikard.fsm.transition_result import TransitionResult

# How often one can go back.
UNDONE = 1000


def values_of(words: Iterable[str]) -> dict[str, Any]:
    """`key=value` words; a value that is JSON is what it says, any other is a text."""
    found: dict[str, Any] = {}
    for word in words:
        key, sign, text = word.partition("=")
        if not sign and word.startswith("{"):
            found |= _object(word)
        elif not sign or not key:
            raise ValueError(f"{word!r} is not of the form key=value")
        else:
            found[key] = _value(text)
    return found


class Trial:
    """An entity in simulated time that lines of text are read for. What can be done can be undone."""

    def __init__(self, machine: StateMachine, context: Mapping[str, Any], state: str | None = None) -> None:
        self.simulation = Simulation(machine)
        # Nobody is there to answer for them: they pass until somebody says otherwise.
        self.simulation.answers.update(dict.fromkeys(self.simulation.unregistered, True))
        self._begins = dict(context), state
        self.session = self._fresh()
        self.steps: list[dict[str, Any]] = []
        self.is_over = False
        self._past: list[tuple[SimulatedSession, int, str]] = []
        self._commands: dict[str, tuple[Callable[[list[str]], list[str]], str, str]] = {
            "set": (self._set, "set KEY=VALUE …", "change the context"),
            "unset": (self._unset, "unset KEY …", "take keys out of the context"),
            "data": (self._data, "data KEY=VALUE …", "change the context, and take the steps that follow from it"),
            "wait": (self._wait, "wait 30s", "let time pass"),
            "guard": (self._guard, "guard NAME yes|no|ask", "say what a guard answers"),
            "undo": (self._undo, "undo", "take the last line back"),
            "reset": (self._reset, "reset", "begin again"),
            "state": (self._state, "state", "show where the entity is, and the timers that run"),
            "context": (self._context, "context", "show what is known of the entity"),
            "triggers": (self._triggers, "triggers", "show what can happen now, and what is in the way"),
            "history": (self._history, "history", "show the steps so far"),
            "save": (self._save, "save FILE", "keep the steps as a scenario for `spikard fsm test`"),
            "help": (self._help, "help", "show this"),
            "quit": (self._quit, "quit", "end"),
        }

    @property
    def words(self) -> list[str]:
        """What a line may begin with now: triggers of this state first, then the others, then commands."""
        here = self.session.allowed_triggers
        others = [name for name in self.simulation.original.trigger_names if name not in here]
        return [name for name in (*here, *others) if not name.startswith("_")] + list(self._commands)

    @property
    def known(self) -> dict[str, Any]:
        """What is known of the entity, without what sessions leave there for actions."""
        return {key: value for key, value in sorted(self.session.context.items()) if key != STATUS}

    def read(self, line: str) -> list[str]:
        """Do what a line says; what there is to tell of it. `ValueError` where it is not understood."""
        try:
            name, *rest = shlex.split(line)
        except ValueError as error:
            raise ValueError(f"the line cannot be read: {error}") from None
        if name in self.simulation.original.trigger_names:
            return self._send(name, values_of(rest), line)
        command = self._commands.get(name.removeprefix(":"))
        if command is None:
            meant = get_close_matches(name, self.words, 1)
            hint = f"; did you mean {meant[0]!r}?" if meant else "; `help` lists what there is"
            raise ValueError(f"{name!r} is neither an event nor a command{hint}")
        return command[0](rest)

    def _fresh(self) -> SimulatedSession:
        context, state = self._begins
        return SimulatedSession(self.simulation, context=dict(context), state=state, clock=SimulatedClock())

    def _remember(self, line: str) -> None:
        self._past = [*self._past[1 - UNDONE :], (self.session, len(self.steps), line)]
        self.session = self.session.clone()

    def _send(self, trigger: str, payload: dict[str, Any], line: str) -> list[str]:
        self._remember(line)
        try:
            result = self.session.send(trigger, **payload)
        except FSMError as error:
            self.steps.append(
                {"event": trigger, "payload": payload, "success": False, "state": self.session.place,
                 "actions": [], "error": error.message}
            )  # fmt: skip
            return [f"refused: {error.message}"]
        return self._taken(result, {"event": trigger, "payload": payload})

    def _taken(self, result: TransitionResult, what: dict[str, Any]) -> list[str]:
        fired = [step for _, step in self.session.fired]
        told = [_told(step) for step in fired or [result]]
        if not result.success and fired:
            told.append(_told(result))
        if any(step.metadata.get("auto_depth_exceeded") for step in fired):
            told.append("  stopped: more automatic steps follow each other than meta.auto_depth allows")
        error = None if result.error is None else result.error.message
        actions = [name for step in fired for name in step.all_actions]
        self.steps.append(
            {**what, "success": result.success, "state": self.session.place, "actions": actions, "error": error}
        )
        self.session.fired.clear()
        if self.session.place != self.session.current_state:
            told.append(f"  now {self.session.place}")
        if self.session.is_final and fired:
            told.append("  this is an end: nothing leads out")
        return told + (self._timers() if fired else [])

    def _timers(self) -> list[str]:
        now = self.session.clock.now()
        due = sorted((moment, trigger) for moment, trigger in self.session.timers.values())
        return [f"  in {(moment - now).total_seconds():g}s: {_bare(trigger)}" for moment, trigger in due]

    def _set(self, words: list[str]) -> list[str]:
        values = values_of(words)
        self._remember("set")
        self.session.update(**values)
        return self._context([])

    def _unset(self, words: list[str]) -> list[str]:
        self._remember("unset")
        for key in words:
            self.session.context.pop(key, None)
        return self._context([])

    def _data(self, words: list[str]) -> list[str]:
        values = values_of(words)
        self._remember("data")
        results = self.session.apply_data(**values)
        told = [line for result in results for line in self._taken(result, {"data": values})]
        return told or ["nothing follows from it"]

    def _wait(self, words: list[str]) -> list[str]:
        if len(words) != 1:
            raise ValueError("say how long: wait 30s")
        try:
            seconds = parse_delay(int(words[0]) * 1000 if words[0].isdigit() else words[0]) / 1000
        except (TypeError, ValueError) as error:
            raise ValueError(f"wait {words[0]}: {error}") from None
        self._remember("wait")
        results = self.session.advance(seconds)
        told = [line for result in results for line in self._taken(result, {"wait": seconds})]
        return told or [f"{seconds:g}s later: nothing has happened", *self._timers()]

    def _guard(self, words: list[str]) -> list[str]:
        answers = {"yes": True, "no": False, "ask": None}
        if len(words) != 2 or words[1] not in answers:
            raise ValueError("say which guard and what it answers: guard is_paid no")
        name, answer = words
        if name not in self.simulation.names:
            known = ", ".join(sorted(self.simulation.names)) or "none"
            raise ValueError(f"the machine asks no guard {name!r}; named guards are: {known}")
        if answers[answer] is None:
            self.simulation.answers.pop(name, None)
        else:
            self.simulation.answers[name] = bool(answers[answer])
        return [f"guard {name}: {answer}"]

    def _undo(self, _: list[str]) -> list[str]:
        if not self._past:
            return ["there is nothing to take back"]
        self.session, steps, line = self._past.pop()
        del self.steps[steps:]
        return [f"took back: {line}", *self._state([])]

    def _reset(self, _: list[str]) -> list[str]:
        self.session, self.steps, self._past = self._fresh(), [], []
        return self._state([])

    def _state(self, _: list[str]) -> list[str]:
        status = "" if self.session.workflow_status == "active" else f" ({self.session.workflow_status})"
        return [f"{self.session.place}{status}", *self._timers()]

    def _context(self, _: list[str]) -> list[str]:
        told = [f"  {key} = {json.dumps(value, ensure_ascii=False, default=str)}" for key, value in self.known.items()]
        return told or ["  nothing is known"]

    def _triggers(self, _: list[str]) -> list[str]:
        enabled = self.simulation.machine.enabled_triggers(self.session.current_state, self.session.context)
        told = []
        for trigger, result in enabled.items():
            if not trigger.startswith("_"):
                told.append(f"  {trigger}: " + (f"-> {result.target_state}" if result.success else _why(result)))
        return told or ["  nothing"]

    def _history(self, _: list[str]) -> list[str]:
        return [f"  {n}. {_step_name(step)} -> {step['state']}" for n, step in enumerate(self.steps, 1)] or [
            "  nothing yet"
        ]

    def _save(self, words: list[str]) -> list[str]:
        if len(words) != 1:
            raise ValueError("say where to: save order.scenarios.yaml")
        from spikard.openapi import to_yaml

        path = Path(words[0])
        context, state = self._begins
        scenario: dict[str, Any] = {"name": f"steps that end in {self.session.place}"}
        if state is not None:
            scenario["state"] = state
        if context:
            scenario["context"] = context
        scenario["steps"] = [_as_step(step) for step in self.steps]
        try:
            path.write_text(to_yaml({"scenarios": [scenario]}), encoding="utf-8")
        except OSError as error:
            raise ValueError(f"{path} cannot be written: {error.strerror}") from None
        return [f"kept {len(self.steps)} steps in {path}"]

    def _help(self, _: list[str]) -> list[str]:
        usages = [(usage, purpose) for _, usage, purpose in self._commands.values()]
        width = max(len(usage) for usage, _ in usages)
        lines = [f"  {usage:<{width}}  {purpose}" for usage, purpose in usages]
        return [
            "an event, with its data: fill qty=3 note='in part'",
            *lines,
            "where an event has the name of a command: :undo",
        ]

    def _quit(self, _: list[str]) -> list[str]:
        self.is_over = True
        return []


def _told(result: TransitionResult) -> str:
    if not result.success:
        return _why(result)
    actions = f"  ({', '.join(result.all_actions)})" if result.all_actions else ""
    if result.source_state == result.target_state:
        return f"{result.target_state} stays{actions}"
    return f"{result.source_state} -> {result.target_state}{actions}"


def _why(result: TransitionResult) -> str:
    guards = [guard for guard in result.metadata.get("guards") or () if not guard.get("passed")]
    if guards:
        return "refused by " + ", ".join(str(guard["name"]) for guard in guards)
    return "refused" if result.error is None else f"refused: {result.error.message}"


def _bare(trigger: str) -> str:
    return "timeout" if trigger.startswith("_timeout_") else trigger


def _step_name(step: Mapping[str, Any]) -> str:
    if "event" in step:
        return str(step["event"])
    return f"wait {step['wait']:g}s" if "wait" in step else "data"


def _as_step(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step of the trial as scenarios write it."""
    written: dict[str, Any] = {}
    if "event" in step:
        written["event"] = step["event"]
        if step["payload"]:
            written["payload"] = step["payload"]
    elif "wait" in step:
        written["wait"] = f"{round(step['wait'] * 1000)}ms"
    else:
        written["data"] = step["data"]
    written["state"] = step["state"]
    if not step["success"]:
        written["refused"] = True
    return written


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{text!r} is no JSON object")
    return found
