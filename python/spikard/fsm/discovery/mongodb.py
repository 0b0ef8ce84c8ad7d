"""Discoveries in MongoDB."""

from typing import Any

from spikard.fsm.discovery.documents import DocumentDiscoveryStore
from spikard.fsm.stores.mongodb_connection import (
    SCHEMES,
    collection,
    database_of,
    opened,
    portions,
    upserted,
    without_secrets,
)


class MongoDBDiscoveryStore(DocumentDiscoveryStore):
    """Keeps discoveries as documents, one collection for each kind; `mongodb://` or `mongodb+srv://`.

    Without a name, the database is that of the URL, else `spikard`.
    """

    def __init__(self, connection_string: str, database_name: str | None = None) -> None:
        if not connection_string.startswith(SCHEMES):
            raise ValueError(
                f"MongoDBDiscoveryStore requires a mongodb:// URL, got: {without_secrets(connection_string)!r}"
            )
        self._url = connection_string
        self._name = database_name or database_of(connection_string) or "spikard"
        self._client: Any = None

    def connect(self) -> None:
        """Open the connection pool, and make the indexes."""
        if self._client is not None:
            return
        client = opened(self._url, "MongoDBDiscoveryStore")
        try:
            for table in ("observations", "candidates", "shadow_diffs", "drafts"):
                client[self._name][f"discovery_{table}"].create_index([("machine", 1), ("key", 1)], unique=True)
        except BaseException:
            client.close()
            raise
        self._client = client

    def disconnect(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _collection(self, table: str) -> Any:
        if self._client is None:
            raise RuntimeError("Not connected. Call connect() first.")
        return collection(self._client, self._name, f"discovery_{table}")

    def _insert(self, table: str, machine: str, key: str, text: str) -> bool:
        from pymongo.errors import DuplicateKeyError

        try:
            self._collection(table).insert_one({"machine": machine, "key": key, "text": text})
        except DuplicateKeyError:
            return False
        return True

    def _put(self, table: str, machine: str, key: str, text: str) -> None:
        wanted = {"machine": machine, "key": key}
        upserted(lambda: self._collection(table).replace_one(wanted, {**wanted, "text": text}, upsert=True))

    def _get(self, table: str, machine: str, key: str) -> str | None:
        found = self._collection(table).find_one({"machine": machine, "key": key})
        return None if found is None else str(found["text"])

    def _remove(self, table: str, machine: str, keys: list[str]) -> int:
        table_of = self._collection(table)
        removed = (table_of.delete_many({"machine": machine, "key": {"$in": some}}) for some in portions(keys))
        return sum(int(one.deleted_count) for one in removed)

    def _rows(self, table: str, machine: str) -> dict[str, str]:
        return {found["key"]: found["text"] for found in self._collection(table).find({"machine": machine})}

    def _machines(self, table: str) -> list[str]:
        return sorted(self._collection(table).distinct("machine"))

    def _next(self, name: str) -> int:
        numbers = self._collection("numbers")
        found = upserted(
            lambda: numbers.find_one_and_update(
                {"_id": name}, {"$inc": {"value": 1}}, upsert=True, return_document=True
            )
        )
        return int(found["value"])
