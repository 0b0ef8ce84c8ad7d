"""Discoveries as plain data."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spikard.fsm import DiscoveryClient, InferenceEngine, InMemoryDiscoveryStore, ObservationIdentity

START = datetime(2026, 1, 1, tzinfo=UTC)
BASELINE = {
    "states": [{"name": "new", "type": "initial"}, {"name": "lost"}, {"name": "open"}],
    "transitions": [{"trigger": "to_open", "source": "new", "dest": "lost"}],
}


@pytest.fixture
def client() -> Iterator[DiscoveryClient]:
    store = InMemoryDiscoveryStore()
    made = DiscoveryClient(InferenceEngine(store, store, store, draft_store=store))
    for entity in ("a", "b"):
        for minute, state in enumerate(("New", "Open", "Done")):
            seen = START + timedelta(minutes=minute)
            assert made.record_observation(machine_name="order", entity_id=entity, state=state, observed_at=seen)
    made.record_observation(machine_name="other", entity_id="z", state="New")
    yield made
    made.close()


def test_candidates(client: DiscoveryClient) -> None:
    built = client.build_candidate("order")
    assert (built["version"], built["status"], built["metadata"]["observation_count"]) == ("0.1.0", "candidate", 6)
    assert [edge["destination_state"] for edge in built["edges"]] == ["Open", "Done"]
    assert client.get_latest_candidate("order") == built == client.get_candidate_detail("order", "0.1.0")
    assert client.get_latest_candidate("nothing") is None
    written = {"states": [{"name": "a", "type": "initial"}], "transitions": []}
    saved = client.save_candidate_config(source_machine_name="order", target_machine_name="order", config=written)
    assert (saved["version"], saved["metadata"]["build_mode"]) == ("0.1.1", "manual_config")
    assert [row["version"] for row in client.list_candidate_summaries("order")] == ["0.1.1", "0.1.0"]
    promoted = client.update_candidate_status(machine_name="order", version="0.1.0", status="promoted")
    assert promoted.status == "promoted"
    with pytest.raises(ValueError, match="Cannot delete a promoted candidate"):
        client.delete_built_candidate("order", "0.1.0")
    assert client.delete_built_candidate("order", "0.1.1")
    assert not client.delete_built_candidate("order", "0.1.1")
    with pytest.raises(ValueError, match="Candidate not found for machine='order' version='9'"):
        client.update_candidate_status(machine_name="order", version="9", status="promoted")


def test_observations(client: DiscoveryClient) -> None:
    page = client.list_machine_observations("order", limit=2, entity_id="a")
    assert (page["total"], page["limit"], [item["state"] for item in page["items"]]) == (3, 2, ["Done", "Open"])
    first = ObservationIdentity("a", "New", START, "unknown", None)
    assert client.insert_machine_observation_relative(
        "order", entity_id="a", reference=first, position="above", state="Checked"
    )
    states = [item["state"] for item in client.list_machine_observations("order", entity_id="a")["items"]]
    assert states == ["Done", "Open", "Checked", "New"]
    assert client.delete_machine_observation("order", first)
    assert client.delete_entity_observations("order", "a") == 3
    assert client.list_entity_ids("order") == ["b"]


def test_previews_and_drafts(client: DiscoveryClient) -> None:
    seen = client.preview_candidate_inputs(machine_name="order", entity_ids=["a"], min_edge_count=1)
    assert (seen["machine_name"], seen["observation_count"], seen["entity_ids_used"]) == ("order", 3, ["a"])
    draft = client.create_draft("orders", min_edge_count=1)
    changed = client.patch_draft(draft["id"], {"title": "all_orders"})
    assert client.list_drafts_full() == [changed]
    assert client.list_drafts_full("nobody") == []
    assert client.preview_draft(draft["id"])["observation_count"] == 7
    assert client.build_draft(draft["id"], target_machine_name="order")["version"] == "0.1.0"
    assert client.list_drafts_full()[0]["last_built_version"] == "0.1.0"
    assert client.delete_draft(draft["id"])
    assert not client.delete_draft(draft["id"])


def test_comparisons_and_the_fleet(client: DiscoveryClient) -> None:
    client.build_candidate("order")
    differing = client.compare_against_baseline("order", BASELINE, "base")
    assert {row["reason"] for row in differing} == {"target_state_mismatch", "success_mismatch"}
    assert client.list_shadow_diffs("order") == []
    diff = client.run_shadow_compare(
        machine_name="order", active_config=BASELINE, source_state="new", trigger="to_open"
    )  # fmt: skip
    assert diff is not None
    assert client.list_shadow_diffs("order")[0]["reason"] == diff.reason == "target_state_mismatch"
    fleet = client.list_fleet_summaries(sort="observation_count", order="desc")
    assert [row["machine_name"] for row in fleet["items"]] == ["order", "other"]
    assert fleet["items"][0]["drift_rate_recent"] == 1.0
    assert client.list_fleet_summaries(query="OTH")["total"] == 1
    assert client.list_fleet_summaries(limit=1, offset=1)["items"][0]["machine_name"] == "other"
    for wrong in ({"sort": "colour"}, {"order": "up"}):
        with pytest.raises(ValueError, match="must be"):
            client.list_fleet_summaries(**wrong)  # type: ignore[arg-type]


def test_settings_name_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spikard.toml").write_text(
        '[fsm.discovery]\ndatabase_url = "sqlite:///seen.db"\nmin_edge_count = 1\n', encoding="utf-8"
    )
    client = DiscoveryClient()
    client.record_observation(machine_name="order", entity_id="a", state="new")
    client.close()
    assert (tmp_path / "seen.db").is_file()
    monkeypatch.setenv("SPIKARD_FSM_DISCOVERY_MIN_EDGE_COUNT", "many")
    with pytest.raises(ValueError, match="SPIKARD_FSM_DISCOVERY_MIN_EDGE_COUNT must be of type int, not 'many'"):
        DiscoveryClient()
