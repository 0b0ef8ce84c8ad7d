"""The same supervisor with real workers and real applications."""

import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from process import Load, Process, alive, refused, until

APP = """
import asyncio
import os
from pathlib import Path

from spikard import Spikard

app = Spikard()


@app.get("/pid")
async def pid() -> int:
    return os.getpid()


@app.get("/answer")
async def answer() -> str:
    return "one"


@app.get("/gate")
async def gate() -> str:
    Path("arrived").touch()
    while not Path("gate").exists():
        await asyncio.sleep(0.01)
    return "open"
"""

Serve = Callable[..., Process]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with an application in `shop.py`."""
    path = tmp_path / "project"
    path.mkdir()
    (path / "shop.py").write_text(APP)
    return path


@pytest.fixture
def serve(server: str, project: Path) -> Iterator[Serve]:
    """Start a server in the project with the interpreter of these tests."""
    with ExitStack() as stack:

        def run(*arguments: str, port: bool = True, env: dict[str, str] | None = None) -> Process:
            socket = ["--port", "0"] if port else []
            command = [server, "--python", sys.executable, *socket, *arguments]
            return stack.enter_context(Process(command, env=env, cwd=project))

        yield run


def write(project: Path, code: str) -> None:
    (project / "shop.py").write_text(code)


@pytest.mark.parametrize("target", ["shop:app", "shop", "shop.py", "shop.py:app", "./shop.py"])
def test_every_way_to_name_an_application(serve: Serve, target: str) -> None:
    process = serve(target)
    assert process.worker() in process.workers()
    process.signal(signal.SIGTERM)
    assert process.end() == 0


def test_a_function_that_makes_the_application(serve: Serve, project: Path) -> None:
    write(project, APP + "\n\ndef create():\n    return app\n")
    assert serve("shop:create").worker()


def test_a_module_of_a_package_by_its_file(serve: Serve, project: Path) -> None:
    package = project / "store" / "web"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    (package.parent / "names.py").write_text("ANSWER = 'from the package'")
    (package / "main.py").write_text(APP.replace('"one"', "ANSWER") + "\nfrom ..names import ANSWER\n")
    assert "from the package" in serve("store/web/main.py").get("/answer")


def test_a_module_elsewhere(serve: Serve, project: Path) -> None:
    (project / "src").mkdir()
    (project / "shop.py").rename(project / "src" / "shop.py")
    assert serve("--app-dir", "src", "shop:app").worker()


@pytest.mark.parametrize("command", [["-m", "spikard", "serve"], ["-m", "spikard", "run"]])
def test_the_python_command(server: str, project: Path, command: list[str]) -> None:
    folder = project.parent / "bin"
    folder.mkdir()
    (folder / "spikard-server").symlink_to(server)
    env = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    with Process([sys.executable, *command, "--port", "0", "shop:app"], env=env, cwd=project) as process:
        # It has become the server, so this worker is its child.
        assert process.worker() in process.workers()


def test_a_killed_worker_is_replaced(serve: Serve) -> None:
    process = serve("--workers", "2", "shop:app")
    port = process.ready()
    victim = process.worker()
    os.kill(victim, signal.SIGKILL)
    process.line(rf"\(pid {victim}\) died, killed by SIGKILL")
    until(lambda: len(process.workers()) == 2 and victim not in process.workers(), "a new worker runs")
    with Load(port) as load:
        load.more()
    assert load.failures == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_rolling_reload_loses_no_request(serve: Serve, workers: str) -> None:
    process = serve("--workers", workers, "shop:app")
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


def test_stopping_lets_requests_finish(serve: Serve, project: Path) -> None:
    process = serve("shop:app")
    port = process.ready()
    slow = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    slow.request("GET", "/gate")
    until((project / "arrived").exists, "the handler runs")
    process.signal(signal.SIGTERM)
    process.line("stopping")
    (project / "gate").touch()
    response = slow.getresponse()
    assert response.status == 200
    assert b"open" in response.read()
    slow.close()
    assert process.end() == 0
    assert refused(port)


def test_no_orphans_when_the_supervisor_is_killed(serve: Serve) -> None:
    process = serve("--workers", "2", "shop:app")
    process.ready()
    workers = process.workers()
    process.popen.kill()
    until(lambda: not any(map(alive, workers)), "the workers have noticed")


def test_a_worker_that_has_served_its_share_is_replaced(serve: Serve) -> None:
    process = serve("--max-requests", "50", "shop:app")
    with Load(process.ready(), clients=2) as load:
        process.line(r"replacing worker 1 \(pid \d+\): \d+ requests served")
        until(lambda: len(set(load.answers)) >= 2, "a second worker answers")
    assert load.failures == []


def test_an_edit_is_picked_up_and_a_mistake_waits(serve: Serve, project: Path) -> None:
    process = serve("--reload", "shop:app")
    assert "one" in process.get("/answer")
    write(project, APP.replace('"one"', '"two"'))
    until(lambda: "two" in process.get("/answer"), "the new code answers")
    write(project, APP + "\ndef broken(:\n")
    process.line("SyntaxError")
    process.line("waiting for a change")
    assert "two" in process.get("/answer")
    write(project, APP.replace('"one"', '"three"'))
    until(lambda: "three" in process.get("/answer"), "the repaired code answers")


def test_settings_in_code_count_and_the_command_line_wins(serve: Serve, project: Path) -> None:
    path = project / "s.sock"
    write(project, APP.replace("Spikard()", f"Spikard(ServerConfig(uds={str(path)!r}, workers=2))"))
    write(project, (project / "shop.py").read_text().replace("import Spikard", "import ServerConfig, Spikard"))
    process = serve("shop:app", port=False)
    assert process.line(r"^listening on unix:(\S+) \(2 workers\)")[1] == str(path)
    assert path.exists()
    other = serve("--workers", "1", "shop:app")
    assert other.ready()
    assert len(other.workers()) == 1


def test_the_environment_counts(serve: Serve) -> None:
    process = serve("shop:app", env={"SPIKARD_WORKERS": "2", "SPIKARD_HOST": "127.0.0.1"})
    process.line(r"^listening on .* \(2 workers\)")


def error(process: Process, code: int = 2) -> str:
    """The one line of a server that has ended."""
    assert process.end() == code, process.lines
    (line,) = process.lines
    assert line.startswith("spikard-server: error: ")
    return line


@pytest.mark.parametrize(
    ("target", "part"),
    [
        ("nowhere:app", "no module named 'nowhere'"),
        ("nowhere.py", "there is no file nowhere.py"),
        ("shop:site", "shop has no attribute 'site'"),
        ("shop:pid", "shop:pid is a"),
        ("shop:Path", "shop:Path is a type, not a Spikard instance"),
        ("shop:", "ends with a colon"),
        ("os", "os has no Spikard instance"),
        ("not a module", "neither a module name nor a path"),
    ],
)
def test_targets_that_are_none(serve: Serve, target: str, part: str) -> None:
    assert part in error(serve(target))


def test_several_applications(serve: Serve, project: Path) -> None:
    write(project, "from spikard import Spikard\nfirst, second = Spikard(), Spikard()\n")
    assert "several Spikard instances (first, second); choose one with shop:name" in error(serve("shop"))


def test_a_handler_with_an_impossible_signature(serve: Serve, project: Path) -> None:
    write(project, APP + '\n\n@app.get("/items/{id}")\ndef items(other: int) -> int:\n    return other\n')
    line = error(serve("shop:app"))
    assert "items" in line
    assert "shop.py" in line


@pytest.mark.parametrize("arguments", ["", "workers=2"])
def test_run_without_a_guard(serve: Serve, project: Path, arguments: str) -> None:
    write(project, APP + f"\napp.run({arguments})\n")
    assert "app.run() is called while a worker imports the application" in error(serve("shop:app"))


def test_run_hands_over_to_the_supervisor(server: str, project: Path) -> None:
    write(project, APP + '\nif __name__ == "__main__":\n    app.run(workers=2, port=0)\n')
    folder = project.parent / "bin"
    folder.mkdir()
    (folder / "spikard-server").symlink_to(server)
    env = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    with Process([sys.executable, "shop.py"], env=env, cwd=project) as process:
        process.line(r"^listening on http://127\.0\.0\.1:\d+ \(2 workers\)")
        assert process.worker() in process.workers()


def test_settings_out_of_bounds(serve: Serve, project: Path) -> None:
    write(project, APP.replace("Spikard()", "Spikard(ServerConfig(workers=1))"))
    write(project, (project / "shop.py").read_text().replace("import Spikard", "import ServerConfig, Spikard"))
    line = error(serve("shop:app", env={"SPIKARD_PORT": "99999"}, port=False))
    assert "port" in line


def test_a_module_that_raises(serve: Serve, project: Path) -> None:
    write(project, APP + "\nraise RuntimeError('no luck')\n")
    process = serve("--workers", "2", "shop:app")
    assert process.end() == 3
    assert process.lines[0] == "Traceback (most recent call last):"
    # It begins with the user's own file.
    assert str(project / "shop.py") in process.lines[1]
    assert process.lines[-2] == "RuntimeError: no luck"
    assert process.lines[-1] == "spikard-server: error: the application failed to start: RuntimeError: no luck"


def test_a_module_that_lacks_another_one(serve: Serve, project: Path) -> None:
    write(project, "import nowhere\n" + APP)
    process = serve("shop:app")
    assert process.end() == 3
    assert process.lines[-2] == "ModuleNotFoundError: No module named 'nowhere'"


def test_a_startup_that_raises(serve: Serve, project: Path) -> None:
    write(project, APP + "\n\n@app.on_startup\nasync def connect() -> None:\n    raise OSError('no database')\n")
    process = serve("--workers", "2", "shop:app")
    assert process.end() == 3
    assert [line for line in process.lines if line.startswith("Traceback")] == ["Traceback (most recent call last):"]
    assert process.lines[-1] == "spikard-server: error: the application failed to start: OSError: no database"


def test_an_interpreter_without_spikard(server: str, project: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    python = tmp_path / "bare" / "bin" / "python"
    with Process([server, "--python", str(python), "shop:app"], cwd=project, env={"PYTHONPATH": ""}) as process:
        line = error(process)
    assert line.endswith("No module named 'spikard'); name the right interpreter with --python")
    assert f"{python} (given by --python) cannot run spikard: " in line


def test_the_worker_is_not_a_command(project: Path) -> None:
    command = [sys.executable, "-m", "spikard.cli.worker", "shop:app"]
    done = subprocess.run(command, cwd=project, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "spikard.cli.worker is started by spikard-server; use `spikard serve`\n"


def test_the_table_of_routes(project: Path) -> None:
    command = [sys.executable, "-m", "spikard", "routes", "shop:app"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    for part in ("GET", "/answer", "gate"):
        assert part in done.stdout


def test_unknown_commands(project: Path) -> None:
    command = [sys.executable, "-m", "spikard", "sevre"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("spikard: error: unknown command 'sevre'; did you mean 'serve'?\n")


def test_two_processes_of_the_command_line_do_not_share_a_port(serve: Serve) -> None:
    port = serve("--workers", "2", "shop:app").ready()
    line = error(serve("--workers", "2", "--port", str(port), "shop:app", port=False))
    assert f"port {port} on 127.0.0.1 is in use" in line


def test_the_access_log(serve: Serve) -> None:
    process = serve("--access-log", "shop:app")
    process.get("/answer?x=1")
    until(lambda: process.output, "the line is written")
    assert '"GET /answer?x=1 HTTP/1.1" 200' in process.output[0]


def test_requests_of_many_threads_reach_all_workers(serve: Serve) -> None:
    process = serve("--workers", "2", "shop:app")
    port = process.ready()
    answers: set[str] = set()
    threads = [threading.Thread(target=lambda: answers.add(process.get("/pid", port))) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(answers) == 2
