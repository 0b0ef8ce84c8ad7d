"""What is checked, and what tests put in place of the real thing."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from spikard.di import (
    CaptiveDependency,
    Container,
    CyclicDependency,
    DependencyTypeError,
    DIError,
    UnknownDependency,
)
from tests.di.shop import Bot, Engine, FakeBot, Greeter, Options, Ping, Pong, RealBot, Repository, shop


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
