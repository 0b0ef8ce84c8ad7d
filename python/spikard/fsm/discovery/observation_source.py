"""Tables that are not ours, with observations in them."""

import re
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

DEFAULT_OBSERVATION_TABLE = "discovery_observations"
DEFAULT_OBSERVATION_COLLECTION = "discovery_observations"

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def validate_safe_identifier(name: str, *, field: str) -> str:
    """A name that may stand in a statement as it is, or `ValueError`."""
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"Invalid {field} {name!r}: use ASCII letters, digits, and underscore only")
    return name


def validate_safe_table_or_collection(name: str, *, field: str) -> str:
    """`table` or `schema.table`, or `ValueError`."""
    if name.count(".") > 1:
        raise ValueError(f"Invalid {field} {name!r}: at most one '.' is allowed")
    for part in name.split("."):
        validate_safe_identifier(part, field=field)
    return name


@dataclass(frozen=True, slots=True)
class ObservationFieldMapping:
    """Which column holds what. A None is a column that there is not."""

    entity_id: str = "entity_id"
    machine_name: str = "machine_name"
    state: str = "state"
    observed_at: str = "observed_at"
    source: str = "source"
    source_event_id: str | None = "source_event_id"
    metadata: str | None = None


@dataclass(frozen=True, slots=True)
class ObservationSourceConfig:
    """Where observations are read from, if not from our own table."""

    table_name: str | None = None
    schema_name: str | None = None
    collection_name: str | None = None
    field_mapping: ObservationFieldMapping | None = None

    @property
    def is_foreign(self) -> bool:
        """Whether anything differs from our own table."""
        return self != ObservationSourceConfig()

    def effective_table_name(self) -> str:
        """The table with its schema."""
        table = self.table_name or DEFAULT_OBSERVATION_TABLE
        return f"{self.schema_name}.{table}" if self.schema_name else table

    def effective_collection_name(self) -> str:
        """The collection of a document database."""
        return self.collection_name or DEFAULT_OBSERVATION_COLLECTION

    def validate_identifiers(self) -> None:
        """`ValueError` names what could not stand in a statement."""
        if self.schema_name:
            validate_safe_identifier(self.schema_name, field="observation table_name (schema)")
        if self.table_name:
            validate_safe_table_or_collection(self.table_name, field="observation table_name")
        if self.collection_name:
            validate_safe_table_or_collection(self.collection_name, field="observation collection_name")
        if self.field_mapping is not None:
            for name, column in asdict(self.field_mapping).items():
                if column is not None:
                    validate_safe_identifier(column, field=f"field_mapping.{name}")

    def to_json_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_json_dict(cls, raw: dict[str, Any] | None) -> Self | None:
        """Out of plain data; None out of nothing."""
        if not raw:
            return None
        columns = raw.get("field_mapping")
        mapping = None
        if columns:
            known = {field.name for field in fields(ObservationFieldMapping)}
            # What names its columns and leaves this one out has none.
            given = {"source_event_id": None, **{name: value for name, value in columns.items() if name in known}}
            mapping = ObservationFieldMapping(**given)
        return cls(raw.get("table_name"), raw.get("schema_name"), raw.get("collection_name"), mapping)
