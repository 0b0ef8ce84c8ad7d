"""Commands that ask a server, a program or a storage, and what they say where they cannot."""

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from spikard.bots.fsm import SqliteStorage, StorageKey
from spikard.bots.offsets import JournalEntry
from spikard.bots.testing import FakeVKTeams, sample
from spikard.cli.bot.command import run

Told = Callable[..., Awaitable[tuple[int, str, str]]]
GOOD = """
from spikard.bots import Dispatcher, F
from spikard.bots.types import Message

dp, other = Dispatcher(), Dispatcher()


@dp.message(F.text == "hi")
async def hi(message: Message) -> None: ...


def made():
    return dp


number = 5
"""
BAD = """
from spikard.bots import Bot, Dispatcher, Router
from spikard.bots.types import Message

dp = Dispatcher()
router = Router()


@dp.message()
async def everything(message: Message, database) -> None: ...


@dp.message()
async def never(message: Message) -> None: ...


def fails():
    token = Bot("001.2222222222.3333333333:77", "https://teams.example").token
    raise ValueError(f"no database for {token}")
"""


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Runs a command in a directory with two programs; gives its exit code and what it has said."""
    monkeypatch.chdir(tmp_path)
    for name in ("good_bot", "bad_bot", "broken_bot"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("VKTEAMS_TOKEN", "VKTEAMS_API_URL", "SPIKARD_BOTS_STORE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "good_bot.py").write_text(GOOD)
    (tmp_path / "bad_bot.py").write_text(BAD)
    (tmp_path / "broken_bot.py").write_text("x = 1\nraise RuntimeError('no way')\n")

    async def call(*arguments: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(run, arguments)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call


@pytest.fixture
def server_env(server: FakeVKTeams, told: Told, monkeypatch: pytest.MonkeyPatch) -> FakeVKTeams:
    """A server that the environment names."""
    monkeypatch.setenv("VKTEAMS_TOKEN", server.token)
    monkeypatch.setenv("VKTEAMS_API_URL", server.base_url)
    return server


async def test_who_the_bot_is(server_env: FakeVKTeams, told: Told) -> None:
    code, out, _ = await told("me")
    assert (code, out.splitlines()[:2]) == (0, ["id     1000000001", "nick   testbot"])
    code, out, _ = await told("me", "--json")
    assert json.loads(out)["userId"] == "1000000001"


async def test_a_text_and_a_file_are_sent(server_env: FakeVKTeams, told: Told, tmp_path: Path) -> None:
    code, out, _ = await told("send", "ann@corp.example", "<b>hi</b>", "--parse-mode", "HTML")
    assert (code, out.strip()) == (0, server_env.sent[0].msg_id)
    assert (server_env.sent[0].text, server_env.sent[0].parse_mode) == ("<b>hi</b>", "HTML")
    (tmp_path / "tea.txt").write_text("Assam")
    code, out, _ = await told("send", "ann@corp.example", "a list", "--file", "tea.txt", "--json")
    sent = server_env.sent[1]
    assert (code, json.loads(out)["msgId"], sent.caption) == (0, sent.msg_id, "a list")
    assert sent.file is not None
    assert sent.file.content == b"Assam"
    assert (await told("send", "ann@corp.example"))[0] == 2
    assert (await told("send", "ann@corp.example", "--file", "none.txt"))[0] == 2


async def test_events_are_shown_and_no_more_are_dropped(server_env: FakeVKTeams, told: Told) -> None:
    server_env.push_message("tea?")
    server_env.push_callback("yes")
    server_env.push_message("left there")
    code, out, _ = await told("events", "--count", "2")
    assert code == 0
    assert out.splitlines() == ["1 newMessage ann@corp.example: tea?", "2 callbackQuery ann@corp.example: yes"]
    assert [event["eventId"] for event in server_env.waiting] == [3]
    code, out, _ = await told("events", "--json", "--count", "1")
    assert json.loads(out)["payload"]["text"] == "left there"


async def test_doctor(server_env: FakeVKTeams, told: Told) -> None:
    server_env.disabled |= {"threads/add"}
    code, out, _ = await told("doctor")
    lines = out.splitlines()
    assert (code, [line.split()[:2] for line in lines]) == (
        0, [["ok", what] for what in ("address", "tls", "token", "clock", "methods")],
    )  # fmt: skip
    assert "it is that of testbot" in out
    assert lines[-1].endswith("27 of 28 are there; not allowed: threads/add")
    assert server_env.sent == []
    assert server_env.api.chats.keys() <= {""}


async def test_doctor_names_what_is_wrong(server_env: FakeVKTeams, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    server_env.fail_next("self/get", "html")
    code, out, _ = await told("doctor", "--json")
    wrong = json.loads(out)["results"][-1]
    assert (code, wrong["what"], wrong["is_good"]) == (1, "server", False)
    assert "not the API" in wrong["text"]
    monkeypatch.setenv("VKTEAMS_TOKEN", "001.7777777777.8888888888:5")
    code, out, _ = await told("doctor")
    assert code == 3
    assert "FAIL token    the server does not know it: Invalid token" in out
    monkeypatch.setenv("VKTEAMS_API_URL", "http://nobody.invalid")
    code, out, _ = await told("doctor")
    assert code == 1
    assert "FAIL address  there is no server nobody.invalid" in out


async def test_wrong_tokens_and_missing_ones(
    server_env: FakeVKTeams, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "001.7777777777.8888888888:5"
    (tmp_path / "token").write_text(secret + "\n")
    code, out, err = await told("me", "--token-file", "token")
    assert (code, err.splitlines()[0]) == (3, "spikard bot: error: API error in self/get: Invalid token")
    assert secret not in out + err
    code, _, err = await told("run", "good_bot:dp", "--token-file", "token", "--log-level", "error")
    assert (code, secret in err) == (3, False)
    monkeypatch.setenv("OTHER_TOKEN", server_env.token)
    assert (await told("me", "--token-env", "OTHER_TOKEN"))[0] == 0
    assert (await told("me", "--token-env", "NO_TOKEN"))[:2] == (2, "")
    assert (await told("me", "--token-file", "nowhere"))[0] == 2
    (tmp_path / "token").write_text("two words")
    assert (await told("me", "--token-file", "token"))[0] == 2
    monkeypatch.delenv("VKTEAMS_TOKEN")
    code, _, err = await told("me")
    error, hint = err.splitlines()
    assert (code, error) == (2, "spikard bot: error: which bot?")
    assert "set VKTEAMS_TOKEN, or give --token-env NAME or --token-file FILE" in hint


async def test_check_and_plan(told: Told) -> None:
    assert await told("check", "good_bot:dp") == (0, "no findings\n", "")
    assert await told("check", "good_bot:made") == (0, "no findings\n", "")
    code, out, _ = await told("check", "bad_bot:dp")
    assert code == 1
    assert "bad_bot.py:9: everything: nothing gives the parameter 'database'" in out
    assert out.splitlines()[1].startswith("note: ")
    code, out, _ = await told("check", "bad_bot:dp", "--json")
    assert [one["is_fault"] for one in json.loads(out)["findings"]] == [True, False]
    code, out, _ = await told("plan", "good_bot:dp")
    assert code == 0
    assert out.splitlines()[1].split()[:4] == ["0", "message", "Dispatcher", "hi"]
    code, out, _ = await told("plan", "bad_bot:router", "--json")
    assert json.loads(out)["count"] == 0


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere:dp", "no module named 'nowhere' in the current directory"),
        ("good_bot:nothing", "has no attribute 'nothing'"),
        ("good_bot", None),
        ("good_bot:number", "good_bot:number is a int, not a Dispatcher"),
        ("broken_bot:dp", r"broken_bot:dp cannot be imported: RuntimeError: no way \(.*broken_bot.py:2\)"),
        ("bad_bot:fails", r"cannot be imported: ValueError: no database for \*\*\*"),
    ],
)
async def test_programs_that_are_none(told: Told, target: str, message: str | None) -> None:
    code, _, err = await told("plan", target)
    if message is None:  # by its usual name
        assert code == 0
        return
    assert code == 2
    assert len(err.splitlines()) == 1
    assert "3333333333" not in err
    assert re.search(message, err), err


async def test_a_program_that_fails_at_its_start(server_env: FakeVKTeams, told: Told, tmp_path: Path) -> None:
    (tmp_path / "starting_bot.py").write_text(
        "from spikard.bots import Dispatcher\n"
        "dp = Dispatcher(delivery='at_most_once')\n"
        "@dp.on_startup\n"
        "async def begin(bot):\n"
        "    {}[bot.token]\n"
    )
    code, _, err = await told("run", "starting_bot.py", "--log-level", "error")
    assert (code, len(err.splitlines())) == (1, 1)
    assert re.search(r"error: KeyError: '\*\*\*' \(.*starting_bot\.py:5\)", err), err


async def test_states_in_a_storage(told: Told) -> None:
    place = ("--storage", "sqlite:bot.db", "--bot-id", "7")
    assert (await told("state", "show", *place))[0] == 2
    storage = SqliteStorage("bot.db")
    await storage.set_state(StorageKey("7", "ann@corp", "ann@corp"), "Order:tea")
    await storage.set_data(StorageKey("7", "ann@corp", "ann@corp"), {"tea": "Assam"})
    await storage.set_state(StorageKey("8", "ann@corp", "ann@corp"), "Other:bot")
    await storage.close()
    code, out, _ = await told("state", "show", *place)
    assert (code, out.splitlines()[1].split()[:5]) == (0, ["ann@corp", "ann@corp", "Order:tea", '{"tea":', '"Assam"}'])
    assert (await told("state", "set", "bob@corp", "Order:grams", "--data", '{"grams": 5}', *place))[0] == 0
    code, out, _ = await told("state", "show", "bob@corp", "--json", *place)
    (row,) = json.loads(out)["states"]
    assert (row["state"], row["data"]) == ("Order:grams", {"grams": 5})
    assert (await told("state", "clear", "bob@corp", *place))[:2] == (0, "forgotten\n")
    assert (await told("state", "clear", "bob@corp", *place))[:2] == (1, "bob@corp has no state here\n")
    assert (await told("state", "show", "bob@corp", *place))[1] == "no state\n"
    assert (await told("state", "set", "bob@corp", "x", "--data", "[1]", *place))[0] == 2
    assert (await told("state", "show", "--storage", "memory:", "--bot-id", "7"))[0] == 2


async def test_updates_that_were_given_up(told: Told) -> None:
    place = ("--storage", "sqlite:bot.db", "--bot-id", "7")
    storage: Any = SqliteStorage("bot.db")
    raw = json.dumps(sample("new_message_private")).encode()
    await storage.take("7", 12, [JournalEntry(number, raw) for number in (10, 11, 12)])
    for number in (10, 11):
        await storage.bury("7", number, "the process ended")
    await storage.close()
    code, out, _ = await told("dead", "list", *place)
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [["10", "newMessage"], ["11", "newMessage"]]
    assert "the process ended" in out
    assert (await told("dead", "retry", "10", *place))[:2] == (0, "10: back in the journal, for the next start\n")
    assert (await told("dead", "drop", "11", "99", *place))[0] == 1
    assert (await told("dead", "list", *place))[1] == "no updates were given up\n"
    storage = SqliteStorage("bot.db")
    assert [entry.event_id for entry in await storage.pending("7")] == [10, 12]
    await storage.close()


async def test_helps_and_misspelt_commands(told: Told) -> None:
    code, out, _ = await told("--help")
    assert code == 0
    assert "doctor" in out
    assert (await told("docter"))[2] == "spikard bot: error: unknown command 'docter'; did you mean 'doctor'?\n"
    assert (await told("me", "--nonsense"))[0] == 2
