"""Rules of a machine's document that take entities from older versions to newer ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spikard.fsm.checks import evaluate_when_check
from spikard.fsm.entity_migration.version_range import VersionRange
from spikard.fsm.errors import ConfigurationError
from spikard.fsm.expressions import Expression
from spikard.fsm.when_check import WhenCheck

_KEYS = ("from", "to", "states", "regions", "rename", "remove", "set", "compute", "when", "description")


@dataclass(frozen=True, slots=True)
class MigrationRule:
    """One entry of `migrations`: for which versions it is, where they come to, and what becomes of an entity.

    `states` and `regions` map former names to new ones, a region to None where it goes; `rename`, `set`,
    `compute` and `remove` change the context, in this order. With `when` it is for entities only whose context fits.
    """

    versions: VersionRange
    to: str
    states: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, str | None] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    computed: Mapping[str, Expression] = field(default_factory=dict)
    when: tuple[WhenCheck, ...] = ()

    def fits(self, version: str, context: Mapping[str, Any]) -> bool:
        """Whether it is for an entity of a version with a context."""
        return version in self.versions and all(evaluate_when_check(item, context) for item in self.when)

    def context(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """The context that an entity has afterwards."""
        names = self.rename
        after = {names.get(key, key): value for key, value in before.items()}
        after.update(self.values)
        for key, expression in self.computed.items():
            after[key] = expression.evaluate(after)
        for key in self.remove:
            after.pop(key, None)
        return after


def read_migrations(config: Mapping[str, Any]) -> list[MigrationRule]:
    """The rules under `migrations` of a machine's document, or ConfigurationError that says where one is wrong."""
    given = config.get("migrations") or []
    if not isinstance(given, list):
        raise ConfigurationError("migrations must be a list of rules", path="migrations")
    rules = [_rule(item, f"migrations[{index}]") for index, item in enumerate(given)]
    version = str((config.get("meta") or {}).get("version") or "")
    present = {state.get("name") for state in config.get("states") or () if isinstance(state, Mapping)}
    for index, rule in enumerate(rules):
        for old, new in rule.states.items():
            # Names of versions in between are not known here, and what is told as regions is looked at when it is used.
            if present and rule.to == version and new.partition(":")[0] not in present:
                raise ConfigurationError(
                    f"'{old}' becomes '{new}', which is no state of version {version}",
                    path=f"migrations[{index}].states.{old}",
                )
    return rules


def _rule(item: Any, path: str) -> MigrationRule:
    if not isinstance(item, Mapping):
        raise ConfigurationError("a migration must be a mapping with 'from' and 'to'", path=path)
    for key in item:
        if key not in _KEYS:
            raise ConfigurationError(f"'{key}' is no key of a migration; there are {', '.join(_KEYS)}", path=path)
    for key in ("from", "to"):
        if item.get(key) in (None, ""):
            raise ConfigurationError(f"a migration needs '{key}'", path=f"{path}.{key}")
    try:
        versions = VersionRange(str(item["from"]))
    except ValueError as error:
        raise ConfigurationError(str(error), path=f"{path}.from") from None
    removed = item.get("remove") or []
    if isinstance(removed, str):
        removed = [removed]
    if not isinstance(removed, list) or not all(isinstance(key, str) for key in removed):
        raise ConfigurationError("'remove' must be a list of keys", path=f"{path}.remove")
    return MigrationRule(
        versions,
        str(item["to"]),
        _names(item, "states", path),
        _names(item, "regions", path, may_be_none=True),
        _names(item, "rename", path),
        tuple(removed),
        _mapping(item, "set", path),
        _expressions(item, path),
        _conditions(item.get("when"), f"{path}.when"),
    )


def _mapping(item: Mapping[str, Any], key: str, path: str) -> dict[str, Any]:
    value = item.get(key) or {}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ConfigurationError(f"'{key}' must be a mapping", path=f"{path}.{key}")
    return dict(value)


def _names(item: Mapping[str, Any], key: str, path: str, *, may_be_none: bool = False) -> dict[str, Any]:
    names = _mapping(item, key, path)
    for old, new in names.items():
        if not (isinstance(new, str) and new) and not (may_be_none and new is None):
            raise ConfigurationError(f"what becomes of '{old}' must be a name, not {new!r}", path=f"{path}.{key}.{old}")
    return names


def _expressions(item: Mapping[str, Any], path: str) -> dict[str, Expression]:
    compiled = {}
    for key, text in _mapping(item, "compute", path).items():
        try:
            compiled[key] = Expression(str(text))
        except Exception as error:
            raise ConfigurationError(f"{text!r} does not compile: {error}", path=f"{path}.compute.{key}") from error
    return compiled


def _conditions(given: Any, path: str) -> tuple[WhenCheck, ...]:
    if given is None:
        return ()
    try:
        return tuple(WhenCheck.from_config(one) for one in (given if isinstance(given, list) else [given]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigurationError(f"a condition cannot be read: {error}", path=path) from error
