"""TLS in front of a server that has none, with a certificate of an authority that nobody knows yet."""

import select
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

HOST = "localhost"


class TlsRelay:
    """Takes TLS connections on `localhost`, in its own thread, and passes what they say on to a plain port."""

    def __init__(self, port: int, folder: Path, *, name: str = HOST) -> None:
        """`name` is whom the certificate is for; `folder` gets the authority's certificate."""
        self._target = port
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority = trustme.CA()
        authority.issue_cert(name).configure_cert(self._context)
        self.authority = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.authority))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="tls-relay")
        self._connections: list[tuple[socket.socket, threading.Thread]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for connection, thread in self._connections:
            # A descriptor of its own: the thread's may be closed already, and the connection over.
            with connection, suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            behind = socket.create_connection(("127.0.0.1", self._target))
            thread = threading.Thread(target=self._relay, args=(connection, behind))
            self._connections.append((behind.dup(), thread))
            thread.start()

    def _relay(self, connection: socket.socket, behind: socket.socket) -> None:
        with connection, behind:
            try:
                with self._context.wrap_socket(connection, server_side=True) as front:
                    _pump(front, behind)
            except OSError:
                # The client does not like our certificate, or went away.
                return


def _pump(front: ssl.SSLSocket, behind: socket.socket) -> None:
    """Both ways, until one side has nothing more to say."""
    while True:
        ready = [front] if front.pending() else select.select([front, behind], [], [])[0]
        for source in ready:
            data = source.recv(65536)
            if not data:
                return
            (behind if source is front else front).sendall(data)
