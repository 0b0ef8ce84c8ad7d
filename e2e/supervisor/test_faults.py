"""What goes wrong before the first request: one clear line, and the exit code that belongs to it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from process import Process, Start


def error(process: Process, code: int) -> str:
    """The one line of a server that has ended."""
    assert process.end() == code, process.lines
    (line,) = process.lines
    assert line.startswith("spikard-server: error: ")
    return line.removeprefix("spikard-server: error: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--wokers", "2", "ok"], "unknown option --wokers; did you mean --workers? (see --help)"),
        (["--workers", "none", "ok"], '--workers is a whole number from 1 to 1024, not "none" (see --help)'),
        ([], "no TARGET given, such as `module:app` or `path/to/file.py` (see --help)"),
        (["config"], "no module named 'x'; check it"),
        (["--uds", "/no/such/dir/s.sock", "ok"], None),
    ],
)
def test_configuration(start: Start, arguments: list[str], message: str | None) -> None:
    line = error(start(*arguments, port=False), 2)
    if message is None:
        assert "the directory /no/such/dir does not exist; create it, or choose another --uds" in line
    else:
        assert line == message


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use(start: Start, workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = start("--port", str(port), "--workers", workers, "ok", port=False)
        expected = f"port {port} on 127.0.0.1 is in use; stop the other program, or choose another --port"
        assert error(process, 2) == expected


def test_the_port_of_another_server_with_several_workers(start: Start) -> None:
    port = start("--workers", "2", "ok").ready()
    assert "is in use" in error(start("--workers", "2", "--port", str(port), "ok", port=False), 2)


def test_an_application_that_raises(start: Start) -> None:
    process = start("--workers", "2", "startup")
    assert process.end() == 3
    # Both workers fail; one of them is enough to read about.
    assert process.lines == ["Traceback: here", "spikard-server: error: it fails"]


def test_a_worker_that_dies_while_it_starts(start: Start) -> None:
    line = error(start("dies"), 3)
    assert line.endswith("died while the application was starting, killed by SIGSEGV")


def test_an_interpreter_without_spikard(start: Start, fake_python: Path) -> None:
    assert error(start("mute"), 2) == (
        f"{fake_python} (given by --python) cannot run spikard: ModuleNotFoundError: No module named 'spikard'; "
        "name the right interpreter with --python"
    )


def test_a_real_interpreter_without_spikard(server: str) -> None:
    command = [server, "--python", sys.executable, "module:app"]
    environment = {"PYTHONHOME": "/nonexistent"}
    with Process(command, env=environment) as process:
        line = error(process, 2)
    assert line.startswith(f"{sys.executable} (given by --python) cannot run spikard: ")


def test_an_interpreter_with_another_spikard(start: Start, version: str) -> None:
    line = error(start("old"), 2)
    assert f"has spikard 0.0.1 with worker protocol 1, but this is spikard-server {version}" in line
    assert "--python" in line


def test_no_such_interpreter(server: str) -> None:
    with Process([server, "--python", "/no/python", "x"]) as process:
        assert error(process, 2) == (
            "the interpreter /no/python of --python does not exist; give the path of a Python executable"
        )


def test_a_file_in_place_of_the_socket(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    assert "is not a socket" in error(start("--uds", str(path), "ok", port=False), 2)
    assert path.read_text() == "mine"


def test_a_descriptor_that_is_no_socket(start: Start, tmp_path: Path) -> None:
    assert error(start("--fd", "77", "ok", port=False), 2) == "descriptor 77 is not open; see --fd"
    with (tmp_path / "file").open("w") as file:
        process = start("--fd", str(file.fileno()), "ok", port=False, pass_fds=[file.fileno()])
        assert error(process, 2) == f"descriptor {file.fileno()} is not a socket; see --fd"


def test_help_and_version_need_no_interpreter(server: str) -> None:
    for option, part in (("--help", "Usage: spikard-server"), ("--version", "spikard-server 0.")):
        done = subprocess.run([server, option], env={"PATH": os.devnull}, capture_output=True, text=True, check=True)
        assert part in done.stdout
        assert done.stderr == ""
