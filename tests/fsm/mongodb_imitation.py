"""An imitation of a MongoDB server: the wire protocol over a socket, and mongomock behind it.

Clients are the real ones. The server says that it is the primary of a replica set, so that they send numbers with
their writes, and answers a write that comes again as the first time. Like the server it does one thing at a time with
one document, and refuses documents that are too large.
"""

import socket
import socketserver
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import bson
import mongomock

HEADER = struct.Struct("<iiii")
OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
MORE_TO_COME = 2
BATCH = 101
LARGEST = 16 * 1024 * 1024
DUPLICATE_KEY, TOO_LARGE, COMMAND_NOT_FOUND = 11000, 17419, 59

Document = dict[str, Any]


class ServerError(Exception):
    """What the server refuses, with its code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Server(socketserver.ThreadingTCPServer):
    """Listens on a port of its own. `seen` are the commands that came."""

    daemon_threads = True

    def __init__(self, *, largest: int = LARGEST) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.largest = largest
        self.seen: list[Document] = []
        # How often the connection is lost yet, before or after a command has been done.
        self.lost_before: Counter[str] = Counter()
        self.lost_after: Counter[str] = Counter()
        self._client = mongomock.MongoClient()
        self._lock = threading.RLock()
        self._written: dict[tuple[bytes, int], Document] = {}
        self._cursors: dict[int, tuple[str, list[Document]]] = {}
        self._open: set[socket.socket] = set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return "mongodb://{}:{}/?replicaSet=imitated".format(*self.server_address)

    def hang_up(self) -> None:
        """Lose all connections."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def answer(self, command: Document) -> Document:
        """What comes of a command."""
        name = next(iter(command))
        with self._lock:
            self.seen.append(command)
            again = self._key(command)
            if again in self._written:
                return self._written[again]
            does: Callable[[Document], Document] | None = getattr(self, f"_do_{name.lower()}", None)
            try:
                if does is None:
                    raise ServerError(COMMAND_NOT_FOUND, f"no such command: '{name}'")
                reply = {**does(command), "ok": 1.0}
            except ServerError as error:
                reply = {"ok": 0.0, "code": error.code, "errmsg": str(error)}
            if again is not None:
                self._written[again] = reply
            return reply

    @staticmethod
    def _key(command: Document) -> tuple[bytes, int] | None:
        number = command.get("txnNumber")
        return None if number is None else (bytes(command["lsid"]["id"]), int(number))

    def _collection(self, command: Document) -> Any:
        return self._client[command["$db"]][command[next(iter(command))]]

    # Commands

    def _do_hello(self, command: Document) -> Document:
        address = "{}:{}".format(*self.server_address)
        return {
            "helloOk": True, "ismaster": True, "isWritablePrimary": True, "setName": "imitated", "hosts": [address],
            "me": address, "primary": address, "maxBsonObjectSize": self.largest, "maxMessageSizeBytes": 48_000_000,
            "maxWriteBatchSize": 100_000, "minWireVersion": 0, "maxWireVersion": 21, "readOnly": False,
            "logicalSessionTimeoutMinutes": 30,
        }  # fmt: skip

    _do_ismaster = _do_hello

    def _do_ping(self, command: Document) -> Document:
        return {}

    _do_endsessions = _do_ping

    def _do_createindexes(self, command: Document) -> Document:
        for index in command["indexes"]:
            self._collection(command).create_index(list(index["key"].items()), unique=index.get("unique", False))
        return {}

    def _do_dropdatabase(self, command: Document) -> Document:
        self._client.drop_database(command["$db"])
        return {}

    def _do_insert(self, command: Document) -> Document:
        return self._each(command["documents"], lambda document: self._insert(command, document))

    def _insert(self, command: Document, document: Document) -> Document:
        self._collection(command).insert_one(document)
        return {"n": 1}

    def _do_update(self, command: Document) -> Document:
        return self._each(command["updates"], lambda update: self._update(command, update))

    def _update(self, command: Document, update: Document) -> Document:
        rows, query, change = self._collection(command), update["q"], update["u"]
        before = rows.find_one(query)
        is_replaced = not next(iter(change), "$").startswith("$")
        write = rows.replace_one if is_replaced else rows.update_many if update.get("multi") else rows.update_one
        done = write(query, change, upsert=update.get("upsert", False))
        after = rows.find_one({"_id": before["_id"] if before else done.upserted_id})
        if after is not None and len(bson.encode(after)) > self.largest:
            rows.delete_one({"_id": after["_id"]})
            if before is not None:
                rows.insert_one(before)
            raise ServerError(TOO_LARGE, f"Resulting document after update is larger than {self.largest}")
        if done.upserted_id is None:
            return {"n": done.matched_count, "nModified": done.modified_count}
        return {"n": 1, "upserted": {"_id": done.upserted_id}}

    def _do_delete(self, command: Document) -> Document:
        def delete(one: Document) -> Document:
            rows = self._collection(command)
            return {"n": (rows.delete_one if one["limit"] else rows.delete_many)(one["q"]).deleted_count}

        return self._each(command["deletes"], delete)

    def _each(self, items: list[Document], work: Callable[[Document], Document]) -> Document:
        reply: Document = {"n": 0}
        for index, item in enumerate(items):
            try:
                done = work(item)
            except mongomock.DuplicateKeyError as error:
                return {**reply, "writeErrors": [{"index": index, "code": DUPLICATE_KEY, "errmsg": str(error)}]}
            except ServerError as error:
                return {**reply, "writeErrors": [{"index": index, "code": error.code, "errmsg": str(error)}]}
            reply["n"] += done["n"]
            if "nModified" in done:
                reply["nModified"] = reply.get("nModified", 0) + done["nModified"]
            if "upserted" in done:
                reply.setdefault("nModified", 0)
                reply.setdefault("upserted", []).append({"index": index, **done["upserted"]})
        return reply

    def _do_findandmodify(self, command: Document) -> Document:
        rows, query = self._collection(command), command["query"]
        options = {"projection": command.get("fields")}
        try:
            if command.get("remove"):
                return {"value": rows.find_one_and_delete(query, **options)}
            after = mongomock.collection.ReturnDocument.AFTER if command.get("new") else False
            value = rows.find_one_and_update(
                query, command["update"], upsert=command.get("upsert", False), return_document=after, **options
            )
        except mongomock.DuplicateKeyError as error:
            raise ServerError(DUPLICATE_KEY, str(error)) from None
        return {"value": value}

    def _do_find(self, command: Document) -> Document:
        found = self._collection(command).find(command.get("filter", {}), command.get("projection"))
        if command.get("sort"):
            found = found.sort(list(command["sort"].items()))
        found = found.skip(command.get("skip", 0)).limit(command.get("limit", 0))
        return self._cursor(command, list(found))

    def _do_aggregate(self, command: Document) -> Document:
        return self._cursor(command, list(self._collection(command).aggregate(command["pipeline"])))

    def _do_distinct(self, command: Document) -> Document:
        return {"values": self._collection(command).distinct(command["key"], command.get("query"))}

    def _cursor(self, command: Document, documents: list[Document]) -> Document:
        name, number = f"{command['$db']}.{command[next(iter(command))]}", 0
        first, rest = documents[:BATCH], documents[BATCH:]
        if rest and not command.get("singleBatch"):
            number = max(self._cursors, default=0) + 1
            self._cursors[number] = (name, rest)
        return {"cursor": {"id": bson.Int64(number), "ns": name, "firstBatch": first}}

    def _do_getmore(self, command: Document) -> Document:
        number = command["getMore"]
        name, rest = self._cursors.pop(number)
        if rest[BATCH:]:
            self._cursors[number] = (name, rest[BATCH:])
        left = number if rest[BATCH:] else 0
        return {"cursor": {"id": bson.Int64(left), "ns": name, "nextBatch": rest[:BATCH]}}

    def _do_killcursors(self, command: Document) -> Document:
        for number in command["cursors"]:
            self._cursors.pop(number, None)
        return {}


