"""`await app.serve()` in a loop that somebody else runs, and handing over to the supervisor."""

import asyncio
import itertools
import signal
import sys
import types

import httpx
import pytest

from spikard import ServerConfig, Spikard
from spikard.app import Listening, Stop, handover
from spikard.errors import ConfigError
from tests.served import Mode


def hello() -> Spikard:
    app = Spikard()

    @app.get("/")
    async def handler() -> str:
        return "hello"

    return app


def test_serving_until_the_task_is_cancelled(mode: Mode) -> None:
    app, events = hello(), []
    app.on_shutdown(lambda: events.append("stopped"))

    async def main() -> None:
        ready = asyncio.Event()
        handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        task = asyncio.create_task(app.serve(port=0, ready=ready))
        await ready.wait()
        assert handlers == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with asyncio.Runner(loop_factory=mode.new_loop) as runner:
        runner.run(main())
    assert events == ["stopped"]


def test_serving_until_a_stop_is_requested(mode: Mode) -> None:
    async def main() -> str:
        listening: asyncio.Future[Listening] = asyncio.get_running_loop().create_future()
        stop = Stop()
        task = asyncio.create_task(hello().serve(host="localhost", port=0, ready=listening.set_result, stop=stop))
        url = (await listening).urls[0]
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            answer = (await client.get(url)).json()
        stop.request()
        await task
        return answer

    with asyncio.Runner(loop_factory=mode.new_loop) as runner:
        assert runner.run(main()) == "hello"


def test_given_values_override_the_configuration() -> None:
    app = Spikard(config=ServerConfig(host="10.0.0.1", port=1, workers=3))
    effective = app._effective(ServerConfig(port=5), "127.0.0.1", None, None)
    assert (effective.host, effective.port) == ("127.0.0.1", 5)
    assert app._effective(None, None, None, 2).workers == 2
    assert app._effective(None, None, None, None) is app.config


class TestHandover:
    def test_a_script_is_named_by_its_file(self, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
        main = types.ModuleType("__main__")
        main.__file__ = str(tmp_path / "shop.py")
        main.site = app = Spikard()
        monkeypatch.setitem(sys.modules, "__main__", main)
        assert handover.import_target(app) == f"{tmp_path / 'shop.py'}:site"

    def test_a_module_is_named_by_its_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        module = types.ModuleType("shop.web")
        module.site = app = Spikard()
        monkeypatch.setitem(sys.modules, "shop.web", module)
        assert handover.import_target(app) == "shop.web:site"

    def test_an_application_nobody_can_import_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="workers=1"):
            handover.import_target(Spikard())

    def test_a_missing_command_is_said_to_be(self, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
        monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(ConfigError, match="spikard-server is not installed"):
            handover.find_command()

    def test_the_supervisor_is_told_what_it_has_to_know(self, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[list[str]] = []

        def execute(command: str, arguments: list[str]) -> None:
            calls.append(arguments)
            raise SystemExit

        app = Spikard()
        monkeypatch.setattr(handover, "find_command", lambda: "/bin/spikard-server")
        monkeypatch.setattr(handover, "import_target", lambda _: "shop:app")
        monkeypatch.setattr("os.execv", execute)
        config = ServerConfig(port=99, workers=4, max_requests=1000)
        with pytest.raises(SystemExit):
            handover.become_supervisor(app, config, reload=True)
        (arguments,) = calls
        assert arguments[:2] == ["/bin/spikard-server", "shop:app"]
        pairs = dict(itertools.pairwise(arguments))
        assert (pairs["--workers"], pairs["--port"], pairs["--max-requests"]) == ("4", "99", "1000")
        assert pairs["--python"] == sys.executable
        assert arguments[-1] == "--reload"
