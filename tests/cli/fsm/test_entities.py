"""`spikard fsm migrate`, `replay` and `verify`: what becomes of entities, and what can become of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spikard.cli import main
from spikard.fsm import EventRecorder, RedisStateStore, SQLiteStateStore, StateMachine
from spikard.fsm.stores.row import EntityChange
from tests.cli.fsm.program import ORDER, spikard_fsm

CAPTURED = pytest.CaptureFixture[str]
URL = "sqlite:///fsm.db"
NEWER = (
    ORDER.replace("1.0.0", "2.0.0").replace("open", "accepted")
    + """\
migrations:
  - {from: 1.x, to: "2.0.0", states: {open: accepted}, set: {currency: EUR}}
"""
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPIKARD_FSM_DATABASE_URL", URL)
    Path("order.yaml").write_text(ORDER, encoding="utf-8")
    Path("newer.yaml").write_text(NEWER, encoding="utf-8")


def printed(capsys: CAPTURED) -> str:
    return capsys.readouterr().out


def keep(store: Any, **states: str) -> None:
    about = {"machine_name": "order", "machine_version": "1.0.0"}
    for name, state in states.items():
        store.commit(EntityChange(name, 0, state, {"order_qty": 1}, metadata=about))


@pytest.fixture
def store() -> Iterator[SQLiteStateStore]:
    made = SQLiteStateStore(URL)
    made.connect(auto_initialize=True)
    yield made
    made.disconnect()


def test_entities_are_migrated(store: SQLiteStateStore, capsys: CAPTURED) -> None:
    keep(store, a="open", b="pending", c="burnt")
    assert main(["fsm", "migrate", "newer.yaml", "--dry-run"]) == 3
    assert printed(capsys) == (
        "refused  c: in 'burnt' of version 1.0.0: state 'burnt' does not exist any more; "
        "map it, as in states: {burnt: new_name}\nnewer.yaml 2.0.0: 2 would be migrated, 1 refused\n"
    )
    assert store.get_state("a") == "open"
    assert main(["fsm", "migrate", "newer.yaml", "--entity", "a", "--json"]) == 0
    told = json.loads(printed(capsys))
    assert (told["migrated"], told["to_version"], told["dry_run"]) == (1, "2.0.0", False)
    assert (store.get_state("a"), store.get_context("a")) == ("accepted", {"order_qty": 1, "currency": "EUR"})
    assert main(["fsm", "migrate", "newer.yaml", "--after", "a", "--batch-size", "1"]) == 3
    assert printed(capsys).endswith("newer.yaml 2.0.0: 1 migrated, 1 refused\n")
    assert main(["fsm", "migrate", "newer.yaml", "--entity", "nobody"]) == 1
    assert "Entity not found: 'nobody'" in capsys.readouterr().err


def test_entities_in_redis_are_migrated(redis_url: str, capsys: CAPTURED) -> None:
    store = RedisStateStore(redis_url)
    store.connect()
    store.delete_entity("cli-migrated")
    keep(store, **{"cli-migrated": "open"})
    try:
        assert main(["fsm", "migrate", "newer.yaml", "--database", redis_url, "--entity", "cli-migrated"]) == 0
        assert store.get_state("cli-migrated") == "accepted"
    finally:
        store.delete_entity("cli-migrated")
        store.disconnect()
    assert printed(capsys) == "newer.yaml 2.0.0: 1 migrated\n"


def test_databases_that_are_none(capsys: CAPTURED) -> None:
    assert main(["fsm", "migrate", "newer.yaml"]) == 4
    assert main(["fsm", "migrate", "newer.yaml", "--database", "redis://127.0.0.1:1"]) == 4
    assert main(["fsm", "migrate", "newer.yaml", "--database", "memory://"]) == 2
    assert main(["fsm", "migrate", "newer.yaml", "--batch-size", "0"]) == 2


def test_migrations_that_are_wrong_are_shown_at_their_place(capsys: CAPTURED) -> None:
    Path("newer.yaml").write_text(NEWER.replace("open: accepted", "open: gone"), encoding="utf-8")
    assert main(["fsm", "validate", "newer.yaml"]) == 1
    told = printed(capsys)
    assert "newer.yaml:13:" in told
    assert "'open' becomes 'gone', which is no state of version 2.0.0" in told
    assert "^^^^" in told


def test_recordings_are_replayed(capsys: CAPTURED) -> None:
    recorder = EventRecorder(StateMachine.from_yaml("order.yaml").create(context={"order_qty": 2}))
    recorder.send("ack")
    recorder.send("fill", fill_qty=2)
    Path("log.json").write_text(json.dumps(recorder.to_dict()), encoding="utf-8")
    lines = [json.dumps(event) for event in recorder.to_dict()["events"]]
    Path("log.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main(["fsm", "replay", "log.json", "--against", "order.yaml"]) == 0
    assert printed(capsys) == "1 as recorded\n"
    start = ["--context", '{"order_qty": 2}']
    assert main(["fsm", "replay", "log.jsonl", "--against", "order.yaml", *start]) == 0
    capsys.readouterr()
    assert main(["fsm", "replay", "log.json", "--against", "newer.yaml", "--json"]) == 3
    told = json.loads(printed(capsys))["replays"][0]
    assert (told["is_same"], told["divergence"]["event"], told["divergence"]["trigger"]) == (False, 1, "ack")
    assert (told["divergence"]["expected"], told["divergence"]["actual"]) == ("open", "accepted")
    assert main(["fsm", "replay", "log.json", "--against", "newer.yaml"]) == 3
    assert printed(capsys).startswith("differs  log.json: Event 1 ('ack') does something else than recorded: state was")


def test_entities_of_a_database_are_replayed(store: SQLiteStateStore, capsys: CAPTURED) -> None:
    shop = StateMachine.from_yaml("order.yaml").orchestrate(store, event_store=store)
    shop.process_event("a", "ack")
    shop.process_event("a", "fill", {"fill_qty": 1, "order_qty": 1})
    shop.process_event("b", "ack")
    assert main(["fsm", "replay", "--against", "order.yaml"]) == 0
    assert printed(capsys) == "2 as recorded\n"
    assert main(["fsm", "replay", "--against", "newer.yaml", "--entity", "b"]) == 3
    assert "differs  b: Event 1 ('ack')" in printed(capsys)
    assert main(["fsm", "replay", "--against", "order.yaml", "--entity", "nobody"]) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"trigger": "ack"}\n{"trigger": }\n', 'log.json:2:13: Expecting value\n{"trigger": }\n            ^'),
        ('{"steps": []}', "is no recording"),
        ('{"trigger": "a"}\n5\n', "log.json:2: an event needs a 'trigger'"),
    ],
)  # fmt: skip
def test_logs_that_are_none(text: str, said: str, capsys: CAPTURED) -> None:
    Path("log.json").write_text(text, encoding="utf-8")
    assert main(["fsm", "replay", "log.json", "--against", "order.yaml"]) == 1
    assert said in capsys.readouterr().err


def test_properties_are_proved_or_refuted(capsys: CAPTURED) -> None:
    Path("paid.yaml").write_text(ORDER.replace("fill_qty >= order_qty", "qty >= 5"), encoding="utf-8")
    assert main(["fsm", "verify", "paid.yaml"]) == 0
    assert printed(capsys).splitlines()[0].startswith("deadlock: holds")
    claims = ["-p", "never filled and qty < 5", "-p", "always pending"]
    assert main(["fsm", "verify", "paid.yaml", *claims, "--json"]) == 3
    told = json.loads(printed(capsys))["properties"]
    assert [one["verdict"] for one in told] == ["holds", "violated"]
    assert [step["event"] for step in told[1]["trace"]["steps"]] == ["ack"]
    assert main(["fsm", "verify", "paid.yaml", "-p", "sometimes x"]) == 2
    assert "is no property" in capsys.readouterr().err


def test_what_is_not_known_is_said(capsys: CAPTURED) -> None:
    assert main(["fsm", "verify", "order.yaml", "-p", "deadlock"]) == 0
    assert printed(capsys).startswith("deadlock: unknown (the expression 'fill_qty >= order_qty'")
    assert main(["fsm", "verify", "order.yaml", "-p", "deadlock", "--fail-on", "unknown"]) == 3


def test_conditions_that_are_none_are_a_matter_of_the_command_line(capsys: CAPTURED) -> None:
    for condition in ("never pending and", "nonsense", "never nosuch"):
        assert main(["fsm", "verify", "order.yaml", "-p", condition]) == 2
    assert "'nosuch' is neither a state nor a field" in capsys.readouterr().err


def test_the_real_commands_end_as_they_say(tmp_path: Path) -> None:
    assert spikard_fsm("verify", "order.yaml", "-p", "always pending", cwd=tmp_path).code == 3
    assert spikard_fsm("replay", "nothing.json", "--against", "order.yaml", "--json", cwd=tmp_path).code == 1
    assert spikard_fsm("migrate", "nothing.yaml", cwd=tmp_path).code == 1
