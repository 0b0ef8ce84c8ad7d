"""A server that behaves as the platform's, on a real socket of this machine, for tests."""

import asyncio
from types import TracebackType
from typing import Any, Self

import h11

from spikard.bots.testing.fake_platform import TOKEN, FakeCall, FakePlatform
from spikard.bots.testing.fake_wire import Connection


class FakeVKTeams(FakePlatform):
    """The platform on a socket: `async with FakeVKTeams() as server: bot = server.bot()`.

    Bots made so are closed with the server. Arguments are those of `FakePlatform`, and the place to listen at.
    """

    def __init__(self, token: str = TOKEN, *, host: str = "127.0.0.1", port: int = 0, **options: Any) -> None:
        super().__init__(token, **options)
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> Self:
        """Listens."""
        self._server = await asyncio.start_server(self._connected, self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self.base_url = f"http://{self._host}:{self._port}"
        return self

    async def stop(self) -> None:
        """Closes the bots, the connections and the socket."""
        for bot in self.bots:
            await bot.close()
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(Connection(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: Connection) -> None:
        try:
            while (request := await connection.read()) is not None:
                if not await connection.write(await self.answer(request)):
                    break
        except (OSError, h11.RemoteProtocolError):
            pass  # the client is gone
        finally:
            await connection.close()


__all__ = ["TOKEN", "FakeCall", "FakeVKTeams"]
