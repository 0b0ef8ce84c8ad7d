"""Processes that share a storage, and of which one polls."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spikard.bots import Dispatcher
from spikard.bots.dispatcher import lease as leases
from spikard.bots.dispatcher.lease import PollLease
from spikard.bots.fsm import SqliteStorage
from spikard.bots.offsets import MemoryOffsets
from spikard.bots.testing import FakeVKTeams
from spikard.bots.types import Message
from tests.bots.polling import Gathered, polling, until

BOT = "1000000001"


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_LOOKS", 3000)


def storage(folder: Path) -> SqliteStorage:
    return SqliteStorage(folder / "bot.db", synchronous="normal")


def told(name: str, folder: Path, seen: Gathered) -> Dispatcher:
    dp = Dispatcher(storage(folder), name=name)

    @dp.message()
    async def handler(message: Message) -> None:
        await seen.add(f"{name}: {message.text}")

    return dp


async def test_one_polls_and_another_takes_its_place(
    server: FakeVKTeams, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen = Gathered()
    first, second = told("first", tmp_path, seen), told("second", tmp_path, seen)
    async with polling(second, server.bot()), polling(first, server.bot()):
        server.push_message("one")
        (text,) = await seen.until(1)
        one = text.partition(":")[0]
        running, other = (first, second) if one == "first" else (second, first)
        await until(lambda: "this one stands by" in caplog.text)
        server.push_message("two")
        assert (await seen.until(2))[1] == f"{one}: two"
        await running.stop()
        await until(lambda: not running.is_running)
        server.push_message("three")
        assert (await seen.until(3))[2] == f"{other.name}: three"
    assert "this process polls from now on" in caplog.text


async def test_who_is_known_to_be_gone_is_not_waited_for(tmp_path: Path) -> None:
    offsets = storage(tmp_path)
    program = (
        "import asyncio, sys\n"
        "from spikard.bots.dispatcher.lease import PollLease\n"
        "from spikard.bots.fsm import SqliteStorage\n"
        f"asyncio.run(PollLease(SqliteStorage(sys.argv[1]), '{BOT}').acquire())\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "bot.db")], check=True)  # noqa: ASYNC221 - short
    assert await offsets.hold(BOT, "somebody else", 30) != "somebody else"
    if sys.platform == "linux":
        stood_by = await asyncio.wait_for(PollLease(offsets, BOT).acquire(), 20)
        assert not stood_by
    await offsets.close()


async def test_who_lives_is_not_pushed_aside() -> None:
    offsets = MemoryOffsets()
    first, second = PollLease(offsets, BOT), PollLease(offsets, BOT)
    assert str(os.getpid()) in first.holder.split("/") or sys.platform != "linux"
    assert not await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await first.release()
    assert await asyncio.wait_for(waiting, 20)


async def test_who_loses_the_lease_stops_to_poll(
    server: FakeVKTeams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(leases, "_RENEWALS", 3000)
    offsets, seen = storage(tmp_path), Gathered()
    async with polling(told("bot", tmp_path, seen), server.bot()):
        server.push_message("one")
        await seen.until(1)
        holder = await offsets.hold(BOT, "nobody", 30)
        assert await offsets.hold(BOT, "thief", 30, instead_of=holder) == "thief"
        await until(lambda: "this one stands by" in caplog.text)
        polls = server.polls
        server.push_message("two")
        await asyncio.sleep(0.05)
        assert (server.polls, len(seen.values)) == (polls, 1)
        await offsets.release(BOT, "thief")
        assert (await seen.until(2))[1] == "bot: two"
    await offsets.close()
