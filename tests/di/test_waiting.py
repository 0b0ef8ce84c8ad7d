"""Values that are awaited, and what follows when they go."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from spikard.di import (
    AsyncDependency,
    Container,
    ContainerClosed,
    ContainerFrozen,
    DIError,
)
from tests.di.shop import Engine, Repository


class TestAsync:
    async def test_resolve_names_what_has_to_be_awaited(self) -> None:
        async def connect() -> Engine:
            return Engine()

        container = Container().add_singleton(Engine, connect).add_scoped(Repository).add_transient("t", connect)
        with pytest.raises(AsyncDependency, match="connect"):
            container.resolve(Engine)
        with pytest.raises(AsyncDependency):
            container.resolve("t")
        async with container.scope() as scope:
            with pytest.raises(AsyncDependency, match="connect"):
                scope.resolve(Repository)
            repository = await scope.aresolve(Repository)
            assert scope.resolve(Repository) is repository
            assert container.resolve(Engine) is repository.engine

    async def test_init_builds_async_and_eager_singletons(self) -> None:
        built: list[str] = []

        async def connect() -> Engine:
            built.append("engine")
            return Engine()

        class Eager:
            def __init__(self, engine: Engine) -> None:
                built.append("eager")

        class Lazy:
            def __init__(self) -> None:
                built.append("lazy")

        async def ready(container: Container) -> None:
            built.append("ready")

        container = Container().add_singleton(Eager, eager=True).add_singleton(Engine, connect).add_singleton(Lazy)
        container.add_init_function(ready)
        async with container:
            assert built == ["engine", "eager", "ready"]
            with pytest.raises(ContainerFrozen):
                container.add_instance("late", 1)
        with pytest.raises(ContainerClosed):
            container.resolve(Engine)
        with pytest.raises(ContainerClosed):
            container.override(Engine, value=1)

    async def test_a_failing_init_undoes_what_was_built(self) -> None:
        events: list[str] = []

        async def connect() -> AsyncIterator[Engine]:
            events.append("open")
            yield Engine()
            events.append("close")

        async def fail(container: Container) -> None:
            raise LookupError("init")

        container = Container().add_singleton(Engine, connect)
        container.add_init_function(fail)
        with pytest.raises(LookupError):
            await container.init()
        # It sees the fault and does not go on.
        assert events == ["open"]

    async def test_independent_values_are_awaited_together(self) -> None:
        both = asyncio.Barrier(2)

        async def one() -> int:
            await both.wait()
            return 1

        async def two() -> int:
            await both.wait()
            return 2

        def work(one: int, two: int) -> int:
            return one + two

        container = Container().add_scoped("one", one).add_scoped("two", two).add_scoped("sum", work)
        async with asyncio.timeout(5), container.scope() as scope:
            assert await scope.aresolve("sum") == 3
            assert await scope.call(work) == 3

    async def test_a_diamond_is_built_once(self) -> None:
        built: list[str] = []

        async def base() -> int:
            built.append("base")
            await asyncio.sleep(0)
            return 1

        async def left(base: int) -> int:
            return base

        async def right(base: int) -> int:
            return base

        container = Container().add_scoped("base", base).add_scoped("left", left).add_scoped("right", right)

        def work(left: int, right: int) -> int:
            return left + right

        assert await container.call(work) == 2
        assert built == ["base"]

    async def test_the_first_failure_ends_the_others(self) -> None:
        ended: list[str] = []

        async def slow() -> int:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("slow")
            return 1

        async def failing() -> int:
            await asyncio.sleep(0)
            raise LookupError("no")

        def work(slow: int, failing: int) -> None: ...

        container = Container().add_scoped("slow", slow).add_scoped("failing", failing)
        with pytest.raises(LookupError, match="no"):
            await container.call(work)
        assert ended == ["slow"]


class TestCleanup:
    async def test_in_reverse_order_of_building(self) -> None:
        events: list[str] = []

        def plain() -> Iterator[str]:
            events.append("open plain")
            yield "plain"
            events.append("close plain")

        async def waiting(plain: str) -> AsyncIterator[str]:
            events.append("open waiting")
            yield plain + "!"
            events.append("close waiting")

        @contextmanager
        def managed(waiting: str) -> Iterator[str]:
            yield waiting + "?"
            events.append("close managed")

        @asynccontextmanager
        async def managed_too(managed: str) -> AsyncIterator[str]:
            yield managed + "."
            events.append("close managed too")

        container = Container().add_scoped("plain", plain).add_scoped("waiting", waiting)
        container.add_scoped("managed", managed).add_transient("managed_too", managed_too)
        async with container.scope() as scope:
            assert await scope.aresolve("managed_too") == "plain!?."
            assert events == ["open plain", "open waiting"]
        assert events[2:] == ["close managed too", "close managed", "close waiting", "close plain"]

    async def test_generators_see_the_exception_and_cannot_swallow_it(self) -> None:
        seen: list[BaseException] = []

        def swallowing() -> Iterator[int]:
            try:
                yield 1
            except LookupError as fault:
                seen.append(fault)

        async def passing() -> AsyncIterator[int]:
            try:
                yield 2
            except LookupError as fault:
                seen.append(fault)
                raise

        container = Container().add_scoped("a", swallowing).add_scoped("b", passing)

        async def use() -> None:
            async with container.scope() as scope:
                await scope.aresolve("b")
                scope.resolve("a")
                raise LookupError("body")

        with pytest.raises(LookupError, match="body"):
            await use()
        assert [str(fault) for fault in seen] == ["body", "body"]

    async def test_every_step_runs_and_errors_come_together(self) -> None:
        events: list[str] = []

        def failing(name: str) -> Callable[[], Iterator[str]]:
            def provider() -> Iterator[str]:
                yield name
                events.append(name)
                raise ConnectionError(name)

            return provider

        container = Container().add_scoped("a", failing("a")).add_scoped("b", failing("b"))

        async def use() -> None:
            async with container.scope() as scope:
                scope.resolve("a")
                scope.resolve("b")

        with pytest.raises(ExceptionGroup) as caught:
            await use()
        assert events == ["b", "a"]
        assert [str(fault) for fault in caught.value.exceptions] == ["b", "a"]

    async def test_singletons_end_with_the_container(self) -> None:
        events: list[str] = []

        def one() -> Iterator[int]:
            yield 1
            events.append("one")

        async def two(one: int) -> AsyncIterator[int]:
            yield 2
            events.append("two")

        container = Container().add_singleton("two", two).add_singleton("one", one)
        async with container:
            assert container["two"] == 2
            assert events == []
        assert events == ["two", "one"]
        await container.aclose()
        assert events == ["two", "one"]

    async def test_providers_that_do_not_yield_once(self) -> None:
        def never() -> Iterator[int]:
            yield from ()

        async def twice() -> AsyncIterator[int]:
            yield 1
            yield 2

        container = Container().add_scoped("never", never).add_scoped("twice", twice)
        with pytest.raises(DIError, match="never has not yielded"):
            container.scope().resolve("never")
        with pytest.raises(DIError, match="more than once"):
            async with container.scope() as scope:
                await scope.aresolve("twice")

    async def test_a_cancelled_cleanup_finishes_first(self) -> None:
        events: list[str] = []
        go_on, began = asyncio.Event(), asyncio.Event()

        async def provider() -> AsyncIterator[int]:
            yield 1
            began.set()
            await go_on.wait()
            events.append("closed")

        container = Container().add_scoped("p", provider)

        async def use() -> None:
            async with container.scope() as scope:
                await scope.aresolve("p")

        task = asyncio.create_task(use())
        await began.wait()
        task.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert events == ["closed"]
