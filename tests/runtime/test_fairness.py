"""A loaded server leaves room: for other threads, for timers, for other connections.

Everything here counts turns and compares orders; nothing depends on how fast the machine is.
"""

import asyncio
import threading
from typing import Self

from spikard import Spikard
from tests.conftest import Serve
from tests.served import Served

REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
BATCH = 50


def hello() -> Spikard:
    app = Spikard()

    @app.get("/")
    async def handler() -> dict[str, str]:
        return {"message": "hello"}

    return app


async def spin(stop: threading.Event) -> int:
    """Gives asyncio something to do in every turn; tells how many there were."""
    turns = 0
    while not stop.is_set():
        await asyncio.sleep(0)
        turns += 1
    return turns


class Load:
    """Connections that always have requests under way, in threads that wait most of the time."""

    def __init__(self, served: Served, connections: int = 4) -> None:
        self._served = served
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._main) for _ in range(connections)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(20)

    def _main(self) -> None:
        with self._served.connect() as connection:
            pending = b""
            while not self._over.is_set():
                connection.sendall(REQUEST * BATCH)
                answered = 0
                while answered < BATCH:
                    data = pending + connection.recv(65536)
                    answered += data.count(b'{"message":"hello"}')
                    pending = data[data.rfind(b"}") + 1 :]


def test_timers_run_under_load(serve: Serve) -> None:
    served = serve(hello())

    async def ticker() -> int:
        loop = asyncio.get_running_loop()
        for _ in range(50):
            await asyncio.sleep(0.001)
        for _ in range(200):
            turn = loop.create_future()
            loop.call_soon(turn.set_result, None)
            await turn
        return served.requests

    with Load(served):
        before = served.call(ticker)
        after = served.call(ticker)
    assert after > before > 0


def test_a_busy_thread_beside_a_loaded_server_gets_its_turns(serve: Serve) -> None:
    served = serve(hello())
    with Load(served):
        began = served.requests
        count = 0
        # Pure Python, hungry for the interpreter lock: if it were never released this loop would not end.
        while served.requests < began + 2000:
            count += 1
    assert count > 20


def test_requests_are_answered_while_callbacks_never_pause(serve: Serve) -> None:
    served = serve(hello())
    stop = threading.Event()
    spinning = asyncio.run_coroutine_threadsafe(spin(stop), served.loop)
    try:
        for _ in range(20):
            assert served.client.get("/").status_code == 200
    finally:
        stop.set()
    assert spinning.result(20) > 20


def test_one_connection_cannot_starve_another(serve: Serve) -> None:
    served = serve(hello())
    with Load(served, connections=1):
        for _ in range(20):
            assert served.client.get("/").status_code == 200


def test_a_suspended_handler_comes_back_under_load(serve: Serve) -> None:
    app = hello()

    @app.get("/yield/{turns:int}")
    async def handler(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    served = serve(app)
    with Load(served):
        assert served.client.get("/yield/500").json() == 500


def test_calls_that_were_put_off_are_all_made_in_the_end(serve: Serve) -> None:
    """More of them than a turn holds, while asyncio always has something to do; a third of their clients leave."""
    app = Spikard()
    made = 0

    @app.get("/")
    async def handler() -> dict[str, int]:
        nonlocal made
        await asyncio.sleep(0)
        made += 1
        return {"made": made}

    served = serve(app)
    stop = threading.Event()
    spinning = asyncio.run_coroutine_threadsafe(spin(stop), served.loop)
    connections = [served.connect() for _ in range(200)]
    try:
        for _ in range(3):
            for connection in connections:
                connection.sendall(REQUEST)
            for place, connection in enumerate(connections):
                if place % 3:
                    assert b'{"made":' in connection.recv(65536)
            for connection in connections[::3]:
                connection.close()
            connections = [c for place, c in enumerate(connections) if place % 3]
    finally:
        stop.set()
        for connection in connections:
            connection.close()
    assert spinning.result(20) > 20
    assert made >= 133 + 89 + 59
