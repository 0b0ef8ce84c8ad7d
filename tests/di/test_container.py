"""The container by itself: keys, lifetimes, autowiring, checks."""

import abc
import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import pytest

from spikard.di import (
    AsyncDependency,
    CaptiveDependency,
    Container,
    ContainerClosed,
    ContainerFrozen,
    CyclicDependency,
    DependencyTypeError,
    DIError,
    DuplicateRegistration,
    Inject,
    Lifetime,
    Named,
    Provide,
    Scope,
    ScopeError,
    UnknownDependency,
)


class Engine:
    pass


class Repository:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine


class Service:
    def __init__(self, repository: Repository, engine: Engine) -> None:
        self.repository = repository
        self.engine = engine


class Bot(abc.ABC):
    @abc.abstractmethod
    def talk(self) -> str: ...


class RealBot(Bot):
    def talk(self) -> str:
        return "real"


class FakeBot(Bot):
    def talk(self) -> str:
        return "fake"


class Greeter:
    def __init__(self, bot: Bot) -> None:
        self.bot = bot


class Ping:
    def __init__(self, pong: "Pong") -> None:
        self.pong = pong


class Pong:
    def __init__(self, ping: Ping) -> None:
        self.ping = ping


class Speaks(Protocol):
    def talk(self) -> str: ...


@dataclass
class Options:
    size: int = 3
    bot: Bot | None = None


def shop() -> Container:
    return Container().add_singleton(Engine).add_scoped(Repository).add_scoped(Service)


class TestLifetimes:
    def test_a_singleton_is_one_even_if_it_is_none(self) -> None:
        calls = []
        container = Container().add_singleton("nothing", lambda: calls.append(1))
        assert container.resolve("nothing") is None
        assert container["nothing"] is None
        assert calls == [1]

    async def test_a_scoped_value_is_one_in_each_scope(self) -> None:
        container = shop()
        async with container.scope() as one, container.scope() as two:
            service = one.resolve(Service)
            assert service is one[Service] is one.get(Service) is await one.aresolve(Service)
            assert service.repository is one[Repository]
            assert two[Service] is not service
            assert two[Service].engine is service.engine is container[Engine]
            assert one.parent is container

    async def test_a_transient_is_new_each_time(self) -> None:
        container = Container().add_singleton(Engine).add_transient(Repository)
        assert container[Repository] is not container[Repository]
        async with container.scope() as scope:
            assert scope[Repository] is not scope[Repository]

    async def test_scoped_values_need_a_scope_and_the_way_is_told(self) -> None:
        container = shop().add_transient("job", lambda service: service).add_alias("service", Service)
        with pytest.raises(ScopeError, match="Service"):
            container.resolve(Service)
        with pytest.raises(ScopeError, match="'job' -> Service"):
            container.resolve("job")
        with pytest.raises(ScopeError):
            await container.aresolve(Service)

    async def test_an_ended_scope_has_nothing(self) -> None:
        async with shop().scope() as scope:
            scope.resolve(Service)
        with pytest.raises(ScopeError, match="ended"):
            scope.resolve(Service)

    def test_threads_build_a_singleton_once(self) -> None:
        built, start = [], threading.Barrier(8)

        def make() -> Engine:
            built.append(1)
            return Engine()

        container = Container().add_singleton(Engine, make)
        found: list[Engine] = []

        def ask() -> None:
            start.wait()
            found.append(container[Engine])

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(map(id, found))) == 1
        assert built == [1]

    async def test_tasks_build_an_async_singleton_once(self) -> None:
        built = []

        async def make() -> Engine:
            built.append(1)
            await asyncio.sleep(0)
            return Engine()

        container = Container().add_singleton(Engine, make)
        found = await asyncio.gather(*(container.aresolve(Engine) for _ in range(10)))
        assert len(set(map(id, found))) == 1
        assert built == [1]
        assert container[Engine] is found[0]

    async def test_who_waits_for_a_builder_that_fails_tries_itself(self) -> None:
        attempts = []

        async def make() -> Engine:
            attempts.append(1)
            await asyncio.sleep(0)
            if len(attempts) == 1:
                raise ConnectionError("first")
            return Engine()

        container = Container().add_scoped(Engine, make)
        async with container.scope() as scope:
            first, second = await asyncio.gather(scope.aresolve(Engine), scope.aresolve(Engine), return_exceptions=True)
        assert isinstance(first, ConnectionError)
        assert isinstance(second, Engine)

    def test_registering_twice(self) -> None:
        container = Container().add_singleton(Engine)
        with pytest.raises(DuplicateRegistration, match="Engine"):
            container.add_scoped(Engine)
        lax = Container(strict=False).add_instance("n", 1)
        assert lax["n"] == 1
        assert lax.add_instance("n", 2)["n"] == 2

    def test_provide(self) -> None:
        def make(a: int, b: int) -> int:
            return a * 10 + b

        container = Container().add_instance("a", 1).add_instance("b", 2)
        container.provide("by name", Provide(make, singleton=True))
        container.provide("by key", Provide(make, depends_on=["b", "a"], singleton=True))
        container.provide("by order", Provide(lambda x, y: (x, y), depends_on=["b", "a"], cacheable=False))
        assert container["by name"] == container["by key"] == 12
        assert container["by order"] == (2, 1)
        assert Provide(make).lifetime is Lifetime.SCOPED
        assert Provide(make, cacheable=False).lifetime is Lifetime.TRANSIENT
        with pytest.raises(TypeError, match="class or a function"):
            Provide(3)  # type: ignore[arg-type]


