"""How a worker and the supervisor talk: a JSON object per line, over the worker's standard input."""

import json
import os
import socket
import stat
from typing import Any

PROTOCOL = 1
MOST_DESCRIPTORS = 4
CHUNK = 65536


class Control:
    """The worker's end of the channel."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._text = b""
        self._descriptors: list[int] = []

    @classmethod
    def adopt(cls) -> "Control | None":
        """Take the channel from standard input; None when something else is there."""
        if not stat.S_ISSOCK(os.fstat(0).st_mode):
            return None
        # A copy, since standard input itself is about to be put back in place; ours is not inherited by anybody.
        return cls(socket.socket(fileno=os.dup(0)))

    def fileno(self) -> int:
        """For an event loop to watch."""
        return self._channel.fileno()

    def send(self, event: str, **fields: Any) -> None:
        """Tell the supervisor something; nobody is told when it is gone, which `receive` reports."""
        line = json.dumps({"event": event, **fields}).encode() + b"\n"
        try:
            self._channel.sendall(line)
        except OSError:
            return

    def receive(self) -> tuple[dict[str, Any], list[int]] | None:
        """Wait for the next command and the descriptors that came with it; None once the supervisor is gone."""
        while b"\n" not in self._text:
            try:
                data, descriptors, _, _ = socket.recv_fds(self._channel, CHUNK, MOST_DESCRIPTORS)
            except ConnectionError:
                return None
            if not data:
                return None
            self._text += data
            self._descriptors += descriptors
        line, _, self._text = self._text.partition(b"\n")
        descriptors, self._descriptors = self._descriptors, []
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        return json.loads(line), descriptors
