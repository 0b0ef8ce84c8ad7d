"""One contract for all stores of offsets."""

import asyncio
from typing import Any

import pytest

from spikard.bots.fsm import Record, StorageKey
from spikard.bots.offsets import Finish, JournalEntry, OffsetStore, Write


def entries(*numbers: int) -> list[JournalEntry]:
    return [JournalEntry(number, f'{{"eventId":{number},"text":"\\u0000 ä"}}'.encode()) for number in numbers]


async def test_a_batch_is_kept_with_its_offset(offsets: OffsetStore) -> None:
    assert isinstance(offsets, OffsetStore)
    assert await offsets.last_id("1") == 0
    await offsets.take("1", 12, entries(10, 11, 9))
    await offsets.take("2", 5, [])
    assert (await offsets.last_id("1"), await offsets.last_id("2"), await offsets.last_id("3")) == (12, 5, 0)
    assert await offsets.pending("1") == entries(9, 10, 11)
    assert await offsets.pending("1", after=9, limit=1) == entries(10)
    assert await offsets.pending("2") == []


async def test_an_offset_does_not_go_back_and_entries_are_not_replaced(offsets: OffsetStore) -> None:
    await offsets.take("1", 12, entries(9))
    assert await offsets.begin("1", 9, 2)
    await offsets.take("1", 9, [JournalEntry(9, b"other")])
    assert await offsets.last_id("1") == 12
    assert await offsets.pending("1") == [entries(9)[0]._replace(attempts=2)]


async def test_a_large_batch_is_kept_whole(offsets: OffsetStore) -> None:
    await offsets.take("1", 1000, entries(*range(1000)))
    first = await offsets.pending("1", limit=700)
    rest = await offsets.pending("1", after=first[-1].event_id)
    assert [entry.event_id for entry in first + rest] == list(range(1000))


async def test_what_is_done_is_gone_once(offsets: OffsetStore) -> None:
    await offsets.take("1", 2, entries(1, 2))
    assert await offsets.finish("1", 1) is Finish.DONE
    assert await offsets.finish("1", 1) is Finish.GONE
    assert not await offsets.begin("1", 1, 1)
    assert await offsets.pending("1") == entries(2)


async def test_what_is_given_up_can_be_seen_and_put_back(offsets: OffsetStore) -> None:
    await offsets.take("1", 3, entries(1, 2, 3))
    await offsets.begin("1", 1, 3)
    await offsets.bury("1", 1, "it ends the process")
    await offsets.bury("1", 2, "too")
    await offsets.bury("1", 77, "nothing there")
    first, second = await offsets.dead("1")
    assert (first.event_id, first.raw, first.attempts, first.error) == (1, entries(1)[0].raw, 3, "it ends the process")
    assert first.died_at > 1_700_000_000
    assert second.attempts == 0
    assert await offsets.pending("1") == entries(3)
    assert await offsets.revive("1", 1)
    assert not await offsets.revive("1", 1)
    assert await offsets.pending("1") == entries(1, 3)
    assert await offsets.forget("1", 2)
    assert not await offsets.forget("1", 2)
    assert await offsets.dead("1") == []


async def test_one_holds_the_lease(offsets: OffsetStore) -> None:
    assert await offsets.hold("1", "a", 60) == "a"
    assert await offsets.hold("1", "b", 60) == "a"
    assert await offsets.hold("2", "b", 60) == "b"
    assert await offsets.hold("1", "a", 60) == "a"
    await offsets.release("1", "b")
    assert await offsets.hold("1", "b", 60) == "a"
    await offsets.release("1", "a")
    assert await offsets.hold("1", "b", 60) == "b"
    assert await offsets.last_id("1") == 0


async def test_a_lease_runs_out_and_passes_from_those_who_are_gone(offsets: OffsetStore) -> None:
    assert await offsets.hold("1", "a", 0.02) == "a"
    async with asyncio.timeout(20):
        while await offsets.hold("1", "b", 60) != "b":
            pass
    assert await offsets.hold("1", "c", 60, instead_of="a") == "b"
    assert await offsets.hold("1", "c", 60, instead_of="b") == "c"


async def test_records_and_the_end_of_an_update_are_one_step(both: Any, key: StorageKey) -> None:
    other = StorageKey("1", "chat:1", "bob@corp")
    await both.take("1", 3, entries(1, 2, 3))
    writes = [Write(key, Record("a", {"n": [1]}), 0), Write(other, Record("b", {}), 0)]
    assert await both.finish("1", 1, writes) is Finish.DONE
    kept = await both.get(key)
    assert (kept.state, kept.data, kept.version) == ("a", {"n": [1]}, 1)
    assert kept.updated_at > 1_700_000_000

    # Nothing of it: the second record is not what was expected.
    clash = [Write(key, Record("x", {}), 1), Write(other, Record("x", {}), 7)]
    assert await both.finish("1", 2, clash) is Finish.CONFLICT
    assert (await both.get_state(key), await both.get_state(other)) == ("a", "b")
    assert [entry.event_id for entry in await both.pending("1")] == [2, 3]

    # Nothing of it: another process has ended it.
    assert await both.finish("1", 1, [Write(key, Record("x", {}), 1)]) is Finish.GONE
    assert await both.get_state(key) == "a"

    assert await both.finish("1", 2, [Write(key, Record(), 1)]) is Finish.DONE
    assert (await both.get(key)).is_empty


@pytest.mark.parametrize("count", [40])
async def test_ends_at_once_keep_all(both: Any, key: StorageKey, count: int) -> None:
    await both.take("1", count, entries(*range(count)))

    async def end(number: int) -> None:
        while True:
            known = await both.get(key)
            changed = Record(known.state, {**known.data, str(number): number})
            if await both.finish("1", number, [Write(key, changed, known.version)]) is Finish.DONE:
                return

    await asyncio.gather(*(end(number) for number in range(count)))
    assert (await both.get(key)).data == {str(number): number for number in range(count)}
    assert await both.pending("1") == []
