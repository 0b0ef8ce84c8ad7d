"""Names of states and regions."""

import re

_IDENTIFIER = re.compile(r"[a-z0-9_]+")
_PATH = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)+")


def require_identifier(kind: str, name: str, inside: str | None = None) -> None:
    """Refuses what is no name. Dots are only in names of submachines, beside which `inside` is or which it is."""
    if not name:
        raise ValueError(f"{kind} name cannot be empty")
    if _IDENTIFIER.fullmatch(name) is None and not _is_put_in(name, inside):
        raise ValueError(
            f"{kind} name must contain only lowercase letters (a-z), numbers (0-9), and underscores (_): {name}"
        )


def _is_put_in(name: str, inside: str | None) -> bool:
    outer = name.rpartition(".")[0]
    return _PATH.fullmatch(name) is not None and f"{inside}.".startswith(f"{outer}.")
