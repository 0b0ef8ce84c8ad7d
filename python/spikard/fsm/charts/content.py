"""Executable content as actions of configurations."""

import json
import re
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree as ET

from spikard.fsm.errors import ConfigurationError

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\s*=(?!=)\s*(.+)", re.DOTALL)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_EXTENSION = "{urn:spikard:fsm}"


def actions_of(elements: Iterable[ET.Element]) -> list[Any]:
    """The actions that elements are."""
    return [action for element in elements for action in _actions(element)]


def is_timer(send: ET.Element) -> bool:
    """Whether an event is sent to the chart itself, later."""
    return bool(send.get("event") and send.get("delay")) and not (
        send.get("target") or send.get("type") or send.get("namelist") or len(send)
    )


def _actions(element: ET.Element) -> list[Any]:
    tag = element.tag.rpartition("}")[2]
    if element.tag == f"{_EXTENSION}action":
        return [json.loads(element.text or "")]
    if tag == "raise":
        return [{"raise": _event(element.get("event", ""))}]
    if tag == "send":
        return [_send(element)]
    if tag == "cancel" and element.get("sendid"):
        return [{"cancel": element.get("sendid")}]
    if tag == "assign":
        location, value = element.get("location", ""), element.get("expr")
        if value is None or not _IDENTIFIER.fullmatch(location):
            raise ConfigurationError(f"<assign> to '{location}' is more than a name and an expression")
        return [{"compute": {location: value}}]
    if tag == "log":
        message = element.get("label") or element.get("expr") or ""
        return [{"name": "log", "params": {"message": message}}]
    if tag == "script":
        return [_statement(part.strip()) for part in re.split(r"[;\n]", element.text or "") if part.strip()]
    if tag == "if":
        return [_branch(element)]
    raise ConfigurationError(f"<{tag}> is no action")


def _event(name: str) -> str:
    return name.replace(".", "_").lower()


def _send(element: ET.Element) -> dict[str, Any]:
    if not element.get("event") or element.get("type") or element.get("delayexpr") or len(element):
        raise ConfigurationError("<send> has more than an event, a target, a delay and an id")
    send = {"event": _event(element.get("event", ""))}
    for key, attribute in (("to", "target"), ("delay", "delay"), ("id", "id")):
        value = element.get(attribute)
        if value:
            send[key] = value
    return {"send": send}


def _statement(text: str) -> Any:
    if _IDENTIFIER.fullmatch(text):
        return text
    found = _ASSIGNMENT.fullmatch(text)
    if found is None:
        raise ConfigurationError(f"'{text}' is no assignment and no name of an action")
    return {"compute": {found[1]: found[2].strip()}}


def _branch(element: ET.Element) -> dict[str, Any]:
    """The first branch and, as what is done otherwise, the rest."""
    parts: list[tuple[str | None, list[ET.Element]]] = [(element.get("cond"), [])]
    for child in element:
        tag = child.tag.rpartition("}")[2]
        if tag in ("elseif", "else"):
            parts.append((child.get("cond"), []))
        else:
            parts[-1][1].append(child)
    otherwise: list[Any] = []
    for condition, body in reversed(parts):
        actions = actions_of(body)
        if condition is None:
            otherwise = actions
        else:
            branch = {"when": condition.replace("In(", "in_state("), "then": actions}
            otherwise = [{"branch": {**branch, "else": otherwise} if otherwise else branch}]
    return dict(otherwise[0])
