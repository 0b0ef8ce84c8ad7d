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
    root = Path(spikard.__file__).parents[2]
    with (root / "pyproject.toml").open("rb") as file:
        points = tomllib.load(file)["project"]["entry-points"]["pytest11"]
    # What an installer would write.
    installed = tmp_path / "site" / "spikard_of_the_test-1.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: spikard-of-the-test\nVersion: 1\n")
    (installed / "entry_points.txt").write_text(
        "[pytest11]\n" + "".join(f"{name} = {module}\n" for name, module in points.items())
    )
    (tmp_path / "test_it.py").write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": f"{root / 'python'}{os.pathsep}{installed.parent}"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "test_it.py"],
        check=False,
        capture_output=True,
        text=True,
        timeout=110,
        env=environment,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
