"""The server under test, with workers that are fake so that only the supervisor is on trial."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from process import Process, Start

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def server() -> str:
    """The `spikard-server` of this environment, or the one that SPIKARD_SERVER names."""
    beside = Path(sys.executable).parent / "spikard-server"
    found = os.environ.get("SPIKARD_SERVER") or (str(beside) if beside.exists() else shutil.which("spikard-server"))
    assert found, "spikard-server is neither beside this interpreter nor on PATH; install the package first"
    return found


@pytest.fixture(scope="session")
def version(server: str) -> str:
    output = subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout
    return output.removeprefix("spikard-server ").strip()


@pytest.fixture
def fake_python(tmp_path: Path) -> Path:
    """An interpreter that is always a fake worker."""
    path = tmp_path / "fake python"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE / "fake_worker.py"}" "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def start(server: str, version: str, fake_python: Path, tmp_path: Path) -> Iterator[Start]:
    """Start a server with fake workers; the arguments are those of the command line."""
    env = {"FAKE_VERSION": version, "FAKE_GATE": str(tmp_path / "gate"), "FAKE_MARK": str(tmp_path / "mark")}
    with ExitStack() as stack:

        def run(*arguments: str, port: bool = True, **options: object) -> Process:
            socket = ["--port", "0"] if port else []
            command = [server, "--python", str(fake_python), *socket, *arguments]
            return stack.enter_context(Process(command, env=env, **options))  # type: ignore[arg-type]

        yield run


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """Requests for `/gate` are answered once this file exists."""
    return tmp_path / "gate"