class TestAutowiring:
    def test_concrete_classes_need_no_registration(self) -> None:
        assert isinstance(Container()[Service].repository.engine, Engine)

    def test_unknown_keys_tell_the_way(self) -> None:
        with pytest.raises(UnknownDependency, match=r"Greeter -> Bot \(abstract, not registered\)"):
            Container().resolve(Greeter)
        with pytest.raises(UnknownDependency, match=r"Speaks \(a Protocol, not registered\)"):
            Container().resolve(Speaks)
        with pytest.raises(UnknownDependency, match="int"):
            Container().resolve(int)
        with pytest.raises(UnknownDependency, match="'nobody'"):
            Container().resolve("nobody")

        def bare(thing) -> int:  # type: ignore[no-untyped-def]
            return 1

        with pytest.raises(UnknownDependency, match=r"'n' -> parameter 'thing' \(no annotation, no default\)"):
            Container().add_singleton("n", bare).resolve("n")

    def test_defaults_and_optional_parameters(self) -> None:
        assert Container()[Options] == Options(3, None)
        bot = RealBot()
        assert Container().add_instance(Bot, bot)[Options].bot is bot

        def optional(bot: Bot | None) -> Any:
            return bot

        assert Container().add_singleton("o", optional)["o"] is None

    def test_local_classes_and_text_annotations(self) -> None:
        class Local:
            pass

        def make(local: "Local") -> "dict[str, Local]":
            return {"local": local}

        class Holder:
            def __init__(self, local: "Local") -> None:
                self.local = local

        container = Container().add_singleton(Local).add_singleton("made", make).add_singleton(Holder)
        assert container["made"] == {"local": container[Local]}
        assert container[Holder].local is container[Local]

    def test_an_annotation_that_names_nothing(self) -> None:
        def make(x: "Nowhere") -> int:  # type: ignore[name-defined]  # noqa: F821
            return 1

        with pytest.raises(UnknownDependency, match="Nowhere"):
            Container().add_singleton("n", make).validate()

    def test_names_make_keys_apart(self) -> None:
        reporting = Annotated[Engine, Named("reporting")]

        def make(engine: reporting, other: Annotated[Engine, "a comment"]) -> tuple[Engine, Engine]:  # type: ignore[valid-type]
            return engine, other

        container = Container().add_singleton(Engine).add_singleton(reporting, Engine).add_singleton("both", make)
        assert container["both"] == (container[reporting], container[Engine])
        assert container[reporting] is not container[Engine]

    async def test_lambdas_get_the_container_or_the_scope(self) -> None:
        container = shop()
        container.add_singleton("of the container", lambda c: c).add_scoped("of the scope", lambda s: s[Service])
        assert container["of the container"] is container
        async with container.scope() as scope:
            assert scope["of the scope"] is scope[Service]

    async def test_container_and_scope_by_annotation(self) -> None:
        def whole(container: Container) -> Any:
            return container

        container = Container().add_scoped("s", whole).add_singleton("c", whole)
        async with container.scope() as scope:
            assert scope["s"] is scope
            assert scope["c"] is container

    async def test_factories(self) -> None:
        class Maker:
            def __init__(self, make: Callable[[], Repository], wait: Callable[[], Awaitable[Engine]]) -> None:
                self.make, self.wait = make, wait

        container = Container().add_singleton(Engine).add_transient(Repository).add_singleton(Maker)
        maker = container[Maker]
        assert maker.make() is not maker.make()
        assert await maker.wait() is container[Engine]
        assert isinstance(container.get_factory(Repository)(), Repository)
        assert await container.get_async_factory(Engine)() is container[Engine]
        with pytest.raises(UnknownDependency):
            container.get_factory(Bot)

    def test_collections(self) -> None:
        def all_bots(bots: Sequence[Bot]) -> list[str]:
            return [bot.talk() for bot in bots]

        container = Container().add_singleton(Bot, RealBot, many=True).add_singleton(Bot, FakeBot, many=True)
        container.add_singleton("talk", all_bots)
        assert container["talk"] == ["real", "fake"]
        assert [type(bot) for bot in container.resolve(Sequence[Bot])] == [RealBot, FakeBot]  # type: ignore[type-abstract]

    def test_alias_and_modules(self) -> None:
        def module(container: Container) -> None:
            container.add_singleton(Bot, RealBot).add_alias("bot", Bot)

        container = Container().install(module)
        assert container["bot"] is container[Bot]

    def test_stars_are_ignored(self) -> None:
        def make(*args: int, engine: Engine, **kwargs: int) -> tuple[Any, ...]:
            return (engine, args, kwargs)

        assert Container().add_instance(Engine, "e").add_singleton("m", make)["m"] == ("e", (), {})


