"""Charts in the format of other machines, as far as that has words for them."""

import re
from typing import Any
from xml.etree import ElementTree as ET

from spikard.fsm.charts.content import actions_of, is_timer
from spikard.fsm.charts.document import read_chart
from spikard.fsm.errors import ConfigurationError
from spikard.fsm.expressions import evaluate_expr
from spikard.fsm.names import normalize_name

_STATES = ("state", "parallel", "final")


def scxml_to_config(text: str) -> dict[str, Any]:
    """The configuration of a chart that other machines can do, too.

    Ids become names, `done.state` of a parallel state its join, that of a compound state an automatic step, and events
    that a state sends itself later `after`. Raises ConfigurationError that names everything there are no words for.
    """
    # What this reads has no DTD and no more than the reader's limits.
    chart = read_chart(text, strict=True)
    translation = _Translation(ET.fromstring(text.encode()), chart.language)  # noqa: S314
    config = translation.config()
    if translation.troubles:
        raise ConfigurationError(
            f"The chart '{chart.name}' has what other machines have not: " + "; ".join(translation.troubles),
            context={"untranslatable": translation.troubles},
        )
    return config


class _Translation:
    def __init__(self, root: ET.Element, language: str) -> None:
        self.root = root
        self.troubles: list[str] = []
        self.states: list[dict[str, Any]] = []
        self.transitions: list[dict[str, Any]] = []
        self.parents = {child: parent for parent in root.iter() for child in parent}
        self.by_id = {one.get("id", ""): one for one in root.iter() if _tag(one) in (*_STATES, "history")}
        if language == "ecmascript":
            self.troubles.append("its expressions are ECMAScript")

    def config(self) -> dict[str, Any]:
        variables = [self._variable(data) for data in self.root.iter() if _tag(data) == "data"]
        for element in _inside(self.root, *_STATES):
            self._state(element, parent=None)
        initial = self._first(self.root)
        for state in self.states:
            if state["name"] == initial and "type" not in state:
                state["type"] = "initial"
        if not any(state.get("type") == "initial" for state in self.states):
            self.troubles.append("it begins in a state that is not at the top, or that is parallel or final")
        config: dict[str, Any] = {
            "meta": {"machine_name": normalize_name(self.root.get("name") or "chart") or "chart", "strict_mode": False},
            "states": self.states,
            "transitions": self.transitions,
        }
        if variables:
            config["state_variables"] = variables
        return config

    def _name(self, identifier: str) -> str:
        return normalize_name(identifier.replace(".", "_")) or "state"

    def _variable(self, data: ET.Element) -> dict[str, Any]:
        variable: dict[str, Any] = {"key": data.get("id")}
        written = (data.get("expr") or data.text or "").strip()
        if written:
            try:
                variable["default"] = evaluate_expr(written, {})
            except (ValueError, TypeError, ArithmeticError, LookupError) as error:
                self.troubles.append(f"the variable '{data.get('id')}' begins with what is computed: {error}")
        return variable

    def _first(self, element: ET.Element) -> str:
        """The state inside that an element begins in."""
        children = _inside(element, *_STATES)
        wanted = element.get("initial")
        for initial in _inside(element, "initial"):
            (transition,) = _inside(initial, "transition")
            wanted = transition.get("target")
            if len(transition):
                self.troubles.append(f"the initial transition of '{element.get('id')}' does something")
        if wanted is None:
            return self._name(children[0].get("id", ""))
        if wanted not in [child.get("id") for child in children]:
            self.troubles.append(f"'{element.get('id', 'it')}' begins in '{wanted}', which is not right inside")
        return self._name(wanted)

    def _state(self, element: ET.Element, parent: str | None) -> None:
        name = self._name(element.get("id", ""))
        state: dict[str, Any] = {"name": name}
        children = _inside(element, *_STATES)
        if parent is not None:
            state["parent"] = parent
        if _tag(element) == "final" and parent is None and self.parents[element] is self.root:
            state["type"] = "terminal"
        for unknown in _inside(element, "invoke", "donedata"):
            self.troubles.append(f"'{element.get('id')}' has <{_tag(unknown)}>")
        timers = self._timers(element)
        for tag, key in (("onentry", "on_enter"), ("onexit", "on_exit")):
            actions = [action for block in _inside(element, tag) for action in self._actions(block, timers)]
            if actions:
                state[key] = actions
        self.states.append(state)
        if _tag(element) == "parallel":
            state["type"] = "parallel"
            state["regions"] = [self._region(child) for child in children]
        elif children:
            state["initial_child"] = self._first(element)
            for child in children:
                self._state(child, parent=name)
        self._leaving(element, name, timers)

    def _region(self, element: ET.Element) -> dict[str, Any]:
        members = _inside(element, *_STATES)
        name = self._name(element.get("id", ""))
        if not members:
            # A region of one state, which gets a name of its own.
            self.states.append({"name": f"{name}_only"})
            return {"name": name, "initial": f"{name}_only", "states": [f"{name}_only"]}
        if _inside(element, "transition", "onentry", "onexit", "history"):
            self.troubles.append(f"the region '{element.get('id')}' has actions, transitions or a history of its own")
        region: dict[str, Any] = {"name": name, "initial": self._first(element), "states": []}
        for member in members:
            if _inside(member, *_STATES):
                self.troubles.append(f"'{member.get('id')}' in a region has states inside")
            self._state(member, parent=None)
            region["states"].append(self._name(member.get("id", "")))
            if _tag(member) == "final":
                region["final"] = self._name(member.get("id", ""))
        return region

    def _timers(self, element: ET.Element) -> dict[str, str]:
        """The delays of events that a state sends itself and waits for."""
        awaited = {transition.get("event") for transition in _inside(element, "transition")}
        found = {}
        for block in _inside(element, "onentry"):
            for send in _inside(block, "send"):
                if is_timer(send) and send.get("event") in awaited:
                    found[send.get("id") or ""] = send.get("delay", "")
                    found[f"event:{send.get('event')}"] = send.get("delay", "")
        found.pop("", None)
        return found

    def _actions(self, block: ET.Element, timers: dict[str, str]) -> list[Any]:
        kept = [
            one
            for one in block
            if not (_tag(one) == "send" and is_timer(one) and f"event:{one.get('event')}" in timers)
            and not (_tag(one) == "cancel" and one.get("sendid") in timers)
        ]
        try:
            return actions_of(kept)
        except ConfigurationError as trouble:
            self.troubles.append(trouble.message)
            return []

    def _leaving(self, element: ET.Element, name: str, timers: dict[str, str]) -> None:
        parent = self.parents[element]
        region = self._name(parent.get("id", "")) if self._is_region(parent) else None
        for transition in _inside(element, "transition"):
            rule: dict[str, Any] = {"source": name, **self._target(transition, name)}
            if region is not None:
                rule["region"] = region
            condition = transition.get("cond")
            if condition:
                rule["guards"] = [{"expr": re.sub(r"\bIn\(", "in_state(", condition)}]
            actions = self._actions(transition, {})
            if actions:
                rule["actions"] = actions
            for event in (transition.get("event") or "").split() or [""]:
                self._rule(element, event, rule, timers)

    def _rule(self, element: ET.Element, event: str, rule: dict[str, Any], timers: dict[str, str]) -> None:
        done = event.removeprefix("done.state.") if event.startswith("done.state.") else None
        if done is not None and done in self.by_id:
            around = self.by_id[done]
            if _tag(around) == "parallel" and around is element:
                self.transitions.append({"trigger": f"_join_{rule['source']}", **rule})
            else:
                ends = [self._name(child.get("id", "")) for child in _inside(around, "final")]
                self.transitions.extend({**rule, "source": end, "auto": True} for end in ends)
        elif not event:
            self.transitions.append({**rule, "auto": True})
        elif "*" in event.removesuffix(".*"):
            self.troubles.append(f"'{element.get('id')}' waits for any event")
        else:
            trigger = self._name(event.removesuffix(".*").removesuffix("."))
            delay = timers.get(f"event:{event}")
            self.transitions.append({"trigger": trigger, **({"after": delay} if delay else {}), **rule})

    def _target(self, transition: ET.Element, source: str) -> dict[str, Any]:
        targets = (transition.get("target") or "").split()
        if not targets:
            return {"dest": source, "internal": True}
        if len(targets) > 1:
            self.troubles.append(f"a transition of '{source}' has several targets")
        target = self.by_id[targets[0]]
        if _tag(target) == "history":
            if len(target):
                self.troubles.append(f"the history '{target.get('id')}' has a default of its own")
            kind = "H*" if target.get("type") == "deep" else "H"
            return {"dest": f"{kind}({self._name(self.parents[target].get('id', ''))})"}
        if self._is_region(target):
            self.troubles.append(f"a transition of '{source}' leads to the region '{target.get('id')}'")
        return {"dest": self._name(targets[0])}

    def _is_region(self, element: ET.Element) -> bool:
        parent = self.parents.get(element)
        return parent is not None and _tag(parent) == "parallel"


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _inside(element: ET.Element, *tags: str) -> list[ET.Element]:
    return [child for child in element if _tag(child) in tags]
