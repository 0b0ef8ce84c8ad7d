"""Starting, stopping, dying, and starting again."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from process import Process, Start, alive, refused, until


@pytest.mark.parametrize("workers", [1, 3])
def test_ready_line_then_requests_then_an_orderly_end(start: Start, workers: int) -> None:
    process = start("--workers", str(workers), "ok")
    port = process.ready()
    line = f"listening on http://127.0.0.1:{port}" + (f" ({workers} workers)" if workers > 1 else "")
    assert process.lines == [line]
    until(lambda: len(process.workers()) == workers, "all workers run")
    assert process.worker() in process.workers()
    process.signal(signal.SIGTERM)
    assert process.end() == 0
    assert refused(port)
    assert process.workers() == set()


def test_a_killed_worker_is_replaced_while_the_others_serve(start: Start) -> None:
    process = start("--workers", "2", "ok")
    victim = process.worker()

    os.kill(victim, signal.SIGKILL)
    process.line(rf"worker \d \(pid {victim}\) died, killed by SIGKILL; restarting in 0\.1 s")
    until(lambda: len(process.workers()) == 2 and victim not in process.workers(), "a new worker runs")
    for _ in range(20):
        assert process.worker() != victim


def test_requests_wait_while_the_only_worker_is_replaced(start: Start) -> None:
    process = start("ok")
    victim = process.worker()

    os.kill(victim, signal.SIGKILL)
    until(lambda: not alive(victim), "the worker is gone")
    # The socket is still there, so this connection is not refused.
    assert process.worker() != victim


def test_a_worker_that_keeps_dying_is_restarted_ever_more_slowly(start: Start) -> None:

    process = start("ok")
    delays = []
    for _ in range(3):
        seen = len(process.lines)
        os.kill(process.worker(), signal.SIGKILL)
        delays.append(float(process.line(r"restarting in (\d\.\d) s", after=seen)[1]))
    assert delays == sorted(delays)
    assert delays[-1] >= 0.3


def test_a_worker_that_cannot_start_again_does_not_end_the_server(start: Start) -> None:

    process = start("--workers", "1", "second")
    os.kill(process.worker(), signal.SIGKILL)
    process.line(r"^spikard-server: it fails; worker 1 \(pid \d+\) failed, trying again in")
    assert process.popen.poll() is None


def test_stopping_lets_requests_finish(start: Start, gate: Path) -> None:
    process = start("ok")
    port = process.ready()
    answers: list[str] = []
    request = threading.Thread(target=lambda: answers.append(process.get("/gate", port)))
    idle = http.client.HTTPConnection("127.0.0.1", port)
    idle.request("GET", "/pid")
    idle.getresponse().read()
    request.start()
    # The worker accepts in order, so a second answer means that the first request has arrived.
    until(lambda: connections(port) >= 2, "both connections are open")
    process.get("/pid", port)
    process.signal(signal.SIGTERM)
    process.line("stopping")
    assert request.is_alive()
    gate.touch()
    request.join(20)
    assert answers != []
    assert process.end() == 0
    idle.close()


def test_a_second_signal_forces(start: Start) -> None:
    process = start("--workers", "2", "stubborn")
    process.ready()
    workers = process.workers()
    process.signal(signal.SIGTERM)
    process.line("stopping")
    process.signal(signal.SIGINT)
    assert process.end() == 130
    until(lambda: not any(map(alive, workers)), "no worker is left")


def test_a_drain_that_takes_too_long_is_cut_off(start: Start) -> None:
    process = start("--shutdown-timeout", "1", "stubborn")
    process.ready()
    process.signal(signal.SIGINT)
    assert process.end() == 0
    process.line("killing worker 1")


def test_no_orphans_when_the_supervisor_is_killed(start: Start) -> None:
    process = start("--workers", "2", "ok")
    process.ready()
    workers = process.workers()
    assert len(workers) == 2
    process.popen.kill()
    until(lambda: not any(map(alive, workers)), "the workers have noticed")


def test_workers_are_added_and_taken_away(start: Start) -> None:
    process = start("ok")
    process.ready()
    process.signal(signal.SIGTTIN)
    until(lambda: len(process.workers()) == 2, "a second worker runs")
    process.signal(signal.SIGTTOU)
    until(lambda: len(process.workers()) == 1, "it is gone again")
    process.signal(signal.SIGTTOU)
    process.line("staying at 1")
    assert process.worker()


def test_the_pid_file_lives_as_long_as_the_server(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "server.pid"
    process = start("--pid-file", str(path), "ok")
    process.ready()
    assert int(path.read_text()) == process.popen.pid
    second = start("--pid-file", str(path), "ok")
    assert second.end() == 2
    (line,) = second.lines
    assert line == (
        f"spikard-server: error: cannot write the pid file {path}: process {process.popen.pid} is running; "
        "stop it, or choose another --pid-file"
    )
    process.signal(signal.SIGTERM)
    process.end()
    assert not path.exists()


def connections(port: int) -> int:
    """How many connections to a port are established, as the kernel counts them."""
    local = f"0100007F:{port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1] == local and row[3] == "01" for row in rows)


def test_a_unix_socket(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    process = start("--uds", str(path), "--workers", "2", "ok", port=False)
    assert process.line(r"^listening on unix:(\S+) \(2 workers\)")[1] == str(path)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET /pid HTTP/1.1\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
    process.signal(signal.SIGTERM)
    assert process.end() == 0
    assert not path.exists()


def test_an_inherited_socket(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = start(
            "--fd", str(listener.fileno()), "--workers", "2", "ok", port=False, pass_fds=[listener.fileno()]
        )
        process.line(r"^listening on descriptor \d+ \(2 workers\)")
        assert int(process.get("/pid", listener.getsockname()[1])) in process.workers()


def test_a_socket_of_a_service_manager(server: str, fake_python: Path, version: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # As systemd does it: the socket is descriptor 3, and the variables name this very process.
        script = (
            f"import os, sys; os.dup2({listener.fileno()}, 3); "
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); os.execv(sys.argv[1], sys.argv[1:])"
        )
        command = [sys.executable, "-c", script, server, "--python", str(fake_python), "ok"]
        with Process(command, env={"FAKE_VERSION": version}, pass_fds=[listener.fileno()]) as process:
            process.line(r"^listening on descriptor 3")
            assert int(process.get("/pid", listener.getsockname()[1])) in process.workers()


def test_the_end_of_the_terminal_is_the_end_of_the_server(server: str, fake_python: Path, version: str) -> None:
    terminal, end = os.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", server, "--python", str(fake_python), "--port", "0", "ok"],
        stdin=end,
        stdout=end,
        stderr=end,
        env={**os.environ, "FAKE_VERSION": version},
    )
    os.close(end)
    output = b""
    while b"listening on" not in output:
        output += os.read(terminal, 4096)
    os.close(terminal)
    assert process.wait(20) == 0
