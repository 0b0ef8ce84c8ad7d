"""The wheel in clean environments of every Python: both commands run, and a request is answered."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from process import Process
from wheel import Wheel

APPLICATION = """
import sys

from spikard import Spikard

app = Spikard()


@app.get("/prefix")
async def prefix() -> str:
    return sys.prefix
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment with nothing in it but the package and what it requires."""

    root: Path

    def program(self, name: str) -> str:
        """Path of a command."""
        return str(self.root / "bin" / name)

    def output(self, *command: str) -> str:
        """What a command of the environment prints."""
        run = subprocess.run(
            [self.program(command[0]), *command[1:]], capture_output=True, text=True, check=False, timeout=60
        )
        assert run.returncode == 0, run.stderr
        return run.stdout


@pytest.fixture(scope="session")
def environment(python: str, wheel: Wheel, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """One environment for each interpreter; its path has a space."""
    root = tmp_path_factory.mktemp("an environment") / "with space"
    subprocess.run([python, "-m", "venv", root], check=True, timeout=120)
    made = Environment(root)
    made.output("python", "-m", "pip", "install", "--quiet", str(wheel.path))
    return made


@pytest.fixture
def application(tmp_path: Path) -> Path:
    """A folder with `main.py`."""
    (tmp_path / "main.py").write_text(APPLICATION)
    return tmp_path


def test_every_public_module_imports_without_extras(environment: Environment) -> None:
    code = """
import importlib, pkgutil, sys, spikard
needs_httpx = {"spikard.testing"}
for module in pkgutil.iter_modules(spikard.__path__, "spikard."):
    if module.name not in needs_httpx and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print("all of them")
"""
    assert environment.output("python", "-I", "-W", "error", "-c", code) == "all of them\n"


def test_the_test_client_names_its_extra(environment: Environment) -> None:
    code = "import spikard.testing as t; t.TestClient"
    run = subprocess.run([environment.program("python"), "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "spikard[test]" in run.stderr


def test_commands_say_the_version(environment: Environment, wheel: Wheel) -> None:
    version = wheel.metadata()["Version"]
    for command in (["spikard"], ["spikard-server"], ["python", "-m", "spikard"]):
        assert version in environment.output(*command, "--version").split(), command


def test_environment_is_complete(environment: Environment) -> None:
    assert "No broken requirements" in environment.output("python", "-m", "pip", "check")


def test_the_build_is_optimised(environment: Environment) -> None:
    code = "from spikard import _spikard; print(_spikard.__profile__)"
    assert environment.output("python", "-c", code) == "release\n"


@pytest.mark.parametrize("command", [["spikard", "serve"], ["spikard-server"], ["python", "-m", "spikard", "serve"]])
def test_request_is_answered(environment: Environment, application: Path, command: list[str]) -> None:
    command = [environment.program(command[0]), *command[1:], "main:app", "--port", "0"]
    with Process(command, cwd=application) as server:
        assert server.get("/prefix") == f'"{environment.root}"'


def test_request_is_answered_through_a_link(environment: Environment, application: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere"
    link.symlink_to(environment.program("spikard-server"))
    with Process([str(link), "main:app", "--port", "0"], cwd=application) as server:
        assert server.get("/prefix") == f'"{environment.root}"'


def test_a_broken_application_ends_with_its_fault(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import spikard\nraise LookupError('no such tea')\n")
    with Process([environment.program("spikard"), "serve", "main:app", "--port", "0"], cwd=tmp_path) as server:
        assert server.end() != 0
        assert any("no such tea" in line for line in server.lines)
