"""One contract for all stores."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pymongo
import pytest

from spikard.fsm import (
    EntityChange,
    InMemoryStateStore,
    MongoDBStateStore,
    PostgresStateStore,
    RedisStateStore,
    SessionStateStore,
    SQLiteStateStore,
    StaleVersionError,
    batch_fallback,
    create_state_store,
)  # fmt: skip
from spikard.fsm.errors import LeaseLostError, TimerGoneError
from spikard.fsm.stores.lease import extended
from spikard.fsm.stores.row import DONE, AnswerRow, OutboxRow, Settlement, SpentTimer, TimerRow, TransitionRow


def in_sqlite(request: pytest.FixtureRequest) -> SQLiteStateStore:
    store = SQLiteStateStore(f"sqlite:///{request.getfixturevalue('tmp_path')}/fsm.db")
    store.connect()
    return store


def in_postgres(request: pytest.FixtureRequest) -> PostgresStateStore:
    store = PostgresStateStore(request.getfixturevalue("fsm_database"))
    store.connect(auto_initialize=True)
    for entity in store.list_entities(limit=1000):
        store.delete_entity(entity["entity_id"])
    for entity_id in ("e", "f"):
        store.delete_entity(entity_id)
    return store


def in_redis(request: pytest.FixtureRequest) -> RedisStateStore:
    store = RedisStateStore(request.getfixturevalue("redis_url"), f"spikard:test:{uuid4().hex}")
    store.connect()
    return store


def in_mongodb(request: pytest.FixtureRequest) -> MongoDBStateStore:
    url, name = request.getfixturevalue("mongodb_url"), f"spikard_test_{uuid4().hex}"
    request.addfinalizer(lambda: forget_database(url, name))
    store = MongoDBStateStore(url, name)
    store.connect()
    return store


def forget_database(url: str, name: str) -> None:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
    with client:
        client.drop_database(name)


STORES: dict[str, Callable[[pytest.FixtureRequest], Any]] = {
    "memory": lambda request: InMemoryStateStore(),
    "sqlite": in_sqlite,
    "postgres": in_postgres,
    "redis": in_redis,
    "mongodb": in_mongodb,
}
THREADS = 32


@pytest.fixture(scope="session")
def fsm_database(postgres_url: str) -> Iterator[str]:
    """URL of a database of our own."""
    name = f"fsm_{uuid4().hex}"
    asyncio.run(execute(postgres_url, f"CREATE DATABASE {name}"))
    yield postgres_url.rpartition("/")[0] + f"/{name}"
    asyncio.run(execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    made = STORES[request.param](request)
    yield made
    if hasattr(made, "disconnect"):
        made.disconnect()


def test_states_and_versions(store: Any) -> None:
    assert store.get_state("e") is None
    assert store.get_context("e") == {}
    assert store.get_state_versioned("e") == (None, None)
    store.set_state("e", "a", metadata={"is_terminal": True, "workflow_status": "complete", "machine_name": "m"})
    assert (store.get_is_terminal("e"), store.get_workflow_status("e")) == (True, "complete")
    assert store.get_state_versioned("e") == ("a", 1)
    assert store.set_state_versioned("e", "b", expected_version=1) == 2
    with pytest.raises(StaleVersionError, match="expected 1, got 2"):
        store.set_state_versioned("e", "c", expected_version=1)
    assert store.get_state("e") == "b"
    assert store.set_state_versioned("new", "a") == 1
    with pytest.raises(StaleVersionError, match="expected 3, got 0"):
        store.set_state_versioned("other", "a", expected_version=3)
    assert store.get_state("other") is None


def test_contexts(store: Any) -> None:
    store.set_state("e", "a")
    store.set_context("e", {"a": [1], "b": {"c": None}})
    assert store.get_context("e") == {"a": [1], "b": {"c": None}}
    store.get_context("e")["x"] = 1
    assert "x" not in store.get_context("e")


async def test_asynchronous_twins(store: Any) -> None:
    await store.aset_state("e", "a")
    await store.aset_context("e", {"k": 1})
    assert await store.aget_state("e") == "a"
    assert await store.aget_context("e") == {"k": 1}
    assert (await store.aload("e")).state == "a"


def test_a_step_is_kept_as_a_whole(store: Any) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    change = EntityChange(
        "e", 0, "a", {"k": 1, "l": 2},
        history={"p": "a"}, metadata={"machine_name": "m", "is_terminal": False}, fingerprint="f" * 64,
        entered_at=now, arm_timers=(TimerRow("a#0", "late", now), TimerRow("b#0", "later", now)),
        transitions=(TransitionRow("z", "a", "go", actions_executed=("act",), transition_id="t"),),
        outbox=(OutboxRow("t-0", "t", 0, "act"), OutboxRow("t-1", "t", 1, "act")),
    )  # fmt: skip
    assert store.commit(change) == 1
    row = store.load("e")
    assert (row.state, row.version, dict(row.context), dict(row.history)) == ("a", 1, {"k": 1, "l": 2}, {"p": "a"})
    assert (row.fingerprint, row.entered_at) == ("f" * 64, now)
    assert [timer.timer_key for timer in store.get_timers("e")] == ["a#0", "b#0"]
    assert [line["trigger"] for line in store.get_transition_history("e")] == ["go"]
    assert [row.outbox_id for row in store.get_outbox("e")] == ["t-0", "t-1"]
    with pytest.raises(StaleVersionError):
        store.commit(EntityChange("e", 7, "b", transitions=(TransitionRow("a", "b", "no"),), cancel_timers=("a",)))
    assert store.load("e").state == "a"
    assert len(store.get_timers("e")) == 2
    assert len(store.get_transition_history("e")) == 1
    second = EntityChange("e", 1, patch={"k": 9}, removed=("l",), cancel_timers=("a",), settled={"t-0": DONE})
    assert store.commit(second) == 2
    assert dict(store.load("e").context) == {"k": 9}
    assert [timer.timer_key for timer in store.get_timers("e")] == ["b#0"]
    assert [row.outbox_id for row in store.get_outbox("e")] == ["t-1"]


def test_legacy_09_compare_and_set_is_one_step(store: Any) -> None:
    store.set_state("e", "a")
    start, rounds = threading.Barrier(THREADS), 8

    def count(number: int) -> int:
        start.wait(20)
        lost = 0
        for _ in range(rounds):
            while True:
                row = store.load("e")
                total = row.context.get("n", 0) + 1
                try:
                    store.commit(EntityChange("e", row.version, "a", {"n": total}))
                    break
                except StaleVersionError:
                    lost += 1
        return lost

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(count, range(THREADS)))
    assert store.load("e").context["n"] == THREADS * rounds


def test_legacy_09_places_of_events_are_never_given_twice(store: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(lambda n: store.append_event("e", "t", payload={"n": n}), range(64)))
    assert sorted(places) == list(range(1, 65))
    assert [event["sequence"] for event in store.get_events("e", after_sequence=2, limit=2)] == [3, 4]
    assert store.append_event("f", "t") == 1
    assert store.get_events("nobody") == []


def test_many_entities(store: Any) -> None:
    batch = store if hasattr(store, "get_states_batch") else batch_fallback(store)
    batch.set_states_batch({"a": "x", "b": "x", "c": "y"})
    assert batch.get_states_batch(["a", "zz"]) == {"a": "x", "zz": None}
    assert store.count_by_state() == {"x": 2, "y": 1}
    assert store.delete_entity("a")
    assert not store.delete_entity("a")
    assert store.get_state("a") is None


def test_stores_by_url() -> None:
    assert isinstance(create_state_store(None, fallback_to_in_memory=True), InMemoryStateStore)
    assert isinstance(create_state_store("memory://"), InMemoryStateStore)
    with pytest.raises(ValueError, match="Unsupported state-store URL scheme"):
        create_state_store("foo://x")
    assert isinstance(create_state_store("foo://x", fallback_to_in_memory=True), InMemoryStateStore)


def test_the_store_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_FSM_DATABASE_URL", url := f"sqlite:///{tmp_path / 'set.db'}")
    assert SQLiteStateStore().connection_string == url
    for fallback in (False, True):
        with create_state_store(fallback_to_in_memory=fallback) as store:
            assert store.connection_string == url
    monkeypatch.setenv("SPIKARD_FSM_DATABASE_URL", "foo://x")
    assert isinstance(create_state_store(fallback_to_in_memory=True), InMemoryStateStore)


def test_keys_in_redis_have_a_prefix() -> None:
    assert RedisStateStore("redis://host", "shop").key_prefix == "shop"


def test_a_store_by_url_is_connected(tmp_path: Path) -> None:
    with create_state_store(f"sqlite:///{tmp_path / 'new.db'}") as store:
        store.set_state("e", "open")
        assert store.get_state("e") == "open"


def test_one_by_one() -> None:
    batch = batch_fallback(InMemoryStateStore())
    batch.set_states_batch({"a": "x"})
    assert batch.get_states_batch(["a"]) == {"a": "x"}


def test_stores_have_to_be_connected(tmp_path: Path) -> None:
    store = SQLiteStateStore(f"sqlite:///{tmp_path}/fsm.db")
    with pytest.raises(RuntimeError, match=r"Not connected\. Call connect\(\) first\."):
        store.get_state("e")
    with pytest.raises(RuntimeError, match="spikard fsm db init"):
        store.connect(auto_initialize=False)
    with pytest.raises(RuntimeError, match="Not connected"):
        PostgresStateStore("postgresql://nobody@127.0.0.1/nothing").get_state("e")
    with store:
        store.set_state("e", "a", metadata={"context": {"k": 1}})
    with SQLiteStateStore(f"sqlite:///{tmp_path}/fsm.db") as again:
        assert (again.get_state("e"), again.get_context("e")) == ("a", {"k": 1})
        with pytest.raises(ValueError, match="Entity not found: 'q'"):
            again.set_context("q", {})


@pytest.mark.parametrize("kind", [SQLiteStateStore, PostgresStateStore])
def test_urls_of_other_stores_are_refused(kind: type[Any]) -> None:
    with pytest.raises(ValueError, match="requires a"):
        kind("mongodb://x")


def test_legacy_08_reconnecting_after_the_server_has_hung_up(fsm_database: str) -> None:
    store = PostgresStateStore(fsm_database)
    store.connect(auto_initialize=True)
    with store:
        store.set_state("hung", "a")
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        asyncio.run(execute(fsm_database, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
        assert store.get_state("hung") == "a"


LONG = "SELECT pg_sleep(600)"
KILLED = f"""
import sys
from spikard.fsm import PostgresStateStore

