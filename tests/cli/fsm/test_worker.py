"""`spikard fsm worker` and `dlq`: a real process that drains, and what it gives up."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from spikard.cli import main
from spikard.fsm import submit_event_sync
from tests.cli.fsm.program import ORDER, PROGRAM, spikard_fsm
from tests.fsm.test_queue import queue_database, url

__all__ = ["queue_database", "url"]

APP = """
from spikard.fsm import ActionRegistry, Worker, WorkerConfig


def create_worker():
    actions = ActionRegistry()
    actions.register("tell", lambda context: print("told", flush=True))
    return Worker(WorkerConfig(poll_interval_ms=20), actions=actions)


async def create_later():
    return create_worker()


def broken():
    raise RuntimeError("no such luck")

"""
ACTING = ORDER.replace("dest: open}", "dest: open, actions: [tell]}")


@pytest.fixture(autouse=True)
def _order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPIKARD_FSM_DATABASE_URL", url)
    Path("app.py").write_text(APP, encoding="utf-8")
    Path("order.yaml").write_text(ACTING, encoding="utf-8")
    assert main(["fsm", "db", "init"]) == 0
    assert main(["fsm", "db", "truncate", "--force"]) == 0
    assert main(["fsm", "machines", "create", "order.yaml"]) == 0


def test_events_are_worked_off_until_it_is_told_to_stop(url: str, tmp_path: Path) -> None:
    app = "app.py:create_later" if url.startswith("sqlite") else "app:create_worker"
    worker = subprocess.Popen(
        [*PROGRAM, "worker", "--app", app, "--poll-interval", "20", "--concurrency", "2", "--json"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert worker.stdout is not None
        started = json.loads(worker.stdout.readline())
        assert (started["event"], started["machines"]) == ("started", ["order"])
        submit_event_sync("order", "o-1", "ack", db_url=url)
        assert worker.stdout.readline() == "told\n"
        worker.send_signal(signal.SIGTERM)
        out, err = worker.communicate(timeout=30)
    finally:
        worker.kill()
        worker.wait()
    assert worker.returncode == 0, err
    assert json.loads(out)["event"] == "stopped"


def test_what_is_no_worker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for target in ("spikard:nothing", "spikard:Spikard", "spikard", "no_such_module:x"):
        assert main(["fsm", "worker", "--app", target]) == 2
    assert main(["fsm", "worker", "--concurrency", "0"]) == 2
    assert main(["fsm", "worker", "--database", "sqlite:///absent.db"]) == 4
    broken = spikard_fsm("worker", "--app", "app:broken", cwd=tmp_path)
    assert (broken.code, "RuntimeError: no such luck" in broken.err) == (1, True)


def test_a_worker_says_that_tables_are_missing(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fsm", "db", "downgrade", "--revision", "0"]) == 0
    capsys.readouterr()
    assert main(["fsm", "worker"]) == 1
    told = capsys.readouterr().err
    assert main(["fsm", "db", "init"]) == 0, "other tests share the database"
    assert "has no tables of state machines" in told
    assert "spikard fsm db init" in told
    assert "Traceback" not in told


def letters(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["fsm", "dlq", "list", "--json", *arguments]) == 0
    records: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["records"]
    return records


def test_dead_letters_go_back_or_are_dropped(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from spikard.fsm.dead_letters.database import DatabaseDeadLetterStore
    from spikard.fsm.dead_letters.record import DeadLetterRecord
    from spikard.fsm.dead_letters.synchronous import SyncDeadLetterStore

    store = SyncDeadLetterStore(DatabaseDeadLetterStore(url))
    body = {"event_id": "e", "entity_id": "o-1"}
    event = DeadLetterRecord("r1", "order", stage="worker", payload={**body, "trigger": "ack", "context": {"a": 1}})
    data = DeadLetterRecord("r2", "order", stage="worker_apply_data", payload={**body, "data": {"a": 1}})
    store.add_batch([event, data, DeadLetterRecord("r3", "order", stage="elsewhere")])
    store.close()
    assert {record["record_id"] for record in letters(capsys)} == {"r1", "r2", "r3"}
    assert main(["fsm", "dlq", "redrive", "r1", "r2"]) == 0
    assert main(["fsm", "dlq", "redrive", "r3"]) == 1
    assert main(["fsm", "dlq", "drop", "r3"]) == 0
    assert main(["fsm", "dlq", "drop", "r4"]) == 1
    assert letters(capsys) == []
    settled = {record["record_id"]: record["status"] for record in letters(capsys, "--all")}
    assert settled == {"r1": "resolved", "r2": "resolved", "r3": "ignored"}
    assert main(["fsm", "db", "truncate", "--force", "--json"]) == 0
    deleted = json.loads(capsys.readouterr().out)["deleted"]
    assert (deleted["worker_events"], deleted["worker_apply_data_events"]) == (1, 1)
