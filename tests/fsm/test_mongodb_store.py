"""What is particular about MongoDB: its protocol, its limits, and what is left when a connection is lost."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pymongo.errors
import pytest

from spikard.fsm import EntityChange, MongoDBDiscoveryStore, MongoDBStateStore, create_state_store
from spikard.fsm.stores import mongodb_connection
from spikard.fsm.stores.row import TransitionRow
from tests.fsm.mongodb_imitation import Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    """A server whose faults a test chooses."""
    with serving() as made:
        yield made


@pytest.fixture
def store(server: Server) -> Iterator[MongoDBStateStore]:
    with MongoDBStateStore(server.url, "shop") as made:
        yield made


def commands(server: Server, *names: str) -> list[dict[str, Any]]:
    return [command for command in server.seen if next(iter(command)) in names]


def test_it_is_named_without_its_secrets() -> None:
    for kind in (MongoDBStateStore, MongoDBDiscoveryStore):
        with pytest.raises(ValueError, match=r"requires a mongodb:// URL, got: 'http://\*\*\*@host/'") as caught:
            kind("http://me:s3cret@host/")
        assert "s3cret" not in str(caught.value)
    with pytest.raises(RuntimeError, match=r"Not connected\. Call connect\(\) first\."):
        MongoDBStateStore("mongodb://host/shop").get_state("e")


def test_what_documents_cannot_hold(mongodb_url: str) -> None:
    with MongoDBStateStore(mongodb_url, "spikard_test_documents") as store:
        store.delete_entity("e")
        context = {"a.b": {"$c": 2**80}, "n": None}
        store.set_state("e", "a", metadata={"context": context, "machine_name": "m"})
        assert store.get_context("e") == context
        (listed,) = store.list_entities(machine_name="m")
        assert (listed["entity_id"], listed["current_state"], listed["context"]) == ("e", "a", context)
        assert store.list_entities(machine_name="other") == []
        line = store.record_transition("e", "a", "go", target_state="b", duration_ms=2)
        assert [(row["id"], row["target_state"]) for row in store.get_transition_history("e")] == [(line, "b")]
        with pytest.raises(ValueError, match="Entity not found: 'q'"):
            store.set_context("q", {})
        store.delete_entity("e")


def test_by_url(server: Server) -> None:
    with create_state_store(server.url.replace("/?", "/till?")) as store:
        store.set_state("e", "a")
        assert {command["$db"] for command in commands(server, "update")} == {"till"}


def test_a_step_whose_answer_is_lost_is_kept_once(store: MongoDBStateStore, server: Server) -> None:
    for lost in (server.lost_before, server.lost_after):
        lost["update"] = lost["findAndModify"] = lost["insert"] = 1
        row = store.load("e")
        line = TransitionRow("a", "a", "go")
        assert store.commit(EntityChange("e", row.version, "a", transitions=(line,))) == row.version + 1
        assert store.append_event("e", "go") == row.version + 1
    assert store.load("e").version == 2
    assert len(store.get_transition_history("e")) == 2
    assert [event["sequence"] for event in store.get_events("e")] == [1, 2]


def test_reconnecting_after_the_server_has_hung_up(store: MongoDBStateStore, server: Server) -> None:
    store.set_state("e", "a")
    server.hang_up()
    assert store.get_state("e") == "a"
    server.hang_up()
    assert store.set_state_versioned("e", "b", expected_version=1) == 2


def test_steps_are_those_of_the_primary_and_survive_a_failover(store: MongoDBStateStore, server: Server) -> None:
    with MongoDBStateStore(f"{server.url}&readPreference=secondaryPreferred&wtimeoutMS=900", "other") as other:
        other.set_state("e", "a")
        other.load("e")
    writes, reads = commands(server, "update"), commands(server, "find")
    assert [write["writeConcern"] for write in writes] == [{"w": "majority", "wtimeout": 900}]
    # What a write depends on is what the primary has now; a state that a step is taken from must not vanish.
    assert [read["readConcern"] for read in reads] == [{"level": "local"}, {"level": "majority"}]
    assert not [read for read in reads if read.get("$readPreference", {}).get("mode", "primary") != "primary"]


def test_the_url_may_ask_for_less(server: Server) -> None:
    with MongoDBStateStore(f"{server.url}&w=1", "shop") as store:
        store.set_state("e", "a")
        store.load("e")
    assert [write["writeConcern"] for write in commands(server, "update")] == [{"w": 1}]
    assert "readConcern" not in commands(server, "find")[-1]
    for kind in (MongoDBStateStore, MongoDBDiscoveryStore):
        with pytest.raises(ValueError, match=r"needs acknowledged writes, but .* asks for w=0"):
            kind(f"{server.url}&w=0").connect()


def test_times_have_a_zone(store: MongoDBStateStore) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    # Before the entity itself, there may be events of it, and lines of its past.
    store.append_event("e", "go")
    store.record_transition("e", "", "go")
    store.set_state("e", "a")
    (listed,) = store.list_entities()
    assert before <= listed["created_at"] <= listed["updated_at"] <= datetime.now(UTC)
    store.set_state("e", "b")
    assert store.list_entities()[0]["created_at"] == listed["created_at"]
    (event,) = store.get_events("e")
    assert event["created_at"].tzinfo is UTC
    assert "payload_json" not in event


def test_a_past_that_fills_the_document_stops_nobody() -> None:
    with serving(largest=100_000) as server, MongoDBStateStore(server.url, "shop") as store:
        said = TransitionRow("a", "a", "go", error_message="x" * 900)
        versions = [store.commit(EntityChange("e", None, "a", {"n": n}, transitions=(said,))) for n in range(150)]
        assert versions == list(range(1, 151))
        assert 10 <= len(store.get_transition_history("e", 1000)) < 150
        store.record_transition("e", "a", "go", error_message="y" * 95_000)
        assert [len(row["error_message"]) for row in store.get_transition_history("e", 1)] == [95_000]
        # A context that does not fit takes the past's room, and is refused where that is not enough.
        store.set_state_versioned("e", "b", expected_version=150, metadata={"context": {"k": "z" * 90_000}})
        assert store.get_transition_history("e") == []
        with pytest.raises(pymongo.errors.PyMongoError, match=r"larger than|too large"):
            store.set_state_versioned("e", "c", metadata={"context": {"k": "z" * 110_000}})
        assert store.get_state_versioned("e") == ("b", 151)


def test_lists_are_read_without_the_past(store: MongoDBStateStore, server: Server) -> None:
    store.set_states_batch({f"e{number:03}": "a" for number in range(250)}, metadata={"machine_name": "m"})
    assert len(store.list_entities(limit=1000)) == len(store.entity_versions("m")) == 250
    assert store.list_entities(limit=0) == store.entity_versions("m", limit=0) == store.get_events("e", limit=0) == []
    assert all("past" not in (projection := read["projection"]) or not projection["past"] for read in commands(
        server, "find"
    ))  # fmt: skip
    assert store.count_by_state() == {"a": 250}


def test_many_ids_are_asked_for_in_portions(
    store: MongoDBStateStore, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongodb_connection, "IDS_AT_ONCE", 2)
    store.set_states_batch({"a": "x", "b": "y", "c": "z"})
    before = len(commands(server, "find"))
    assert store.get_states_batch(["a", "b", "c", "d"]) == {"a": "x", "b": "y", "c": "z", "d": None}
    assert [row.state for row in store.load_many(("a", "b", "c")).values()] == ["x", "y", "z"]
    assert len(commands(server, "find")) - before == 4


def test_of_two_that_make_a_document_the_second_finds_it() -> None:
    answers: list[Exception | int] = [pymongo.errors.DuplicateKeyError("E11000")] * 2 + [7]

    def write() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert mongodb_connection.upserted(write) == 7
    answers.extend([pymongo.errors.DuplicateKeyError("E11000")] * 99)
    with pytest.raises(pymongo.errors.DuplicateKeyError):
        mongodb_connection.upserted(write)


def test_a_place_that_is_taken_is_passed_over(store: MongoDBStateStore) -> None:
    store.append_event("e", "go")
    assert store._client is not None
    # What an event leaves that comes between the two halves of deleting an entity.
    store._client["shop"]["entity_states"].delete_one({"_id": "e"})
    assert store.append_event("e", "go") == 2


def test_a_server_that_is_not_there_leaves_nothing_open() -> None:
    for kind in (MongoDBStateStore, MongoDBDiscoveryStore):
        store = kind("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50")
        with pytest.raises(pymongo.errors.ServerSelectionTimeoutError):
            store.connect()
        assert store._client is None


def test_discoveries_are_in_the_database_of_the_url(server: Server) -> None:
    for url, name in ((server.url.replace("/?", "/seen?"), "seen"), (server.url, "spikard")):
        with MongoDBDiscoveryStore(url):
            assert commands(server, "createIndexes")[-1]["$db"] == name
