"""A connection: one client of the soak, which reconnects whenever the server has a right to hang up."""

import asyncio
from dataclasses import dataclass, field
from random import Random

from soak.specimen import Manner, Specimen, matches

PATIENCE = 30.0
PIECES = 12
PAUSE = 0.05
LINGER = 0.2


@dataclass
class Tally:
    """What happened in a round."""

    answered: int = 0
    refused: int = 0
    closed: int = 0
    abandoned: int = 0
    lost: list[str] = field(default_factory=list)
    unmoved: list[str] = field(default_factory=list)


class Wire(asyncio.Protocol):
    """Reads answers one at a time; knows of HTTP only the status, Content-Length and `Connection: close`."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.closed = False
        self._buffer = bytearray()
        self._waiter: asyncio.Future[tuple[int, bytes] | None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._settle()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._settle()

    async def answer(self) -> tuple[int, bytes] | None:
        """The next answer; None when the server closed instead."""
        self._waiter = asyncio.get_running_loop().create_future()
        self._settle()
        return await self._waiter

    def _settle(self) -> None:
        if self._waiter is None or self._waiter.done():
            return
        end = self._buffer.find(b"\r\n\r\n")
        if end >= 0:
            head = bytes(self._buffer[:end]).lower()
            length = content_length(head)
            if len(self._buffer) >= end + 4 + length:
                body = bytes(self._buffer[end + 4 : end + 4 + length])
                del self._buffer[: end + 4 + length]
                if b"\r\nconnection: close" in head:
                    self.closed = True
                self._waiter.set_result((int(head[9:12]), body))
                return
        if self.closed:
            self._waiter.set_result(None)


def content_length(head: bytes) -> int:
    at = head.find(b"\r\ncontent-length:")
    return int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


class Connection:
    """One client. `send` never raises for what a server does: it counts it."""

    def __init__(self, port: int, tally: Tally, random: Random) -> None:
        self._port = port
        self._tally = tally
        self._random = random
        self._wire: Wire | None = None

    async def send(self, specimen: Specimen) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                wire = await self._open()
                await self._write(wire, specimen)
                if specimen.manner is Manner.ABANDONED:
                    self._tally.abandoned += 1
                    await asyncio.sleep(self._random.random() * LINGER)
                else:
                    self._judge(specimen, await wire.answer())
        except TimeoutError:
            (self._tally.lost if specimen.valid else self._tally.unmoved).append(f"{specimen.kind}: no answer")
            self.close()
        except OSError as error:
            # A reset while a malformed request is still being sent is a legal refusal of it.
            if specimen.valid:
                self._tally.lost.append(f"{specimen.kind}: {error}")
            else:
                self._tally.closed += 1
            self.close()
        else:
            if not specimen.valid or wire.closed:
                self.close()

    def _judge(self, specimen: Specimen, answer: tuple[int, bytes] | None) -> None:
        tally = self._tally
        if specimen.valid:
            if answer is not None and matches(specimen, *answer):
                tally.answered += 1
            else:
                tally.lost.append(f"{specimen.kind}: {'closed' if answer is None else answer}"[:300])
        elif answer is None:
            tally.closed += 1
        elif 400 <= answer[0] < 600 and answer[0] != 500:
            tally.refused += 1
        else:
            tally.unmoved.append(f"{specimen.kind}: answered {answer[0]}")

    async def _write(self, wire: Wire, specimen: Specimen) -> None:
        assert wire.transport is not None
        if specimen.manner is not Manner.SLOW:
            wire.transport.write(specimen.data)
            return
        size = max(1, len(specimen.data) // PIECES)
        for start in range(0, len(specimen.data), size):
            if wire.closed:
                return
            wire.transport.write(specimen.data[start : start + size])
            await asyncio.sleep(PAUSE)

    async def _open(self) -> Wire:
        if self._wire is None or self._wire.closed:
            self.close()
            loop = asyncio.get_running_loop()
            _, self._wire = await loop.create_connection(Wire, "127.0.0.1", self._port)
        return self._wire

    def close(self) -> None:
        if self._wire is not None and self._wire.transport is not None:
            self._wire.transport.abort()
        self._wire = None
