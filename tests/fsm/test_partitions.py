"""The past of entities in a table for each month."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from spikard.cli import main
from spikard.fsm import Orchestrator, PostgresStateStore, StateMachine
from spikard.fsm.stores.partitions import Month, divided
from tests.fsm.test_stores import execute

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DOOR: dict[str, Any] = {
    "meta": {"machine_name": "door"},
    "states": [{"name": "closed", "type": "initial"}, {"name": "open"}],
    "transitions": [
        {"trigger": "push", "source": "closed", "dest": "open"},
        {"trigger": "pull", "source": "open", "dest": "closed"},
    ],
}
INSERT = (
    'INSERT INTO spikard_fsm.transition_history (id, entity_id, source_state, "trigger", success, created_at) '
    "VALUES ('{0}', 'old', 'a', 't', true, '{1}')"
)  # fmt: skip


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """A database of the test's own: tables change."""
    name = f"fsm_{uuid4().hex}"
    asyncio.run(execute(postgres_url, f"CREATE DATABASE {name}"))
    yield postgres_url.rpartition("/")[0] + f"/{name}"
    asyncio.run(execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def store(database: str) -> Iterator[PostgresStateStore]:
    made = PostgresStateStore(database)
    made.connect(auto_initialize=True)
    yield made
    made.disconnect()


def counts(url: str) -> dict[str, int]:
    """How many rows each table of the past has, those without any left out."""

    async def count() -> dict[str, int]:
        connection = await asyncpg.connect(url)
        try:
            rows = await connection.fetch(
                "SELECT tableoid::regclass::text AS place, count(*) AS rows "
                "FROM spikard_fsm.transition_history GROUP BY 1"
            )
        finally:
            await connection.close()
        return {row["place"].rpartition(".")[2].removeprefix("transition_history_"): row["rows"] for row in rows}

    return asyncio.run(count())


def divide(store: PostgresStateStore, now: datetime = NOW, ahead: int = 2, before: str | None = None) -> Any:
    oldest = None if before is None else Month.read(before)
    return store._run("write", lambda: divided(now, ahead, oldest))


def test_a_past_in_one_table_is_divided(store: PostgresStateStore, database: str) -> None:
    for number, moment in enumerate(("2026-09-30 23:59:59+00", "2026-10-01 00:00:00+00", "2026-11-22 00:00:00+00")):
        asyncio.run(execute(database, INSERT.format(number, moment)))
    result = divide(store)
    assert result.is_new
    assert result.made == ["2026-09", "2026-10", "2026-11", "2026-12", "2027-01"]
    assert counts(database) == {"2026_09": 1, "2026_10": 1, "2026_11": 1}
    assert [line["id"] for line in store.get_transition_history("old")] == ["2", "1", "0"]
    again = divide(store)
    assert (again.is_new, again.made, again.dropped) == (False, [], [])


def test_entities_go_on_as_before(store: PostgresStateStore, database: str) -> None:
    door = Orchestrator(StateMachine.from_dict(DOOR), store)
    door.process_event("d", "push")
    divide(store, datetime.now(UTC))
    door.process_event("d", "pull")
    assert [line["trigger"] for line in store.get_transition_history("d")] == ["pull", "push"]
    assert sum(counts(database).values()) == 2
    assert "rest" not in counts(database)
    store.delete_entity("d")
    assert counts(database) == {}


def test_rows_of_months_without_a_table_are_kept_and_moved(store: PostgresStateStore, database: str) -> None:
    divide(store, ahead=0)
    asyncio.run(execute(database, INSERT.format("later", "2027-02-03 00:00:00+00")))
    assert counts(database) == {"rest": 1}
    assert divide(store, datetime(2027, 1, 1, tzinfo=UTC), 1).made == ["2027-01", "2027-02"]
    assert counts(database) == {"2027_02": 1}


def test_what_is_old_goes_as_a_whole(store: PostgresStateStore, database: str) -> None:
    for number, moment in enumerate(("2026-09-01 00:00:00+00", "2026-11-01 00:00:00+00")):
        asyncio.run(execute(database, INSERT.format(number, moment)))
    divide(store)
    asyncio.run(execute(database, INSERT.format("older", "2020-01-01 00:00:00+00")))
    assert divide(store, before="2026-11").dropped == ["2026-09", "2026-10"]
    assert counts(database) == {"2026_11": 1}


def test_the_command(store: PostgresStateStore, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fsm", "db", "partition", database, "--months", "1"]) == 0
    assert capsys.readouterr().out.startswith(
        "what entities have gone through is in a table for each month now\nmade 20"
    )
    assert main(["fsm", "db", "partition", database, "--months", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["is_new"], told["made"], told["dropped"]) == (False, [], [])
    assert main(["fsm", "db", "partition", database, "--drop-before", "2026-13"]) == 2
    assert main(["fsm", "db", "partition", database, "--months", "-1"]) == 2
    assert "'2026-13' is no month such as 2026-01" in capsys.readouterr().err
    # The table that later versions of the schema know is still there.
    assert main(["fsm", "db", "upgrade", database]) == 0
    assert main(["fsm", "db", "downgrade", database, "--revision", "base"]) == 0


def test_only_postgresql_divides_tables(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path}/fsm.db"
    assert main(["fsm", "db", "init", url]) == 0
    assert main(["fsm", "db", "partition", url]) == 2
    assert "only PostgreSQL divides tables" in capsys.readouterr().err


def test_months() -> None:
    assert Month.read("2026-12").later(1) == Month(2027, 1)
    assert Month(2026, 1).later(-1) == Month(2025, 12)
    assert (str(Month(2026, 1)), Month(2026, 1).table) == ("2026-01", "transition_history_2026_01")
