"""A store in the transaction of somebody else."""

import sqlite3
from pathlib import Path

import asyncpg
import pytest

from spikard.fsm import (
    Orchestrator,
    PostgresStateStore,
    SessionScopedStore,
    SessionStateStore,
    SQLiteStateStore,
    StateMachine,
    TransactionalStore,
)
from tests.fsm.test_stores import fsm_database

__all__ = ["fsm_database"]
DOOR = {
    "meta": {"machine_name": "door"},
    "states": [{"name": "closed", "type": "initial"}, {"name": "open"}],
    "transitions": [{"trigger": "push", "source": "closed", "dest": "open"}],
}


def push_and_fail(session: SessionStateStore) -> None:
    assert isinstance(session, TransactionalStore)
    Orchestrator(StateMachine.from_dict(DOOR), session).process_event("d", "push")
    assert session.get_state("d") == "open"
    raise ZeroDivisionError


def test_steps_are_part_of_the_transaction(tmp_path: Path) -> None:
    store = SQLiteStateStore(f"sqlite:///{tmp_path}/fsm.db")
    store.connect(auto_initialize=True)
    assert isinstance(store, SessionScopedStore)
    with pytest.raises(ZeroDivisionError), store.session_scope() as connection:
        push_and_fail(SessionStateStore(connection))
    assert store.get_state("d") is None
    with store.session_scope() as connection:
        session = SessionStateStore(connection)
        session.set_state("d", "open", metadata={"context": {"n": 1}})
        session.set_context("d", {"n": 2})
    assert (store.get_state("d"), store.get_context("d")) == ("open", {"n": 2})
    store.disconnect()


async def test_a_connection_of_asyncpg(fsm_database: str) -> None:
    store = PostgresStateStore(fsm_database)
    store.connect(auto_initialize=True)
    store.delete_entity("of-session")
    connection = await asyncpg.connect(fsm_database)
    try:
        transaction = connection.transaction()
        await transaction.start()
        session = SessionStateStore(connection)
        result = await Orchestrator(StateMachine.from_dict(DOOR), session).async_process_event("of-session", "push")
        assert result.success
        assert await session.aget_state("of-session") == "open"
        with pytest.raises(TypeError, match="await aget_state"):
            session.get_state("of-session")
        await transaction.rollback()
    finally:
        await connection.close()
    assert store.get_state("of-session") is None
    store.disconnect()


def test_what_is_no_connection_is_refused() -> None:
    with pytest.raises(TypeError, match="asyncpg or sqlite3, not str"):
        SessionStateStore("sqlite://")
    connection = sqlite3.connect(":memory:")
    store = SessionStateStore(connection)
    store.connect()
    store.disconnect()
    assert connection.execute("SELECT 1").fetchone() == (1,)
    connection.close()
