"""One contract for all stores of discoveries."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from spikard.fsm import (
    BuiltDiscoveryCandidate,
    DiscoveryDraft,
    DiscoveryDraftFilter,
    InMemoryDiscoveryStore,
    MongoDBDiscoveryStore,
    ObservationFieldMapping,
    ObservationSourceConfig,
    ObservedStateEvent,
    PostgresDiscoveryStore,
    RedisDiscoveryStore,
    ShadowDiff,
    SQLiteDiscoveryStore,
    observation_identity_from_event,
)  # fmt: skip
from tests.fsm.test_stores import execute, forget_database, fsm_database  # noqa: F401 - a fixture

START = datetime(2026, 1, 1, tzinfo=UTC)


def in_redis(request: pytest.FixtureRequest) -> RedisDiscoveryStore:
    return RedisDiscoveryStore(request.getfixturevalue("redis_url"), f"spikard:test:{uuid4().hex}")


def in_mongodb(request: pytest.FixtureRequest) -> MongoDBDiscoveryStore:
    url, name = request.getfixturevalue("mongodb_url"), f"spikard_test_{uuid4().hex}"
    request.addfinalizer(lambda: forget_database(url, name))
    return MongoDBDiscoveryStore(url, name)


STORES: dict[str, Callable[[pytest.FixtureRequest], Any]] = {
    "memory": lambda request: InMemoryDiscoveryStore(),
    "sqlite": lambda request: SQLiteDiscoveryStore(f"sqlite:///{request.getfixturevalue('tmp_path')}/seen.db"),
    "postgres": lambda request: PostgresDiscoveryStore(request.getfixturevalue("fsm_database")),
    "redis": in_redis,
    "mongodb": in_mongodb,
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    made = STORES[request.param](request)
    if isinstance(made, InMemoryDiscoveryStore):
        yield made
    else:
        with made:
            yield made


@pytest.fixture
def machine() -> str:
    """A machine of the test's own: databases outlive tests."""
    return f"m_{uuid4().hex}"


def seen(machine: str, entity: str, state: str, minute: int, **fields: Any) -> ObservedStateEvent:
    return ObservedStateEvent(entity, machine, state, START + timedelta(minutes=minute), **fields)


def test_observations_are_kept_once(store: Any, machine: str) -> None:
    event = seen(machine, "e", "a", 0, metadata={"n": 1})
    assert store.add_observation(event)
    assert not store.add_observation(replace(event, metadata={"n": 2}, ingest_seq=5))
    assert store.add_observation(replace(event, source_event_id="x"))
    assert store.add_observation(replace(event, source="desk"))
    assert store.add_observation(replace(event, observed_at=datetime(2026, 1, 1, 0, 3)))  # noqa: DTZ001 - taken for UTC
    kept = store.list_observations(machine, "e")
    assert len(kept) == store.count_observations(machine) == 4
    assert event in kept
    assert kept[-1].observed_at == START + timedelta(minutes=3)
    assert store.delete_observation(machine, observation_identity_from_event(event))
    assert not store.delete_observation(machine, observation_identity_from_event(event))
    assert store.delete_observations_for_entity(machine, "e") == 3
    assert store.list_observations(machine) == []


def test_observations_come_in_order(store: Any, machine: str) -> None:
    events = [
        seen(machine, "f", "a", 1),
        seen(machine, "e", "second", 0, ingest_seq=2),
        seen(machine, "e", "first", 0, ingest_seq=1),
        seen(machine, "e", "third", 2),
    ]
    for event in events:
        store.add_observation(event)
    assert [event.state for event in store.list_observations(machine)] == ["first", "second", "third", "a"]
    page, total = store.list_observations_page(machine, limit=2, offset=1)
    assert ([event.state for event in page], total) == (["a", "second"], 4)
    assert [event.state for event in store.list_observations_page(machine, entity_id="f")[0]] == ["a"]
    assert store.list_entity_ids(machine) == ["e", "f"]
    assert machine in store.list_all_channels()
    assert "unknown" in store.list_all_sources()


def test_filters(store: Any, machine: str) -> None:
    for number in range(4):
        store.add_observation(
            seen(machine, f"e{number % 2}", "a", number, source=f"s{number % 2}", metadata={"n": number, "t": "x"})
        )

    def minutes(**scope: Any) -> list[int]:
        found, more = store.resolve_observations(DiscoveryDraftFilter(**{"channels": (machine,), **scope}))
        assert not more
        return [event.observed_at.minute for event in found]

    assert minutes() == [0, 2, 1, 3]
    assert minutes(entity_ids=("e1",)) == minutes(sources=("s1",)) == [1, 3]
    assert minutes(channels=()) == minutes(entity_ids=()) == minutes(sources=()) == []
    after, before = START + timedelta(minutes=1), START + timedelta(minutes=2)
    assert minutes(observed_after=after, observed_before=before) == [2, 1]
    assert minutes(metadata_match=(("n", 1), ("t", "x"))) == [1]
    assert minutes(metadata_match=(("n", "1"),)) == []
    scope = DiscoveryDraftFilter(channels=(machine,))
    some, more = store.resolve_observations(scope, limit=3)
    assert (len(some), more) == (3, True)
    page, total = store.list_observations_for_draft_scope(scope, limit=2, offset=1)
    assert ([event.observed_at.minute for event in page], total) == ([2, 1], 4)


