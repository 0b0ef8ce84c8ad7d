"""`spikard fsm db` and `machines`: tables made and dropped, machines kept, what PyStator has left."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from spikard.cli import main
from spikard.fsm import SQLiteStateStore, StateMachine
from spikard.fsm.stores import legacy_import, migration
from spikard.fsm.stores.schema import MIGRATIONS
from tests.cli.fsm.program import ORDER, spikard_fsm
from tests.fsm.test_queue import queue_database, url

__all__ = ["queue_database", "url"]

CAPTURED = pytest.CaptureFixture[str]
URL = "sqlite:///fsm.db"
LEGACY = "sqlite:///legacy.db"
MOMENT = "2026-01-02 03:04:05.678901"
CONFIG = {
    "meta": {"machine_name": "order", "version": "1.0.0"},
    "states": [{"name": "pending", "type": "initial"}, {"name": "open"}],
    "transitions": [{"trigger": "ack", "source": "pending", "dest": "open"}],
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPIKARD_FSM_DATABASE_URL", URL)
    Path("order.yaml").write_text(ORDER, encoding="utf-8")


def printed(capsys: CAPTURED) -> str:
    return capsys.readouterr().out


def test_exit_codes_of_the_real_command(tmp_path: Path) -> None:
    nowhere = spikard_fsm("db", "current", "postgresql://ann:secret@127.0.0.1:1/nowhere", cwd=tmp_path)
    assert nowhere.code == 4
    assert nowhere.err.startswith("spikard fsm: error: postgresql://ann:***@127.0.0.1:1/nowhere cannot be reached: ")
    assert spikard_fsm("db", "init", cwd=tmp_path).code == 0


def test_exit_codes() -> None:
    assert main(["fsm", "db", "current"]) == 4
    assert main(["fsm", "db", "init", "sqlite:////no/such/folder/fsm.db"]) == 4
    assert main(["fsm", "db", "truncate"]) == 2
    assert main(["fsm", "db", "no_such_command"]) == 2
    assert main(["fsm", "db", "current", "mongodb://somewhere"]) == 2


def test_what_is_no_database_is_said(tmp_path: Path, capsys: CAPTURED) -> None:
    Path("fsm.db").write_bytes(b"no database at all, but long enough to look like one" * 40)
    assert main(["fsm", "db", "current"]) == 4
    assert "cannot be reached: file is not a database" in capsys.readouterr().err


@pytest.mark.parametrize("version", range(migration.LATEST))
def test_back_and_forth(version: int, capsys: CAPTURED) -> None:
    assert main(["fsm", "db", "upgrade", "--revision", str(version or 1)]) == 0
    assert main(["fsm", "db", "init"]) == 0
    before = tables()
    assert main(["fsm", "db", "downgrade", "--revision", str(version)]) == 0
    assert main(["fsm", "db", "upgrade", "--revision", f"+{migration.LATEST - version}"]) == 0
    assert tables() == before
    capsys.readouterr()
    assert main(["fsm", "db", "current", "--json"]) == 0
    assert json.loads(printed(capsys)) == {"database": URL, "version": migration.LATEST, "latest": migration.LATEST}


def tables() -> list[str]:
    connection = sqlite3.connect("fsm.db")
    try:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE sql IS NOT NULL")]
    finally:
        connection.close()
    return sorted(names)


def test_nothing_is_left_at_the_base() -> None:
    assert main(["fsm", "db", "init"]) == 0
    assert main(["fsm", "db", "downgrade", "--revision", "base"]) == 0
    assert tables() == ["schema_versions"]


def test_versions_that_there_are_not(capsys: CAPTURED) -> None:
    assert main(["fsm", "db", "init"]) == 0
    for revision in ("99", "+1", "soon"):
        assert main(["fsm", "db", "upgrade", "--revision", revision]) == 2
    assert main(["fsm", "db", "upgrade", "--revision", "1"]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_every_migration_can_be_taken_back() -> None:
    for number, statements in enumerate(MIGRATIONS, 1):
        assert migration.summary(number)
        for statement in statements:
            assert migration.undone(statement, number).startswith(("DROP ", "ALTER "))


def test_a_stamp_is_believed(capsys: CAPTURED) -> None:
    assert main(["fsm", "db", "init"]) == 0
    assert main(["fsm", "db", "stamp", "1"]) == 0
    assert main(["fsm", "machines", "list"]) == 1
    assert "run: spikard fsm db upgrade" in capsys.readouterr().err
    assert main(["fsm", "db", "stamp"]) == 0
    assert main(["fsm", "db", "history", "--json"]) == 0
    assert all(row["present"] == "yes" for row in json.loads(printed(capsys).partition("\n")[2])["versions"])


def test_in_every_database(url: str, capsys: CAPTURED) -> None:
    assert main(["fsm", "db", "init", url]) == 0
    assert main(["fsm", "db", "downgrade", url]) == 0
    assert main(["fsm", "db", "upgrade", url]) == 0
    assert main(["fsm", "db", "truncate", "--force", url]) == 0
    assert main(["fsm", "machines", "create", "order.yaml", "--database", url]) == 0
    capsys.readouterr()
    assert main(["fsm", "machines", "list", "--json", "--database", url]) == 0
    (machine,) = json.loads(printed(capsys))["machines"]
    assert (machine["name"], machine["status"], machine["states"]) == ("order", "active", 3)


def test_machines_come_and_go(capsys: CAPTURED) -> None:
    assert main(["fsm", "db", "init"]) == 0
    assert main(["fsm", "machines", "create", "order.yaml"]) == 0
    assert main(["fsm", "machines", "create", "order.yaml"]) == 0
    Path("order.yaml").write_text(ORDER.replace("{name: open}", "{name: open, description: x}"), encoding="utf-8")
    assert main(["fsm", "machines", "create", "order.yaml"]) == 1
    assert main(["fsm", "machines", "create", "order.yaml", "--replace"]) == 0
    Path("order.yaml").write_text(ORDER.replace("1.0.0", "1.1.0"), encoding="utf-8")
    assert main(["fsm", "machines", "create", "order.yaml"]) == 0
    assert main(["fsm", "machines", "activate", "order", "1.1.0"]) == 0
    capsys.readouterr()
    assert main(["fsm", "machines", "list", "--json"]) == 0
    statuses = {row["version"]: row["status"] for row in json.loads(printed(capsys))["machines"]}
    assert statuses == {"1.0.0": "retired", "1.1.0": "active"}
    assert main(["fsm", "machines", "get", "order", "-o", "kept.yaml"]) == 0
    assert StateMachine.from_yaml("kept.yaml").version == "1.1.0"
    assert main(["fsm", "machines", "delete", "order", "1.0.0"]) == 0
    for arguments in (["delete", "order", "1.0.0"], ["get", "other"], ["activate", "order", "3"]):
        assert main(["fsm", "machines", *arguments]) == 1


def test_seeds(capsys: CAPTURED) -> None:
    assert main(["fsm", "db", "init"]) == 0
    assert main(["fsm", "db", "seed", "--json"]) == 0
    assert json.loads(printed(capsys).partition("\n")[2])["count"] == 8
    Path("seeds").mkdir()
    Path("seeds/two.json").write_text(json.dumps([CONFIG, {**CONFIG, "meta": {"machine_name": "other"}}]))
    assert main(["fsm", "machines", "seed", "seeds"]) == 0
    assert printed(capsys) == "kept order 1.0.0\nkept other 1.0.0\n"


def legacy(rows: int) -> None:
    """A database as PyStator makes it, as far as it is read."""
    connection = sqlite3.connect("legacy.db")
    connection.executescript("""
        CREATE TABLE machines (id UUID PRIMARY KEY, name VARCHAR, version VARCHAR, description TEXT,
            strict_mode BOOLEAN, revision INTEGER, config_json JSON, created_at DATETIME, updated_at DATETIME);
        CREATE TABLE entity_states (id UUID PRIMARY KEY, entity_id VARCHAR, machine_id UUID, machine_name VARCHAR,
            machine_version VARCHAR, current_state VARCHAR, context_json JSON, created_at DATETIME,
            updated_at DATETIME, is_terminal BOOLEAN, version INTEGER, status VARCHAR);
        CREATE TABLE transition_history (id UUID PRIMARY KEY, entity_id VARCHAR, source_state VARCHAR,
            target_state VARCHAR, "trigger" VARCHAR, success BOOLEAN, created_at DATETIME);
        CREATE TABLE event_log (id UUID PRIMARY KEY, entity_id VARCHAR, sequence INTEGER, "trigger" VARCHAR,
            payload_json JSON, source VARCHAR, created_at DATETIME);
        CREATE TABLE worker_events (id UUID PRIMARY KEY, machine_name VARCHAR, entity_id VARCHAR, "trigger" VARCHAR,
            context_json JSON, status VARCHAR, fires_at DATETIME, claimed_by VARCHAR, attempt INTEGER,
            max_attempts INTEGER, created_at DATETIME);
    """)
    config = json.dumps(CONFIG)
    machine = (str(uuid4()), "order", "1.0.0", None, 1, 7, config, MOMENT, MOMENT)
    connection.execute("INSERT INTO machines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", machine)
    connection.executemany(
        "INSERT INTO entity_states VALUES (?, ?, NULL, 'order', '1.0.0', 'open', ?, ?, ?, 0, 4, 'active')",
        [(str(uuid4()), f"o-{number}", json.dumps({"n": number}), MOMENT, MOMENT) for number in range(rows)],
    )
    for number, (state, target) in enumerate([("pending", "open"), ("open", "filled"), ("filled", None)]):
        line = (str(uuid4()), state, target, f"t{number}", target is not None, MOMENT.replace("03:", f"{number:02}:"))
        connection.execute("INSERT INTO transition_history VALUES (?, 'o-1', ?, ?, ?, ?, ?)", line)
        event = (str(uuid4()), number + 1, f"t{number}", MOMENT)
        connection.execute("INSERT INTO event_log VALUES (?, 'o-1', ?, ?, 'null', NULL, ?)", event)
    held = (str(uuid4()), MOMENT, MOMENT)
    connection.execute(
        "INSERT INTO worker_events VALUES (?, 'order', 'o-1', 'ack', '{}', 'claimed', ?, 'gone', 1, 5, ?)", held
    )
    connection.commit()
    connection.close()


def test_a_copy_that_is_interrupted_goes_on(capsys: CAPTURED) -> None:
    legacy(23)
    seen: list[tuple[str, int]] = []

    class PowerFailureError(Exception):
        pass

    def told(progress: legacy_import.ImportProgress) -> None:
        seen.append((progress.table, progress.rows))
        if progress.rows == 10 and seen.count(seen[-1]) == 1:
            raise PowerFailureError

    source, target = SQLiteStateStore(LEGACY), SQLiteStateStore(URL)
    source.connect(validate_schema=False, auto_initialize=False)
    target.connect()
    try:
        with pytest.raises(PowerFailureError):
            legacy_import.import_legacy_database(source, target, LEGACY, told, batch=5)
        report = legacy_import.import_legacy_database(source, target, LEGACY, told, batch=5)
        assert report["entity_states"] == 23
        # No batch was copied twice.
        assert [rows for table, rows in seen if table == "entity_states"] == [5, 10, 15, 20, 23]
        row = target.load("o-1")
        assert (row.state, row.version, row.context) == ("open", 4, {"n": 1})
        assert row.entered_at == datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
        assert [line["trigger"] for line in target.get_transition_history("o-1")] == ["t2", "t1", "t0"]
        assert target.append_event("o-1", "next") == 4
        assert len(target.list_entities(limit=100)) == 23
    finally:
        source.disconnect()
        target.disconnect()


def test_a_copy_can_be_made_again(url: str, capsys: CAPTURED) -> None:
    assert main(["fsm", "db", "init", url]) == 0
    assert main(["fsm", "db", "truncate", "--force", url]) == 0
    legacy(3)
    for _ in range(2):
        assert main(["fsm", "db", "import-legacy", LEGACY, "--database", url]) == 0
    capsys.readouterr()
    assert main(["fsm", "db", "truncate", "--force", "--json", url]) == 0
    deleted = json.loads(printed(capsys))["deleted"]
    assert {name: count for name, count in deleted.items() if count} == {
        "machines": 1, "entity_states": 3, "transition_history": 3, "event_log": 3, "worker_events": 1,
    }  # fmt: skip


def test_what_is_no_database_of_pystator(capsys: CAPTURED) -> None:
    assert main(["fsm", "db", "init"]) == 0
    sqlite3.connect("legacy.db").close()
    Path("empty.db").touch()
    assert main(["fsm", "db", "import-legacy", "sqlite:///empty.db"]) == 1
    assert "is no database of PyStator" in capsys.readouterr().err


def test_what_the_database_refuses_is_no_traceback(capsys: CAPTURED) -> None:
    assert main(["fsm", "db", "init"]) == 0
    assert main(["fsm", "db", "downgrade"]) == 0
    assert main(["fsm", "db", "stamp"]) == 0
    assert main(["fsm", "db", "truncate", "--force"]) == 1
    assert capsys.readouterr().err == "spikard fsm: error: sqlite:///fsm.db: no such table: fsm_timer_watch\n"


def test_places_that_are_no_databases(capsys: CAPTURED) -> None:
    assert main(["fsm", "db", "init", "mysql://ann:secret@host/x"]) == 2
    assert (
        "'mysql://ann:***@host/x' is no database: it begins with sqlite:/// or postgresql://" in capsys.readouterr().err
    )
    assert main(["fsm", "db", "init"]) == 0
    assert main(["fsm", "db", "import-legacy", "sqlite:///absent.db"]) == 4
    # To make one would be no help.
    assert capsys.readouterr().err == "spikard fsm: error: there is no database sqlite:///absent.db\n"
    assert main(["fsm", "dlq", "list", "--limit", "-1"]) == 2
    assert "'-1' is no whole number above 0" in capsys.readouterr().err
    absent = "mongodb://127.0.0.1:1/shop?serverSelectionTimeoutMS=50"
    assert main(["fsm", "migrate", "order.yaml", "--database", absent]) == 4
    assert capsys.readouterr().err.endswith("Connection refused\n")


def test_settings_that_cannot_be_read_are_named(capsys: CAPTURED, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPIKARD_FSM_DATABASE_URL")
    Path("spikard.toml").write_text("[fsm\n", encoding="utf-8")
    assert main(["fsm", "machines", "list"]) == 1
    assert "spikard.toml cannot be read: Expected ']'" in capsys.readouterr().err
