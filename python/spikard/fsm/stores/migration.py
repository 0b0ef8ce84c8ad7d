"""The tables of a database brought from one version to another, as work of one transaction.

Each function gives statements in the words of the store that runs them, as `sql` does.
"""

import re
from collections.abc import Mapping

from spikard.fsm.errors import ConfigurationError
from spikard.fsm.stores.schema import MIGRATIONS, VERSIONS, statements
from spikard.fsm.stores.work import Work

LATEST = len(MIGRATIONS)

_CREATED = re.compile(r"CREATE (?:(?P<table>TABLE)|(?:UNIQUE )?(?P<index>INDEX)) (?:IF NOT EXISTS )?(?P<name>\S+)")
_ADDED = re.compile(r"ALTER TABLE (?P<table>\S+) ADD COLUMN (?P<column>\S+)")


def present(words: Mapping[str, str]) -> Work:
    """The version that a database has; 0 where it has no tables of ours."""
    found = yield words["has_table"], ("schema_versions",)
    if not found:
        return 0
    rows = yield "SELECT MAX(version) FROM {s}schema_versions", ()
    return rows[0][0] or 0


def upgrade(words: Mapping[str, str], target: int = LATEST) -> Work:
    """Make what is missing up to a version; the versions that were made."""
    for statement in filter(None, words["begin_schema"].split(";")):
        yield statement, ()
    yield VERSIONS, ()
    rows = yield "SELECT MAX(version) FROM {s}schema_versions", ()
    made = list(range((rows[0][0] or 0) + 1, target + 1))
    for number in made:
        for statement in statements(number, words):
            yield _literal(statement), ()
        yield "INSERT INTO {s}schema_versions (version) VALUES (?)", (number,)
    for statement in filter(None, words["end_schema"].split(";") if target == LATEST else ()):
        yield statement, ()
    return made


def downgrade(words: Mapping[str, str], target: int) -> Work:
    """Drop what versions after one have made, with all that is kept in it; the versions that are gone."""
    at = yield from present(words)
    gone = list(range(at, target, -1))
    for number in gone:
        for statement in reversed(MIGRATIONS[number - 1]):
            yield undone(statement, number), ()
        yield "DELETE FROM {s}schema_versions WHERE version = ?", (number,)
    return gone


def stamp(words: Mapping[str, str], target: int) -> Work:
    """Say that a database has a version, whatever it has."""
    for statement in filter(None, words["begin_schema"].split(";")):
        yield statement, ()
    yield VERSIONS, ()
    yield "DELETE FROM {s}schema_versions WHERE version > ?", (target,)
    for number in range(1, target + 1):
        yield "INSERT INTO {s}schema_versions (version) VALUES (?) ON CONFLICT (version) DO NOTHING", (number,)


def emptied(words: Mapping[str, str]) -> Work:
    """Delete all rows; how many there were in each table."""
    at = yield from present(words)
    counts = {}
    for table in reversed(tables(at)):
        rows = yield f"SELECT COUNT(*) FROM {{s}}{table}", ()
        counts[table] = rows[0][0]
        yield f"DELETE FROM {{s}}{table}", ()
    return counts


def undone(statement: str, number: int) -> str:
    """The statement that takes back what one of a migration does."""
    if created := _CREATED.match(statement):
        if created["table"]:
            return f"DROP TABLE IF EXISTS {created['name']}"
        # An index is in the schema of its table, and named without it where it is made.
        return f"DROP INDEX IF EXISTS {{s}}{created['name']}"
    if added := _ADDED.match(statement):
        return f"ALTER TABLE {added['table']} DROP COLUMN {added['column']}"
    raise ConfigurationError(f"Migration {number} cannot be taken back: it does more than to make tables and columns")


def summary(number: int) -> str:
    """What a migration makes, in a line."""
    made = [found for statement in MIGRATIONS[number - 1] if (found := _CREATED.match(statement))]
    tables = [_bare(found["name"]) for found in made if found["table"]]
    if tables:
        return f"tables {', '.join(tables)}"
    columns = [found for statement in MIGRATIONS[number - 1] if (found := _ADDED.match(statement))]
    if columns:
        names = [f"{_bare(found['table'])}.{found['column']}" for found in columns]
        return f"columns {', '.join(names)}"
    return f"indexes {', '.join(_bare(found['name']) for found in made)}"


def tables(version: int = LATEST) -> list[str]:
    """The tables of a version, those that others refer to first."""
    names: list[str] = []
    for migration in MIGRATIONS[:version]:
        for statement in migration:
            found = _CREATED.match(statement)
            if found and found["table"]:
                names.append(_bare(found["name"]))
    return names


def _bare(name: str) -> str:
    return re.sub(r"\{\w\}", "", name)


def _literal(statement: str) -> str:
    """A statement whose words are in place already."""
    return statement.replace("{", "{{").replace("}", "}}")
