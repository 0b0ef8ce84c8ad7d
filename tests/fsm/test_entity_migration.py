"""Entities that go on in another version of their machine."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spikard._spikard import validate_json
from spikard.fsm import (
    ConfigurationError,
    EntityMigrator,
    FsmRuntime,
    InMemoryStateStore,
    MigrationRefusedError,
    MigrationReport,
    SimulatedClock,
    StateMachine,
    read_migrations,
)
from spikard.fsm.config_schema import config_schema
from spikard.fsm.entity_migration.version_range import VersionRange
from spikard.fsm.stores.row import EntityChange, TimerRow
from tests.fsm.test_stores import STORES, fsm_database

__all__ = ["fsm_database"]
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)

OLD: dict[str, Any] = {
    "meta": {"machine_name": "parcel", "version": "1.2.0"},
    "states": [
        {"name": "new", "type": "initial"},
        {"name": "packed", "timeout": {"seconds": 60, "destination": "lost"}},
        {"name": "lost", "type": "terminal"},
    ],
    "transitions": [{"trigger": "pack", "source": "new", "dest": "packed"}],
}
NEW: dict[str, Any] = {
    "meta": {"machine_name": "parcel", "version": "3.0.0", "validate_context": True},
    "state_variables": [{"key": "weight_g", "type": "number", "required": True}],
    "states": [
        {"name": "new", "type": "initial"},
        {"name": "boxed", "timeout": {"seconds": 90, "destination": "missing"}},
        {"name": "on_the_way"},
        {"name": "missing", "type": "terminal", "metadata": {"was": ["lost"]}},
    ],
    "transitions": [
        {"trigger": "pack", "source": "new", "dest": "boxed"},
        {"trigger": "send", "source": "boxed", "dest": "on_the_way"},
        {"after": "1h", "source": "boxed", "dest": "missing"},
    ],
    "migrations": [
        {"from": "1.x", "to": "2.0.0", "states": {"packed": "wrapped"}, "rename": {"weight": "weight_kg"}},
        {
            "from": "2.x", "to": "3.0.0", "states": {"wrapped": "boxed"}, "compute": {"weight_g": "weight_kg * 1000"},
            "remove": ["weight_kg"], "set": {"carrier": "post"},
        },
    ],
}  # fmt: skip


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    made = STORES[request.param](request)
    yield made
    disconnect = getattr(made, "disconnect", None)
    if disconnect is not None:
        disconnect()


def keep(store: Any, entity_id: str, state: str, context: dict[str, Any], **more: Any) -> None:
    machine = StateMachine.from_dict(OLD)
    about = {"machine_name": machine.name, "machine_version": machine.version}
    change = EntityChange(entity_id, 0, state, context, metadata=about, fingerprint=machine.fingerprint, **more)
    store.commit(change)


def test_an_entity_goes_on_two_versions_later(store: Any) -> None:
    due = NOW + timedelta(seconds=40)
    timer = TimerRow("packed#timeout", "_timeout_packed", due, NOW, 60_000)
    keep(store, "e", "packed", {"weight": 2, "note": "fragile"}, entered_at=NOW, arm_timers=(timer,))
    outcome = EntityMigrator(NEW, store, clock=SimulatedClock(NOW + timedelta(minutes=5))).migrate("e")
    assert (outcome.status, outcome.from_version, outcome.to_version) == ("migrated", "1.2.0", "3.0.0")
    assert (outcome.source_state, outcome.target_state) == ("packed", "boxed")
    row = store.load("e")
    assert row.state == "boxed"
    assert row.context == {"weight_g": 2000, "note": "fragile", "carrier": "post"}
    assert row.fingerprint == StateMachine.from_dict(NEW).fingerprint
    assert row.entered_at == NOW
    assert store.get_machine("e") == ("parcel", "3.0.0")
    # The limit of time keeps its moment; the delay that is new counts from the entry.
    assert {timer.timer_key: timer.fires_at for timer in store.get_timers("e")} == {
        "boxed#timeout": due,
        "boxed#2": NOW + timedelta(hours=1),
    }
    line = store.get_transition_history("e", limit=1)[0]
    assert (line["trigger"], line["source_state"], line["target_state"]) == ("__migrate", "packed", "boxed")


def test_a_second_time_is_nothing(store: Any) -> None:
    keep(store, "e", "new", {"weight": 1})
    migrator = EntityMigrator(NEW, store)
    assert migrator.migrate("e").status == "migrated"
    version = store.load("e").version
    assert migrator.migrate("e").status == "current"
    assert store.load("e").version == version


def test_a_dry_run_changes_nothing(store: Any) -> None:
    keep(store, "e", "lost", {"weight": 1})
    before = store.load("e")
    outcome = EntityMigrator(NEW, store).migrate("e", dry_run=True)
    assert (outcome.status, outcome.target_state) == ("planned", "missing")
    assert outcome.context_changes == {"weight_g": 1000, "carrier": "post"}
    assert outcome.context_removed == ("weight",)
    assert store.load("e") == before


def test_a_state_that_is_gone_is_refused(store: Any) -> None:
    keep(store, "e", "burnt", {"weight": 1})
    before = store.load("e")
    with pytest.raises(MigrationRefusedError, match=r"state 'burnt' does not exist any more; map it") as caught:
        EntityMigrator(NEW, store).migrate("e")
    assert (caught.value.entity_id, caught.value.state, caught.value.from_version) == ("e", "burnt", "1.2.0")
    assert store.load("e") == before


def test_a_context_that_does_not_fit_is_refused(store: Any) -> None:
    keep(store, "e", "new", {"weight": "heavy"})
    with pytest.raises(MigrationRefusedError, match="context"):
        EntityMigrator(NEW, store).migrate("e")


def test_many_in_batches(store: Any) -> None:
    for number in range(7):
        keep(store, f"e{number}", "burnt" if number == 3 else "packed", {"weight": number})
    seen: list[int] = []
    migrator = EntityMigrator(NEW, store)
    dry = migrator.migrate_all(dry_run=True, batch_size=3)
    assert (dry.planned, dry.migrated, dry.refused) == (6, 0, 1)
    first = migrator.migrate_all(batch_size=2, limit=4, on_batch=lambda report: seen.append(report.total))
    assert (first.migrated, first.refused, first.last_entity_id, seen) == (3, 1, "e3", [2, 4])
    rest = migrator.migrate_all(after=first.last_entity_id)
    assert (rest.migrated, rest.current, rest.total) == (3, 0, 3)
    again = migrator.migrate_all()
    assert (again.current, again.refused) == (6, 1)
    assert [outcome.entity_id for outcome in again.refusals] == ["e3"]
    assert {store.load(f"e{number}").state for number in (0, 1, 2, 4, 5, 6)} == {"boxed"}


def test_others_who_write_in_between_lose_nothing(store: Any) -> None:
    keep(store, "e", "packed", {"weight": 1, "count": 0})
    start = threading.Barrier(2)

    def count() -> None:
        start.wait()
        for _ in range(20):
            while True:
                row = store.load("e")
                change = EntityChange("e", row.version, row.state, {**row.context, "count": row.context["count"] + 1})
                if isinstance(store.commit_many([change])[0], int):
                    break

    other = threading.Thread(target=count)
    other.start()
    start.wait()
    report = EntityMigrator(NEW, store).migrate_all()
    other.join()
    row = store.load("e")
    assert (report.migrated, row.state) == (1, "boxed")
    assert (row.context["count"], row.context["weight_g"]) == (20, 1000)


PARALLEL: dict[str, Any] = {
    "meta": {"machine_name": "parcel", "version": "2.0.0"},
    "states": [
        {"name": "new", "type": "initial"},
        {
            "name": "both", "type": "parallel",
            "regions": [
                {"name": "pay", "initial": "open", "states": ["open", "paid"]},
                {"name": "ship", "initial": "waiting", "states": ["waiting"]},
            ],
        },
        {"name": "open"}, {"name": "paid"}, {"name": "waiting"},
    ],
    "transitions": [{"trigger": "go", "source": "new", "dest": "both"}],
}  # fmt: skip


def migrated(stored: str, rules: list[dict[str, Any]], config: dict[str, Any] = PARALLEL, **more: Any) -> Any:
    memory = InMemoryStateStore()
    keep(memory, "e", stored, {}, **more)
    EntityMigrator({**config, "migrations": rules}, memory).migrate("e")
    return memory.load("e")


@pytest.mark.parametrize(
    ("stored", "rule", "expected"),
    [
        ("both:pay=open", {}, "both:pay=open,ship=waiting"),
        ("both:pay=due", {"states": {"due": "paid"}}, "both:pay=paid,ship=waiting"),
        ("two:money=paid", {"states": {"two": "both"}, "regions": {"money": "pay"}}, "both:pay=paid,ship=waiting"),
        ("both:pay=open,mail=sent", {"regions": {"mail": None}}, "both:pay=open,ship=waiting"),
        ("both:pay=open", {"states": {"both:pay=open": "new"}}, "new"),
        ("packed", {"states": {"packed": "both"}}, "both:pay=open,ship=waiting"),
        ("packed", {"states": {"packed": "both:pay=paid"}}, "both:pay=paid,ship=waiting"),
    ],
)
def test_regions(stored: str, rule: dict[str, Any], expected: str) -> None:
    assert migrated(stored, [{"from": "1.x", "to": "2.0.0", **rule}]).state == expected


@pytest.mark.parametrize(
    ("stored", "rule", "why"),
    [
        ("both:pay=due", {}, "state 'due' does not exist"),
        ("both:pay=waiting", {}, "'waiting' is not in region 'pay'"),
        ("both:mail=sent", {}, "no region 'mail' any more"),
        ("both:pay=open", {"states": {"both": "new"}}, "has no regions any more"),
        ("packed", {"states": {"packed": "open"}}, "map to 'both:pay=open'"),
    ],
)
def test_regions_that_have_no_place(stored: str, rule: dict[str, Any], why: str) -> None:
    with pytest.raises(MigrationRefusedError, match=why):
        migrated(stored, [{"from": "1.x", "to": "2.0.0", **rule}])


def test_history_is_carried_over() -> None:
    config: dict[str, Any] = {
        "meta": {"machine_name": "parcel", "version": "2.0.0"},
        "states": [
            {"name": "idle", "type": "initial"},
            {"name": "work", "initial_child": "read"},
            {"name": "read", "parent": "work"},
            {"name": "write", "parent": "work"},
        ],
        "transitions": [{"trigger": "go", "source": "idle", "dest": "H(work)"}],
    }
    rule = {"from": "1.x", "to": "2.0.0", "states": {"job": "work", "type": "write"}}
    row = migrated("idle", [rule], config, history={"job": "type", "gone": "away"})
    assert row.history == {"work": "write"}
    assert migrated("job", [rule], config).state == "read"


def test_conditions_choose_between_rules() -> None:
    rules = [
        {"from": "1.x", "to": "2.0.0", "states": {"packed": "both"}, "when": {"field": "due", "op": "is_set"}},
        {"from": "1.x", "to": "2.0.0", "states": {"packed": "new"}},
    ]
    memory = InMemoryStateStore()
    keep(memory, "e", "packed", {"due": 1})
    keep(memory, "f", "packed", {})
    EntityMigrator({**PARALLEL, "migrations": rules}, memory).migrate_all()
    assert (memory.load("e").state, memory.load("f").state) == ("both:pay=open,ship=waiting", "new")


def test_newer_entities_are_refused_unless_a_rule_leads_back() -> None:
    memory = InMemoryStateStore()
    keep(memory, "e", "new", {})
    older = {**OLD, "meta": {**OLD["meta"], "version": "1.0.0"}}
    with pytest.raises(MigrationRefusedError, match="is newer, and no migration leads"):
        EntityMigrator(older, memory).migrate("e")
    back = {**older, "migrations": [{"from": "1.2.0", "to": "1.0.0"}]}
    assert EntityMigrator(back, memory).migrate("e").status == "migrated"


def test_entities_without_a_version_need_one() -> None:
    memory = InMemoryStateStore()
    memory.set_state("e", "packed")
    memory.set_context("e", {"weight": 1})
    with pytest.raises(MigrationRefusedError, match="from_version"):
        EntityMigrator(NEW, memory).migrate("e")
    assert EntityMigrator(NEW, memory, from_version="1.0.0").migrate("e").target_state == "boxed"
    with pytest.raises(ValueError, match="Entity not found: 'nobody'"):
        EntityMigrator(NEW, memory).migrate("nobody")
    with pytest.raises(ValueError, match="is of machine 'parcel'"):
        EntityMigrator({**NEW, "meta": {"machine_name": "other"}}, memory).migrate("e")


@pytest.mark.parametrize(
    ("rules", "path", "why"),
    [
        ({}, "migrations", "must be a list"),
        (["x"], "migrations[0]", "must be a mapping"),
        ([{"from": "1.x"}], "migrations[0].to", "needs 'to'"),
        ([{"from": "1.x", "to": "2", "sates": {}}], "migrations[0]", "'sates' is no key"),
        ([{"from": ">=old", "to": "2"}], "migrations[0].from", "'old' in '>=old' is no version"),
        ([{"from": "1", "to": "2", "states": {"a": 1}}], "migrations[0].states.a", "must be a name"),
        ([{"from": "1", "to": "2", "compute": {"a": "1 +"}}], "migrations[0].compute.a", "does not compile"),
        ([{"from": "1", "to": "2", "when": {"field": "a", "op": "is"}}], "migrations[0].when", "cannot be read"),
    ],
)
def test_rules_that_are_wrong(rules: Any, path: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        read_migrations({"migrations": rules or {"a": 1}})
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("1.x", ["1.0.0", "1.9.3"], ["2.0.0", "0.9.0", "old"]),
        ("1.2", ["1.2.0", "1.2.9"], ["1.3.0"]),
        ("1.2.3", ["1.2.3", "v1.2.3"], ["1.2.4"]),
        ("*", ["1.0.0", "old"], []),
        ("old", ["old"], ["older"]),
        (">=1.2.0, <2.0.0", ["1.2.0", "1.9.9"], ["1.1.9", "2.0.0", "old"]),
        (">1.0 <=1.5", ["1.5.0"], ["1.0.0", "1.5.1"]),
    ],
)
def test_ranges_of_versions(text: str, inside: list[str], outside: list[str]) -> None:
    versions = VersionRange(text)
    assert [version for version in inside if version not in versions] == []
    assert [version for version in outside if version in versions] == []


def test_a_document_with_migrations_is_the_same_machine() -> None:
    machine = StateMachine.from_dict(NEW)
    bare = StateMachine.from_dict({key: value for key, value in NEW.items() if key != "migrations"})
    assert machine.to_dict()["migrations"] == NEW["migrations"]
    assert machine.fingerprint == bare.fingerprint


def test_a_runtime_migrates() -> None:
    runtime = FsmRuntime.in_memory()
    runtime.register_machine_from_dict(OLD)
    for name in ("a", "b"):
        runtime.create_entity("parcel", name, context={"weight": 1})
        runtime.process_event("parcel", name, "pack")
    runtime.register_machine_from_dict(NEW)
    assert runtime.session("parcel", "3.0.0").migrate("a", dry_run=True).status == "planned"
    assert runtime.migrate_entity("parcel", "a").target_state == "boxed"
    report: MigrationReport = runtime.migrate_entities("parcel")
    assert (report.current, report.migrated) == (1, 1)
    assert runtime.process_event("parcel", "b", "send").target_state == "on_the_way"
    runtime.close()


async def test_awaited() -> None:
    memory = InMemoryStateStore()
    keep(memory, "e", "packed", {"weight": 1})
    assert (await EntityMigrator(NEW, memory).amigrate("e")).status == "migrated"


@pytest.mark.parametrize(
    ("rule", "is_right"),
    [
        ({"from": "1.x", "to": "2.0.0", "states": {"a": "b"}, "regions": {"r": None}, "remove": "k"}, True),
        ({"from": "1.x", "to": "2.0.0", "when": [{"field": "k", "op": "is_set"}], "compute": {"k": "j + 1"}}, True),
        ({"from": "1.x"}, False),
        ({"from": "1.x", "to": "2.0.0", "sates": {}}, False),
        ({"from": "1.x", "to": "2.0.0", "states": {"a": None}}, False),
    ],
)
def test_the_schema_knows_migrations(rule: dict[str, Any], is_right: bool) -> None:
    config = {"states": [{"name": "a", "type": "initial"}], "transitions": [], "migrations": [rule]}
    assert (validate_json(config_schema(), json.dumps(config).encode()) == []) is is_right
