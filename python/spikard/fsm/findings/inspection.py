"""Files of machines looked through: can they be read, are they machines, is there anything odd about them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spikard._spikard import ConfigSource, check_machine, lint_machine
from spikard.fsm.config_text import read_file, read_text
from spikard.fsm.entity_migration.rule import read_migrations
from spikard.fsm.errors import ConfigurationError
from spikard.fsm.findings.finding import Finding, Severity
from spikard.fsm.findings.misspelt import Misspelt, misspelt_keys
from spikard.fsm.findings.pointing import column_of_key, end_of, lines_of
from spikard.fsm.submachine import resolve_submachines

Steps = tuple[str | int, ...]

_PLACE = re.compile(r" at line \d+, column \d+$")


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in a file, in the order of its lines, and the text that the places are in."""

    file: str
    text: str
    findings: list[Finding]

    @property
    def is_valid(self) -> bool:
        """Whether the file is a machine that can be built."""
        return not any(finding.is_fault for finding in self.findings)


def inspect_file(path: Path, *, lint: bool = False, variables: Mapping[str, str] | None = None) -> Inspection:
    """Look through a file, which may hold a machine or a list of them; never raises for what is in it.

    With `lint`, machines that are whole are looked through for what is probably not meant, too.
    """
    name = str(path)
    try:
        source = read_file(path, variables)
    except ConfigurationError as error:
        text = _text(path)
        return Inspection(name, text, [_pointed(_unreadable(name, error), text)])
    text = _text(path)
    return Inspection(name, text, _inspected(name, text, source, path.parent, lint=lint))


def inspect_text(
    text: str, name: str = "<stdin>", *, lint: bool = False, variables: Mapping[str, str] | None = None
) -> Inspection:
    """The same of a text; submachines are looked for beside the working directory."""
    try:
        source = read_text(text, "yaml", path=name, variables=variables)
    except ConfigurationError as error:
        return Inspection(name, text, [_pointed(_unreadable(name, error), text)])
    return Inspection(name, text, _inspected(name, text, source, Path(), lint=lint))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def _unreadable(file: str, error: ConfigurationError) -> Finding:
    context = error.context
    code = "unreadable" if context.get("line") is None else "unset_variable" if "variable" in context else "syntax"
    message = _PLACE.sub("", error.message)
    return Finding(
        file, code, Severity.ERROR, message, line=context.get("line"), column=context.get("column"), is_fault=True
    )


def _inspected(file: str, text: str, source: ConfigSource, folder: Path, *, lint: bool) -> list[Finding]:
    value = source.value()
    if value is None:
        hint = "there is nothing in it; `spikard fsm new NAME` writes a machine to begin with"
        return [Finding(file, "C001", Severity.ERROR, "Input should be a valid dictionary", hint, is_fault=True)]
    machines: list[tuple[Steps, Any]] = [((), value)]
    if isinstance(value, list) and value:
        machines = [((index,), item) for index, item in enumerate(value)]
    findings: list[Finding] = []
    for prefix, machine in machines:
        look = _Look(file, text, source, prefix, machine)
        findings += look.checked(folder, lint=lint)
    return sorted(findings, key=lambda found: (found.line or 0, found.column or 0))


@dataclass(slots=True)
class _Look:
    """One machine of a file."""

    file: str
    text: str
    source: ConfigSource
    prefix: Steps
    machine: Any

    def checked(self, folder: Path, *, lint: bool) -> list[Finding]:
        found = [
            self._found(code, severity, path, message, hint, is_fault=severity == "error")
            for code, severity, path, message, _, hint in check_machine(self.machine)
        ]
        if isinstance(self.machine, dict):
            found = self._with_misspelt(found, list(misspelt_keys(self.machine)))
        if any(one.is_fault for one in found):
            return found
        return found + self._expanded(folder, lint=lint)

    def _expanded(self, folder: Path, *, lint: bool) -> list[Finding]:
        try:
            whole = resolve_submachines(self.machine, folder)
        except (ConfigurationError, ValueError) as error:
            path = next((("states", i) for i, one in enumerate(self.machine["states"]) if one.get("submachine")), ())
            message = error.message if isinstance(error, ConfigurationError) else str(error)
            return [self._found("submachine", "error", path, message, None, is_fault=True)]
        found = []
        if whole != self.machine:
            found = [
                self._found(code, severity, self._written(whole, path), message, hint, is_fault=True)
                for code, severity, path, message, _, hint in check_machine(whole)
                if severity == "error"
            ]
        found += self._migrations(whole)
        if lint and not found:
            found += [
                self._found(code, severity, self._written(whole, path), message, None)
                for code, severity, message, _, path in lint_machine(whole)
            ]
        return found

    def _migrations(self, whole: dict[str, Any]) -> list[Finding]:
        try:
            read_migrations(whole)
        except ConfigurationError as error:
            steps = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", error.path or "")]
            return [self._found("migration", "error", tuple(steps), error.message, None, is_fault=True)]
        return []

    def _written(self, whole: dict[str, Any], path: Steps) -> Steps:
        """The path, in the file, to a part of the machine that its submachines were put into."""
        if whole == self.machine or len(path) < 2:
            return path
        part, index, *rest = path
        if not isinstance(part, str) or not isinstance(index, int):
            return ()
        name = whole[part][index].get("name") if part == "states" else None
        for place, item in enumerate(self.machine.get(part, ())):
            if item == whole[part][index]:
                return (part, place, *rest)
            if name is not None and item.get("name") == str(name).partition(".")[0]:
                return part, place
        return ()

    def _with_misspelt(self, found: list[Finding], keys: list[Misspelt]) -> list[Finding]:
        """What is missing is there under another name, most of the time: one finding for both."""
        merged = list(found)
        for one in keys:
            missing = _dotted((*self.prefix, *one.place, one.meant))
            for index, finding in enumerate(merged):
                if finding.path == missing and finding.code == "C001":
                    line, column = self._key(one)
                    hint = f"'{one.key}' stands here; did you mean '{one.meant}'?"
                    pointed = replace(finding, hint=hint, line=line, column=column)
                    merged[index] = _pointed(pointed, self.text)
                    break
            else:
                line, column = self._key(one)
                path = _dotted((*self.prefix, *one.place, one.key))
                message = f"'{one.key}' is no key of the format and is ignored"
                hint = f"did you mean '{one.meant}'?"
                finding = Finding(self.file, "unknown_key", Severity.WARNING, message, hint, path, line, column)
                merged.append(_pointed(finding, self.text))
        return merged

    def _key(self, one: Misspelt) -> tuple[int, int]:
        line, column = self.source.position((*self.prefix, *one.place, one.key))
        return line, column_of_key(_line(self.text, line), one.key) or column

    def _found(
        self, code: str, severity: str, path: Steps, message: str, hint: str | None, *, is_fault: bool = False
    ) -> Finding:
        whole = (*self.prefix, *path)
        line, column = self.source.position(whole)
        finding = Finding(
            self.file, code, Severity(severity), message, hint, _dotted(whole), line, column, is_fault=is_fault
        )
        return _pointed(finding, self.text)


def _dotted(path: Steps) -> str:
    return ".".join(str(step) for step in path)


def _line(text: str, number: int) -> str:
    lines = lines_of(text)
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _pointed(finding: Finding, text: str) -> Finding:
    if finding.line is None or finding.column is None:
        return finding
    return replace(finding, end_column=end_of(_line(text, finding.line), finding.column))
