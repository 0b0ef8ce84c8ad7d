"""Handlers are ordinary asyncio code: whatever works in a task works in them."""

import asyncio
import contextvars
import threading
from typing import Any

import anyio
import asyncpg
import httpx
import pytest
import redis.asyncio

from spikard import Spikard
from tests.conftest import Serve

ROUNDS = 50
variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def test_a_handler_runs_in_a_task_of_its_own(serve: Serve) -> None:
    app = Spikard()
    tasks: list[Any] = []

    @app.get("/")
    async def handler() -> list[bool]:
        before = asyncio.current_task()
        await asyncio.sleep(0)
        after = asyncio.current_task()
        tasks.append(after)
        return [isinstance(before, asyncio.Task), before is after, before in asyncio.all_tasks()]

    client = serve(app).client
    assert client.get("/").json() == [True, True, True]
    assert client.get("/").json() == [True, True, True]
    assert tasks[0] is not tasks[1]
    assert all(task.done() for task in tasks)


def test_current_task_without_suspension(serve: Serve) -> None:
    app = Spikard()

    @app.get("/")
    async def handler() -> bool:
        return isinstance(asyncio.current_task(), asyncio.Task)

    assert serve(app).client.get("/").json() is True


def test_timeouts(serve: Serve) -> None:
    app = Spikard()

    @app.get("/timeout")
    async def timeout() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)
        except TimeoutError:
            return "timed out"
        return "slept"

    @app.get("/wait-for")
    async def wait_for() -> str:
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.01)
        except TimeoutError:
            return "timed out"
        return "waited"

    client = serve(app).client
    assert client.get("/timeout").json() == "timed out"
    assert client.get("/wait-for").json() == "timed out"


def test_task_groups(serve: Serve) -> None:
    app = Spikard()

    @app.get("/")
    async def handler() -> list[int]:
        async def one(number: int) -> int:
            await asyncio.sleep(0)
            return number

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(number)) for number in range(5)]
        return [task.result() for task in tasks]

    @app.get("/failing")
    async def failing() -> str:
        async def fail() -> None:
            raise LookupError

        seen = "nothing"
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())
                group.create_task(asyncio.sleep(60))
        except* LookupError:
            seen = "lookup"
        return seen

    client = serve(app).client
    assert client.get("/").json() == [0, 1, 2, 3, 4]
    assert client.get("/failing").json() == "lookup"


def test_anyio(serve: Serve) -> None:
    app = Spikard()

    @app.get("/group")
    async def group() -> list[int]:
        seen: list[int] = []

        turns = [anyio.Event() for _ in range(4)]
        turns[0].set()

        async def one(number: int) -> None:
            await turns[number].wait()
            seen.append(number)
            turns[number + 1].set()

        async with anyio.create_task_group() as tasks:
            for number in (2, 0, 1):
                tasks.start_soon(one, number)
        return seen

    @app.get("/scope")
    async def scope() -> bool:
        with anyio.move_on_after(0.01) as cancel_scope:
            await anyio.sleep_forever()
        return cancel_scope.cancelled_caught

    @app.get("/thread")
    async def thread() -> bool:
        there = await anyio.to_thread.run_sync(threading.get_ident)
        back = await anyio.to_thread.run_sync(lambda: anyio.from_thread.run_sync(threading.get_ident))
        return there != threading.get_ident() == back

    client = serve(app).client
    assert client.get("/group").json() == [0, 1, 2]
    assert client.get("/scope").json() is True
    assert client.get("/thread").json() is True


@pytest.mark.parametrize("path", ["/direct", "/suspending", "/thread", "/inline"])
def test_context_variables_do_not_leak_between_requests(serve: Serve, path: str) -> None:
    app = Spikard()

    @app.get("/direct")
    async def direct(value: str) -> str:
        before = variable.get()
        variable.set(value)
        return before

    @app.get("/suspending")
    async def suspending(value: str) -> str:
        before = variable.get()
        variable.set(value)
        await asyncio.sleep(0)
        assert variable.get() == value
        return before

    @app.get("/thread")
    def thread(value: str) -> str:
        before = variable.get()
        variable.set(value)
        return before

    @app.get("/inline", inline=True)
    def inline(value: str) -> str:
        before = variable.get()
        variable.set(value)
        return before

    client = serve(app).client
    assert [client.get(f"{path}?value={number}").json() for number in range(5)] == ["unset"] * 5


