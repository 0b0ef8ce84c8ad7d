"""Logs of what was seen, from files: CSV with a header, a JSON object in each line, or XES."""

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from xml.parsers import expat

from spikard.fsm.errors import ConfigurationError
from spikard.fsm.observed_state_event import ObservedStateEvent

# What columns are called elsewhere, process mining tools among them.
NAMES = {
    "entity_id": ("entity_id", "entity", "case_id", "case", "case:concept:name", "id"),
    "state": ("state", "status", "activity", "concept:name"),
    "observed_at": ("observed_at", "timestamp", "time", "time:timestamp", "at"),
}


def read_log(path: Path, machine_name: str, source: str = "log") -> list[ObservedStateEvent]:
    """The observations of a file, in its order; `ConfigurationError` says in which line something is wrong.

    The columns are `entity_id`, `state`, `observed_at` (ISO 8601), or what they are often called; `source` and
    `source_event_id` may be there, too.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} cannot be read: it is not UTF-8, byte {error.start}") from None
    return parse_log(text, str(path), machine_name, source)


def parse_log(text: str, name: str, machine_name: str, source: str = "log") -> list[ObservedStateEvent]:
    """The same of a text; `name` is what faults are said to be in."""
    beginning = text.lstrip()[:1]
    if beginning == "{":
        rows = _lines_of_json(text, name)
    else:
        rows = iter(_XesReader(name).rows(text)) if beginning == "<" else _rows_of_csv(text)
    return [_event(row, f"{name}:{line}", machine_name, source, line) for line, row in rows]


def _lines_of_json(text: str, path: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ConfigurationError(f"{path}:{number}: the line is no JSON: {error.msg}") from None
        if not isinstance(row, dict):
            raise ConfigurationError(f"{path}:{number}: the line is no JSON object")
        yield number, row


def _rows_of_csv(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(StringIO(text))
    for row in reader:
        yield reader.line_num, {key: value for key, value in row.items() if key is not None}


class _XesReader:
    """The events of an XES document, each with the name of its trace. Documents with a DTD are refused."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._open: list[str] = []
        self._trace: dict[str, str] = {}
        self._row: dict[str, str] = {}
        self._rows: list[tuple[int, Mapping[str, Any]]] = []
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse

    def rows(self, text: str) -> list[tuple[int, Mapping[str, Any]]]:
        """The line and the attributes of each event."""
        try:
            self._parser.Parse(text, True)
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code)
            raise ConfigurationError(f"{self._path}:{error.lineno}: this is no XES document: {what}") from None
        return self._rows

    def _refuse(self, *_: object) -> None:
        raise ConfigurationError(f"{self._path}: a DTD has no place in XES")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        inside = self._open[-1] if self._open else ""
        self._open.append(name)
        if name == "trace":
            self._trace = {}
        elif name == "event":
            self._row = {}
        elif inside in ("trace", "event") and "key" in attributes:
            (self._trace if inside == "trace" else self._row)[attributes["key"]] = attributes.get("value", "")

    def _end(self, _: str) -> None:
        if self._open.pop() == "event":
            named = {"entity_id": self._trace.get("concept:name", "")}
            self._rows.append((self._parser.CurrentLineNumber, {**self._row, **named}))


def _event(row: Mapping[str, Any], where: str, machine: str, source: str, line: int) -> ObservedStateEvent:
    entity_id, state = (_text(row, name, where) for name in ("entity_id", "state"))
    text = _text(row, "observed_at", where)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{where}: {text!r} is no time; write it as 2026-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    event_id = row.get("source_event_id")
    # What was seen at the same moment keeps the order of the file.
    return ObservedStateEvent(
        entity_id, machine, state, moment, str(row.get("source") or source), event_id and str(event_id), ingest_seq=line
    )


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    for known in NAMES[name]:
        value = row.get(known)
        if value not in (None, ""):
            return str(value)
    raise ConfigurationError(f"{where}: there is no {name} ({', '.join(NAMES[name])})")
