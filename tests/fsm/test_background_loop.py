"""A loop that is closed while others still want something of it."""

import asyncio
import threading
from concurrent.futures import CancelledError, Future
from contextlib import suppress

from spikard.fsm.background_loop import BackgroundLoop

SECONDS = 20


async def slow_to_leave(begun: threading.Barrier) -> None:
    begun.wait(SECONDS)
    try:
        await asyncio.Event().wait()
    finally:
        # As connections do that have something to say before they go.
        for _ in range(50):
            await asyncio.sleep(0)


def test_nobody_waits_for_a_loop_that_is_closed() -> None:
    loop = BackgroundLoop()
    begun = threading.Barrier(2)
    waiting: Future[None] = loop.submit(slow_to_leave(begun))
    begun.wait(SECONDS)
    loop.close()
    with suppress(CancelledError):
        waiting.result(SECONDS)


def test_what_comes_while_it_closes_is_answered() -> None:
    loop, stopped, lost = BackgroundLoop(), threading.Event(), []

    def ask() -> None:
        while not stopped.is_set():
            try:
                loop.submit(asyncio.sleep(0)).result(SECONDS)
            except CancelledError:
                continue
            except TimeoutError:
                lost.append("nobody has answered")
                return

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        loop.submit(asyncio.sleep(0)).result(SECONDS)
        loop.close()
    stopped.set()
    for thread in threads:
        thread.join()
    loop.close()
    assert lost == []