def work():
    yield {LONG!r} + f" -- {{sys.argv[2]}}", ()

store = PostgresStateStore(sys.argv[1])
store.connect(auto_initialize=True)
store._run("read", work)
"""


def test_the_server_ends_what_a_killed_process_has_begun(fsm_database: str) -> None:
    store, name = PostgresStateStore(fsm_database), uuid4().hex
    store.connect(auto_initialize=True)

    def work() -> Any:
        return (yield f"SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query = '{LONG} -- {name}'", ())

    def until(is_running: bool) -> None:
        deadline = time.monotonic() + 25
        while bool(store._run("read", work)) is not is_running:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    with subprocess.Popen([sys.executable, "-c", KILLED, fsm_database, name]) as process:
        until(is_running=True)
        process.kill()
    until(is_running=False)
    store.disconnect()


def test_leases_are_extended_in_one_look_at_a_table_that_is_taken_for_empty(fsm_database: str) -> None:
    store, e = PostgresStateStore(fsm_database), f"e{uuid4().hex}"
    store.connect(auto_initialize=True)
    store.commit(EntityChange(e, outbox=tuple(OutboxRow(f"{e}-{n:03d}", e, n, "act") for n in range(300))))
    # What a vacuum notes between two bursts: pages, and no rows in them.
    seems = "UPDATE pg_class SET relpages = 100, reltuples = 0 WHERE oid = 'spikard_fsm.fsm_outbox'::regclass"
    asyncio.run(execute(fsm_database, seems))

    def explained() -> Any:
        ((statement, values),) = extended(
            "fsm_outbox", "next_at", "pending", [(f"{e}-{n:03d}", 0) for n in range(200)], 9
        )
        return (yield f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)

    def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield plan
        for below in plan.get("Plans", ()):
            yield from nodes(below)

    (told,) = json.loads(store._run("write", explained)[0][0])
    found = list(nodes(told["Plan"]))
    (locking,) = (node for node in found if node["Node Type"] == "LockRows")
    store.delete_entity(e)
    store.disconnect()
    assert (locking["Actual Rows"], locking["Actual Loops"]) == (200, 1)


ABOUT = {"machine_name": "m", "machine_version": "1", "is_terminal": False, "workflow_status": "active"}


def test_many_steps_change_what_they_name_and_nothing_else(store: Any) -> None:
    ids = [f"named-{uuid4().hex}-{number}" for number in range(4)]
    for entity_id in ids:
        store.commit(EntityChange(entity_id, 0, "a", {"k": 1}, history={"p": "q"}, metadata=ABOUT, fingerprint="f"))
    whole = {**ABOUT, "machine_version": "2", "workflow_status": None}
    changes = [
        EntityChange(ids[0], 1, "b", {"k": 2}, history={}, metadata=whole, fingerprint="g"),
        EntityChange(ids[1], 1, "b", {"k": 2}, history={}, fingerprint="g"),
        EntityChange(ids[2], 1, "b", {"k": 2}, metadata=whole),
        EntityChange(ids[3], 1, "b", history={}, metadata=whole, fingerprint="g"),
    ]
    assert store.commit_many(changes) == [2] * 4
    rows = [store.load(entity_id) for entity_id in ids]
    assert [row.state for row in rows] == ["b"] * 4
    assert [row.context["k"] for row in rows] == [2, 2, 2, 1]
    assert [dict(row.history) for row in rows] == [{}, {}, {"p": "q"}, {}]
    assert [row.fingerprint for row in rows] == ["g", "g", "f", "g"]
    assert [store.get_machine(entity_id) for entity_id in ids] == [("m", "2"), ("m", "1"), ("m", "2"), ("m", "2")]
    assert [store.get_workflow_status(entity_id) for entity_id in ids] == [None, "active", None, None]
    for entity_id in ids:
        store.delete_entity(entity_id)


def test_many_steps_at_once(store: Any) -> None:
    ids = [f"many{number}" for number in range(5)]
    for entity_id in ids:
        store.delete_entity(entity_id)
    pattern = EntityChange("", 0, "a", {}, history={}, metadata={"machine_name": "m", "is_terminal": False})
    assert store.create_many(pattern, [(entity_id, {"k": number}) for number, entity_id in enumerate(ids[:4])]) == 4
    assert store.create_many(pattern, [(entity_id, {"k": 9}) for entity_id in ids]) == 1
    rows = store.load_many([*ids, "many-none"])
    assert [(rows[entity_id].state, rows[entity_id].context["k"]) for entity_id in ids] == [
        ("a", 0), ("a", 1), ("a", 2), ("a", 3), ("a", 9),
    ]  # fmt: skip
    assert rows["many-none"].version == 0
    line = TransitionRow("a", "b", "go", actions_executed=("act",), transition_id="many")
    todo = OutboxRow("o", "many", 0, "act")
    changes = [
        EntityChange(ids[0], 1, "b", {"k": 5}, history={}, transitions=(line,), outbox=(todo,)),
        EntityChange(ids[1], 7, "b", {"k": 5}, history={}, transitions=(line,)),
        EntityChange(ids[2], patch={"p": [1]}, removed=("k",)),
        EntityChange(ids[3], 1, "c", {}, history={}, arm_timers=(TimerRow("c#0", "t", datetime.now(UTC)),)),
        EntityChange("many-none", 0, "a", {}, history={}),
    ]  # fmt: skip
    outcomes = store.commit_many(changes)
    assert [outcome if isinstance(outcome, int) else type(outcome) for outcome in outcomes] == [
        2, StaleVersionError, 2, 2, 1,
    ]  # fmt: skip
    kept = store.load_many([*ids, "many-none"])
    assert [(kept[entity_id].state, dict(kept[entity_id].context)) for entity_id in ids] == [
        ("b", {"k": 5}), ("a", {"k": 1}), ("a", {"p": [1]}), ("c", {}), ("a", {"k": 9}),
    ]  # fmt: skip
    assert [len(store.get_transition_history(entity_id)) for entity_id in ids] == [1, 0, 0, 0, 0]
    assert [len(store.get_timers(entity_id)) for entity_id in ids] == [0, 0, 0, 1, 0]
    assert [row.outbox_id for row in store.get_outbox(ids[0])] == ["o"]
    assert not isinstance(store.commit_many([EntityChange(ids[0], settled={"o": DONE})])[0], Exception)
    assert store.get_outbox(ids[0]) == []
    assert store.load(ids[0]).version == 2
    store.delete_entity("many-none")


def test_only_crossing_off_does_not_wait_for_the_disk(request: pytest.FixtureRequest) -> None:
    """A server's crash may take it back, and the action is done again; everything else must be there."""
    seen: list[str] = []

    class Watching(PostgresStateStore):
        def _commit(self, change: EntityChange) -> Any:
            seen.append((yield "SHOW synchronous_commit", ())[0][0])
            return (yield from super()._commit(change))

        def _commit_many(self, changes: Any) -> Any:
            seen.append((yield "SHOW synchronous_commit", ())[0][0])
            return (yield from super()._commit_many(changes))

    e, store = f"e{uuid4().hex}", Watching(request.getfixturevalue("fsm_database"))
    store.connect(auto_initialize=True)
    off, held = EntityChange(e, settled={"x": DONE}), Settlement("done", fence=1)
    lasting = [
        EntityChange(e, 0, "a", {}),
        EntityChange(e, patch={"k": 1}, settled={"x": DONE}),
        EntityChange(e, settled={"x": DONE}, cancel_timers=("a",)),
        EntityChange(e, answer=AnswerRow(e, {}, 60.0), settled={"x": DONE}),
        EntityChange(e, settled={"x": DONE}, outbox=(OutboxRow(f"{e}/0", "t", 0, "act"),)),
        EntityChange(e),
    ]
    for change in lasting:
        store.commit(change)
    store.commit_many([off, EntityChange(e, patch={"k": 2})])
    store.commit(off)
    store.commit(EntityChange(e, settled={f"{e}/0": Settlement("failed", "later")}))
    store.commit_many([off, off])
    asyncio.run(store.acommit(off))
    with pytest.raises(LeaseLostError):
        store.commit(EntityChange(e, settled={"x": held}))
    store.disconnect()
    assert seen == ["on"] * 7 + ["off", "on", "off", "off", "off"]


