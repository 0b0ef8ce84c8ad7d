"""The container by itself: keys, lifetimes, autowiring, scopes."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import pytest

from spikard.di import (
    Container,
    DuplicateRegistration,
    Inject,
    Lifetime,
    Named,
    Provide,
    Scope,
    ScopeError,
    UnknownDependency,
)
from tests.di.shop import Bot, Engine, FakeBot, Greeter, Options, RealBot, Repository, Service, Speaks, shop


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