class _Connection(socketserver.BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        self.server._open.add(self.request)
        with suppress(OSError):
            while (head := self._read(HEADER.size)) is not None:
                length, request, _, code = HEADER.unpack(head)
                body = self._read(length - HEADER.size)
                if body is None or not self._answered(request, code, body):
                    break
        self.server._open.discard(self.request)

    def _answered(self, request: int, code: int, body: bytes) -> bool:
        """Answer a message; whether more may come."""
        if code == OP_QUERY:
            # The first hello of a connection, as servers of all ages understand it.
            start = body.index(b"\0", 4) + 1 + 8
            reply = bson.encode(self.server.answer(bson.decode(body[start:])))
            self._send(request, OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1) + reply)
            return True
        (flags,) = struct.unpack_from("<I", body)
        command = _command(body[4:])
        name = next(iter(command))
        if self._is_lost(self.server.lost_before, name):
            return False
        reply = bson.encode(self.server.answer(command))
        if self._is_lost(self.server.lost_after, name):
            return False
        if not flags & MORE_TO_COME:
            self._send(request, OP_MSG, struct.pack("<IB", 0, 0) + reply)
        return True

    def _is_lost(self, lost: Counter[str], name: str) -> bool:
        with self.server._lock:
            lost[name] -= 1
            return lost[name] >= 0

    def _read(self, count: int) -> bytes | None:
        parts = b""
        while len(parts) < count:
            part = self.request.recv(count - len(parts))
            if not part:
                return None
            parts += part
        return parts

    def _send(self, request: int, code: int, body: bytes) -> None:
        self.request.sendall(HEADER.pack(HEADER.size + len(body), 0, request, code) + body)


def _command(sections: bytes) -> Document:
    """The document of a message, with the sequences of documents that come beside it."""
    command: Document = {}
    beside: Document = {}
    while sections:
        kind = sections[0]
        (length,) = struct.unpack_from("<i", sections, 1)
        part, sections = sections[1 : 1 + length], sections[1 + length :]
        if kind == 0:
            command = bson.decode(part)
        else:
            end = part.index(b"\0", 4)
            beside[part[4:end].decode()] = bson.decode_all(part[end + 1 :])
    return {**command, **beside}


@contextmanager
def serving(**options: Any) -> Iterator[Server]:
    """A server for the length of the block."""
    with Server(**options) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
            server.hang_up()


def concern(command: Mapping[str, Any], name: str) -> Any:
    """The read concern or the write concern of a command that was seen."""
    return dict(command.get(name, {}))
