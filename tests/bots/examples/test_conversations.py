"""Every example in a process of its own: what people see who talk with it."""

import csv
from pathlib import Path

import pytest

from spikard.bots.testing import FakeVKTeams
from tests.bots.examples.program import started

pytestmark = pytest.mark.timeout(120)
PATIENCE = 40.0


async def test_echo(server: FakeVKTeams, tmp_path: Path) -> None:
    ann = server.user("ann@corp.example")
    async with started("echo.py", server, tmp_path):
        await ann.send("/start")
        await ann.send("tea?")
        await server.until(lambda: len(ann.messages) == 2, PATIENCE)
    assert ann.texts == ["Say something, and I say it too.", "tea?"]
    assert ann.last.reply_to


async def test_form(server: FakeVKTeams, tmp_path: Path) -> None:
    ann, bob = server.user("ann@corp.example"), server.user("bob@corp.example")
    async with started("form.py", server, tmp_path, SPIKARD_BOTS_STORE="sqlite:form.db"):
        for text in ("/leave", "many", "3"):
            await ann.send(text)
        await server.until(lambda: len(ann.messages) == 3, PATIENCE)
        await bob.send("/leave")
        await bob.send("/cancel")
        await bob.send("2")
        await server.until(lambda: len(bob.messages) == 2, PATIENCE)
    assert ann.texts == ["How many days?", "A number, please; or /cancel.", "What for?"]
    # The state is in the file: another process goes on with it.
    async with started("form.py", server, tmp_path, SPIKARD_BOTS_STORE="sqlite:form.db"):
        await ann.send("skiing")
        await server.until(lambda: len(ann.messages) == 4, PATIENCE)
    assert ann.last.text == "Requested: 3 days, skiing."
    assert bob.texts == ["How many days?", "Forgotten."]


async def test_keyboard(server: FakeVKTeams, tmp_path: Path) -> None:
    ann = server.user("ann@corp.example")
    async with started("keyboard.py", server, tmp_path):
        await ann.send("/teas")
        await server.until(lambda: ann.messages, PATIENCE)
        assert ann.last.buttons == [["Assam"], ["Ceylon"], ["1/3", "▶"]]
        await ann.click("▶")
        await server.until(lambda: ann.last.buttons[0] == ["Darjeeling"], PATIENCE)
        await ann.click("Darjeeling")
        await server.until(lambda: ann.last.text == "100 g of Darjeeling", PATIENCE)
        await ann.click("100 g more")
        await server.until(lambda: ann.last.text == "200 g of Darjeeling", PATIENCE)
    assert len(ann.messages) == 1
    assert {notice.text for notice in ann.notices} == {"Darjeeling is in the basket"}


async def test_files(server: FakeVKTeams, tmp_path: Path) -> None:
    ann = server.user("ann@corp.example")
    async with started("files.py", server, tmp_path, INBOX=str(tmp_path / "inbox")):
        await ann.send_file(b"%PDF-1", "тариф.pdf")
        await server.until(lambda: ann.messages, PATIENCE)
        assert ann.last.text == "тариф.pdf: 6 bytes"
        await ann.send("/report")
        await server.until(lambda: len(ann.messages) == 2, PATIENCE)
    assert (tmp_path / "inbox" / "тариф.pdf").read_bytes() == b"%PDF-1"
    report = ann.last
    assert report.file is not None
    assert (report.caption, report.file.filename) == ("What is in the inbox", "report.csv")
    assert list(csv.reader(report.file.content.decode().splitlines())) == [["file", "bytes"], ["тариф.pdf", "6"]]


async def test_middleware(server: FakeVKTeams, tmp_path: Path) -> None:
    ann, bob = server.user("ann@corp.example"), server.user("bob@corp.example")
    async with started("middleware.py", server, tmp_path):
        for text in ("hello", "/divide 9 2", "/divide 1 0", "/divide x y", "/divide 1 1"):
            await ann.send(text)
        await bob.send("hello")
        await server.until(lambda: len(ann.messages) == 5 and bob.messages, PATIENCE)
    assert ann.texts == [
        "Hello, Ann.",
        "Ann, that is 4.5.",
        "That did not work: division by zero.",
        "That did not work: invalid literal for int() with base 10: 'x'.",
        "Not so fast.",
    ]
    assert bob.texts == ["This bot is for our staff."]


async def test_multi_bot(server: FakeVKTeams, tmp_path: Path) -> None:
    async with FakeVKTeams("001.5555555555.4444444444:1000000002") as other:
        ann, eve = server.user("ann@corp.example"), other.user("eve@corp.example")
        team = other.group("Team", members=["eve@corp.example"])
        environment = {
            "VKTEAMS_TEAM_TOKEN": other.token,
            "VKTEAMS_TEAM_API_URL": other.base_url,
            "TEAM_CHAT": team.chat_id,
        }
        async with started("multi_bot.py", server, tmp_path, **environment):
            await ann.send("/ask When is lunch?")
            await other.until(lambda: eve.messages, PATIENCE)
            assert eve.last.text == "ann@corp.example asks: When is lunch?"
            await server.until(lambda: len(ann.messages) == 1, PATIENCE)
            await eve.send("/answer ann@corp.example At one.", chat=team)
            await server.until(lambda: len(ann.messages) == 2, PATIENCE)
    assert ann.texts == ["Your question is with the team.", "The team says: At one."]


def test_every_example_has_its_conversation() -> None:
    from tests.bots.examples.program import EXAMPLES

    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {path.stem for path in EXAMPLES.glob("*.py")} <= tested
    index = (EXAMPLES.parent / "README.md").read_text()
    assert [path.name for path in EXAMPLES.glob("*.py") if f"(bots/{path.name})" not in index] == []
