"""What asyncio promises of a selector loop, on the loop whose selector is the server."""

import asyncio
import concurrent.futures
import contextvars
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from spikard import Spikard
from spikard.app import driver_of, new_event_loop
from spikard.app.loop import InlineEventLoop


def run(main: Callable[[], Awaitable[Any]], *, debug: bool | None = None) -> Any:
    with asyncio.Runner(loop_factory=new_event_loop, debug=debug) as runner:
        return runner.run(main())


def test_the_loop_is_inline() -> None:
    loop = new_event_loop()
    try:
        assert isinstance(loop, InlineEventLoop)
        assert driver_of(loop) is loop.driver
    finally:
        loop.close()


def test_other_loops_have_no_driver() -> None:
    loop = asyncio.new_event_loop()
    try:
        assert driver_of(loop) is None
    finally:
        loop.close()


def test_callbacks_run_in_order() -> None:
    async def main() -> list[int]:
        loop, seen, done = asyncio.get_running_loop(), [], asyncio.Event()
        for number in range(5):
            loop.call_soon(seen.append, number)
        loop.call_soon(done.set)
        await done.wait()
        return seen

    assert run(main) == [0, 1, 2, 3, 4]


def test_timers_run_in_order_of_time_and_not_early() -> None:
    async def main() -> list[str]:
        loop, seen, done = asyncio.get_running_loop(), [], asyncio.Event()
        began = loop.time()

        def note(name: str, after: float) -> None:
            assert loop.time() - began >= after - 0.001
            seen.append(name)

        loop.call_later(0.03, note, "third", 0.03)
        loop.call_later(0.01, note, "first", 0.01)
        loop.call_at(began + 0.02, note, "second", 0.02)
        cancelled = loop.call_later(0.015, note, "never", 0)
        cancelled.cancel()
        loop.call_later(0.04, done.set)
        await done.wait()
        return seen

    assert run(main) == ["first", "second", "third"]


def test_sleep_and_gather() -> None:
    async def worker(number: int) -> int:
        await asyncio.sleep(0.001 * (5 - number))
        return number

    async def main() -> list[int]:
        return await asyncio.gather(*(worker(number) for number in range(5)))

    assert run(main) == [0, 1, 2, 3, 4]


def test_a_loop_can_be_run_several_times() -> None:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        for number in range(3):
            assert runner.run(asyncio.sleep(0, number)) == number


def test_stop_ends_run_forever() -> None:
    loop = new_event_loop()
    try:
        loop.call_soon(loop.stop)
        loop.run_forever()
        assert not loop.is_running()
    finally:
        loop.close()
    assert loop.is_closed()
    with pytest.raises(RuntimeError):
        loop.call_soon(print)


def test_other_threads_wake_the_loop() -> None:
    async def main() -> str:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str] = loop.create_future()
        # Nothing else is due: without the wake-up this would hang.
        thread = threading.Thread(target=lambda: loop.call_soon_threadsafe(future.set_result, "woken"))
        loop.call_soon(thread.start)
        result = await future
        thread.join()
        return result

    assert run(main) == "woken"


def test_executors() -> None:
    async def main() -> tuple[bool, int]:
        loop = asyncio.get_running_loop()
        here = threading.get_ident()
        there = await loop.run_in_executor(None, threading.get_ident)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            result = await loop.run_in_executor(pool, sum, [1, 2, 3])
        await asyncio.to_thread(time.sleep, 0)
        return here != there, result

    assert run(main) == (True, 6)


def test_subprocesses() -> None:
    async def main() -> tuple[bytes, int]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "import sys; data = sys.stdin.read(); print(data.upper(), end=''); sys.exit(7)",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        output, _ = await process.communicate(b"text")
        return output, process.returncode

    assert run(main) == (b"TEXT", 7)


def test_readers_and_writers() -> None:
    async def main() -> list[bytes]:
        loop = asyncio.get_running_loop()
        left, right = socket.socketpair()
        with left, right:
            left.setblocking(False)
            right.setblocking(False)
            seen, done = [], asyncio.Event()

            def readable() -> None:
                # One byte at a time: readiness must be reported again as long as something is there.
                seen.append(right.recv(1))
                if len(seen) == 3:
                    loop.remove_reader(right)
                    done.set()

            loop.add_reader(right, readable)
            writable = asyncio.Event()
            loop.add_writer(left, writable.set)
            await writable.wait()
            loop.remove_writer(left)
            left.send(b"abc")
            await done.wait()
            assert not loop.remove_reader(right)
        return seen

    assert run(main) == [b"a", b"b", b"c"]


def test_streams() -> None:
    async def main() -> bytes:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.readline()) * 1000)
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"line\n")
            data = await reader.read()
            writer.close()
            await writer.wait_closed()
        return data

    assert run(main) == b"line\n" * 1000