def test_a_timer_ends_with_the_step_that_it_causes(store: Any) -> None:
    now, later = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC)
    waiting = TimerRow("a#0", "late", later, now, 5, {"k": 1})
    sent = TimerRow("#mail", "reply", later, now)
    store.commit(EntityChange("e", 0, "a", {}, metadata={"machine_name": "m"}, arm_timers=(waiting, sent)))
    assert {timer.timer_key for timer in store.get_timers("e")} == {"#mail", "a#0"}
    assert next(timer for timer in store.get_timers("e") if timer.timer_key == "a#0") == waiting
    # Of another stay, or gone: nothing is kept.
    for spent in (SpentTimer("e", "a#0", later), SpentTimer("e", "b#0"), SpentTimer("none", "a#0")):
        with pytest.raises(TimerGoneError):
            store.commit(EntityChange("e", 1, "b", spent=spent))
    assert (store.load("e").state, store.load("e").version) == ("a", 1)
    assert store.commit(EntityChange("e", 1, "b", cancel_timers=("a",), spent=SpentTimer("e", "a#0", now))) == 2
    assert [timer.timer_key for timer in store.get_timers("e")] == ["#mail"]
    # A message to somebody else ends with the other's step.
    store.commit(EntityChange("f", 0, "a", {}, spent=SpentTimer("e", "#mail", now)))
    assert (store.get_timers("e"), store.get_state("f"), store.load("e").state) == ([], "a", "b")
    with pytest.raises(TimerGoneError):
        store.commit(EntityChange("f", 1, "b", spent=SpentTimer("e", "#mail", now)))
    # One that is refused ends without a step.
    store.commit(EntityChange("e", 2, "c", arm_timers=(waiting, sent)))
    version = store.load("e").version
    store.commit(EntityChange("e", spent=SpentTimer("e", "a#0", now), cancel_keys=("#mail",)))
    assert (store.get_timers("e"), store.load("e").version) == ([], version)


def test_a_lent_connection_ends_its_transactions_itself(tmp_path: Path) -> None:
    with create_state_store(f"sqlite:///{tmp_path / 'lent.db'}") as store:
        with store.session_scope() as session:
            SessionStateStore(session).set_state("a", "kept")
            session.commit()
            SessionStateStore(session).set_state("b", "not kept")
            session.rollback()
            SessionStateStore(session).set_state("c", "kept")
        assert [store.get_state(entity_id) for entity_id in "abc"] == ["kept", None, "kept"]

        def write_and_fail() -> None:
            with store.session_scope() as session:
                SessionStateStore(session).set_state("d", "kept")
                session.commit()
                SessionStateStore(session).set_state("e", "not kept")
                raise KeyError

        with pytest.raises(KeyError):
            write_and_fail()
        assert [store.get_state(entity_id) for entity_id in "de"] == ["kept", None]
        store.set_state("f", "kept")
        assert store.get_state("f") == "kept"