class TestScopes:
    async def test_instances_of_a_scope(self) -> None:
        def make(name: str, options: Options) -> tuple[str, Options]:
            return name, options

        options = Options(9)
        container = Container().add_scoped("made", make)
        async with container.scope(name="Ada", chosen=options) as scope:
            assert scope["made"] == ("Ada", options)
            assert scope["chosen"] is options
            assert await scope.aresolve("made") is scope["made"]
        async with container.scope() as bare:
            with pytest.raises(UnknownDependency):
                bare.resolve("made")

    async def test_what_is_expected_comes_with_the_scope(self) -> None:
        container = Container().expect(Options).add_scoped("size", lambda options: options.size)
        container.add_alias("options", Options)
        with pytest.raises(ScopeError, match="Options"):
            container.scope().resolve("size")
        async with container.scope(options=Options(5)) as scope:
            assert scope["size"] == 5

    async def test_call(self) -> None:
        container = shop()

        async def work(count: int, service: Service, *, named: Inject[Engine], extra: int = 2) -> tuple[Any, ...]:
            return count, service.engine is named, extra

        assert await container.call(work, 1) == (1, True, 2)
        assert await container.call(work, count=1, extra=5) == (1, True, 5)
        async with container.scope() as scope:
            assert await scope.call(lambda service: service, scope[Service]) is scope[Service]

    async def test_a_scope_can_be_asked_for_by_a_function_that_is_called(self) -> None:
        def work(scope: Scope) -> Any:
            return scope

        async with shop().scope() as scope:
            assert await scope.call(work) is scope


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


