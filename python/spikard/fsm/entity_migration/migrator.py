"""Brings entities to a version of their machine, each in one compare-and-set."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from spikard.fsm.clock import Clock, FsmClock
from spikard.fsm.entity_migration.outcome import (
    MIGRATE_TRIGGER,
    MigrationOutcome,
    MigrationRefusedError,
    MigrationReport,
)
from spikard.fsm.entity_migration.place import Names, Place
from spikard.fsm.entity_migration.rule import MigrationRule, read_migrations
from spikard.fsm.entity_migration.timers import TimerPolicy, carried
from spikard.fsm.errors import StaleVersionError
from spikard.fsm.event import new_id
from spikard.fsm.machine_definition import MachineDefinition
from spikard.fsm.machine_stores.version import version_key
from spikard.fsm.orchestration.requests import conflict_pause
from spikard.fsm.state_machine import StateMachine
from spikard.fsm.stores.row import EntityChange, EntityRow, TransitionRow
from spikard.fsm.timer_table import timers_of
from spikard.fsm.workflow import persistence_flags_for_state

ATTEMPTS = 30
BATCH = 500


class Planned(NamedTuple):
    """What would become of an entity, and the change that does it."""

    outcome: MigrationOutcome
    change: EntityChange | None = None


class EntityMigrator:
    """Takes entities of a machine to its newest version by the `migrations` of its document.

    `machine` is the document, its definition or a machine that was built of it. `from_version` is the version of
    entities of which a store does not know it. `store` must keep whole steps, as all stores of the package do.
    """

    def __init__(
        self,
        machine: StateMachine | MachineDefinition | Mapping[str, Any],
        store: Any,
        *,
        from_version: str | None = None,
        timers: TimerPolicy = "resume",
        clock: Clock | None = None,
    ) -> None:
        if not isinstance(machine, StateMachine):
            machine = StateMachine.from_dict(machine.config if isinstance(machine, MachineDefinition) else machine)
        if not hasattr(store, "entity_versions"):
            raise TypeError(f"{type(store).__name__} does not say which versions of machines its entities have")
        if timers not in ("resume", "restart"):
            raise ValueError(f"timers must be 'resume' or 'restart', not {timers!r}")
        self.machine = machine
        self.rules = read_migrations(machine.meta)
        self._store = store
        self._from_version = from_version
        self._policy: TimerPolicy = timers
        self._clock = clock or FsmClock()
        self._table = timers_of(machine)

    # One entity

    def plan(self, entity_id: str) -> MigrationOutcome:
        """What would become of an entity; nothing is changed. ValueError where there is no such entity."""
        return self._planned(self._load(entity_id), self._version_of(entity_id)).outcome

    def migrate(self, entity_id: str, *, dry_run: bool = False) -> MigrationOutcome:
        """Bring an entity to the version of the machine; MigrationRefusedError where it has no place there."""
        return self.apply(entity_id, dry_run=dry_run).outcome

    async def amigrate(self, entity_id: str, *, dry_run: bool = False) -> MigrationOutcome:
        """`migrate`, awaited."""
        return await asyncio.to_thread(lambda: self.migrate(entity_id, dry_run=dry_run))

    def apply(self, entity_id: str, *, dry_run: bool = False) -> Planned:
        """`migrate`, with the change that was kept: of None, nothing was."""
        for attempt in range(ATTEMPTS):
            planned = self._planned(self._load(entity_id), self._version_of(entity_id))
            outcome = planned.outcome
            if outcome.status == "refused":
                raise MigrationRefusedError(
                    entity_id, outcome.source_state, outcome.from_version, outcome.to_version, outcome.reason or ""
                )
            if planned.change is None or dry_run:
                return Planned(outcome)
            try:
                self._store.commit(planned.change)
            except StaleVersionError:
                if attempt == ATTEMPTS - 1:
                    raise
                time.sleep(conflict_pause(attempt))
            else:
                return Planned(_done(outcome), planned.change)
        raise AssertionError("unreachable")  # pragma: no cover

    # Many

    def migrate_all(
        self,
        *,
        dry_run: bool = False,
        after: str = "",
        batch_size: int = BATCH,
        limit: int | None = None,
        on_batch: Callable[[MigrationReport], None] | None = None,
        on_change: Callable[[EntityChange], None] | None = None,
    ) -> MigrationReport:
        """Bring all entities of the machine to its version, in the order of their ids, from `after` on.

        Entities that are refused stay as they are and are reported. An interrupted run goes on with `after`; one that
        begins anew finds those that were migrated `current`. `on_batch` is told after each batch.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        report = MigrationReport(self.machine.version)
        report.last_entity_id = after
        while limit is None or report.total < limit:
            count = batch_size if limit is None else min(batch_size, limit - report.total)
            page = self._store.entity_versions(self.machine.name, after=report.last_entity_id, limit=count)
            if not page:
                break
            for outcome in self._batch(page, dry_run, on_change):
                report.add(outcome)
            report.last_entity_id = page[-1][0]
            if on_batch is not None:
                on_batch(report)
        return report

    def _batch(
        self, page: Sequence[tuple[str, str | None]], dry_run: bool, on_change: Callable[[EntityChange], None] | None
    ) -> list[MigrationOutcome]:
        rows = self._store.load_many([entity_id for entity_id, _ in page])
        planned = [self._planned(rows[one], version) for one, version in page if rows[one].state is not None]
        if dry_run:
            return [one.outcome for one in planned]
        changing = [(one.outcome, one.change) for one in planned if one.change is not None]
        done = [one.outcome for one in planned if one.change is None]
        kept = self._store.commit_many([change for _, change in changing])
        for (outcome, change), result in zip(changing, kept, strict=True):
            if isinstance(result, StaleVersionError):
                # Somebody else was faster: once more for this one alone.
                done.append(self._again(outcome.entity_id, on_change))
                continue
            if isinstance(result, Exception):
                raise result
            done.append(_done(outcome))
            if on_change is not None:
                on_change(change)
        return done

    def _again(self, entity_id: str, on_change: Callable[[EntityChange], None] | None) -> MigrationOutcome:
        try:
            planned = self.apply(entity_id)
        except MigrationRefusedError as error:
            return MigrationOutcome(
                entity_id, "refused", error.from_version, error.to_version, error.state, reason=error.reason
            )
        if on_change is not None and planned.change is not None:
            on_change(planned.change)
        return planned.outcome

    # Planning

    def _load(self, entity_id: str) -> EntityRow:
        row: EntityRow = self._store.load(entity_id)
        if row.state is None:
            raise ValueError(f"Entity not found: {entity_id!r}")
        return row

    def _version_of(self, entity_id: str) -> str | None:
        name, version = self._store.get_machine(entity_id)
        if name not in (None, self.machine.name):
            raise ValueError(f"Entity '{entity_id}' is of machine '{name}', not of '{self.machine.name}'")
        found: str | None = version
        return found

    def _planned(self, row: EntityRow, known: str | None) -> Planned:
        version, target = known or self._from_version, self.machine.version
        if row.fingerprint == self.machine.fingerprint or (row.fingerprint is None and version == target):
            return Planned(MigrationOutcome(row.entity_id, "current", version, target, row.state, row.state))
        try:
            return self._moved(row, version, target)
        except ValueError as error:
            return Planned(
                MigrationOutcome(row.entity_id, "refused", version, target, row.state, reason=str(error))
            )  # fmt: skip

    def _moved(self, row: EntityRow, version: str | None, target: str) -> Planned:
        machine, now = self.machine, self._clock.now()
        rules, context = self._way(version, target, row.context)
        before, names = Place.of(row.state or ""), Names(machine, rules)
        place = names.place(before)
        history, dropped = self._history(row.history, names)
        is_right, messages = machine.validate_context(context)
        if not is_right:
            raise ValueError(f"its context does not fit: {'; '.join(messages)}")
        formerly = self._formerly(before, names)
        arming, cancelled, stopped = carried(
            self._store.get_timers(row.entity_id), self._table,
            {name: formerly.get(name) for name in self._active(place)}, names.state, context, row.entered_at, now,
            self._policy,
        )  # fmt: skip
        is_terminal, status = persistence_flags_for_state(machine, place.name)
        change = EntityChange(
            row.entity_id, row.version, place.text, context, history=history,
            metadata={
                "trigger": MIGRATE_TRIGGER, "source_state": row.state, "target_state": place.text,
                "machine_name": machine.name, "machine_version": target, "is_terminal": is_terminal,
                "workflow_status": status,
            },
            fingerprint=machine.fingerprint, entered_at=now if row.entered_at is None else None,
            arm_timers=tuple(arming), cancel_keys=tuple(cancelled),
            transitions=(
                TransitionRow(row.state or "", place.text, MIGRATE_TRIGGER, transition_id=new_id()),
            ),
        )  # fmt: skip
        outcome = MigrationOutcome(
            row.entity_id, "planned", version, target, row.state, place.text,
            {key: value for key, value in context.items() if key not in row.context or row.context[key] != value},
            tuple(sorted(row.context.keys() - context.keys())), tuple(stopped),
            tuple(timer.timer_key for timer in arming), tuple(dropped),
        )  # fmt: skip
        return Planned(outcome, change)

    def _way(
        self, version: str | None, target: str, before: Mapping[str, Any]
    ) -> tuple[list[MigrationRule], dict[str, Any]]:
        """The rules to follow one after the other, and the context after them, which conditions of later ones see."""
        if version is None:
            raise ValueError("the store does not know its version; say which with from_version")
        way: list[MigrationRule] = []
        here, seen, context = version, {version}, dict(before)
        while here != target:
            rules = [rule for rule in self.rules if rule.to not in seen and _fits(rule, here, context)]
            direct = [rule for rule in rules if rule.to == target]
            between = [rule for rule in rules if version_key(here) < version_key(rule.to) <= version_key(target)]
            if not direct and not between:
                break
            rule = (direct or between)[0]
            way.append(rule)
            here, context = rule.to, _changed(rule, context)
            seen.add(here)
        if here != target and version_key(here) > version_key(target):
            raise ValueError(f"version {here} is newer, and no migration leads from it to {target}")
        return way, context

    def _active(self, place: Place) -> list[str]:
        hierarchy = self.machine.hierarchy
        leaves = [place.name, *place.regions.values()]
        return list(dict.fromkeys(name for leaf in leaves for name in hierarchy.ancestors(leaf)))

    def _formerly(self, before: Place, names: Names) -> dict[str, str]:
        """The states of the new version that the entity was in before, by their present names."""
        now: dict[str, str] = {}
        for leaf in (before.name, *before.regions.values()):
            present = names.state(leaf)
            if present in self.machine.states:
                for name in self.machine.hierarchy.ancestors(self.machine.hierarchy.effective_target_leaf(present)):
                    now.setdefault(name, leaf)
        return now

    def _history(self, history: Mapping[str, str], names: Names) -> tuple[dict[str, str], list[str]]:
        """What is remembered of compound states, by present names; what has no place is forgotten."""
        states = self.machine.states
        kept, dropped = {}, []
        for compound, child in history.items():
            parent, inner = names.state(compound), names.state(child)
            if parent in states and inner in states and states[inner].parent == parent:
                kept[parent] = inner
            else:
                dropped.append(compound)
        return kept, dropped


def _fits(rule: MigrationRule, version: str, context: Mapping[str, Any]) -> bool:
    try:
        return rule.fits(version, context)
    except TypeError as error:
        raise ValueError(f"the condition of the migration to {rule.to} cannot be asked: {error}") from error


def _changed(rule: MigrationRule, context: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return rule.context(context)
    except Exception as error:
        raise ValueError(f"the context cannot be computed for version {rule.to}: {error}") from error


def _done(outcome: MigrationOutcome) -> MigrationOutcome:
    values = {name: getattr(outcome, name) for name in MigrationOutcome.__slots__}
    return MigrationOutcome(**{**values, "status": "migrated"})