def test_candidates(store: Any, machine: str) -> None:
    def save(version: str, draft: str | None = None) -> Any:
        return store.save_built_candidate(
            BuiltDiscoveryCandidate(machine, version, "candidate", {"v": version}, metadata={"draft_id": draft})
        )

    assert [save(version, machine).candidate_sequence for version in ("1.0.0", "0.9.0", "1.0.0")] == [1, 2, 1]
    assert [candidate.version for candidate in store.list_built_candidates(machine)] == ["1.0.0", "0.9.0"]
    assert store.get_latest_built_candidate(machine).version == "0.9.0"
    last = save("2.0.0", machine)
    assert store.get_built_candidate(machine, "2.0.0") == last
    counted = store.count_built_candidates_by_draft([machine, "nothing"])
    assert counted.keys() == {machine}
    assert (counted[machine].count, counted[machine].latest_version) == (3, "2.0.0")
    assert store.delete_built_candidate(machine, "2.0.0")
    assert not store.delete_built_candidate(machine, "2.0.0")
    assert store.get_built_candidate(machine, "2.0.0") is None


def test_comparisons(store: Any, machine: str) -> None:
    diffs = [
        ShadowDiff(
            machine,
            f"s{number}",
            "t",
            active_success=True,
            active_target_state="a",
            candidate_success=False,
            candidate_target_state=None,
            differs=number > 0,
            reason="success_mismatch",
            recorded_at=START + timedelta(minutes=number),
            metadata={"n": 1},
        )
        for number in range(3)
    ]
    for diff in diffs:
        store.record_shadow_diff(diff)
    assert store.list_shadow_diffs(machine) == diffs
    assert store.list_shadow_diffs(machine, 2) == diffs[1:]
    assert store.list_shadow_diffs("nothing") == []
    store.add_observation(seen(machine, "e", "a", 7))
    summary = next(row for row in store.list_fleet_summaries() if row["machine_name"] == machine)
    assert summary == {
        "machine_name": machine,
        "last_observation_at": START + timedelta(minutes=7),
        "observation_count": 1,
        "candidate_count": 0,
        "latest_candidate_version": None,
        "latest_candidate_created_at": None,
        "shadow_diff_count_recent": 3,
        "drift_rate_recent": 2 / 3,
    }


def test_drafts(store: Any, machine: str) -> None:
    scope = DiscoveryDraftFilter(channels=("a",), sources=(), observed_after=START, metadata_match=(("k", "v"),))
    source = ObservationSourceConfig("log", field_mapping=ObservationFieldMapping(state="status"))
    draft = DiscoveryDraft(
        machine, "i", "orders", "orders", ("e",), "manual", 3, 0.25, (("a", "b"),), START, START, "0.1.0", scope, source
    )
    assert store.save_draft(draft) == draft
    assert store.get_draft(machine) == draft
    later = replace(draft, updated_at=datetime.now(UTC) + timedelta(days=1), filter=None, observation_source=None)
    store.save_draft(later)
    assert store.list_all_drafts()[0] == later
    assert store.delete_draft(machine)
    assert not store.delete_draft(machine)
    assert store.get_draft(machine) is None


async def test_tables_of_others(fsm_database: str, machine: str) -> None:  # noqa: F811 - the fixture
    await execute_foreign(fsm_database, machine)
    mapping = ObservationFieldMapping("ref", "machine", "status", "at", "who", None, "extra")
    source = ObservationSourceConfig(machine, "public", field_mapping=mapping)
    with PostgresDiscoveryStore(fsm_database) as store:
        found, _ = store.resolve_observations(DiscoveryDraftFilter(channels=("trade",)), observation_source=source)
        assert [(event.entity_id, event.state, event.metadata) for event in found] == [("7", "open", {"k": 1})]
        with pytest.raises(ValueError, match="Invalid observation table_name"):
            store.resolve_observations(DiscoveryDraftFilter(), observation_source=ObservationSourceConfig("a; b"))


async def execute_foreign(url: str, table: str) -> None:
    await execute(
        url,
        f"CREATE TABLE {table} (ref INT, machine TEXT, status TEXT, at TIMESTAMPTZ, who TEXT, extra JSONB);"
        f"INSERT INTO {table} VALUES (7, 'trade', 'open', now(), 'desk', '{{\"k\": 1}}'), "
        "(8, 'other', 'open', now(), 'desk', NULL)",
    )


@pytest.mark.parametrize(
    ("kind", "url", "message"),
    [
        (SQLiteDiscoveryStore, "mysql://x", "SQLiteDiscoveryStore requires a sqlite:// URL, got: 'mysql://x'"),
        (PostgresDiscoveryStore, "mysql://x", "PostgresDiscoveryStore requires a postgresql:// URL, got: 'mysql://x'"),
        (PostgresDiscoveryStore, "/x.db", "PostgresDiscoveryStore requires a valid PostgreSQL URL, got: '/x.db'"),
    ],
)
def test_urls(kind: Callable[[str], Any], url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(url)


def test_stores_must_be_connected() -> None:
    with pytest.raises(RuntimeError, match=r"Not connected\. Call connect\(\) first\."):
        SQLiteDiscoveryStore("sqlite://").list_all_channels()