class TestChecks:
    def test_cycles(self) -> None:
        with pytest.raises(CyclicDependency, match="Ping -> Pong -> Ping"):
            Container().resolve(Ping)
        container = Container().add_singleton(Ping).add_singleton(Pong)
        with pytest.raises(CyclicDependency) as caught:
            container.validate()
        assert str(caught.value).count("\n") == 0

    def test_a_cycle_through_a_factory_is_legal_until_it_has_no_end(self) -> None:
        class Lazy:
            def __init__(self, make: "Callable[[], Lazy]") -> None:
                self.make = make

        class Endless:
            def __init__(self, make: "Callable[[], Endless]") -> None:
                make()

        container = Container().add_singleton(Lazy).add_transient(Endless)
        container.validate()
        assert container[Lazy].make() is container[Lazy]
        with pytest.raises(CyclicDependency, match="Endless -> Endless"):
            container.resolve(Endless)

    def test_a_singleton_that_asks_for_itself(self) -> None:
        container = Container()
        container.add_singleton("a", lambda c: c["b"]).add_singleton("b", lambda c: c["a"])
        with pytest.raises(CyclicDependency):
            container.resolve("a")

    def test_captives(self) -> None:
        container = Container().add_scoped(Engine).add_singleton(Repository)
        with pytest.raises(CaptiveDependency, match="Repository -> Engine"):
            container.validate()

    def test_wrong_types(self) -> None:
        def make() -> Engine:
            return Engine()

        with pytest.raises(DependencyTypeError, match="make"):
            Container().add_singleton(Bot, make).validate()
        with pytest.raises(DependencyTypeError):
            Container().add_singleton(Bot, Engine).validate()

        async def stream() -> AsyncIterator[Engine]:
            yield Engine()

        with pytest.raises(DependencyTypeError):
            Container().add_singleton(Bot, stream).validate()
        Container().add_singleton(Bot, RealBot).validate()
        untold = Container().add_singleton(Bot, lambda container: Engine())
        untold.validate()
        with pytest.raises(DependencyTypeError, match="Engine"):
            untold.resolve(Bot)  # type: ignore[type-abstract]

    async def test_all_problems_at_once(self) -> None:
        container = Container().add_singleton(Greeter).add_singleton(Ping).add_singleton(Pong)
        with pytest.raises(DIError) as caught:
            await container.init()
        lines = str(caught.value).splitlines()
        assert len(lines) == 2
        assert "Bot (abstract" in lines[0]
        assert "Ping -> Pong -> Ping" in lines[1]

    def test_graph(self) -> None:
        assert shop().graph() == {"Engine": [], "Repository": ["Engine"], "Service": ["Repository", "Engine"]}


class TestOverrides:
    def test_a_value_in_place_of_another_and_back(self) -> None:
        container = Container().add_singleton(Bot, RealBot).add_singleton(Greeter)
        greeter = container[Greeter]
        with container.override(Bot, value=FakeBot()):
            assert container[Greeter] is not greeter
            assert container[Greeter] is container[Greeter]
            assert container[Greeter].bot.talk() == "fake"
            with container.override(Bot, RealBot):
                assert container[Greeter].bot.talk() == "real"
                assert container[Greeter] is not greeter
            assert container[Greeter].bot.talk() == "fake"
        assert container[Greeter] is greeter

    async def test_open_scopes_follow(self) -> None:
        container = Container().add_singleton(Bot, RealBot).add_scoped(Greeter).add_scoped(Options)
        async with container.scope() as scope:
            greeter = scope[Greeter]
            options = scope[Options]
            with container.override(Bot, value=FakeBot()):
                assert scope[Greeter].bot.talk() == "fake"
                assert (await scope.aresolve(Greeter)).bot.talk() == "fake"
            assert scope[Greeter] is greeter
            assert scope[Options] is options

    def test_what_does_not_depend_on_it_stays(self) -> None:
        container = Container().add_singleton(Engine).add_singleton(Bot, RealBot)
        with container.override(Bot, value=FakeBot()):
            engine = container[Engine]
        assert container[Engine] is engine

    def test_unregistered_keys(self) -> None:
        container = Container()
        with container.override(Bot, FakeBot), container.override("n", value=3):
            assert container[Greeter].bot.talk() == "fake"
            assert container["n"] == 3
        with pytest.raises(UnknownDependency):
            container.resolve("n")

    async def test_what_was_built_for_it_is_closed(self) -> None:
        events: list[str] = []

        def plain(bot: Bot) -> Iterator[str]:
            yield bot.talk()
            events.append("plain")

        async def waiting(bot: Bot) -> AsyncIterator[str]:
            yield bot.talk()
            events.append("waiting")

        container = Container().add_singleton(Bot, RealBot).add_singleton("p", plain).add_singleton("w", waiting)
        async with container:
            with container.override(Bot, value=FakeBot()):
                assert container["p"] == "fake"
            assert events == ["plain"]
            async with container.override(Bot, value=FakeBot()):
                assert await container.aresolve("w") == "fake"
            assert events == ["plain", "waiting"]
            assert container["p"] == "real"

    def test_other_threads_see_it(self) -> None:
        container = Container().add_singleton(Bot, RealBot)
        found: list[str] = []
        with container.override(Bot, value=FakeBot()):
            thread = threading.Thread(target=lambda: found.append(container[Bot].talk()))  # type: ignore[type-abstract]
            thread.start()
            thread.join()
        assert found == ["fake"]

    def test_either_a_provider_or_a_value(self) -> None:
        with pytest.raises(TypeError):
            Container().override("x")
