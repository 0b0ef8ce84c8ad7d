"""Frames of WebSockets (RFC 6455) between the two ends of a connection in memory."""

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
CONTINUATION = 0x0
FIN, OPCODE, LENGTH, MASKED = 0x80, 0x0F, 0x7F, 0x80
TWO_BYTES, EIGHT_BYTES = 126, 127
NO_CODE = 1005
# What a reason may have beside its code in a frame of control.
REASON_SIZE = 123
# Masking protects what is in between from clients; with this key it changes nothing, and here nothing is in between.
KEY = bytes(4)


class Frames:
    """Messages and frames of control out of the bytes of a server."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._opcode = TEXT
        self._parts = bytearray()

    def feed(self, data: bytes) -> None:
        """Take bytes that have come."""
        self._buffer += data

    def rest(self) -> bytes:
        """What has come and is no frame."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def take(self) -> list[tuple[int, bytes]]:
        """Opcode and payload of all that is whole."""
        taken = []
        while (one := self._next()) is not None:
            first, payload = one
            opcode = first & OPCODE
            if opcode >= CLOSE:
                taken.append((opcode, payload))
                continue
            if opcode != CONTINUATION:
                self._opcode = opcode
            self._parts += payload
            if first & FIN:
                taken.append((self._opcode, bytes(self._parts)))
                self._parts.clear()
        return taken

    def _next(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1] & LENGTH, 2
        if size in (TWO_BYTES, EIGHT_BYTES):
            start += 2 if size == TWO_BYTES else 8
            if len(buffer) < start:
                return None
            size = int.from_bytes(buffer[2:start])
        if len(buffer) < start + size:
            return None
        first, payload = buffer[0], bytes(buffer[start : start + size])
        del buffer[: start + size]
        return first, payload


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole frame, as clients send it."""
    size = len(payload)
    if size < TWO_BYTES:
        head = bytes([FIN | opcode, MASKED | size])
    elif size < 1 << 16:
        head = bytes([FIN | opcode, MASKED | TWO_BYTES]) + size.to_bytes(2)
    else:
        head = bytes([FIN | opcode, MASKED | EIGHT_BYTES]) + size.to_bytes(8)
    return head + KEY + payload


def close_payload(code: int, reason: str) -> bytes:
    """The payload of a close; empty for the code that stands for none."""
    if code == NO_CODE:
        return b""
    return code.to_bytes(2) + reason.encode()[:REASON_SIZE].decode(errors="ignore").encode()


def read_close(payload: bytes) -> tuple[int, str]:
    """Code and reason of a close, as they are handed on."""
    return (int.from_bytes(payload[:2]), payload[2:].decode()) if payload else (1000, "")


__all__ = ["BINARY", "CLOSE", "PING", "PONG", "TEXT", "Frames", "close_payload", "frame", "read_close"]
