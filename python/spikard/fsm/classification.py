"""Records of data told apart by the states that they mean."""

import itertools
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from spikard.fsm.observed_state_event import ObservedStateEvent
from spikard.fsm.state import State

if TYPE_CHECKING:
    from spikard.fsm.state_machine import StateMachine

_LOGGER = logging.getLogger("spikard.fsm.classification")


@dataclass(frozen=True, slots=True)
class ClassificationRuleSet:
    """The states that data can mean, tried in their order, and where records say whose they are and of when."""

    states: tuple[State, ...]
    default_state: str | None = None
    entity_id_field: str = "entity_id"
    timestamp_field: str | None = None
    source: str = "classifier"


@dataclass(frozen=True, slots=True)
class ClassificationResult:
    """The state of a record; `matched` is false where it is only the default, or none."""

    state: str | None
    matched: bool
    record: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IngestionResult:
    """What became of a batch of records."""

    total: int
    accepted: int
    classified: int
    skipped: int
    errors: int


class StateClassifier:
    """Finds the first state all of whose `when` items hold for a record."""

    def __init__(self, rule_set: ClassificationRuleSet) -> None:
        self._rule_set = rule_set

    @classmethod
    def from_machine(
        cls,
        machine: "StateMachine",
        *,
        entity_id_field: str | None = None,
        timestamp_field: str | None = None,
        source: str | None = None,
        default_state: str | None = None,
    ) -> "StateClassifier":
        """A classifier of a machine's states; what isn't given is as `meta.classification` says."""
        states = tuple(state for state in machine.states.values() if state.when)
        if not states:
            raise ValueError(f"No states with 'when' clauses found in machine '{machine.name}'")
        written = machine.meta.get("classification")
        settings: Mapping[str, Any] = written if isinstance(written, Mapping) else {}
        return cls(
            ClassificationRuleSet(
                states=states,
                default_state=default_state or settings.get("default_state"),
                entity_id_field=entity_id_field or settings.get("entity_id_field") or "entity_id",
                timestamp_field=timestamp_field or settings.get("timestamp_field"),
                source=source or settings.get("source") or "classifier",
            )
        )

    @property
    def rule_set(self) -> ClassificationRuleSet:
        """What records are classified by."""
        return self._rule_set

    def classify(self, record: dict[str, Any]) -> ClassificationResult:
        """The state that a record means."""
        from spikard.fsm import evaluate_when_check

        for state in self._rule_set.states:
            if all(evaluate_when_check(item, record) for item in state.when):
                return ClassificationResult(state.name, True, record)
        return ClassificationResult(self._rule_set.default_state, False, record)


class DataIngester:
    """Classifies records and hands them to an inference engine as observations of a machine."""

    def __init__(
        self, classifier: StateClassifier, engine: Any, machine_name: str, *, skip_unclassified: bool = True
    ) -> None:
        self._classifier = classifier
        self._engine = engine
        self._machine_name = machine_name
        self._skip_unclassified = skip_unclassified
        self._sequence = itertools.count(1)

    @property
    def classifier(self) -> StateClassifier:
        """What tells the records apart."""
        return self._classifier

    @property
    def machine_name(self) -> str:
        """The machine that the records are observations of."""
        return self._machine_name

    def ingest_record(self, record: dict[str, Any]) -> ClassificationResult:
        """Classifies a record and hands it on; without a state it is left out, or a `ValueError` where none may be."""
        result = self._classifier.classify(record)
        if result.state is not None:
            self._engine.record_observation(self._machine_name, self._event(record, result.state))
        elif not self._skip_unclassified:
            raise ValueError(f"No state determined for record and no default_state configured: {record}")
        return result

    def ingest_batch(self, records: Iterable[dict[str, Any]]) -> IngestionResult:
        """Does so with many; a record that fails is logged and counted, the others are not held up."""
        total = accepted = classified = skipped = errors = 0
        for record in records:
            total += 1
            try:
                state = self._classifier.classify(record).state
                if state is None:
                    skipped += 1
                    continue
                event = self._event(record, state)
                classified += 1
                accepted += bool(self._engine.record_observation(self._machine_name, event))
            except Exception:
                errors += 1
                _LOGGER.exception("Error ingesting record: %r", record)
        return IngestionResult(total, accepted, classified, skipped, errors)

    def _event(self, record: Mapping[str, Any], state: str) -> ObservedStateEvent:
        rules = self._classifier.rule_set
        entity_id = record.get(rules.entity_id_field)
        if entity_id is None:
            raise ValueError(f"Record missing entity_id field '{rules.entity_id_field}': {record}")
        return ObservedStateEvent(
            entity_id=str(entity_id),
            machine_name=self._machine_name,
            state=state,
            observed_at=_moment(record.get(rules.timestamp_field) if rules.timestamp_field else None),
            source=rules.source,
            ingest_seq=next(self._sequence),
        )


def _moment(value: Any) -> datetime:
    if value is None:
        return datetime.now(UTC)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
