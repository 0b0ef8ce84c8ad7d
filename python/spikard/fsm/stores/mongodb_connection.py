"""Connections to MongoDB that keep what they have acknowledged, for all that is kept there."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from typing import Any, TypeVar
from urllib.parse import urlsplit

SCHEMES = ("mongodb://", "mongodb+srv://")
# A query has to fit into one document of 16 MB, as everything in MongoDB.
IDS_AT_ONCE = 10_000
_ATTEMPTS = 10

_Result = TypeVar("_Result")


def opened(url: str, owner: str) -> Any:
    """A pool of connections. `owner` is named where the library is missing; `ValueError` where nobody would answer."""
    try:
        import pymongo
    except ImportError as error:
        raise ImportError(f"pymongo is required for {owner}. Install with: pip install pymongo") from error
    client: Any = pymongo.MongoClient(url, tz_aware=True, tzinfo=UTC)
    if not client.write_concern.acknowledged:
        client.close()
        raise ValueError(f"{owner} needs acknowledged writes, but {without_secrets(url)!r} asks for w=0")
    return client


def collection(client: Any, database: str, name: str, *, latest: bool = False) -> Any:
    """A collection, read from the primary and written to a majority of the replica set.

    Unless the URL says otherwise, what is read has reached a majority, too, so that no step is taken from a state that
    a failover takes back. `latest` reads what the primary has, for a write that depends on it.
    """
    from pymongo import ReadPreference
    from pymongo.read_concern import ReadConcern
    from pymongo.write_concern import WriteConcern

    written, read = client.write_concern, client.read_concern
    if "w" not in written.document:
        written = WriteConcern(**{**written.document, "w": "majority"})
        # With a weaker concern one would not even read one's own writes.
        read = read if read.level else ReadConcern("majority")
    return client[database].get_collection(
        name,
        read_preference=ReadPreference.PRIMARY,
        write_concern=written,
        read_concern=ReadConcern("local") if latest else read,
    )


def upserted(write: Callable[[], _Result]) -> _Result:
    """Do a write that makes its document where there is none.

    Of two that make the same document at once, the server may refuse one; that finds the document when it comes again.
    """
    from pymongo.errors import DuplicateKeyError

    for _ in range(_ATTEMPTS - 1):
        try:
            return write()
        except DuplicateKeyError:
            continue
    return write()


def portions(ids: Sequence[str]) -> Iterator[list[str]]:
    """Ids in portions that fit into a query."""
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield list(ids[start : start + IDS_AT_ONCE])


def is_too_large(error: Exception) -> bool:
    """Whether a document would have got larger than the server keeps."""
    from pymongo.errors import DocumentTooLarge

    return isinstance(error, DocumentTooLarge) or getattr(error, "code", None) in (10334, 17419, 17420)


def database_of(url: str) -> str | None:
    """The database that a URL names."""
    return urlsplit(url).path.strip("/") or None


def without_secrets(url: str) -> str:
    """A URL without who comes and what only they know."""
    head, at, host = url.rpartition("@")
    return f"{head.partition('://')[0]}://***@{host}" if at else url
