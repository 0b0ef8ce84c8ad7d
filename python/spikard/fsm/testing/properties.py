"""What a machine is to fulfil, as somebody writes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("never", "always", "eventually", "leads_to", "deadlock", "contracts", "invariants")
_WORDS = re.compile(r"^(never|always|eventually)\s+(.+)$", re.DOTALL)
_LEADS = re.compile(r"^(.+?)\s+leads[_ ]to\s+(.+)$", re.DOTALL)
_NO_DEADLOCK = frozenset({"deadlock", "no deadlock", "no_deadlock", "deadlock_free", "never deadlock"})


@dataclass(frozen=True, slots=True)
class Property:
    """One of `KINDS`, with its conditions: one, two for `leads_to`, none for the last three."""

    kind: str
    conditions: tuple[Any, ...] = ()

    @classmethod
    def read(cls, written: Any) -> "Property":
        """Reads a text (`never EXPR`, `EXPR leads_to EXPR`, `deadlock` …) or a mapping with the kind as its key."""
        if isinstance(written, cls):
            return written
        if isinstance(written, str):
            text = written.strip()
            if text in _NO_DEADLOCK:
                return cls("deadlock")
            if text in {"contracts", "invariants"}:
                return cls(text)
            if found := _WORDS.match(text):
                return cls(found[1], (found[2],))
            if found := _LEADS.match(text):
                return cls("leads_to", (found[1], found[2]))
        if isinstance(written, Mapping) and len(written) == 1:
            [(kind, value)] = written.items()
            if kind in {"never", "always", "eventually"}:
                return cls(kind, (value,))
            if kind == "leads_to" and isinstance(value, (list, tuple)) and len(value) == 2:
                return cls(kind, tuple(value))
            if kind in {"deadlock", "contracts", "invariants"}:
                return cls(kind)
        raise ValueError(
            f"{written!r} is no property; there are 'never X', 'always X', 'eventually X', 'X leads_to Y', 'deadlock', "
            "'contracts' and 'invariants'"
        )

    def __str__(self) -> str:
        if self.kind == "leads_to":
            return f"{self.conditions[0]} leads_to {self.conditions[1]}"
        return " ".join([self.kind, *map(str, self.conditions)])