def test_datagrams_and_name_resolution() -> None:
    async def main() -> bytes:
        loop = asyncio.get_running_loop()
        received: asyncio.Future[bytes] = loop.create_future()

        class Receiver(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: Any) -> None:
                received.set_result(data)

        transport, _ = await loop.create_datagram_endpoint(Receiver, local_addr=("127.0.0.1", 0))
        address = transport.get_extra_info("sockname")
        sender, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=address)
        assert await loop.getaddrinfo("127.0.0.1", 80)
        sender.sendto(b"data")
        try:
            return await received
        finally:
            sender.close()
            transport.close()

    assert run(main) == b"data"


def test_signal_handlers() -> None:
    async def main() -> list[int]:
        loop, seen, done = asyncio.get_running_loop(), [], asyncio.Event()

        def handle(number: int) -> None:
            seen.append(number)
            done.set()

        loop.add_signal_handler(signal.SIGUSR1, handle, 1)
        loop.call_later(0.01, os.kill, os.getpid(), signal.SIGUSR1)
        await done.wait()
        assert loop.remove_signal_handler(signal.SIGUSR1)
        assert not loop.remove_signal_handler(signal.SIGUSR1)
        return seen

    assert run(main) == [1]


def test_classic_signal_handlers_run_while_the_loop_is_idle() -> None:
    async def main() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        previous = signal.signal(signal.SIGUSR2, lambda *_: loop.call_soon_threadsafe(done.set))
        try:
            threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR2)).start()
            await done.wait()
        finally:
            signal.signal(signal.SIGUSR2, previous)

    run(main)


def test_an_interrupt_cancels_the_main_task() -> None:
    program = textwrap.dedent(
        """
        import asyncio, os, signal, threading
        from spikard.app import run_owned

        # A shell starts what is in its background with the signal ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)

        async def main():
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                print("cancelled")
                raise

        try:
            run_owned(main())
        except KeyboardInterrupt:
            print("interrupted")
        """
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True)
    assert (result.stdout, result.stderr) == ("cancelled\ninterrupted\n", "")


def test_the_wakeup_descriptor_is_given_back() -> None:
    run(lambda: asyncio.sleep(0))
    assert signal.set_wakeup_fd(-1) == -1


def test_debug_mode_names_slow_callbacks(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert loop.get_debug()
        loop.slow_callback_duration = 0.01
        done = asyncio.Event()

        def slow() -> None:
            time.sleep(0.02)
            done.set()

        loop.call_soon(slow)
        await done.wait()

    with caplog.at_level(logging.WARNING, "asyncio"):
        run(main, debug=True)
    assert "slow" in caplog.text


def test_debug_mode_refuses_calls_from_other_threads() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(RuntimeError, match="Non-thread-safe"):
            await asyncio.to_thread(loop.call_soon, print)

    run(main, debug=True)


def test_exceptions_of_callbacks_reach_the_exception_handler() -> None:
    async def main() -> list[BaseException]:
        loop, seen, done = asyncio.get_running_loop(), [], asyncio.Event()
        loop.set_exception_handler(lambda _, context: seen.append(context["exception"]))
        loop.call_soon(lambda: 1 / 0)
        loop.call_soon(done.set)
        await done.wait()
        return seen

    (exc,) = run(main)
    assert isinstance(exc, ZeroDivisionError)


def test_contexts_of_callbacks() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)

    async def main() -> list[int]:
        loop, seen, done = asyncio.get_running_loop(), [], asyncio.Event()
        variable.set(1)
        context = contextvars.copy_context()
        context.run(variable.set, 2)
        loop.call_soon(lambda: seen.append(variable.get()))
        loop.call_soon(lambda: seen.append(variable.get()), context=context)
        loop.call_soon(done.set)
        await done.wait()
        return seen

    assert run(main) == [1, 2]


def test_asynchronous_generators_are_closed_at_the_end() -> None:
    closed = []

    async def numbers():
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    async def main() -> None:
        iterator = numbers()
        await anext(iterator)
        keep.append(iterator)

    keep: list = []
    run(main)
    assert closed == [True]


def test_a_closed_loop_is_collected_with_its_descriptors() -> None:
    gc.collect()
    before = len(list(Path("/dev/fd").iterdir()))
    references = []
    for _ in range(5):
        loop = new_event_loop()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        references.append(weakref.ref(loop))
        del loop
    gc.collect()
    assert [reference() for reference in references] == [None] * 5
    assert len(list(Path("/dev/fd").iterdir())) <= before


def test_closing_twice_and_using_a_closed_driver() -> None:
    loop = new_event_loop()
    loop.close()
    loop.close()
    assert loop.is_closed()


def test_many_timers() -> None:
    async def main() -> int:
        tasks = [asyncio.create_task(asyncio.sleep(0.0001 * (number % 100))) for number in range(2000)]
        await asyncio.gather(*tasks)
        return len(tasks)

    assert run(main) == 2000


def test_two_applications_share_a_loop() -> None:
    from spikard.testing import TestClient

    first, second = Spikard(), Spikard()

    @first.get("/")
    async def one() -> int:
        return 1

    @second.get("/")
    async def two() -> int:
        return 2

    async def main() -> list[int]:
        async with TestClient(first) as a, TestClient(second) as b:
            answers = await asyncio.gather(*(client.get("/") for client in (a, b) * 10))
        return [answer.json() for answer in answers]

    assert run(main) == [1, 2] * 10
