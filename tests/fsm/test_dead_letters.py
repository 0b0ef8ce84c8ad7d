"""Dead letters: one contract for all stores, retries, forgetting."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest

from spikard.fsm import (
    BackoffStrategy,
    DatabaseApplyDataEventSource,
    DatabaseDeadLetterStore,
    DatabaseEventSource,
    DeadLetterRecord,
    DeadLetterStore,
    DLQClient,
    DLQConfig,
    DLQError,
    DLQStatus,
    EntityChange,
    FileDeadLetterStore,
    InMemoryDeadLetterStore,
    QueryResult,
    RecordNotFoundError,
    RetentionPolicy,
    RetryConfig,
    RetryEngine,
    RetryPolicy,
    RetryResult,
    SimulatedClock,
    SQLiteStateStore,
    SyncDeadLetterStore,
    TTLCleaner,
    compute_delay,
    create_store,
)  # fmt: skip
from spikard.fsm.stores.row import OutboxRow, Settlement

MAKERS: dict[str, Callable[[Path], DeadLetterStore]] = {
    "memory": lambda path: InMemoryDeadLetterStore(),
    "file": lambda path: FileDeadLetterStore(path / "letters"),
    "sqlite": lambda path: DatabaseDeadLetterStore(f"sqlite:///{path}/letters.db"),
}


@pytest.fixture(params=MAKERS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[DeadLetterStore]:
    made = MAKERS[request.param](tmp_path)
    yield made
    if isinstance(made, DatabaseDeadLetterStore):
        await made.close()


def letter(number: int = 0, **values: Any) -> DeadLetterRecord:
    created = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(seconds=number)
    return DeadLetterRecord(**{"source_name": "s", "payload": {"i": number}, "created_at": created, **values})


async def test_records_come_back_as_they_were(store: DeadLetterStore) -> None:
    record = letter(reason="guard_rejected", stage="worker", expires_at=datetime(2027, 1, 1, tzinfo=UTC))
    await store.add(record)
    assert await store.get(record.record_id) == record
    assert await store.get("nothing") is None
    assert isinstance(store, DeadLetterStore)


async def test_pages(store: DeadLetterStore) -> None:
    assert await store.add_batch([letter(i, reason=f"r{i % 2}") for i in range(5)]) == 5
    first = await store.query(source_name="s", limit=2)
    assert [record.payload["i"] for record in first.records] == [4, 3]
    assert (first.total, first.has_more) == (5, True)
    second = await store.query(cursor=first.next_cursor, limit=3)
    assert [record.payload["i"] for record in second.records] == [2, 1, 0]
    assert (second.has_more, second.next_cursor) == (False, None)
    assert (await store.query(reason="r0", offset=1)).total == 3
    with pytest.raises(ValueError, match="not a cursor"):
        await store.query(cursor="x")


async def test_what_becomes_of_them(store: DeadLetterStore) -> None:
    records = [letter(i, stage="worker") for i in range(3)]
    await store.add_batch(records)
    ids = [record.record_id for record in records]
    assert await store.mark_retry(ids[0])
    assert await store.resolve(ids[1])
    assert await store.ignore(ids[2])
    assert not await store.resolve("nothing")
    tried = await store.get(ids[0])
    assert (tried.status, tried.retry_count) == (DLQStatus.RETRYING, 1)
    statistics = await store.statistics()
    assert statistics.by_status == {"retrying": 1, "resolved": 1, "ignored": 1}
    assert statistics.by_stage == {"worker": 3}
    assert (await store.statistics("nobody")).total == 0
    assert await store.purge_resolved(datetime(2026, 1, 1, tzinfo=UTC)) == 0
    assert await store.purge_resolved() == 1
    assert (await store.get(ids[2])).status is DLQStatus.IGNORED


async def test_forgetting(store: DeadLetterStore) -> None:
    await store.add_batch([letter(expires_at=datetime(2026, 5, 2, tzinfo=UTC)), letter(), letter()])
    await store.resolve((await store.query()).records[0].record_id)
    clock = SimulatedClock(datetime.now(UTC))
    cleaner = TTLCleaner(store, RetentionPolicy(ttl_seconds=60, resolved_retention_seconds=60), clock=clock)
    first = await cleaner.cleanup_once()
    assert first.expired_purged == 1
    clock.advance(120)
    assert first.resolved_purged + (await cleaner.cleanup_once()).resolved_purged <= 1
    assert (await store.statistics()).total >= 1


async def test_memory_is_bounded() -> None:
    store = InMemoryDeadLetterStore(max_size=2)
    records = [letter(i) for i in range(3)]
    await store.add_batch(records)
    assert await store.get(records[0].record_id) is None
    assert (await store.statistics()).total == 2


async def test_a_file_cannot_be_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        await FileDeadLetterStore(tmp_path).add(letter(record_id="../x"))


@pytest.mark.parametrize("swapped", [False, True])
async def test_retries(swapped: bool) -> None:
    store, clock = InMemoryDeadLetterStore(), SimulatedClock(datetime.now(UTC))
    await store.add_batch([letter(i) for i in range(3)])

    async def handle(record: DeadLetterRecord) -> bool:
        if record.payload["i"] == 2:
            raise ValueError("broken")
        return record.payload["i"] == 0

    policy = RetryPolicy(max_retries=2, base_delay_seconds=100)
    engine = RetryEngine(store, *((policy, handle) if swapped else (handle, policy)), clock=clock)
    assert await engine.process_pending() == RetryResult(processed=3, succeeded=1, failed=2)
    assert await engine.run_once() == RetryResult()
    clock.advance(101)
    assert await engine.run_once() == RetryResult(processed=2, failed=2)
    clock.advance(300)
    assert await engine.run_once() == RetryResult(processed=2, ignored=2)
    assert (await store.statistics()).by_status == {"resolved": 1, "ignored": 2}


async def test_only_reasons_that_are_named_are_tried() -> None:
    store, seen = InMemoryDeadLetterStore(), []
    await store.add_batch([letter(reason="a"), letter(reason="b")])

    async def handle(record: DeadLetterRecord) -> bool:
        seen.append(record.reason)
        return True

    await RetryEngine(store, handle, RetryPolicy(retryable_reasons=frozenset({"b"}))).run_once()
    assert seen == ["b"]


@pytest.mark.parametrize(
    ("strategy", "delays"), [("fixed", [1, 1, 1]), ("linear", [1, 2, 3]), ("exponential", [1, 2, 4])]
)
def test_pauses(strategy: str, delays: list[float]) -> None:
    policy = RetryPolicy(backoff=BackoffStrategy(strategy), max_delay_seconds=3.5)
    assert [compute_delay(policy, n) for n in range(3)] == [min(delay, 3.5) for delay in delays]
    assert compute_delay(RetryPolicy(), 10_000) == 300


def test_operators_need_no_loop(tmp_path: Path) -> None:
    store = SyncDeadLetterStore(create_store(DLQConfig(backend="file", storage_path=str(tmp_path))))
    record = letter()
    store.add(record)
    client = DLQClient(store)
    assert client.get(record.record_id) == record
    assert client.mark_retrying(record.record_id)
    assert client.resolve(record.record_id)
    assert client.query(status="resolved").total == 1
    assert client.statistics().total == 1
    store.close()


def test_settings() -> None:
    assert isinstance(create_store(DLQConfig()), InMemoryDeadLetterStore)
    with pytest.raises(ValueError, match="storage_path is required"):
        create_store(DLQConfig(backend="file"))
    with pytest.raises(ValueError, match="must be one of memory"):
        DLQConfig(backend="nope")


def test_configurations_are_made_of_plain_data() -> None:
    given = {"retry": {"max_retries": 7, "backoff": "fixed"}, "retention": {"ttl_seconds": 5}}
    config = DLQConfig.model_validate(given)
    assert (config.retry.max_retries, config.retry.backoff) == (7, BackoffStrategy.FIXED)
    assert config.retention.ttl_seconds == 5
    assert DLQConfig(**config.model_dump()) == config
    assert compute_delay(RetryPolicy(backoff="linear"), 2) == 3.0  # type: ignore[arg-type] # its text
    with pytest.raises(ValueError, match="cubic"):
        RetryConfig(backoff="cubic")  # type: ignore[arg-type] # no strategy


@pytest.mark.parametrize("kind", ["event", "data"])
def test_letters_go_back_into_their_queue(kind: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/fsm.db"
    if kind == "event":
        body: dict[str, Any] = {"stage": "worker", "payload": {"entity_id": "e", "trigger": "go", "context": {"n": 1}}}
    else:
        body = {"stage": "worker_apply_data", "payload": {"entity_id": "e", "data": {"n": 1}}}
    record = letter(reason="max_retries_exhausted", max_attempts=7, **{**body, "source_name": "order"})
    SyncDeadLetterStore(kept := DatabaseDeadLetterStore(url)).add(record)
    client = DLQClient(url)
    event_id = client.redrive(record.record_id)
    settled = client.get(record.record_id)
    assert settled is not None
    assert settled.status is DLQStatus.RESOLVED

    async def claimed() -> Any:
        source = DatabaseEventSource(url) if kind == "event" else DatabaseApplyDataEventSource(url)
        try:
            return await source.claim_next("w")
        finally:
            await source.close()

    event = asyncio.run(claimed())
    assert (event.event_id, event.machine_name, event.entity_id, event.max_attempts) == (event_id, "order", "e", 7)
    assert (event.context if kind == "event" else event.data) == {"n": 1}
    client.close()
    asyncio.run(kept.close())


def test_actions_that_were_given_up_are_tried_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/fsm.db"
    with SQLiteStateStore(url) as store:
        store.commit(EntityChange("e", 0, "a", {}, outbox=(OutboxRow("o", "t", 0, "act"),)))
        store.commit(EntityChange("e", settled={"o": Settlement("dead", "no")}))
        client = DLQClient(url)
        client._store.add(letter(stage="outbox", record_id="r", payload={"outbox_id": "o", "entity_id": "e"}))
        assert store.get_outbox("e") == []
        assert client.redrive("r") == "o"
        assert [row.outbox_id for row in store.get_outbox("e")] == ["o"]
        with pytest.raises(DLQError, match="action o does not wait to be tried again"):
            client.redrive("r")
        client.close()


def test_letters_that_cannot_go_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/fsm.db"
    client = DLQClient(url)
    with pytest.raises(RecordNotFoundError, match="DLQ record not found: nothing") as caught:
        client.redrive("nothing")
    assert caught.value.record_id == "nothing"
    client._store.add(letter(stage="ours", record_id="r"))
    with pytest.raises(DLQError, match="record r comes from stage 'ours', which has no queue"):
        client.redrive("r")
    client.close()


def test_a_client_of_what_is_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_FSM_WORKER_DLQ_DATABASE_URL", f"sqlite:///{tmp_path}/letters.db")
    monkeypatch.setenv("SPIKARD_FSM_WORKER_DLQ_TABLE_NAME", "letters")
    client = DLQClient.from_config()
    assert client.statistics().total == 0
    client.close()
    assert (tmp_path / "letters.db").exists()


async def test_somebody_is_told_of_new_letters(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []

    def tell(record: DeadLetterRecord) -> None:
        told.append(record.record_id)
        raise ValueError("cannot listen")

    store = DatabaseDeadLetterStore(f"sqlite:///{tmp_path}/letters.db", on_add=tell)
    await store.add(record := letter())
    assert (told, await store.get(record.record_id)) == ([record.record_id], record)
    assert "on_add of dead letters failed" in caplog.text
    await store.close()


def test_settings_out_of_plain_data() -> None:
    assert RetryConfig.model_validate({"backoff": "linear"}).backoff is BackoffStrategy.LINEAR
    assert DLQConfig(retention={"ttl_seconds": 5}).retention.model_dump()["ttl_seconds"] == 5  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="RetryConfig has no 'tries'"):
        DLQConfig.model_validate({"retry": {"tries": 3}})


def test_settings_check_themselves_and_become_plain_data() -> None:
    config = DLQConfig(max_memory_size="12", retry={"backoff": "fixed"})  # type: ignore[arg-type] # as in files
    assert (config.max_memory_size, config.retry) == (12, RetryConfig(backoff=BackoffStrategy.FIXED))
    assert config.model_dump(mode="json", exclude_none=True)["retry"]["backoff"] == "fixed"
    assert "storage_path" not in config.model_dump(exclude_none=True)
    assert json.loads(config.model_dump_json())["max_memory_size"] == 12
    assert config.model_copy(update={"enabled": False}) == DLQConfig(
        enabled=False, max_memory_size=12, retry=RetryConfig(backoff=BackoffStrategy.FIXED)
    )
    config.enabled = False
    for wrong in ({"max_memory_size": "many"}, {"enabled": "perhaps"}, {"retry": 3}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))} of DLQConfig does not fit"):
            DLQConfig(**wrong)


async def test_an_id_is_kept_once(store: DeadLetterStore) -> None:
    await store.add(record := letter())
    await store.add(replace(record, reason="another"))
    assert await store.add_batch([replace(record, reason="a third"), letter()]) == 2
    assert (await store.query()).total == 2
    assert await store.get(record.record_id) == record


async def test_a_letter_is_tried_once_a_round() -> None:
    store = AsyncMock(spec=InMemoryDeadLetterStore)
    store.query.return_value = QueryResult([letter()], 1, False)
    handler = AsyncMock(return_value=True)
    assert await RetryEngine(store, handler, RetryPolicy()).process_pending() == RetryResult(1, 1, 0, 0)
    store.mark_retry.assert_awaited_once()


def test_a_setting_that_there_is_not_is_a_wrong_value_and_a_wrong_argument() -> None:
    for kind in (ValueError, TypeError):
        with pytest.raises(kind, match="DLQConfig has no 'unknown'"):
            DLQConfig(unknown=1)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="RetryConfig has no 'tries'"):
        DLQConfig(retry={"tries": 1})  # type: ignore[arg-type]
