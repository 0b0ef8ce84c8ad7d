"""What entities have gone through, in PostgreSQL: a table for each month, which goes as a whole when it is old.

Work of one transaction, as in `migration`.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from spikard.fsm.stores.work import Work

TABLE = "transition_history"
# Rows of months that have no table: none is ever refused.
REST = f"{TABLE}_rest"
# Months of the past that get tables when a table is divided for the first time. What is older is in the rest.
MOST_MONTHS = 240

_NAME = re.compile(rf"{TABLE}_(\d{{4}})_(\d{{2}})")
_IN_SCHEMA = f"'{{s}}{TABLE}'::regclass"


@dataclass(frozen=True, slots=True)
class Month:
    """A month of UTC."""

    year: int
    month: int

    @classmethod
    def of(cls, moment: datetime) -> "Month":
        """The month of a moment."""
        there = moment.astimezone(UTC)
        return cls(there.year, there.month)

    @classmethod
    def read(cls, text: str) -> "Month":
        """Reads `2026-01`, or ValueError."""
        found = re.fullmatch(r"(\d{4})-(\d{2})", text)
        if found is None or not 1 <= int(found[2]) <= 12 or int(found[1]) < 1:
            raise ValueError(f"{text!r} is no month such as 2026-01")
        return cls(int(found[1]), int(found[2]))

    @property
    def number(self) -> int:
        """How many months there were before it."""
        return self.year * 12 + self.month - 1

    def later(self, months: int) -> "Month":
        """The month so many months later."""
        number = self.number + months
        return Month(number // 12, number % 12 + 1)

    @property
    def table(self) -> str:
        """The name of its table."""
        return f"{TABLE}_{self.year:04}_{self.month:02}"

    @property
    def begin(self) -> str:
        """Its first moment, as SQL writes it."""
        return f"'{self.year:04}-{self.month:02}-01 00:00:00+00'"

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


@dataclass(slots=True)
class Division:
    """What has become of the past: whether it was divided just now, months that have got tables, and those dropped."""

    is_new: bool = False
    made: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def divided(now: datetime, months_ahead: int, drop_before: Month | None = None) -> Work:
    """Have a table for this month and for those ahead, dividing the past first if it is in one; drop those before one.

    Nobody can write to the past while it is divided for the first time. Later it is only what has no table yet that
    has to wait.
    """
    result = Division()
    rows = yield f"SELECT relkind FROM pg_class WHERE oid = {_IN_SCHEMA}", ()
    last = Month.of(now).later(months_ahead)
    if _text(rows[0][0]) != "p":
        result.is_new = True
        yield from _divide(now, last, result)
    known = yield from _months()
    month = Month.of(now)
    while month.number <= last.number:
        if month not in known:
            yield from _attach(month)
            result.made.append(str(month))
        month = month.later(1)
    if drop_before is not None:
        for old in sorted((yield from _months()), key=lambda each: each.number):
            if old.number < drop_before.number:
                yield f"DROP TABLE {{s}}{old.table}", ()
                result.dropped.append(str(old))
        yield f"DELETE FROM {{s}}{REST} WHERE created_at < {drop_before.begin}", ()
    return result


def _divide(now: datetime, last: Month, result: Division) -> Work:
    former = f"{TABLE}_before"
    yield f"LOCK TABLE {{s}}{TABLE} IN ACCESS EXCLUSIVE MODE", ()
    rows = yield f"SELECT MIN(created_at) FROM {{s}}{TABLE}", ()
    yield f"ALTER TABLE {{s}}{TABLE} RENAME TO {former}", ()
    yield (
        f"CREATE TABLE {{s}}{TABLE} (LIKE {{s}}{former} INCLUDING DEFAULTS) PARTITION BY RANGE (created_at)",
        (),
    )  # fmt: skip
    yield f"CREATE TABLE {{s}}{REST} PARTITION OF {{s}}{TABLE} DEFAULT", ()
    first = Month.of(rows[0][0] or now)
    month = max(first, Month.of(now).later(-MOST_MONTHS), key=lambda each: each.number)
    while month.number <= last.number:
        bounds = f"FROM ({month.begin}) TO ({month.later(1).begin})"
        yield f"CREATE TABLE {{s}}{month.table} PARTITION OF {{s}}{TABLE} FOR VALUES {bounds}", ()
        result.made.append(str(month))
        month = month.later(1)
    yield f"INSERT INTO {{s}}{TABLE} SELECT * FROM {{s}}{former}", ()
    yield f"DROP TABLE {{s}}{former}", ()
    # A key of a divided table has to hold what it is divided by.
    yield f"ALTER TABLE {{s}}{TABLE} ADD PRIMARY KEY (id, created_at)", ()
    yield f"CREATE INDEX {{i}}{TABLE}_entity ON {{s}}{TABLE} (entity_id, id)", ()
    yield f"CREATE INDEX {{i}}{TABLE}_machine ON {{s}}{TABLE} (machine_name, created_at)", ()


def _attach(month: Month) -> Work:
    begin, end = month.begin, month.later(1).begin
    yield f"CREATE TABLE {{s}}{month.table} (LIKE {{s}}{TABLE} INCLUDING DEFAULTS)", ()
    yield (
        (
            f"WITH moved AS (DELETE FROM {{s}}{REST} WHERE created_at >= {begin} AND created_at < {end} RETURNING *) "
            f"INSERT INTO {{s}}{month.table} SELECT * FROM moved"
        ),
        (),
    )
    yield f"ALTER TABLE {{s}}{TABLE} ATTACH PARTITION {{s}}{month.table} FOR VALUES FROM ({begin}) TO ({end})", ()


def _months() -> Work:
    rows = yield (
        (
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
            f"WHERE inhparent = {_IN_SCHEMA}"
        ),
        (),
    )
    found = [match for row in rows if (match := _NAME.fullmatch(row[0]))]
    return {Month(int(match[1]), int(match[2])) for match in found}


def _text(value: object) -> str:
    # The type "char" comes as bytes.
    return value.decode() if isinstance(value, bytes) else str(value)
