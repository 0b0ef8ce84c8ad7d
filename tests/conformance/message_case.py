"""A case of a message: what goes over a stream of events or a WebSocket, and what must not."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.case import open_documents, own_documents

OWN_DATA = Path(__file__).parents[1] / "data" / "messages"


@dataclass(frozen=True, slots=True)
class MessageCase:
    """A kind of message; `refused` are documents that do not fit the schema."""

    category: str
    name: str
    protocol: str
    channel: str
    schema: Any
    examples: list[Any]
    refused: list[Any]

    @property
    def id(self) -> str:
        """Category and name."""
        return f"{self.category}/{self.name}"


def read_message_case(category: str, name: str, document: dict[str, Any]) -> MessageCase:
    """A case from its document."""
    schema = document["schema"]
    # Some examples of the open data are fillers that their own schema refuses.
    examples = [example for example in document["examples"] if fits(schema, example)]
    fillers = [example for example in document["examples"] if not fits(schema, example)]
    spoilt = [wrong for example in examples for wrong in spoil(schema, example)]
    return MessageCase(
        category=category,
        name=name,
        protocol=document["protocol"],
        channel=document.get("channel") or f"/{name}",
        schema=schema,
        examples=examples,
        refused=[*document.get("refused", ()), *fillers, *spoilt],
    )


def open_message_cases() -> list[MessageCase]:
    """The cases of the open data."""
    return [read_message_case(*found) for found in open_documents("message")]


def own_message_cases() -> list[MessageCase]:
    """The cases of this repository."""
    return [read_message_case(*found) for found in own_documents(OWN_DATA)]


def fits(schema: dict[str, Any], value: Any) -> bool:
    """Whether lists and objects hold what they have to, and texts are among those that are listed."""
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, list) and "items" in schema:
        return all(fits(schema["items"], item) for item in value)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        return all(name in value for name in schema.get("required", ())) and all(
            fits(properties.get(name, {}), member) for name, member in value.items()
        )
    return True


def spoil(schema: dict[str, Any], example: Any) -> Iterator[Any]:
    """What the schema certainly refuses: a required member missing, a member of a wrong kind or beyond its bounds."""
    if isinstance(example, list) and example:
        items = schema.get("items")
        if isinstance(items, dict):
            for wrong in spoil(items, example[0]):
                yield [wrong, *example[1:]]
        if schema.get("minItems", 0) > 0:
            yield example[: schema["minItems"] - 1]
    if not isinstance(example, dict):
        return
    for name in schema.get("required", ()):
        without = copy.deepcopy(example)
        without.pop(name, None)
        yield without
    for name, rule in schema.get("properties", {}).items():
        for value in _wrong_values(rule):
            yield {**copy.deepcopy(example), name: value}


def _wrong_values(rule: dict[str, Any]) -> Iterator[Any]:
    if rule.get("type") == "string":
        yield 7
        if "maxLength" in rule:
            yield "x" * (rule["maxLength"] + 1)
        if rule.get("minLength", 0) > 0:
            yield "x" * (rule["minLength"] - 1)
    if rule.get("type") in {"object", "array", "integer", "number", "boolean"}:
        yield "text"
    if "enum" in rule or "const" in rule:
        yield "nothing of the kind"
    if rule.get("format") == "date-time":
        yield "yesterday"
    if isinstance(rule.get("minimum"), int):
        yield rule["minimum"] - 1
