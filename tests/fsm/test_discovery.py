"""Machines out of what was seen."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spikard.fsm import (
    BuiltDiscoveryCandidate,
    DiscoveryDraftFilter,
    InferenceEngine,
    InferenceThresholds,
    InMemoryDiscoveryStore,
    ObservationFieldMapping,
    ObservationIdentity,
    ObservationSourceConfig,
    ObservedStateEvent,
    StateMachine,
    UndefinedStateError,
    candidate_to_dot,
    candidate_to_mermaid,
    create_discovery_store,
    observation_identity_from_event,
)  # fmt: skip
from spikard.fsm.discovery.candidate import build_machine_config, next_version
from spikard.fsm.discovery.edge import InferredEdge

START = datetime(2026, 1, 1, tzinfo=UTC)


def seen(entity: str, state: str, minute: float, machine: str = "order", **fields: Any) -> ObservedStateEvent:
    return ObservedStateEvent(entity, machine, state, START + timedelta(minutes=minute), **fields)


def orders() -> list[ObservedStateEvent]:
    """Three orders that were filled after one correction, one that was cancelled."""
    told = [
        seen(f"o{number}", state, minute)
        for number in range(3)
        for minute, state in enumerate(["Placed New", "open", "open", "filled"])
    ]
    return [*told, seen("o9", "Placed New", 0, source="desk"), seen("o9", "cancelled", 1, source="desk")]


@pytest.fixture
def engine() -> InferenceEngine:
    store = InMemoryDiscoveryStore()
    made = InferenceEngine(store, store, store, draft_store=store)
    assert made.record_observations("order", orders()) == 14
    return made


def test_steps_are_counted(engine: InferenceEngine) -> None:
    preview = engine.preview_filter(DiscoveryDraftFilter(channels=("order",)))
    assert preview["machine_name"] == "order"
    assert preview["observation_count"] == 14
    assert preview["entity_ids_used"] == ["o0", "o1", "o2", "o9"]
    assert preview["thresholds"] == {"min_edge_count": 2, "min_confidence": 0.5}
    cancelled, opened, *_ = preview["edges"]
    assert cancelled == InferredEdge("Placed New", "cancelled", 1, 1, 1, 0.25, START + timedelta(minutes=1))
    assert (opened.count, opened.unique_entities, opened.unique_sources, opened.confidence) == (3, 3, 1, 0.75)
    assert [(edge.source_state, edge.destination_state) for edge in preview["selected_edges"]] == [
        ("Placed New", "open"),
        ("open", "filled"),
        ("open", "open"),
    ]
    assert engine.preview_filter(DiscoveryDraftFilter())["machine_name"] == "<filter>"
    assert engine.preview_filter(DiscoveryDraftFilter(channels=()))["observation_count"] == 0


def test_candidates_begin_and_end_where_entities_do(engine: InferenceEngine) -> None:
    built = engine.build_candidate("order")
    assert (built.version, built.status, built.candidate_sequence) == ("0.1.0", "candidate", 1)
    assert built.config["states"] == [
        {"name": "filled", "type": "terminal"},
        {"name": "open", "type": "stable"},
        {"name": "placed_new", "type": "initial"},
    ]
    assert built.config["transitions"][0] == {
        "trigger": "to_open",
        "source": "placed_new",
        "dest": "open",
        "meta": {"inferred": True, "count": 3, "confidence": 0.75},
    }
    assert built.metadata["edge_count"] == 4
    assert built.metadata["selected_edge_count"] == 3
    assert built.metadata["build_scope"]["source_channels_used"] == ["order"]
    assert built.metadata["inferred_edges_snapshot"][0]["last_seen_at"] == "2026-01-01T00:01:00+00:00"
    machine = StateMachine.from_dict(built.config)
    assert machine.process("placed_new", "to_open", {}).target_state == "open"


def test_few_that_went_on_do_not_hide_an_end() -> None:
    def kind(late: int, total: int) -> str:
        store = InMemoryDiscoveryStore()
        engine = InferenceEngine(store, store, store)
        for number in range(total):
            steps = ["new", "done", "reopened"] if number < late else ["new", "done"]
            engine.record_observations("m", [seen(f"e{number}", state, at, "m") for at, state in enumerate(steps)])
        states = engine.build_candidate("m", mode="manual", edge_selection=[("new", "done")]).config["states"]
        return {state["name"]: state["type"] for state in states}["done"]

    assert kind(1, 20) == "terminal"
    assert kind(2, 20) == "stable"


def test_versions_count_up_and_are_never_replaced_by_themselves(engine: InferenceEngine) -> None:
    assert [engine.build_candidate("order").version for _ in range(2)] == ["0.1.0", "0.1.1"]
    assert engine.build_candidate("order", version="nightly").version == "nightly"
    assert engine.build_candidate("order").version == "0.1.2"
    assert [candidate.candidate_sequence for candidate in engine.list_built_candidates("order")] == [1, 2, 3, 4]
    assert [next_version(text) for text in (None, "1.2.9", "1.2", "v1.2.3")] == ["0.1.0", "1.2.10", "0.1.0", "0.1.0"]


def test_steps_by_hand(engine: InferenceEngine) -> None:
    built = engine.build_candidate("order", mode="manual", edge_selection=[("Placed New", "cancelled")])
    assert [step["trigger"] for step in built.config["transitions"]] == ["to_cancelled"]
    with pytest.raises(ValueError, match="manual mode requires non-empty edge_selection"):
        engine.build_candidate("order", mode="manual")
    with pytest.raises(ValueError, match=r"pairs not present in inferred edges: \[\('a', 'b'\)\]"):
        engine.build_candidate("order", mode="manual", edge_selection=[("a", "b")])


def test_states_that_become_one_by_their_names_are_one() -> None:
    edges = [
        InferredEdge("A b", "c", 1, 1, 1, 0.5),
        InferredEdge("a-b", "C", 3, 1, 1, 1.0),
        InferredEdge("!", "c", 1, 1, 1, 1),
    ]
    config = build_machine_config("m", edges)
    assert [state["name"] for state in config["states"]] == ["a_b", "c"]
    assert [step["meta"] for step in config["transitions"]] == [{"inferred": True, "count": 4, "confidence": 0.8}]


def test_observations_must_be_of_the_machine(engine: InferenceEngine) -> None:
    with pytest.raises(ValueError, match="Event machine_name 'order' does not match expected 'trade'"):
        engine.record_observations("trade", [seen("x", "a", 0, "trade"), seen("x", "a", 0)])
    assert engine.preview_filter(DiscoveryDraftFilter(channels=("trade",)))["observation_count"] == 0


def test_observations_come_between_others() -> None:
    store = InMemoryDiscoveryStore()
    engine = InferenceEngine(store, store, store)
    engine.record_observations("m", [seen("e", "a", 0, "m"), seen("e", "c", 2, "m")])
    middle = observation_identity_from_event(seen("e", "c", 2, "m"))

    def insert(side: Any, state: str, reference: ObservationIdentity = middle) -> bool:
        return engine.insert_observation_relative(
            "m", entity_id="e", reference=reference, position=side, state=state, metadata={"by": "hand"}
        )

    assert insert("below", "b")
    assert insert("above", "d")
    oldest = observation_identity_from_event(store.list_observations("m")[0])
    assert insert("below", "start", oldest)
    assert [event.state for event in store.list_observations("m")] == ["start", "a", "b", "c", "d"]
    inserted = store.list_observations("m")[2]
    assert (inserted.observed_at, inserted.source, inserted.metadata) == (
        START + timedelta(minutes=1),
        "api",
        {"by": "hand"},
    )
    with pytest.raises(ValueError, match="reference observation not found"):
        insert("below", "x", ObservationIdentity("e", "zz", START, "unknown"))
    with pytest.raises(ValueError, match=r"reference\.entity_id must match entity_id"):
        insert("below", "x", ObservationIdentity("f", "a", START, "unknown"))
    assert engine.delete_observation("m", middle)
    assert not engine.delete_observation("m", middle)


def test_observations_of_one_moment_are_told_apart_by_their_arrival() -> None:
    store = InMemoryDiscoveryStore()
    engine = InferenceEngine(store, store, store)
    arrivals = [START, START + timedelta(seconds=1)]
    events = [seen("e", state, 0, "m", ingested_at=moment) for state, moment in zip("ac", arrivals, strict=True)]
    engine.record_observations("m", events)
    upper = observation_identity_from_event(events[1])
    engine.insert_observation_relative("m", entity_id="e", reference=upper, position="below", state="b")
    assert [event.state for event in store.list_observations("m")] == ["a", "b", "c"]


def test_drafts(engine: InferenceEngine) -> None:
    draft = engine.create_draft("orders", filter=DiscoveryDraftFilter(sources=("unknown",)), min_edge_count=0)
    assert (draft.mode, draft.min_edge_count, draft.machine_name, draft.last_built_version) == (
        "inference",
        1,
        "orders",
        None,
    )
    assert engine.preview_draft(draft.id)["observation_count"] == 12
    built = engine.build_from_draft(draft.id)
    assert (built.machine_name, built.metadata["draft_id"]) == ("orders", draft.id)
    again = engine.get_draft(draft.id)
    assert again is not None
    assert again.last_built_version == "0.1.0"
    narrowed = engine.update_draft(draft.id, clear_filter=True, selected_entity_ids=["o1"], min_confidence=7)
    assert (narrowed.filter, narrowed.min_confidence) == (None, 1.0)
    assert engine.preview_draft(draft.id)["entity_ids_used"] == ["o1"]
    engine.update_draft(draft.id, mode="manual", new_observation_source=ObservationSourceConfig("seen"))
    with pytest.raises(ValueError, match="manual mode requires manual_edge_selection on the draft"):
        engine.build_from_draft(draft.id)
    engine.update_draft(draft.id, manual_edge_selection=[("open", "filled")], clear_observation_source=True)
    assert engine.build_from_draft(draft.id, target_machine_name="trade").machine_name == "trade"
    assert engine.delete_draft(draft.id)
    with pytest.raises(ValueError, match=f"draft not found: {draft.id}"):
        engine.preview_draft(draft.id)


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("taken", "duplicate draft title under this connection instance: 'taken'"),
        ("Bad Title", "draft title must contain only lowercase letters, digits, and underscores"),
        (" ", "draft title cannot be empty"),
    ],
)
def test_titles(engine: InferenceEngine, title: str, message: str) -> None:
    engine.create_draft("taken")
    other = engine.create_draft("taken", instance_id="elsewhere")
    with pytest.raises(ValueError, match=message):
        engine.create_draft(title)
    assert engine.update_draft(other.id, title="taken").title == "taken"
    with pytest.raises(ValueError, match="mode must be inference or manual"):
        engine.update_draft(other.id, mode="guess")


ACTIVE = {
    "meta": {"machine_name": "order", "version": "1.0.0"},
    "states": [{"name": "open", "type": "initial"}, {"name": "filled"}, {"name": "dead"}],
    "transitions": [
        {"trigger": "to_filled", "source": "open", "dest": "dead"},
        {"trigger": "kill", "source": "open", "dest": "dead"},
    ],
}


def test_shadows(engine: InferenceEngine) -> None:
    def ask(state: str, trigger: str, version: str | None = None) -> Any:
        return engine.run_shadow_compare(
            machine_name="order", active_config=ACTIVE, source_state=state, trigger=trigger, candidate_version=version
        )

    assert ask("open", "to_filled") is None
    engine.build_candidate("order")
    moved = ask("open", "to_filled")
    assert (moved.active_target_state, moved.candidate_target_state) == ("dead", "filled")
    assert (moved.differs, moved.reason, moved.metadata) == (
        True,
        "target_state_mismatch",
        {"candidate_version": "0.1.0"},
    )
    assert ask("open", "kill").reason == "success_mismatch"
    assert not ask("dead", "nothing").differs
    with pytest.raises(UndefinedStateError):
        ask("nowhere", "kill")
    assert ask("open", "kill", "9.9.9") is None
    assert [diff.trigger for diff in engine.list_shadow_diffs("order", limit=2)] == ["kill", "nothing"]


def test_baselines(engine: InferenceEngine) -> None:
    def compare(machine: str) -> list[Any]:
        return engine.compare_candidate_against_baseline(
            machine_name=machine, baseline_config=ACTIVE, baseline_machine_name="old"
        )

    assert compare("order") == []
    engine.build_candidate("order")
    assert [(diff.source_state, diff.trigger, diff.reason) for diff in compare("order")] == [
        ("placed_new", "to_open", "success_mismatch"),
        ("open", "to_filled", "target_state_mismatch"),
        ("open", "to_open", "success_mismatch"),
    ]
    assert compare("order")[0].metadata == {"candidate_version": "0.1.0", "baseline_machine_name": "old"}
    assert engine.list_shadow_diffs("order") == []


def test_nothing_seen_is_no_machine(engine: InferenceEngine) -> None:
    built = engine.build_candidate("order", min_edge_count=100)
    assert built.config["states"] == []
    diff = engine.run_shadow_compare(machine_name="order", active_config=ACTIVE, source_state="open", trigger="kill")
    assert diff is not None
    assert diff.reason == "success_mismatch"


def test_diagrams(engine: InferenceEngine) -> None:
    built = engine.build_candidate("order")
    assert "[*] --> placed_new" in engine.export_candidate_diagram("order")
    assert engine.export_candidate_diagram("order", format="dot") == candidate_to_dot(built)
    assert "filled --> [*]" in candidate_to_mermaid(built)
    with pytest.raises(ValueError, match="No candidate found for 'trade'"):
        engine.export_candidate_diagram("trade")


def test_sources_name_what_may_stand_in_statements() -> None:
    source = ObservationSourceConfig(
        "log", "ops", field_mapping=ObservationFieldMapping(entity_id="id", metadata="extra")
    )
    source.validate_identifiers()
    assert source.effective_table_name() == "ops.log"
    assert ObservationSourceConfig.from_json_dict(source.to_json_dict()) == source
    assert ObservationSourceConfig.from_json_dict(None) is None
    for bad, message in (
        (ObservationSourceConfig("t; drop"), "Invalid observation table_name 't; drop': use ASCII letters"),
        (ObservationSourceConfig("a.b.c"), r"at most one '\.' is allowed"),
        (ObservationSourceConfig("t", "s x"), r"Invalid observation table_name \(schema\) 's x'"),
        (ObservationSourceConfig(collection_name="c d"), "Invalid observation collection_name 'c d'"),
        (
            ObservationSourceConfig("t", field_mapping=ObservationFieldMapping(state="a b")),
            r"field_mapping\.state 'a b'",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            bad.validate_identifiers()


def test_engines_by_connection() -> None:
    engine = InferenceEngine.for_connection("sqlite", "sqlite://", thresholds=InferenceThresholds(1, 0.0))
    engine.record_observations("order", orders())
    built = engine.build_candidate("order")
    assert isinstance(built, BuiltDiscoveryCandidate)
    assert len(built.config["transitions"]) == 4
    engine.close()
    with pytest.raises(ValueError, match="Unsupported discovery backend: 'papyrus'"):
        create_discovery_store("papyrus")
    with pytest.raises(ValueError, match="connection_string is required for sqlite discovery store"):
        create_discovery_store("sqlite")


def test_the_engine_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_FSM_DISCOVERY_DATABASE_URL", f"sqlite:///{tmp_path / 'seen.db'}")
    monkeypatch.setenv("SPIKARD_FSM_DISCOVERY_MIN_EDGE_COUNT", "4")
    for thresholds, edges in ((None, 0), (InferenceThresholds(1, 0.0), 4)):
        engine = InferenceEngine.from_app_config(thresholds=thresholds, quiet=True)
        engine.record_observations("order", orders())
        assert len(engine.build_candidate("order").config["transitions"]) == edges
        engine.close()
    assert (tmp_path / "seen.db").exists()


def test_what_is_not_among_the_metadata_is_none() -> None:
    event = seen("o1", "new", 0, metadata={"shop": "here"})
    assert DiscoveryDraftFilter(metadata_match=(("shop", "here"), ("till", None))).matches(event)
    assert not DiscoveryDraftFilter(metadata_match=(("shop", None),)).matches(event)
