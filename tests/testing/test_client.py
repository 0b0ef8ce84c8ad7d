"""The test clients themselves."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import uvloop
from websockets.exceptions import ConnectionClosed

import spikard
from spikard import BackgroundTasks, Request, Response, Spikard, background
from spikard.app import new_event_loop
from spikard.testing import MemoryClient, TestClient

Client = type[TestClient] | type[MemoryClient]
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "inline": new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


@pytest.fixture(params=[TestClient, MemoryClient])
def client_type(request: pytest.FixtureRequest) -> Client:
    return request.param


@pytest.fixture(params=LOOPS)
def runner(request: pytest.FixtureRequest):
    with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
        yield runner


def echo() -> Spikard:
    app = Spikard()

    @app.route("/", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    async def handler(request: Request) -> dict:
        return {
            "method": request.method,
            "query": request.query_string,
            "type": request.content_type,
            "body": request.text(),
            "cookies": request.cookies,
            "x": request.headers.get("x-x"),
        }

    return app


def test_all_methods(runner: asyncio.Runner, client_type: Client) -> None:
    async def main() -> None:
        async with client_type(echo()) as client:
            for method in ("get", "post", "put", "patch", "delete", "options"):
                response = await getattr(client, method)("/", params={"a": [1, 2]})
                assert isinstance(response, httpx.Response)
                assert response.json()["method"] == method.upper()
                assert response.json()["query"] == "a=1&a=2"
            assert (await client.head("/")).status_code == 200
            assert (await client.trace("/")).status_code == 405

    runner.run(main())


def test_bodies(runner: asyncio.Runner, client_type: Client) -> None:
    form = "application/x-www-form-urlencoded"

    async def main() -> None:
        async with client_type(echo()) as client:

            async def sent(**kwargs) -> tuple[str | None, str]:
                answer = (await client.post("/", **kwargs)).json()
                return answer["type"], answer["body"]

            assert await sent(json={"a": 1}) == ("application/json", '{"a":1}')
            assert await sent(data={"a": ["1", "2"], "b": "x y"}) == (form, "a=1&a=2&b=x+y")
            assert await sent(data=[("a", 1), ("a", 2)]) == (form, "a=1&a=2")
            assert await sent(data="raw") == (None, "raw")
            assert await sent(data=b"raw") == (None, "raw")
            assert await sent(content=b"raw") == (None, "raw")
            headers = {"Content-Type": "application/vnd.api+json"}
            assert await sent(json={"a": 1}, headers=headers) == ("application/vnd.api+json", '{"a":1}')
            kind, body = await sent(files={"f": ("name.txt", b"content", "text/x")}, data={"a": "b"})
            assert kind.startswith("multipart/form-data; boundary=")
            assert 'filename="name.txt"' in body
            answer = (await client.get("/", json={"a": 1})).json()
            assert answer["body"] == '{"a":1}'

    runner.run(main())


def test_headers_and_cookies(runner: asyncio.Runner, client_type: Client) -> None:
    app = echo()

    @app.get("/set")
    async def set_cookie() -> Response:
        response = Response()
        response.set_cookie("kept", "1")
        return response

    async def main() -> None:
        async with client_type(app, headers={"X-X": "default"}, cookies={"first": "0"}) as client:
            answer = (await client.get("/")).json()
            assert (answer["x"], answer["cookies"]) == ("default", {"first": "0"})
            await client.get("/set")
            answer = (await client.get("/", headers={"x-x": "own"}, cookies={"more": "2"})).json()
            assert (answer["x"], answer["cookies"]) == ("own", {"first": "0", "kept": "1", "more": "2"})
            assert (await client.get("/")).json()["cookies"] == {"first": "0", "kept": "1"}

    runner.run(main())


def test_redirects_are_not_followed(runner: asyncio.Runner, client_type: Client) -> None:
    app = Spikard()

    @app.get("/")
    async def handler() -> spikard.RedirectResponse:
        return spikard.RedirectResponse("/elsewhere")

    async def main() -> None:
        async with client_type(app) as client:
            response = await client.get("/")
            assert (response.status_code, response.is_redirect) == (307, True)
            assert response.headers["location"] == "/elsewhere"

    runner.run(main())


def test_large_bodies_both_ways(runner: asyncio.Runner, client_type: Client) -> None:
    app = Spikard()

    @app.post("/")
    async def handler(body: bytes) -> bytes:
        return body

    async def main() -> None:
        content = bytes(range(256)) * 4096 * 4
        async with client_type(app) as client:
            response = await client.post("/", content=content, headers={"content-type": "application/octet-stream"})
            assert response.content == content

    runner.run(main())


def test_many_requests_at_once(runner: asyncio.Runner, client_type: Client) -> None:
    app = Spikard()

    @app.get("/{number:int}")
    async def handler(number: int) -> int:
        await asyncio.sleep(0.001 * (number % 3))
        return number

    async def main() -> None:
        async with client_type(app) as client:
            answers = await asyncio.gather(*(client.get(f"/{number}") for number in range(60)))
        assert [answer.json() for answer in answers] == list(range(60))

    runner.run(main())


def test_the_life_of_the_application(runner: asyncio.Runner, client_type: Client) -> None:
    app, events = Spikard(), []

    @app.on_startup
    async def start() -> None:
        app.state.value = 1
        events.append(asyncio.get_running_loop())

    app.on_shutdown(lambda: events.append("stopped"))

    @app.get("/")
    def sync_handler() -> int:
        return app.state.value

    async def main() -> None:
        client = client_type(app)
        async with client:
            assert events == [asyncio.get_running_loop()]
            assert client.state is app.state
            assert (await client.get("/")).json() == 1
        assert events[1:] == ["stopped"]
        async with client:
            assert (await client.get("/")).json() == 1

    runner.run(main())


def test_start_up_faults_come_out(runner: asyncio.Runner, client_type: Client) -> None:
    app = Spikard()

    @app.on_startup
    async def start() -> None:
        raise LookupError("no database")

    async def main() -> None:
        with pytest.raises(LookupError, match="no database"):
            async with client_type(app):
                pytest.fail("must not start")

    runner.run(main())
    with pytest.raises(LookupError, match="no database"), client_type(app):
        pytest.fail("must not start")


def test_exceptions_of_handlers_come_out_when_asked_for(runner: asyncio.Runner, client_type: Client, caplog) -> None:
    app = Spikard()

    @app.get("/")
    async def handler() -> None:
        raise LookupError("in the handler")

    async def main() -> None:
        async with client_type(app) as client:
            assert (await client.get("/")).status_code == 500
        async with client_type(app, raise_server_exceptions=True) as client:
            with pytest.raises(LookupError, match="in the handler"):
                await client.get("/")

    runner.run(main())


def test_the_current_application(runner: asyncio.Runner, client_type: Client) -> None:
    first, second = Spikard(), Spikard()

    async def main() -> None:
        assert Spikard.current_instance is second
        async with client_type(first):
            assert Spikard.current_instance is first
        assert Spikard.current_instance is second

    runner.run(main())


def test_leaving_cancels_what_still_runs(runner: asyncio.Runner, client_type: Client) -> None:
    app, cancelled = Spikard(), []
    entered: list[asyncio.Event] = []

    @app.get("/")
    async def handler() -> None:
        entered[0].set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def main() -> None:
        entered.append(asyncio.Event())
        async with client_type(app) as client:
            request = asyncio.create_task(client.get("/"))
            await entered[0].wait()
            request.cancel()
            await asyncio.wait({request})
        assert cancelled == [True]

    runner.run(main())


def test_background_work(runner: asyncio.Runner, client_type: Client) -> None:
    app, events = Spikard(), []

    async def work(name: str) -> None:
        events.append(name)

    @app.post("/run")
    async def start() -> str:
        background.run(work("run"))
        return "started"

    @app.get("/events")
    async def read() -> list:
        return events

    async def main() -> None:
        async with client_type(app) as client:
            await client.post("/run")
            assert (await client.get("/events")).json() == ["run"]

    runner.run(main())


def test_background_work_finishes_before_the_end(runner: asyncio.Runner, client_type: Client) -> None:
    app, events = Spikard(), []

    async def work() -> None:
        await asyncio.sleep(0.05)
        events.append("worked")

    @app.post("/")
    def start() -> str:
        background.run(work())
        return "started"

    app.on_shutdown(lambda: events.append("shutdown"))

    async def main() -> None:
        async with client_type(app) as client:
            await client.post("/")

    runner.run(main())
    assert events == ["worked", "shutdown"]


class TestBlocking:
    def test_calls_without_await(self, client_type: Client) -> None:
        with client_type(echo()) as client:
            for method in ("get", "post", "put", "patch", "delete", "options"):
                assert getattr(client.sync, method)("/").json()["method"] == method.upper()
            assert client.sync.post("/", json={"a": 1}).json()["body"] == '{"a":1}'
            assert client.sync.head("/").status_code == 200
            assert client.sync.trace("/").status_code == 405
        with pytest.raises(RuntimeError, match="with client"):
            client.sync  # noqa: B018

    def test_the_server_is_in_another_thread(self, client_type: Client) -> None:
        app = Spikard()

        @app.get("/")
        async def handler() -> int:
            return threading.get_ident()

        with client_type(app) as client:
            assert client.sync.get("/").json() != threading.get_ident()
            assert Spikard.current_instance is app


class TestAddresses:
    def test_they_are_known_inside(self, runner: asyncio.Runner) -> None:
        async def main() -> None:
            client = TestClient(echo())
            for name in ("base_url", "ws_url", "port"):
                with pytest.raises(RuntimeError, match="inside the client"):
                    getattr(client, name)
            async with client:
                assert client.base_url == f"http://127.0.0.1:{client.port}"
                assert client.ws_url == f"ws://127.0.0.1:{client.port}"
            with pytest.raises(RuntimeError):
                await client.get("/")

        runner.run(main())

    def test_entering_twice(self, runner: asyncio.Runner, client_type: Client) -> None:
        async def main() -> None:
            async with client_type(echo()) as client:
                with pytest.raises(RuntimeError, match="already"):
                    await client.__aenter__()

        runner.run(main())


def test_background_tasks_object() -> None:
    events: list[str] = []

    async def asynchronous(name: str) -> None:
        events.append(name)

    def failing() -> None:
        raise LookupError("in the background")

    async def main() -> None:
        tasks = BackgroundTasks()
        tasks.add_task(asynchronous, "first")
        tasks.add_task(failing)
        tasks.add_task(events.append, "last")
        assert len(tasks) == 3
        await tasks()

    asyncio.run(main())
    assert events == ["first", "last"]


def test_background_work_without_a_server() -> None:
    done = threading.Event()

    async def work() -> int:
        done.set()
        return 7

    assert background.run(work()).result(10) == 7
    assert done.is_set()
    assert background.run(lambda a: a + 1, 1).result(10) == 2

    async def main() -> int:
        return await background.run(work())

    assert asyncio.run(main()) == 7
    with pytest.raises(TypeError):
        background.run(3)


def test_work_after_an_answer_is_logged_when_it_fails(caplog: pytest.LogCaptureFixture) -> None:
    def failing() -> None:
        raise LookupError("after the answer")

    async def main() -> None:
        background.run_after(failing, "id-1")
        assert await background.drain(10) == 0

    asyncio.run(main())
    assert "after the answer" in caplog.text
    assert "id-1" in caplog.text


def test_events_and_websockets_without_a_loop() -> None:
    app = Spikard()

    @app.sse("/events")
    async def events() -> AsyncIterator[int]:
        yield 1
        yield 2

    @app.websocket("/echo")
    async def echo(message: Any) -> Any:
        return message

    for client_class in (TestClient, MemoryClient):
        with client_class(app) as client:
            with client.sync.sse("/events") as stream:
                assert [event.json() for event in stream] == [1, 2]
            with client.sync.websocket("/echo") as ws:
                ws.send_json({"a": 1})
                assert ws.receive_json() == {"a": 1}
                ws.send("7")
                assert ws.recv() == "7"
                ws.close(4000)
                with pytest.raises(ConnectionClosed):
                    ws.recv()
