"""Code in definitions: off, limited, and in a process of its own."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spikard.fsm import (
    execute_code_action,
    get_allow_catalog_code,
    get_allow_catalog_code_source,
    get_allow_inline_code_actions,
    get_allow_inline_code_actions_source,
    get_allow_inline_code_imports,
    get_allow_inline_code_imports_source,
    get_code_isolation,
)
from spikard.fsm.code_process import close_processes


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for name in ("ALLOW_INLINE_CODE_ACTIONS", "ALLOW_INLINE_CODE_IMPORTS", "ALLOW_CATALOG_CODE", "CODE_ISOLATION"):
        monkeypatch.delenv(f"SPIKARD_FSM_{name}", raising=False)
    yield
    close_processes()


@pytest.fixture(params=["process", "none"])
def isolation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Code is allowed, in either place."""
    monkeypatch.setenv("SPIKARD_FSM_ALLOW_INLINE_CODE_ACTIONS", "1")
    monkeypatch.setenv("SPIKARD_FSM_CODE_ISOLATION", request.param)
    return str(request.param)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code is allowed, with imports, in a process of its own."""
    monkeypatch.setenv("SPIKARD_FSM_ALLOW_INLINE_CODE_ACTIONS", "1")
    monkeypatch.setenv("SPIKARD_FSM_ALLOW_INLINE_CODE_IMPORTS", "1")


def test_code_is_off_unless_switched_on() -> None:
    context: dict[str, Any] = {}
    result = execute_code_action({"source": "ctx['a'] = 1"}, context)
    assert not result.success
    assert str(result.error).startswith("Inline code actions are disabled")
    assert context == {}


@pytest.mark.usefixtures("isolation")
def test_code_changes_the_context() -> None:
    keep, when = [1], datetime(2026, 1, 1, tzinfo=UTC)
    context: dict[str, Any] = {"n": 1, "gone": 2, "keep": keep, "when": when}
    result = execute_code_action(
        {"source": "  ctx['n'] += 1\n  ctx['new'] = {'a': [1, 2]}\n  del ctx['gone']"}, context
    )
    assert result.success, result.error
    assert context == {"n": 2, "keep": [1], "when": when, "new": {"a": [1, 2]}}
    assert context["keep"] is keep


@pytest.mark.usefixtures("isolation")
@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("", ValueError),
        ("  \n ", ValueError),
        (5, ValueError),
        ("1 / 0", ZeroDivisionError),
        ("len([1])", NameError),
        ("import os", ImportError),
        ("open('x')", NameError),
        ("broken(", SyntaxError),
    ],
)
def test_code_that_fails(source: Any, error: type[Exception]) -> None:
    result = execute_code_action({"source": source}, {})
    assert not result.success
    assert isinstance(result.error, error)


@pytest.mark.usefixtures("isolation")
def test_a_missing_key_is_quoted_once() -> None:
    result = execute_code_action({"source": "ctx['missing']"}, {})
    assert isinstance(result.error, KeyError)
    assert str(result.error) == "'missing'"


@pytest.mark.usefixtures("isolation")
def test_code_with_builtins_may_ask_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_FSM_ALLOW_INLINE_CODE_IMPORTS", "yes")
    context: dict[str, Any] = {}
    source = "if hasattr(ctx, 'keys') and callable(getattr(ctx, 'get')):\n  ctx['kind'] = type(1).__name__"
    assert execute_code_action({"source": source}, context).success
    assert context == {"kind": "int"}


@pytest.mark.usefixtures("isolation")
def test_imports_are_a_short_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_FSM_ALLOW_INLINE_CODE_IMPORTS", "yes")
    context: dict[str, Any] = {}
    result = execute_code_action(
        {"source": "import math\nctx['x'] = json.dumps([math.floor(1.5), len('ab')])"}, context
    )
    assert result.success, result.error
    assert json.loads(context["x"]) == [1, 2]
    result = execute_code_action({"source": "import os"}, context)
    assert str(result.error) == "module 'os' is not allowlisted for inline code actions"
    result = execute_code_action({"source": "open('x', 'w')"}, context)
    assert isinstance(result.error, NameError)


@pytest.mark.usefixtures("in_process")
def test_processor_time_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_FSM_CODE_CPU_SECONDS", "1")
    context: dict[str, Any] = {"n": 1}
    result = execute_code_action({"source": "ctx['n'] = 2\nwhile True: pass", "timeout": 25}, context)
    assert isinstance(result.error, TimeoutError)
    assert "1 seconds of processor time" in str(result.error)
    assert context == {"n": 1}


@pytest.mark.usefixtures("in_process")
def test_a_timeout_ends_what_only_waits() -> None:
    source = "import functools\nwhile True: pass"
    result = execute_code_action({"source": source, "timeout": 0.3}, {})
    assert isinstance(result.error, TimeoutError)
    assert "longer than 0.3 seconds" in str(result.error)


@pytest.mark.usefixtures("in_process")
def test_memory_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_FSM_CODE_MEMORY_MB", "300")
    result = execute_code_action({"source": "x = 'x' * 10 ** 9"}, {})
    assert isinstance(result.error, MemoryError)
    result = execute_code_action({"source": "x = 'x' * 10 ** 6\nctx['ok'] = len(x)"}, context := {})
    assert result.success, result.error
    assert context == {"ok": 10**6}


@pytest.mark.usefixtures("in_process")
def test_files_cannot_be_written(tmp_path: Path) -> None:
    place = tmp_path / "made"
    # A way around the missing builtins, as somebody would look for it.
    source = f"json.codecs.open({str(place)!r}, 'w').write('x' * 100000)"
    result = execute_code_action({"source": source}, {})
    assert not result.success
    assert not place.exists() or place.stat().st_size == 0


def test_code_without_imports_opens_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPIKARD_FSM_ALLOW_INLINE_CODE_ACTIONS", "1")
    here = tmp_path / "here"
    here.write_text("kept", encoding="utf-8")
    # Up from a constant to every class there is, and from one of them to the module that opens files.
    source = (
        "loader = [c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'BuiltinImporter'][0]\n"
        f"loader.load_module('posix').open({str(here)!r}, 1)"
    )
    result = execute_code_action({"source": source}, {})
    assert isinstance(result.error, OSError)
    assert "Too many open files" in str(result.error)
    assert here.read_text(encoding="utf-8") == "kept"


@pytest.mark.usefixtures("in_process")
def test_nothing_is_left_for_the_next() -> None:
    assert execute_code_action({"source": "json.left = 1\nctx['a'] = json.left"}, context := {}).success
    assert context == {"a": 1}
    result = execute_code_action({"source": "ctx['a'] = json.left"}, {})
    assert isinstance(result.error, AttributeError)


@pytest.mark.usefixtures("in_process")
def test_output_of_the_code_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    assert execute_code_action({"source": "print('{\"context\": {}}')"}, context := {"a": 1}).success
    assert context == {"a": 1}
    assert capfd.readouterr().out == ""


def test_without_isolation_there_is_no_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_FSM_ALLOW_INLINE_CODE_ACTIONS", "1")
    monkeypatch.setenv("SPIKARD_FSM_CODE_ISOLATION", "none")
    result = execute_code_action({"source": "ctx['a'] = 1", "timeout": 1}, {})
    assert str(result.error).startswith("Inline code actions do not support per-action timeout")


def test_settings_say_where_they_come_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (get_allow_inline_code_actions(), get_allow_inline_code_actions_source()) == (False, "default")
    (tmp_path / "spikard.toml").write_text(
        "[fsm.features]\nallow_inline_code_actions = true\nallow_catalog_code = true\n"
    )
    assert (get_allow_inline_code_actions(), get_allow_inline_code_actions_source()) == (True, "cfg")
    assert (get_allow_catalog_code(), get_allow_catalog_code_source()) == (True, "cfg")
    monkeypatch.setenv("SPIKARD_FSM_ALLOW_CATALOG_CODE", "no")
    assert (get_allow_catalog_code(), get_allow_catalog_code_source()) == (False, "env")
    assert (get_allow_inline_code_imports(), get_allow_inline_code_imports_source()) == (False, "default")
    monkeypatch.setenv("SPIKARD_FSM_ALLOW_INLINE_CODE_IMPORTS", "perhaps")
    with pytest.raises(ValueError, match="SPIKARD_FSM_ALLOW_INLINE_CODE_IMPORTS is 'perhaps'"):
        get_allow_inline_code_imports()
    assert get_code_isolation() == "process"
