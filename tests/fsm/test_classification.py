"""Records of data told apart by the states that they mean."""

from datetime import UTC, datetime
from typing import Any

import pytest

from spikard.fsm import (
    ClassificationResult,
    DataIngester,
    IngestionResult,
    ObservedStateEvent,
    StateClassifier,
    StateMachine,
)


def machine(**classification: Any) -> StateMachine:
    return StateMachine.from_dict(
        {
            "meta": {"machine_name": "m", "classification": classification},
            "states": [
                {"name": "hot", "type": "initial", "when": [{"field": "degrees", "op": "gt", "value": 30}]},
                {"name": "known", "when": [{"field": "degrees", "op": "is_set"}]},
                {"name": "other"},
            ],
            "transitions": [],
        }
    )


class Engine:
    def __init__(self) -> None:
        self.seen: list[ObservedStateEvent] = []

    def record_observation(self, machine_name: str, event: ObservedStateEvent) -> bool:
        self.seen.append(event)
        return event.entity_id != "known already"


def test_the_first_state_that_holds_is_the_one() -> None:
    classifier = StateClassifier.from_machine(machine(default_state="other"))
    assert classifier.classify({"degrees": 31}) == ClassificationResult("hot", True, {"degrees": 31})
    assert classifier.classify({"degrees": 3}).state == "known"
    assert classifier.classify({}) == ClassificationResult("other", False, {})


def test_machines_without_conditions_classify_nothing() -> None:
    plain = StateMachine.from_dict({"states": [{"name": "a", "type": "initial"}], "transitions": []})
    with pytest.raises(ValueError, match="No states with 'when' clauses found"):
        StateClassifier.from_machine(plain)


def test_records_become_observations() -> None:
    engine = Engine()
    classifier = StateClassifier.from_machine(machine(timestamp_field="at"), source="sensor")
    ingester = DataIngester(classifier, engine, "m")
    ingester.ingest_record({"entity_id": "e", "degrees": 40, "at": "2024-01-01T00:00:00Z"})
    [event] = engine.seen
    assert (event.state, event.source, event.ingest_seq) == ("hot", "sensor", 1)
    assert event.observed_at == datetime(2024, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="missing entity_id field 'entity_id'"):
        ingester.ingest_record({"degrees": 1})


def test_batches_are_counted_and_not_held_up() -> None:
    ingester = DataIngester(StateClassifier.from_machine(machine()), Engine(), "m")
    records = [{"entity_id": "e", "degrees": 1}, {}, {"degrees": 1}, {"entity_id": "known already", "degrees": 1}]
    assert ingester.ingest_batch(records) == IngestionResult(total=4, accepted=1, classified=2, skipped=1, errors=1)


def test_a_record_without_a_state_is_an_error_where_none_may_be_skipped() -> None:
    classifier = StateClassifier.from_machine(machine())
    engine, record = Engine(), {"entity_id": "e"}
    assert DataIngester(classifier, engine, "m").ingest_record(record).state is None
    strict = DataIngester(classifier, engine, "m", skip_unclassified=False)
    with pytest.raises(ValueError, match="No state determined for record and no default_state configured"):
        strict.ingest_record(record)
    assert strict.ingest_batch([record]).skipped == 1