def test_context_variables_go_along_into_tasks_and_threads(serve: Serve) -> None:
    app = Spikard()

    @app.get("/")
    async def handler() -> list[str]:
        variable.set("mine")

        async def in_task() -> str:
            return variable.get()

        return [await asyncio.create_task(in_task()), await asyncio.to_thread(variable.get)]

    assert serve(app).client.get("/").json() == ["mine", "mine"]


def test_tasks_outlive_their_handler(serve: Serve) -> None:
    app = Spikard()
    done = threading.Event()
    kept: set[asyncio.Task[None]] = set()

    @app.get("/")
    async def handler() -> str:
        async def later() -> None:
            await asyncio.sleep(0.01)
            done.set()

        kept.add(asyncio.create_task(later()))
        return "now"

    served = serve(app)
    assert served.client.get("/").json() == "now"
    assert done.wait(10)


def test_handlers_wait_for_each_other(serve: Serve) -> None:
    app = Spikard()
    event, entered = asyncio.Event(), threading.Event()

    @app.get("/wait")
    async def wait() -> str:
        entered.set()
        await event.wait()
        return "woken"

    @app.get("/wake")
    async def wake() -> str:
        event.set()
        return "woke"

    served = serve(app)
    with served.connect() as waiting:
        waiting.sendall(b"GET /wait HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert entered.wait(10)
        assert served.client.get("/wake").json() == "woke"
        answer = b"".join(iter(lambda: waiting.recv(65536), b""))
    assert answer.endswith(b'"woken"')


def test_a_handler_calls_another_server(serve: Serve) -> None:
    inner, outer = Spikard(), Spikard()

    @inner.get("/{number:int}")
    async def double(number: int) -> int:
        return 2 * number

    url = serve(inner).url

    @outer.get("/")
    async def handler() -> list[int]:
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as client:
            answers = await asyncio.gather(*(client.get(f"/{number}") for number in range(5)))
        return [answer.json() for answer in answers]

    assert serve(outer).client.get("/").json() == [0, 2, 4, 6, 8]


def test_a_handler_calls_its_own_server(serve: Serve) -> None:
    app = Spikard()

    @app.get("/inner")
    async def inner() -> str:
        return "inner"

    @app.get("/outer/{port:int}")
    async def outer(port: int) -> str:
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            return (await client.get(f"http://127.0.0.1:{port}/inner")).json()

    served = serve(app)
    assert served.client.get(f"/outer/{served.port}").json() == "inner"


def test_redis(serve: Serve, redis_url: str) -> None:
    app = Spikard()
    connections: list[redis.asyncio.Redis] = []

    @app.on_startup
    async def connect() -> None:
        connections.append(redis.asyncio.from_url(redis_url))
        await connections[0].set("spikard:test", "value")

    @app.on_shutdown
    async def disconnect() -> None:
        await connections[0].delete("spikard:test")
        await connections[0].aclose()

    @app.get("/")
    async def handler() -> str:
        return (await connections[0].get("spikard:test")).decode()

    client = serve(app).client
    assert [client.get("/").json() for _ in range(ROUNDS)] == ["value"] * ROUNDS


def test_postgres(serve: Serve, postgres_url: str) -> None:
    app = Spikard()
    pools: list[asyncpg.Pool] = []

    @app.on_startup
    async def connect() -> None:
        pools.append(await asyncpg.create_pool(postgres_url, min_size=1, max_size=3))

    @app.on_shutdown
    async def disconnect() -> None:
        await pools[0].close()

    @app.get("/{number:int}")
    async def handler(number: int) -> int:
        async with pools[0].acquire() as connection, connection.transaction():
            return await connection.fetchval("SELECT $1::int + 1", number)

    client = serve(app).client
    assert [client.get(f"/{number}").json() for number in range(ROUNDS)] == list(range(1, ROUNDS + 1))


def test_subprocesses_in_handlers(serve: Serve) -> None:
    import sys

    app = Spikard()

    @app.get("/")
    async def handler() -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "print('child')", stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        return output.decode().strip()

    assert serve(app).client.get("/").json() == "child"
