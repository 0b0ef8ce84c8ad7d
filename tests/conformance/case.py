"""A case: a route, a request, and what must come of it."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OPEN_DATA = "SPIKARD_FIXTURES"
OWN_DATA = Path(__file__).parents[1] / "data" / "http"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter; `name` is the one on the wire."""

    source: str
    name: str
    required: bool
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    `arguments` are those the handler must get, by name on the wire; None leaves them to the reference.
    """

    category: str
    name: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body_schema: Any
    config: dict[str, Any]
    request: dict[str, Any]
    expect: dict[str, Any]
    arguments: dict[str, Any] | None = field(default=None)

    @property
    def id(self) -> str:
        """Category and name."""
        return f"{self.category}/{self.name}"

    @property
    def hooks(self) -> dict[str, Any]:
        """Its hooks by phase."""
        hooks: dict[str, Any] = self.config.get("lifecycle_hooks", {})
        return hooks

    @property
    def status(self) -> int:
        """The status the case speaks of."""
        return self.expect["status"]


def read_case(category: str, name: str, document: dict[str, Any]) -> Case:
    """A case from its document."""
    route, request = document["route"], document["request"]
    return Case(
        category=category,
        name=name,
        method=route["method"],
        path=route["path"],
        parameters=tuple(
            Parameter(item["in"], item["name"], item.get("required", False), item.get("schema", {}))
            for item in route.get("params", ())
        ),
        body_schema=route.get("body_schema"),
        config=route.get("config", {}),
        request={"method": route["method"], **request},
        expect=document["expect"],
        arguments=document["expect"].get("arguments"),
    )


def open_documents(kind: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Category, name and document of the cases of a kind in the directory that the environment names, if it does."""
    directory = os.environ.get(OPEN_DATA)
    for file in sorted(Path(directory, "http").glob("*/*.json")) if directory else ():
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["kind"] == kind:
            yield file.parent.name, file.stem, document


def own_documents(directory: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Category, name and document of the cases of this repository in a directory."""
    for file in sorted(directory.glob("*.json")):
        for document in json.loads(file.read_text(encoding="utf-8")):
            yield file.stem, document["name"], document


def open_cases() -> list[Case]:
    """The cases of the open data."""
    return [read_case(*found) for found in open_documents("http")]


def own_cases() -> list[Case]:
    """The cases of this repository."""
    return [read_case(*found) for found in own_documents(OWN_DATA)]
