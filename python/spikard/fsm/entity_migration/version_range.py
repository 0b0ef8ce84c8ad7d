"""Which versions a migration is for."""

import re

from spikard.fsm.machine_stores.version import version_key

_PART = re.compile(r"(<=|>=|<|>|=)?\s*(\S+)")
_PREFIX = re.compile(r"v?\d+(\.\d+)?(\.[xX*])?|[xX*]")


class VersionRange:
    """Versions such as `1.x`, `1.2`, `1.2.3`, `*` or `>=1.2.0, <2.0.0`; bounds apart by blanks or commas all hold."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        bounds = [part for part in re.split(r"\s*,\s*|(?<=[\w*])\s+", self.text) if part]
        if not bounds:
            raise ValueError("a range of versions must not be empty")
        self._bounds = [self._bound(part) for part in bounds]

    def __contains__(self, version: object) -> bool:
        return isinstance(version, str) and (
            version == self.text or all(_holds(sign, bound, version) for sign, bound in self._bounds)
        )

    def _bound(self, part: str) -> tuple[str, str]:
        found = _PART.fullmatch(part)
        if found is None:
            raise ValueError(f"'{part}' in '{self.text}' is no range of versions: write 1.x, 1.2.3 or >=1.2.0, <2.0.0")
        sign, bound = found[1] or "", found[2]
        if sign and version_key(bound)[0] == 0:
            raise ValueError(f"'{bound}' in '{self.text}' is no version such as 1.2.3")
        return sign, bound


def _holds(sign: str, bound: str, version: str) -> bool:
    if not sign:
        return _fits(bound, version)
    key, limit = version_key(version), version_key(bound)
    if key[0] == 0:
        return False
    below, above = bool(key < limit), bool(key > limit)
    return {"<": below, "<=": not above, ">": above, ">=": not below, "=": not below and not above}[sign]


def _fits(pattern: str, version: str) -> bool:
    """Whether a version has the numbers of a pattern that gives the first of them, or is the one that it gives."""
    if not _PREFIX.fullmatch(pattern):
        key = version_key(version)
        return version == pattern or (key[0] == 1 and key == version_key(pattern))
    numbers = [int(part) for part in pattern.removeprefix("v").split(".") if part.isdigit()]
    key = version_key(version)
    if not numbers:
        return True
    return key[0] == 1 and list(key[1][: len(numbers)]) == numbers
