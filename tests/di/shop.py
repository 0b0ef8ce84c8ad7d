"""Classes that need each other."""

import abc
from dataclasses import dataclass
from typing import Protocol

from spikard.di import Container


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
