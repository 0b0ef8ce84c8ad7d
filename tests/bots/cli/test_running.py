"""Bots that run as commands: signals, settings, and changes of their files."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import spikard
from spikard.bots.fsm import SqliteStorage
from spikard.bots.testing import FakeVKTeams

pytestmark = pytest.mark.timeout(120)
PATIENCE = 40.0
PROGRAM = """
from spikard.bots import Bot, Dispatcher, F, FSMContext
from spikard.bots.types import Message

dp = Dispatcher()


@dp.message(F.text)
async def count(message: Message, state: FSMContext) -> None:
    number = await state.get_value("count", 0) + 1
    await state.update_data(count=number)
    await message.answer(f"WORD {number}: {message.text}")


def bot() -> Bot:
    return Bot(name="mine")
"""


class Running:
    """A command as a process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reading = asyncio.create_task(self._read())
        self._more = asyncio.Event()

    async def _read(self) -> None:
        assert self.process.stderr is not None
        while line := (await self.process.stderr.readline()).decode():
            self.lines.append(line.rstrip())
            self._more.set()

    async def until(self, word: str, times: int = 1) -> None:
        """Wait until lines with a word were written so often."""
        async with asyncio.timeout(PATIENCE):
            while sum(word in line for line in self.lines) < times:
                self._more.clear()
                await self._more.wait()

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; gives the exit code."""
        self.process.send_signal(number)
        code = await asyncio.wait_for(self.process.wait(), PATIENCE)
        await self._reading
        return code


@asynccontextmanager
async def command(server: FakeVKTeams, folder: Path, *arguments: str, **environment: str) -> AsyncIterator[Running]:
    known = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(spikard.__file__).parents[1]),
        "VKTEAMS_TOKEN": server.token,
        "VKTEAMS_API_URL": server.base_url,
        **environment,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "spikard", "bot", *arguments, cwd=folder, env=known, stderr=asyncio.subprocess.PIPE
    )
    running = Running(process)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await running._reading
        print(*running.lines, sep="\n")
    assert not [line for line in running.lines if server.token in line]


def write(folder: Path, word: str) -> None:
    (folder / "counting.py").write_text(PROGRAM.replace("WORD", word))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_bot_runs_until_a_signal(server: FakeVKTeams, tmp_path: Path, number: int) -> None:
    write(tmp_path, "one")
    ann = server.user("ann@corp.example")
    server.push_message("old", user_id="ann@corp.example")
    arguments = ("run", "counting:dp", "--bot", "counting:bot", "--skip-updates", "--storage", "sqlite:bot.db")
    async with command(server, tmp_path, *arguments) as running:
        await running.until("polling as testbot (1000000001)")
        await server.until(lambda: server.waiting == [] or server.polls > 1, PATIENCE)
        await ann.send("tea")
        await server.until(lambda: ann.messages, PATIENCE)
        assert await running.end(number) == 0
    assert ann.texts == ["one 1: tea"]
    storage = SqliteStorage(tmp_path / "bot.db")
    assert await storage.last_id("1000000001") == 2
    assert await storage.pending("1000000001") == []
    await storage.close()
    assert running.lines[-1].endswith("stopped")
    assert not [line for line in running.lines if "httpx" in line]


async def test_a_change_starts_it_again_and_nothing_is_lost(server: FakeVKTeams, tmp_path: Path) -> None:
    write(tmp_path, "one")
    ann = server.user("ann@corp.example")
    sent = 0

    async def send(count: int) -> None:
        nonlocal sent
        for _ in range(count):
            sent += 1
            await ann.send(f"message {sent}")

    arguments = ("run", "counting.py", "--reload", "--storage", "sqlite:bot.db")
    async with command(server, tmp_path, *arguments) as running:
        await running.until("polling as")
        await send(20)
        write(tmp_path, "two")
        # Written while the old process ends and the new one starts.
        while not any(text.startswith("two") for text in ann.texts):
            await send(1)
            await server.until(lambda: len(ann.messages) >= sent - 10, PATIENCE)
        await send(20)
        await server.until(lambda: len(ann.messages) == sent, PATIENCE)
        assert await running.end() == 0
    words = [text.partition(" ")[0] for text in ann.texts]
    assert words == sorted(words)
    assert [text.partition(" ")[2] for text in ann.texts] == [f"{n}: message {n}" for n in range(1, sent + 1)]
    assert server.waiting == []
    assert server.duplicates == 0


async def test_a_fault_in_a_file_is_told_and_its_mending_waited_for(server: FakeVKTeams, tmp_path: Path) -> None:
    (tmp_path / "counting.py").write_text("this is no Python\n")
    ann = server.user("ann@corp.example")
    async with command(server, tmp_path, "run", "counting:dp", "--reload") as running:
        await running.until("waiting for a change")
        assert "counting:dp cannot be imported: SyntaxError" in running.lines[0]
        write(tmp_path, "mended")
        await ann.send("tea")
        await server.until(lambda: ann.messages, PATIENCE)
        assert await running.end(signal.SIGINT) == 0
    assert ann.texts == ["mended 1: tea"]


async def test_what_no_change_can_mend_ends_it(server: FakeVKTeams, tmp_path: Path) -> None:
    write(tmp_path, "one")
    async with command(
        server, tmp_path, "run", "counting:dp", "--reload", VKTEAMS_TOKEN="001.5555555555.6666666666:9"
    ) as running:
        assert await asyncio.wait_for(running.process.wait(), PATIENCE) == 3
    assert [line for line in running.lines if "Invalid token" in line]


async def test_several_bots_run_together(server: FakeVKTeams, tmp_path: Path) -> None:
    write(tmp_path, "one")
    async with FakeVKTeams("001.5555555555.4444444444:1000000002") as other:
        (tmp_path / "two.py").write_text(
            f"from spikard.bots import Bot\nother = Bot(api_url={other.base_url!r}, token={other.token!r})\n"
        )
        arguments = ("run", "counting:dp", "--bot", "two:other", "--token-env", "VKTEAMS_TOKEN")
        async with command(server, tmp_path, *arguments) as running:
            await running.until("polling as", 2)
            for one in (server, other):
                ann = one.user("ann@corp.example")
                await ann.send("tea")
                await one.until(lambda ann=ann: ann.messages, PATIENCE)
                assert ann.texts == ["one 1: tea"]
            assert await running.end() == 0
