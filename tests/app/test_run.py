"""`app.run()`: a process of its own, with signals, the ready line and exit codes."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

PREAMBLE = """
import asyncio, os, signal, sys, threading
from spikard import Spikard

app = Spikard()

@app.get("/")
async def root() -> int:
    return os.getpid()
"""
READY = "listening on "


@contextmanager
def program(code: str, directory: Path) -> Iterator[subprocess.Popen[str]]:
    file = directory / "program.py"
    file.write_text(PREAMBLE + textwrap.dedent(code))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SPIKARD_")}
    process = subprocess.Popen([sys.executable, str(file)], stderr=subprocess.PIPE, text=True, env=environment)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        process.stderr.close()


def address(process: subprocess.Popen[str]) -> str:
    line = process.stderr.readline()
    assert line.startswith(READY), line + process.stderr.read()
    return line.removeprefix(READY).strip()


def get(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False, verify=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_in_order(tmp_path: Path, number: int) -> None:
    code = """
    app.on_shutdown(lambda: print("stopped", file=sys.stderr))
    app.run(port=0)
    print("returned", file=sys.stderr)
    """
    with program(code, tmp_path) as process:
        url = address(process)
        assert url.startswith("http://127.0.0.1:")
        assert get(url).json() == process.pid
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr.read() == "stopped\nreturned\n"


def test_a_second_signal_forces(tmp_path: Path) -> None:
    code = """
    @app.on_shutdown(early=True)
    async def hang():
        print("hanging", file=sys.stderr, flush=True)
        await asyncio.sleep(60)

    app.run(port=0)
    """
    with program(code, tmp_path) as process:
        address(process)
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() == "hanging\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_a_signal_during_start_up_calls_it_off(tmp_path: Path) -> None:
    code = """
    @app.on_startup
    async def slow():
        print("starting", file=sys.stderr, flush=True)
        await asyncio.sleep(60)

    app.on_shutdown(lambda: print("undone", file=sys.stderr))
    app.run(port=0)
    """
    with program(code, tmp_path) as process:
        assert process.stderr.readline() == "starting\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr.read() == "undone\n"


def test_a_failing_start_up_exits_with_3(tmp_path: Path) -> None:
    code = """
    @app.on_startup
    async def fail():
        raise LookupError("no database")

    app.run(port=0)
    """
    with program(code, tmp_path) as process:
        assert process.wait(10) == 3
        output = process.stderr.read()
    assert "LookupError: no database" in output
    assert output.endswith("spikard: the application did not start\n")


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with program(f"app.run(port={port})", tmp_path) as process:
            assert process.wait(10) == 3
            output = process.stderr.read()
    assert output.startswith(f"spikard: cannot listen on 127.0.0.1:{port}: ")
    assert output.count("\n") == 1


def test_requests_under_way_finish(tmp_path: Path) -> None:
    code = """
    @app.get("/slow")
    async def slow() -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.1)
        return "done"

    app.run(port=0)
    """
    with program(code, tmp_path) as process:
        response = get(address(process) + "/slow")
        assert (response.json(), response.headers["connection"]) == ("done", "close")
        assert process.wait(10) == 0


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    code = f"""
    from spikard import ServerConfig
    app.run(config=ServerConfig(uds={str(path)!r}))
    """
    with program(code, tmp_path) as process:
        assert address(process) == f"unix:{path}"
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path), verify=False)) as client:
            assert client.get("http://x/").json() == process.pid
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert not path.exists()


def test_the_environment_fills_what_is_not_set(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = f"""
    os.environ["SPIKARD_PORT"] = "{port}"
    Spikard.__init__(app)
    app.get("/")(root)
    app.run()
    """
    with program(code, tmp_path) as process:
        assert address(process) == f"http://127.0.0.1:{port}"


def test_run_belongs_in_the_main_thread_and_outside_of_loops(tmp_path: Path) -> None:
    code = """
    def attempt():
        try:
            app.run()
        except RuntimeError as fault:
            print(fault, file=sys.stderr)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()

    async def main():
        attempt()

    asyncio.run(main())
    """
    with program(code, tmp_path) as process:
        assert process.wait(10) == 0
        first, second = process.stderr.read().splitlines()
    assert "main thread" in first
    assert "event loop" in second


def test_several_workers_need_an_application_that_can_be_imported(tmp_path: Path) -> None:
    code = """
    def make():
        inner = Spikard()
        inner.run(workers=2)

    make()
    """
    with program(code, tmp_path) as process:
        assert process.wait(10) == 1
        assert "ConfigError: several workers and reload need an application" in process.stderr.read()
