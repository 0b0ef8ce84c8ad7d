"""Events that wait in databases."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from spikard.fsm import (
    DatabaseEventSource,
    EventSource,
    PostgresStateStore,
    QueueClient,
    QueueEventState,
    QueueSummary,
    WorkerConfig,
    WorkerEvent,
    submit_event,
    submit_event_in,
    submit_event_in_sync,
    submit_event_sync,
)
from spikard.fsm.queue.database import DatabaseApplyDataEventSource
from spikard.fsm.queue.event import WorkerApplyDataEvent
from spikard.fsm.queue.table import EVENTS, ordered_id


@pytest.fixture(scope="session")
def queue_database(postgres_url: str) -> Iterator[str]:
    """URL of a database of our own, with tables."""
    name = f"fsm_{uuid4().hex}"
    asyncio.run(execute(postgres_url, f"CREATE DATABASE {name}"))
    url = postgres_url.rpartition("/")[0] + f"/{name}"
    store = PostgresStateStore(url)
    store.connect(auto_initialize=True)
    store.disconnect()
    yield url
    asyncio.run(execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('tmp_path')}/queue.db"
    found: str = request.getfixturevalue("queue_database")
    tables = "worker_events, spikard_fsm.worker_apply_data_events"
    asyncio.run(execute(found, f"TRUNCATE spikard_fsm.{tables}"))
    return found


def with_source(
    url: str, run: Callable[[DatabaseEventSource], Awaitable[None]], *, source: Any = None, **settings: Any
) -> None:
    async def main() -> None:
        made = (source or DatabaseEventSource)(url, WorkerConfig(db_url=url, **settings))
        try:
            await run(made)
        finally:
            await made.close()

    asyncio.run(main())


def event(entity_id: str, trigger: str = "go", **options: Any) -> WorkerEvent:
    return WorkerEvent("m", entity_id, trigger, **options)


def test_ids_grow() -> None:
    ids = [ordered_id() for _ in range(2000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 2000
    assert all(text[14] == "7" and text[19] in "89ab" for text in ids)


def test_an_event_comes_and_goes(url: str) -> None:
    async def run(source: DatabaseEventSource) -> None:
        event_id = await source.submit(event("e", context={"a": 1}))
        assert await source.pending_count() == 1
        claimed = await source.claim_next("w")
        assert claimed is not None
        assert (claimed.event_id, claimed.machine_name, claimed.entity_id, claimed.trigger) == (
            event_id,
            "m",
            "e",
            "go",
        )
        assert (claimed.context, claimed.attempt, claimed.max_attempts, claimed.fence) == ({"a": 1}, 1, 5, 1)
        assert abs(datetime.now(UTC) - claimed.claimed_at) < timedelta(minutes=1)
        assert await source.claim_next("w") is None
        await source.complete(event_id, {"success": True})
        row = await source.queue.ado(lambda: EVENTS.status(event_id))
        assert row[1] == "completed"
        assert await source.pending_count() == 0
        assert await source.health_check()

    with_source(url, run)


def test_of_an_entity_one_event_at_a_time_in_order(url: str) -> None:
    async def run(source: DatabaseEventSource) -> None:
        for trigger in ("one", "two", "three"):
            await source.submit(event("a", trigger))
        await source.submit(event("b", "other"))
        seen = []
        first = await source.claim_batch("w", 10)
        assert [(claimed.entity_id, claimed.trigger) for claimed in first] == [("a", "one"), ("b", "other")]
        await source.complete(first[0].event_id)
        while (claimed := await source.claim_next("w")) is not None:
            seen.append(claimed.trigger)
            await source.complete(claimed.event_id)
        assert seen == ["two", "three"]

    with_source(url, run)


def test_an_event_that_is_tried_again_is_not_overtaken(url: str) -> None:
    async def run(source: DatabaseEventSource) -> None:
        await source.submit(event("a", "one"))
        await source.submit(event("a", "two"))
        claimed = await source.claim_next("w")
        assert claimed is not None
        await source.fail(claimed.event_id, "not now")
        assert await source.claim_next("w") is None

    with_source(url, run, retry_backoff_base_ms=60_000)


def test_the_last_attempt_is_the_last(url: str) -> None:
    async def run(source: DatabaseEventSource) -> None:
        event_id = await source.submit(event("a", max_attempts=2))
        for attempt in (1, 2):
            claimed = await source.claim_next("w")
            assert claimed is not None
            assert claimed.attempt == attempt
            await source.fail(event_id, "no")
        assert await source.claim_next("w") is None
        row = await source.queue.ado(lambda: EVENTS.status(event_id))
        assert row[1] == "dead_letter"
        assert row[6] == "no"

    with_source(url, run, retry_backoff_base_ms=0)


def test_who_has_lost_the_lease_settles_nothing(url: str) -> None:
    async def run(source: DatabaseEventSource) -> None:
        event_id = await source.submit(event("a"))
        first = await source.claim_next("slow")
        assert first is not None
        await source.queue.ado(lambda: lapse(event_id))
        assert await source.queue.sweep() == []
        second = await source.claim_next("quick")
        assert second is not None
        assert (second.event_id, second.attempt, second.fence) == (event_id, 2, 2)
        assert not await source.extend(event_id, fence=first.fence)
        await source.complete(event_id, {"by": "slow"}, fence=first.fence)
        assert (await source.queue.ado(lambda: EVENTS.status(event_id)))[1] == "claimed"
        assert await source.extend(event_id, fence=second.fence)
        await source.complete(event_id, {"by": "quick"}, fence=second.fence)
        assert (await source.queue.ado(lambda: EVENTS.status(event_id)))[1] == "completed"

    with_source(url, run)


def test_many_leases_are_renewed_at_once(url: str) -> None:
    async def run(source: DatabaseEventSource) -> None:
        ids = await source.submit_many([event(name) for name in "abc"])
        claimed = await source.claim_batch("w", 10)
        assert [one.event_id for one in claimed] == ids
        for event_id in ids:
            await source.queue.ado(lambda event_id=event_id: lapse(event_id))
        await source.queue.extend_many([(ids[0], 1), (ids[1], 7)])
        await source.queue.sweep()
        states = [(await source.queue.ado(lambda event_id=event_id: EVENTS.status(event_id)))[1] for event_id in ids]
        assert states == ["claimed", "pending", "pending"]

    with_source(url, run)


def test_many_events_are_taken_in_together(url: str) -> None:
    async def run(source: DatabaseEventSource) -> None:
        earlier = await source.submit(event("a", idempotency_key="k1"))
        keys = {"b": None, "c": "k1", "d": "k2", "e": "k2"}
        events = [event(name, idempotency_key=key) for name, key in keys.items()]
        ids = await source.submit_many(events)
        assert ids[1] == earlier
        assert ids[2] == ids[3]
        assert len(set(ids)) == 3
        assert await source.pending_count() == 3
        many = await source.submit_many([event(f"x{number}") for number in range(2500)])
        assert len(set(many)) == 2500
        assert many == sorted(many)
        assert await source.submit_many([]) == []

    with_source(url, run)


def test_an_event_that_kills_its_workers_is_given_up(url: str) -> None:
    async def run(source: DatabaseEventSource) -> None:
        event_id = await source.submit(event("a", max_attempts=1))
        assert await source.claim_next("w") is not None
        await source.queue.ado(lambda: lapse(event_id))
        assert [row[0] for row in await source.queue.sweep()] == [event_id]
        assert (await source.queue.ado(lambda: EVENTS.status(event_id)))[1] == "dead_letter"

    with_source(url, run)


def test_who_claims_without_a_worker_gets_what_others_let_lapse(url: str) -> None:
    async def run(source: DatabaseEventSource) -> None:
        event_id = await source.submit(event("a"))
        assert await source.claim_next("gone") is not None
        other = DatabaseEventSource(url)
        assert await other.claim_next("w") is None
        await other.close()
        await source.queue.ado(lambda: lapse(event_id))
        other = DatabaseEventSource(url)
        again = await other.claim_next("w")
        assert again is not None
        assert (again.event_id, again.attempt) == (event_id, 2)
        await other.close()

    with_source(url, run)


def lapse(event_id: str) -> Any:
    yield "UPDATE {s}worker_events SET lease_until = created_at WHERE id = ?", (event_id,)


def test_later_events_wait(url: str) -> None:
    async def run(source: DatabaseEventSource) -> None:
        await source.submit(event("a", "later", fires_at=datetime.now(UTC) + timedelta(hours=1)))
        await source.submit(event("a", "now"))
        claimed = await source.claim_next("w")
        assert claimed is not None
        assert claimed.trigger == "now"
        await source.complete(claimed.event_id)
        assert await source.claim_next("w") is None

    with_source(url, run)


def test_a_released_event_was_never_claimed(url: str) -> None:
    async def run(source: DatabaseEventSource) -> None:
        event_id = await source.submit(event("a"))
        assert await source.claim_next("w") is not None
        await source.queue.release(event_id)
        again = await source.claim_next("w")
        assert again is not None
        assert again.attempt == 1

    with_source(url, run)


def test_many_who_claim_at_once_never_hold_two_of_an_entity(url: str) -> None:
    async def run(source: DatabaseEventSource) -> None:
        for number in range(60):
            await source.submit(event(f"e{number % 3}", f"t{number}"))
        held: set[str] = set()
        seen: dict[str, list[int]] = {}

        async def work(name: str) -> None:
            while await source.pending_count():
                for claimed in await source.claim_batch(name, 2):
                    assert claimed.entity_id not in held
                    held.add(claimed.entity_id)
                    await asyncio.sleep(0)
                    seen.setdefault(claimed.entity_id, []).append(int(claimed.trigger[1:]))
                    held.remove(claimed.entity_id)
                    await source.complete(claimed.event_id, fence=claimed.fence)

        await asyncio.gather(*(work(f"w{number}") for number in range(6)))
        assert sum(map(len, seen.values())) == 60
        assert all(numbers == sorted(numbers) for numbers in seen.values())

    with_source(url, run)


def test_submitting_twice_with_one_key_is_submitting_once(url: str) -> None:
    first = submit_event_sync("m", "e", "go", idempotency_key="k", db_url=url)
    again = asyncio.run(submit_event("m", "e", "go", idempotency_key="k", db_url=url))
    assert first == again
    assert submit_event_sync("m", "e", "go", db_url=url) != first


def test_the_client_follows_what_it_submits(url: str) -> None:
    client = QueueClient.from_url(url)
    event_id = client.submit_apply_data(machine="m", entity_id="e", data={"a": 1}, idempotency_key="k")
    assert client.submit_apply_data(machine="m", entity_id="e", idempotency_key="k") == event_id
    status = client.get_event_status(event_id)
    assert status is not None
    assert (status.state, status.machine, status.entity_id, status.attempts) == (QueueEventState.QUEUED, "m", "e", 0)
    assert client.wait_for_event(event_id, timeout_s=0.02, poll_interval_s=0.01) == status
    assert client.get_summary() == QueueSummary(queued=1, total=1)

    async def run(source: DatabaseApplyDataEventSource) -> None:
        await source.submit(WorkerApplyDataEvent("m", "f", {"b": 2}))
        claimed = await source.claim_next("w")
        assert claimed is not None
        assert (claimed.event_id, claimed.data) == (event_id, {"a": 1})
        await source.complete(event_id, {"final_state": "x"})

    with_source(url, run, source=DatabaseApplyDataEventSource)
    done = client.wait_for_event(event_id, timeout_s=5)
    assert done is not None
    assert (done.state, done.result, done.attempts) == (QueueEventState.SUCCEEDED, {"final_state": "x"}, 1)
    page = client.list_events(state="queued")
    assert (page.total, [item.entity_id for item in page.items]) == (1, ["f"])
    assert client.list_events(machine="other").items == []
    assert client.get_event_status("unknown") is None
    client.close()


def test_the_client_in_memory() -> None:
    client = QueueClient.in_memory()
    event_id = client.submit_apply_data(machine="m", entity_id="e", idempotency_key="k")
    assert client.submit_apply_data(machine="m", entity_id="e", idempotency_key="k") == event_id
    assert client.get_summary() == QueueSummary(queued=1, total=1)
    later = client.submit_apply_data(machine="m", entity_id="f")
    assert [item.event_id for item in client.list_events(entity_id="e").items] == [event_id]
    assert [item.event_id for item in client.list_events().items] == [event_id, later]
    with pytest.raises(ValueError, match="'bogus' is not a valid QueueEventState"):
        client.list_events(state="bogus")


def test_events_wait_in_sql_only() -> None:
    with pytest.raises(ValueError, match="SQLite or PostgreSQL"):
        DatabaseEventSource("memory://")
    assert issubclass(DatabaseEventSource, EventSource)


def test_numbers_of_a_worker_may_be_text() -> None:
    assert (WorkerConfig(concurrency="4").concurrency, WorkerConfig(poll_interval_ms="10").poll_interval_ms) == (4, 10)  # type: ignore[arg-type] # as in the environment
    with pytest.raises(ValueError, match="many"):
        WorkerConfig(concurrency="many")  # type: ignore[arg-type] # no number


def test_settings_come_from_arguments_environment_file(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spikard.toml").write_text("[fsm]\ndatabase_url = 'sqlite:///app.db'\n[fsm.worker]\nconcurrency = 7\n")
    monkeypatch.setenv("SPIKARD_FSM_WORKER_POLL_INTERVAL_MS", "20")
    monkeypatch.setenv("SPIKARD_FSM_WORKER_NOTIFY", "off")
    config = WorkerConfig(batch_size=3)
    assert (config.concurrency, config.poll_interval_ms, config.notify, config.batch_size) == (7, 20, False, 3)
    assert config.resolve_db_url() == config.resolve_dlq_database_url() == "sqlite:///app.db"
    assert WorkerConfig(concurrency=2).concurrency == 2
    monkeypatch.setenv("SPIKARD_FSM_WORKER_CONCURRENCY", "many")
    with pytest.raises(ValueError, match="SPIKARD_FSM_WORKER_CONCURRENCY must be of type int"):
        WorkerConfig()


def test_keys_that_are_no_settings_are_told_of_once(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spikard.toml").write_text("[fsm.worker]\nconcurency = 7\nbatch_size = 3\nxyz = 1\n")
    assert [WorkerConfig().batch_size for _ in range(2)] == [3, 3]
    place = f"[fsm.worker] of {tmp_path / 'spikard.toml'} is no setting"
    assert [record.getMessage() for record in caplog.records] == [
        f"'concurency' in {place}; did you mean 'concurrency'?",
        f"'xyz' in {place}",
    ]


async def test_an_event_is_there_once_the_caller_s_transaction_is(url: str) -> None:
    about = {"context": {"k": 1}, "idempotency_key": "once"}
    source = DatabaseEventSource(url)
    assert await source.pending_count() == 0
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            assert submit_event_in_sync(connection, "m", "e", "go", **about)
            connection.rollback()
            assert await source.pending_count() == 0
            kept = await submit_event_in(connection, "m", "e", "go", fires_at=datetime.now(UTC), **about)
            assert submit_event_in_sync(connection, "m", "e", "go", **about) == kept
            connection.commit()
    else:
        connection = await asyncpg.connect(url)
        undone = connection.transaction()
        await undone.start()
        await submit_event_in(connection, "m", "e", "go", **about)
        await undone.rollback()
        assert await source.pending_count() == 0
        async with connection.transaction():
            kept = await submit_event_in(connection, "m", "e", "go", fires_at=datetime.now(UTC), **about)
        await connection.close()
    claimed = await source.claim_next("w")
    assert claimed is not None
    assert (claimed.event_id, claimed.context) == (kept, {"k": 1})
    await source.close()


async def test_other_connections_are_refused() -> None:
    with pytest.raises(TypeError, match="asyncpg or sqlite3, not object"):
        await submit_event_in(object(), "m", "e", "go")
    with pytest.raises(TypeError, match="await submit_event_in"):
        submit_event_in_sync(object(), "m", "e", "go")  # type: ignore[arg-type]


@pytest.mark.parametrize("stated", [5, 7])
def test_the_worker_s_settings_say_how_often_where_nobody_else_has(url: str, stated: int) -> None:
    async def run(source: Any) -> None:
        await source.submit(WorkerApplyDataEvent("m", "e", {"k": 1}, max_attempts=stated))
        claimed = await source.claim_next("w")
        assert claimed.max_attempts == (2 if stated == 5 else stated)

    with_source(url, run, source=DatabaseApplyDataEventSource, apply_data_max_attempts=2, max_attempts=3)
