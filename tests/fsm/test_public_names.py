"""The wing's front: lazy, complete and true."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import spikard.fsm as fsm

PACKAGE = Path(fsm.__file__).parent


def test_every_name_can_be_imported() -> None:
    assert len(fsm.__all__) > 20
    assert [name for name in fsm.__all__ if not hasattr(fsm, name)] == []


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(fsm.__file__).read_text(encoding="utf-8"))
    seen = {
        alias.asname: node.module
        for guarded in tree.body
        if isinstance(guarded, ast.If)
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {name: f"spikard.fsm.{module}" for name, module in fsm._MODULES.items()}


def test_no_module_has_the_name_of_something_public() -> None:
    modules = {path.stem for path in PACKAGE.iterdir() if path.name != "__init__.py"}
    assert modules & set(fsm.__all__) == set()


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = fsm.nothing_of_the_kind


def test_import_loads_no_library() -> None:
    heavy = "sqlite3 asyncpg redis pymongo celery httpx urllib.request yaml sqlalchemy spikard.fsm.errors".split()
    code = f"import sys, spikard.fsm; print([name for name in {heavy!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20).stdout
    assert found.strip() == "[]"


def test_former_paths_have_the_names_of_the_front() -> None:
    code = (
        "from spikard.fsm.guards import GuardRegistry\n"
        "from spikard.fsm.core import StateMachine, TransitionContext\n"
        "from spikard.fsm.config.loader import ConfigLoader\n"
        "from spikard.fsm.stores.base import StateStore\n"
        "from spikard.fsm.stores import InMemoryStateStore\n"
        "from spikard.fsm.lint import LintWarning\n"
        "import spikard.fsm as fsm\n"
        "for found in (GuardRegistry, StateMachine, ConfigLoader, StateStore, InMemoryStateStore, LintWarning):\n"
        "    assert found is getattr(fsm, found.__name__)\n"
        "assert callable(fsm.lint)\n"
        "assert TransitionContext({'_entity_id': 'e', 'x': 1}).user_data() == {'x': 1}\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)


@pytest.mark.parametrize("path", ["guards", "stores", "config.loader"])
def test_former_paths_have_nothing_else(path: str) -> None:
    with pytest.raises(ImportError, match="nothing_of_the_kind"):
        exec(f"from spikard.fsm.{path} import nothing_of_the_kind")


def test_what_has_never_been_a_path_is_none() -> None:
    with pytest.raises(ModuleNotFoundError, match="nothing_of_the_kind"):
        importlib.import_module("spikard.fsm.nothing_of_the_kind")
