"""One contract for all storages of states."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from spikard.bots.fsm import BaseStorage, MemoryStorage, Record, RedisStorage, SqliteStorage, StorageKey
from spikard.bots.storages import create_storage
from tests.bots.storages.conftest import Old

KEY = StorageKey("1", "chat:1", "ann@corp")


async def test_storages_keep_state_and_data(storage: BaseStorage) -> None:
    assert await storage.get_state(key=KEY) is None
    assert await storage.get_data(key=KEY) == {}
    await storage.set_state(key=KEY, state="a")
    await storage.set_data(key=KEY, data={"x": [1, {"y": None}]})
    other = StorageKey("1", "chat", "1:ann@corp")
    assert await storage.get_state(key=other) is None
    assert await storage.get_state(key=KEY) == "a"
    assert await storage.get_data(key=KEY) == {"x": [1, {"y": None}]}
    assert await storage.update_data(KEY, {"z": 2}) == {"x": [1, {"y": None}], "z": 2}
    record = await storage.get(KEY)
    assert (record.state, record.data) == ("a", {"x": [1, {"y": None}], "z": 2})
    await storage.set_state(key=KEY, state=None)
    assert await storage.get_state(key=KEY) is None
    assert (await storage.get_data(key=KEY))["z"] == 2
    await storage.set_data(key=KEY, data={})
    assert (await storage.get(KEY)).is_empty


async def test_what_was_given_and_what_was_kept_share_nothing(storage: BaseStorage) -> None:
    if isinstance(storage, Old):
        return
    given = {"list": [1]}
    await storage.set_data(key=KEY, data=given)
    given["list"].append(2)
    taken = await storage.get_data(key=KEY)
    taken["list"].append(3)
    assert await storage.get_data(key=KEY) == {"list": [1]}


async def test_kinds_that_json_lacks_come_back(storage: BaseStorage) -> None:
    data = {
        "at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        "day": date(2026, 1, 2),
        "price": Decimal("1.20"),
        "id": UUID(int=7),
        "raw": b"\x00\xff",
        "tricky": {"$kind": "date", "value": "x", "more": 1},
    }
    await storage.set_data(key=KEY, data=data)
    assert await storage.get_data(key=KEY) == data


async def test_what_cannot_be_kept_is_named_with_its_path(storage: BaseStorage) -> None:
    if isinstance(storage, Old):
        return
    with pytest.raises(TypeError, match=r"data\.a\[1\] is a object"):
        await storage.set_data(key=KEY, data={"a": [1, object()]})
    assert await storage.get_data(key=KEY) == {}


async def test_writers_that_expect_another_version_do_not_win(storage: BaseStorage) -> None:
    if isinstance(storage, Old):
        return
    assert await storage.put(KEY, Record(state="a"), expect_version=0)
    first = await storage.get(KEY)
    assert await storage.put(KEY, Record(state="b", version=first.version + 1), expect_version=first.version)
    assert not await storage.put(KEY, Record(state="c"), expect_version=first.version)
    assert await storage.get_state(key=KEY) == "b"


async def test_updates_at_once_are_all_there(storage: BaseStorage) -> None:
    if isinstance(storage, Old):
        return
    await asyncio.gather(*(storage.update_data(KEY, {f"k{n}": n}) for n in range(30)))
    assert await storage.get_data(key=KEY) == {f"k{n}": n for n in range(30)}


async def test_records_of_a_bot_are_listed(storage: BaseStorage) -> None:
    if isinstance(storage, Old):
        with pytest.raises(NotImplementedError):
            storage.scan("1")
        return
    for user, state in (("a", "one"), ("b", "two"), ("c", "one")):
        await storage.set_state(key=StorageKey("1", "chat", user), state=state)
    await storage.set_state(key=StorageKey("2", "chat", "d"), state="one")
    assert {key.user_id async for key, _ in storage.scan("1")} == {"a", "b", "c"}
    assert {key.user_id async for key, _ in storage.scan("1", "one")} == {"a", "c"}


async def test_memory_keeps_nothing_of_those_who_hold_nothing() -> None:
    storage = MemoryStorage(max_records=2)
    for number in range(5):
        await storage.get_state(key=StorageKey("1", "c", str(number)))
        await storage.set_state(key=StorageKey("1", "c", str(number)), state=None)
    assert len(storage) == 0
    for number in range(5):
        await storage.set_state(key=StorageKey("1", "c", str(number)), state="s")
    assert len(storage) == 2
    assert await storage.get_state(key=StorageKey("1", "c", "4")) == "s"


async def test_sqlite_survives_a_restart(tmp_path: Path) -> None:
    first = SqliteStorage(tmp_path / "bot.db")
    await first.set_state(key=KEY, state="a")
    await first.close()
    second = create_storage(f"sqlite:///{tmp_path}/bot.db")
    assert await second.get_state(key=KEY) == "a"
    await second.close()


async def test_redis_reads_and_moves_records_of_vkworkspace(redis_url: str) -> None:
    client: Redis = Redis.from_url(redis_url)
    old, new = f"old-{uuid4().hex}", f"new-{uuid4().hex}"
    await client.set(f"{old}:fsm:1:chat:1:ann@corp:state", "Form:name", ex=60)
    await client.set(f"{old}:fsm:1:chat:1:ann@corp:data", '{"x": 1}', ex=60)
    storage = RedisStorage(client, new, state_ttl=60, legacy_prefix=old)
    assert await storage.get_state(key=KEY) == "Form:name"
    assert await storage.update_data(KEY, {"y": 2}) == {"x": 1, "y": 2}
    assert await client.exists(f"{old}:fsm:1:chat:1:ann@corp:data") == 0
    await storage.close()


async def test_many_may_ask_redis_at_once(redis_url: str) -> None:
    storage = RedisStorage(url=redis_url, key_prefix=f"bots-{uuid4().hex}")
    keys = [StorageKey("1", "c", str(number)) for number in range(500)]
    assert await asyncio.gather(*(storage.get_state(key) for key in keys)) == [None] * 500
    await storage.close()
