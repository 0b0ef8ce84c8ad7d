"""The fixtures, in a run of pytest of its own."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import spikard

PROGRAM = """
import sys

import pytest

assert "httpx" not in sys.modules, "loaded before anybody asked for it"


@pytest.fixture
def anyio_backend():
    return "asyncio"


def test_nothing_is_loaded_for_other_tests():
    assert "spikard.bots.testing.tester" not in sys.modules


@pytest.mark.anyio
async def test_tester(bot_tester):
    from spikard.bots import Dispatcher

    dp = Dispatcher()

    @dp.message()
    async def hello(message):
        await message.answer("Hello")

    async with bot_tester(dp) as t:
        ann = t.user("ann@corp")
        await ann.send("hi")
        assert ann.last.text == "Hello"


@pytest.mark.anyio
async def test_server(fake_vkteams):
    async with fake_vkteams as server:
        assert (await server.bot().get_me()).nick == "testbot"
"""


@pytest.mark.timeout(120)
def test_fixtures(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(PROGRAM)
    root = Path(spikard.__file__).parents[2]
    with (root / "pyproject.toml").open("rb") as file:
        (plugin,) = tomllib.load(file)["project"]["entry-points"]["pytest11"].values()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        plugin,
        "-p",
        "no:cacheprovider",
        "-W",
        "error",
        str(tmp_path),
    ]
    environment = {**os.environ, "PYTHONPATH": str(root / "python")}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=110, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
