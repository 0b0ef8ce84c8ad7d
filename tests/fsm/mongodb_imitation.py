"""An imitation of MongoDB that does one thing at a time, as the server does with one document."""

import threading
from typing import Any

import mongomock

_LOCKED = frozenset(
    "create_index delete_many delete_one find_one find_one_and_update insert_one replace_one update_one".split()
)


class MongoClient:
    """What stores use of `pymongo.MongoClient`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._client = mongomock.MongoClient(*arguments, **options)
        self._lock = threading.RLock()

    def __getitem__(self, name: str) -> "_Database":
        return _Database(self._client[name], self._lock)

    def close(self) -> None:
        """Nothing is connected."""
        self._client.close()


class _Database:
    def __init__(self, database: Any, lock: Any) -> None:
        self._database, self._lock = database, lock

    def __getitem__(self, name: str) -> "_Collection":
        return _Collection(self._database[name], self._lock)


class _Collection:
    def __init__(self, collection: Any, lock: Any) -> None:
        self._collection, self._lock = collection, lock

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._collection, name)
        if name not in _LOCKED:
            return method

        def locked(*arguments: Any, **options: Any) -> Any:
            with self._lock:
                return method(*arguments, **options)

        return locked
