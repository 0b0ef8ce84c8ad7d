"""Settings of the system that programs come from: read where ours say nothing, and told once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spikard.fsm import (
    ConfigurationError,
    WorkerConfig,
    get_allow_inline_code_actions,
    get_allow_inline_code_actions_source,
)
from spikard.fsm.former_settings import _once
from spikard.fsm.worker.config import application_database


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory and a home of our own, and nobody who was told."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    _once.cache_clear()
    yield tmp_path
    _once.cache_clear()


def test_variables(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("PYSTATOR_WORKER_CONCURRENCY", "9")
    monkeypatch.setenv("PYSTATOR_DATABASE_URL", "sqlite:///theirs.db")
    monkeypatch.setenv("PYSTATOR_ALLOW_INLINE_CODE_ACTIONS", "yes")
    assert WorkerConfig().concurrency == 9
    assert application_database() == "sqlite:///theirs.db"
    assert (get_allow_inline_code_actions(), get_allow_inline_code_actions_source()) == (True, "env")
    assert caplog.text.count("Settings of PyStator are in use (PYSTATOR_WORKER_CONCURRENCY)") == 1
    assert caplog.text.count("Settings of PyStator") == 1


def test_ours_come_first(monkeypatch: pytest.MonkeyPatch, elsewhere: Path, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("PYSTATOR_WORKER_CONCURRENCY", "9")
    monkeypatch.setenv("SPIKARD_FSM_WORKER_CONCURRENCY", "3")
    monkeypatch.setenv("PYSTATOR_ALLOW_INLINE_CODE_ACTIONS", "1")
    (elsewhere / "spikard.toml").write_text("[fsm.features]\nallow_inline_code_actions = false\n")
    assert WorkerConfig().concurrency == 3
    assert (get_allow_inline_code_actions(), get_allow_inline_code_actions_source()) == (False, "cfg")
    assert "PyStator" not in caplog.text


@pytest.mark.parametrize("folder", [".", "home/.pystator"])
def test_the_file(folder: str, elsewhere: Path) -> None:
    (elsewhere / folder).mkdir(parents=True, exist_ok=True)
    text = "[worker]\nPYSTATOR_WORKER_MAX_ATTEMPTS = 8\n[features]\nPYSTATOR_ALLOW_INLINE_CODE_ACTIONS = true\n"
    (elsewhere / folder / "pystator.cfg").write_text(text)
    assert WorkerConfig().max_attempts == 8
    assert (get_allow_inline_code_actions(), get_allow_inline_code_actions_source()) == (True, "cfg")


def test_files_and_values_that_are_wrong(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "pystator.cfg").write_text("no section")
    with pytest.raises(ConfigurationError, match=r"pystator\.cfg cannot be read"):
        WorkerConfig()
    (elsewhere / "pystator.cfg").unlink()
    monkeypatch.setenv("PYSTATOR_WORKER_CONCURRENCY", "many")
    with pytest.raises(ValueError, match="PYSTATOR_WORKER_CONCURRENCY must be of type int, not 'many'"):
        WorkerConfig()
