"""Writes that wait for the end of an update."""

import asyncio

from spikard.bots.fsm import MemoryStorage, Record, StorageKey
from spikard.bots.storages.draft import DraftStorage

KEY = StorageKey("1", "chat", "ann")


async def test_what_is_written_stays_here_and_is_read_here() -> None:
    storage = MemoryStorage()
    await storage.set_data(KEY, {"a": 1})
    draft = DraftStorage(storage)
    await draft.set_state(KEY, "one")
    assert await draft.update_data(KEY, {"b": 2}) == {"a": 1, "b": 2}
    assert await draft.get_state(KEY) == "one"
    assert await storage.get(KEY) == await DraftStorage(storage).get(KEY)
    (write,) = draft.writes()
    assert (write.record.state, write.record.data, write.expected) == ("one", {"a": 1, "b": 2}, 1)


async def test_what_is_only_read_is_not_written() -> None:
    draft = DraftStorage(MemoryStorage())
    assert await draft.get_data(KEY) == {}
    assert draft.writes() == []


async def test_a_record_is_read_once() -> None:
    reads: list[StorageKey] = []

    async def read(key: StorageKey) -> Record:
        reads.append(key)
        return Record()

    draft = DraftStorage(MemoryStorage(), read)
    await draft.get_state(KEY)
    await draft.set_data(KEY, {"a": 1})
    await draft.get_data(KEY)
    assert reads == [KEY]


async def test_steps_are_done_again_on_what_others_have_written() -> None:
    storage = MemoryStorage()
    draft = DraftStorage(storage)
    await draft.update_data(KEY, {"mine": 1})
    await storage.update_data(KEY, {"theirs": 2})
    assert await draft.rebase()
    (write,) = draft.writes()
    assert write.record.data == {"mine": 1, "theirs": 2}
    # Not where somebody has looked before writing.
    strict = DraftStorage(storage)
    known = await strict.get(KEY)
    assert await strict.put(KEY, Record("x"), expect_version=known.version)
    assert not await strict.put(KEY, Record("y"), expect_version=known.version)
    await storage.update_data(KEY, {"theirs": 3})
    assert not await strict.rebase()


async def test_once_open_it_writes_through() -> None:
    storage = MemoryStorage()
    draft = DraftStorage(storage)
    draft.open_through()
    await draft.set_state(KEY, "late")
    assert (await storage.get_state(KEY), await draft.get_state(KEY), draft.writes()) == ("late", "late", [])


async def test_a_lock_holds_against_other_updates() -> None:
    storage, order = MemoryStorage(), []
    first, second = DraftStorage(storage), DraftStorage(storage)

    async def wait() -> None:
        async with second.lock(KEY):
            order.append("second")

    async with first.lock(KEY):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        order.append("first")
    await waiting
    assert order == ["first", "second"]
