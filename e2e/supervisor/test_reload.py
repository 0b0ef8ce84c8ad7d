"""Replacing workers while requests come in."""

import signal
from pathlib import Path

import pytest
from process import Load, Start, until


@pytest.mark.parametrize("workers", [1, 2])
def test_a_rolling_reload_loses_no_request(start: Start, workers: int) -> None:
    process = start("--workers", str(workers), "ok")
    port = process.ready()
    with Load(port) as load:
        for _ in range(3):
            seen = len(process.lines)
            load.more()
            before = process.workers()
            process.signal(signal.SIGHUP)
            process.line("reloaded", after=seen)
            load.more()
            until(lambda before=before: not before & process.workers(), "the old workers are gone")  # type: ignore[misc]
    assert load.failures == []
    assert len(set(load.answers)) >= 3 * workers


def test_a_reload_that_fails_keeps_the_old_workers(start: Start) -> None:
    process = start("--workers", "1", "second")
    pid = process.worker()
    process.signal(signal.SIGHUP)
    process.line(r"^spikard-server: it fails; the new worker 1 \(pid \d+\) failed, the old workers stay")
    assert "Traceback: here" in process.lines
    assert process.worker() == pid


def test_a_second_reload_replaces_the_first(start: Start) -> None:
    process = start("ok")
    pid = process.worker()
    for _ in range(5):
        process.signal(signal.SIGHUP)
    process.line("reloaded")
    until(lambda: len(process.workers()) == 1 and pid not in process.workers(), "one new worker runs")


def test_a_worker_that_has_grown_is_replaced(start: Start) -> None:
    process = start("--worker-max-rss", "100", "ok")
    pid = int(process.get("/grow"))
    process.line(rf"replacing worker 1 \(pid {pid}\): \d+ MiB of memory, 100 allowed")
    until(lambda: pid not in process.workers(), "the old worker is gone")
    assert process.worker() != pid


def test_a_worker_of_age_is_replaced_without_a_gap(start: Start) -> None:
    process = start("--worker-lifetime", "0.5", "ok")
    pid = process.worker()
    with Load(process.ready(), clients=2) as load:
        process.line(rf"replacing worker 1 \(pid {pid}\): its lifetime is over")
        until(lambda: pid not in process.workers(), "the old worker is gone")
    assert load.failures == []


@pytest.fixture
def code(tmp_path: Path) -> Path:
    path = tmp_path / "project" / "code.py"
    path.parent.mkdir()
    path.write_text("one")
    return path


def test_an_edit_is_picked_up(start: Start, code: Path) -> None:
    process = start("--reload", f"file={code}", cwd=code.parent)
    assert process.get("/answer") == "one"
    code.write_text("two")
    process.line("code.py changed, reloading")
    until(lambda: process.get("/answer") == "two", "the new code answers")


def test_files_that_are_replaced_and_new_directories_count(start: Start, code: Path) -> None:
    process = start("--reload", "--reload-dir", str(code.parent), f"file={code}")
    process.ready()
    other = code.with_name("code.tmp")
    other.write_text("two")
    other.replace(code)
    until(lambda: process.get("/answer") == "two", "the new code answers")
    seen = len(process.lines)
    (code.parent / "package").mkdir()
    (code.parent / "package" / "module.py").write_text("")
    process.line("module.py changed, reloading", after=seen)


def test_files_of_others_do_not_count(start: Start, code: Path) -> None:
    for folder in (".venv", "__pycache__", "node_modules"):
        (code.parent / folder).mkdir()
    process = start("--reload", f"file={code}", cwd=code.parent)
    process.ready()
    for path in (".venv/a.py", "__pycache__/a.py", "node_modules/a.py", "notes.txt"):
        (code.parent / path).write_text("")
    code.write_text("two")
    assert process.line(r"(\S+) changed, reloading")[1] == "code.py"


def test_a_mistake_waits_for_its_repair(start: Start, code: Path) -> None:
    process = start("--reload", f"file={code}", cwd=code.parent)
    process.ready()
    code.write_text("oops")
    process.line("it fails: oops; still serving the previous version; waiting for a change")
    assert process.get("/answer") == "one"
    code.write_text("three")
    until(lambda: process.get("/answer") == "three", "the repaired code answers")


def test_a_mistake_from_the_start_waits_for_its_repair(start: Start, code: Path) -> None:
    code.write_text("oops")
    process = start("--reload", f"file={code}", cwd=code.parent)
    process.line("it fails: oops; waiting for a change")
    code.write_text("four")
    assert process.get("/answer") == "four"
