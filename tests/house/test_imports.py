"""Who imports the native module, and who the package's front: what Import Linter cannot tell apart."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.repository import Repository

NATIVE = "spikard._spikard"
# The front, and the packages that face requests.
MAY_IMPORT_NATIVE = {
    "__init__",
    "app",
    "bots",
    "datastructures",
    "fsm",
    "params",
    "responses",
    "routing",
    "schema",
    "testing",
}
# Names of the front that are not taken from a package above the importer.
HARMLESS = {"__version__", "background", "datastructures"}


@pytest.fixture(scope="module")
def modules(repository: Repository) -> dict[Path, ast.Module]:
    """The package's modules, by path below it."""
    package = Path("python/spikard")
    return {
        path.relative_to(package): ast.parse(repository.text(path))
        for path in repository.matching("python/spikard/**/*.py")
    }


def test_only_packages_that_face_requests_know_the_native_module(modules: dict[Path, ast.Module]) -> None:
    assert len(modules) > 1
    users = {path.parts[0].removesuffix(".py") for path, tree in modules.items() if NATIVE in imported(tree)}
    assert users
    assert users <= MAY_IMPORT_NATIVE


def test_nobody_inside_imports_the_front(modules: dict[Path, ast.Module]) -> None:
    found = {}
    for path, tree in modules.items():
        names = set(from_front(tree)) - HARMLESS
        if names and path != Path("__init__.py"):
            found[str(path)] = names
    assert found == {}


def imported(tree: ast.Module) -> set[str]:
    """Names of the modules that a module imports anywhere."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def from_front(tree: ast.Module) -> Iterator[str]:
    """What a module takes from `spikard` itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "spikard":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name == "spikard")
