"""Names of states and regions."""

import re

# With dots only where a submachine was put in.
_IDENTIFIER = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")


def require_identifier(kind: str, name: str) -> None:
    """Refuses what is no name."""
    if not name:
        raise ValueError(f"{kind} name cannot be empty")
    if _IDENTIFIER.fullmatch(name) is None:
        raise ValueError(
            f"{kind} name must contain only lowercase letters (a-z), numbers (0-9), and underscores (_): {name}"
        )
