"""Machines in a database: ids, revisions, conflicts, compatibility."""

import asyncio
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from spikard.fsm import (
    AsyncFsmRuntime,
    ControlAuditEvent,
    FsmRuntime,
    MachineCatalog,
    MachineConflict,
    MachineInvalidIdentifier,
    MachineRecordNotFound,
    MachineRevisionConflict,
    NullObserver,
    SQLAlchemyMachineStore,
    create_state_store,
)
from tests.fsm.test_stores import fsm_database  # noqa: F401 - a fixture


def definition(version: str, *states: str) -> dict[str, Any]:
    rest = [{"name": name} for name in states]
    return {
        "meta": {"machine_name": "order", "version": version, "description": f"number {version}"},
        "states": [{"name": "new", "type": "initial"}, *rest],
        "transitions": [{"trigger": f"to_{name}", "source": "new", "dest": name} for name in states],
    }


class Auditing(NullObserver):
    """Keeps what operators have done."""

    def __init__(self) -> None:
        self.events: list[ControlAuditEvent] = []

    def on_control_audit(self, *, event: ControlAuditEvent) -> None:
        self.events.append(event)


@pytest.fixture(params=["sqlite", "postgres"])
def runtime(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FsmRuntime]:
    url = f"sqlite:///{tmp_path}/fsm.db" if request.param == "sqlite" else request.getfixturevalue("fsm_database")
    with create_state_store(url) as store:
        store.connect(auto_initialize=True)
        for record in MachineCatalog(store).list():
            MachineCatalog(store).delete(record.id)
        for entity in ("o-1", "o-2"):
            store.delete_entity(entity)
    runtime = FsmRuntime.from_url(url, observers=(Auditing(),))
    yield runtime
    runtime.close()


def test_a_machine_from_beginning_to_end(runtime: FsmRuntime) -> None:
    record = runtime.create_machine_from_dict(definition("1.0.0", "paid"))
    assert (record.name, record.version, record.revision, record.strict_mode) == ("order", "1.0.0", 1, True)
    assert (record.description, record.config) == ("number 1.0.0", definition("1.0.0", "paid"))
    assert record.created_at == record.updated_at
    assert runtime.get_machine_record(record.id) == record
    changed = runtime.update_machine_from_dict(record.id, definition("1.1.0", "paid", "sent"), expected_revision=1)
    assert (changed.id, changed.version, changed.revision) == (record.id, "1.1.0", 2)
    assert runtime.process_event("order", "o-1", "to_sent").success
    catalog = MachineCatalog(runtime.state_store)
    assert catalog.delete(record.id) == record.id
    assert catalog.list() == []
    with pytest.raises(MachineRecordNotFound, match=record.id):
        catalog.delete(record.id)


def test_a_catalogue_in_the_transaction_of_a_session(tmp_path: Path) -> None:
    with create_state_store(f"sqlite:///{tmp_path}/fsm.db") as store:
        with store.session_scope() as session:
            record = MachineCatalog(session).create(definition("1.0.0", "paid"))
            with pytest.raises(MachineConflict):
                MachineCatalog(session).create(definition("1.0.0", "paid"))
        assert MachineCatalog(store).list() == [record]

        def update_and_fail() -> None:
            with store.session_scope() as session:
                MachineCatalog(session).update(record.id, definition("2.0.0", "paid"))
                raise KeyError

        with pytest.raises(KeyError):
            update_and_fail()
        assert MachineCatalog(store).list() == [record]


def test_operators_are_known(runtime: FsmRuntime) -> None:
    record = runtime.create_machine_from_dict(definition("1.0.0", "paid"))
    runtime.update_machine_from_dict(record.id, definition("1.0.1", "paid"))
    (observer,) = runtime._observers
    assert isinstance(observer, Auditing)
    (event,) = observer.events
    assert (event.operation, event.target_id) == ("update_machine", record.id)
    assert event.previous == {"version": "1.0.0", "revision": 1}
    assert event.current == {"version": "1.0.1", "revision": 2}


def test_conflicts(runtime: FsmRuntime) -> None:
    first = runtime.create_machine_from_dict(definition("1.0.0"))
    second = runtime.create_machine_from_dict(definition("2.0.0"))
    with pytest.raises(MachineConflict, match=r"Machine 'order' version '1\.0\.0' already exists"):
        runtime.create_machine_from_dict(definition("1.0.0"))
    with pytest.raises(MachineConflict):
        runtime.update_machine_from_dict(second.id, definition("1.0.0"))
    runtime.update_machine_from_dict(first.id, definition("1.0.0", "paid"))
    with pytest.raises(MachineRevisionConflict, match="Revision mismatch: expected 1, current is 2") as caught:
        runtime.update_machine_from_dict(first.id, definition("1.0.0"), expected_revision=1)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.expected, copy.current) == (1, 2)


def test_ids(runtime: FsmRuntime) -> None:
    with pytest.raises(MachineInvalidIdentifier):
        runtime.get_machine_record("garbage")
    missing = str(uuid4())
    with pytest.raises(MachineRecordNotFound) as caught:
        runtime.get_machine_record(missing)
    assert caught.value.machine_id == missing


def test_lists(runtime: FsmRuntime) -> None:
    catalog = MachineCatalog(runtime.state_store)
    for version in ("1.10.0", "1.9.0"):
        catalog.create(definition(version))
    assert [record.version for record in catalog.list(name="order")] == ["1.9.0", "1.10.0"]
    assert [record.version for record in catalog.list(version="1.9.0")] == ["1.9.0"]
    assert catalog.list(name="other") == []


def test_entities_in_another_version(runtime: FsmRuntime) -> None:
    old = runtime.create_machine_from_dict(definition("1.0.0", "paid", "held"))
    runtime.create_machine_from_dict(definition("2.0.0", "paid"))
    for entity, trigger in (("o-1", "to_paid"), ("o-2", "to_held")):
        runtime.process_event("order", entity, trigger, version="1.0.0")
    report = runtime.check_machine_compatibility(old.id, target_version="2.0.0")
    assert (report.compatible, report.source_version, report.target_version) == (False, "1.0.0", "2.0.0")
    assert (report.entities_checked, report.level) == (2, "major")
    assert [(issue.entity_id, issue.current_state) for issue in report.issues] == [("o-2", "held")]
    assert "held" in report.issues[0].issue
    with pytest.raises(MachineRecordNotFound, match=r"order:9\.9\.9"):
        runtime.check_machine_compatibility(old.id, target_version="9.9.9")


def test_awaited(tmp_path: Path) -> None:
    async def main() -> None:
        runtime = await AsyncFsmRuntime.from_url(f"sqlite:///{tmp_path}/fsm.db")
        record = await runtime.create_machine_from_dict(definition("1.0.0", "paid"))
        changed = await runtime.update_machine_from_dict(record.id, definition("1.0.1", "paid"), expected_revision=1)
        assert await runtime.get_machine_record(record.id) == changed
        assert (await runtime.check_machine_compatibility(record.id, target_version="1.0.1")).compatible
        await runtime.close()

    asyncio.run(main())


def test_what_has_no_database_has_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="create_machine_from_dict requires a store in SQL"):
        FsmRuntime.in_memory().create_machine_from_dict(definition("1.0.0"))
    with pytest.raises(TypeError, match="a catalogue needs a store in SQL, not object"):
        MachineCatalog(object())  # type: ignore[arg-type]
    store = SQLAlchemyMachineStore(f"sqlite:///{tmp_path}/fsm.db")
    store.connect()
    assert MachineCatalog(store).list() == []
    store.disconnect()
