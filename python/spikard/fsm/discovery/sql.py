"""Discoveries in SQL, whatever the database: statements go to the store of entities, which knows how to run them."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Self

import msgspec

from spikard.fsm.discovery.candidate import BuiltByDraftAggregate, BuiltDiscoveryCandidate
from spikard.fsm.discovery.draft import DiscoveryDraft, DiscoveryDraftFilter
from spikard.fsm.discovery.observation import ObservationIdentity, newest_first, normalized, to_utc
from spikard.fsm.discovery.observation_source import ObservationFieldMapping, ObservationSourceConfig
from spikard.fsm.discovery.protocol import RECENT_DIFFS, RESOLVE_LIMIT
from spikard.fsm.discovery.shadow import ShadowDiff
from spikard.fsm.discovery.summary import built_by_draft, fleet_summary
from spikard.fsm.event import new_id
from spikard.fsm.observed_state_event import ObservedStateEvent
from spikard.fsm.stores.sql import SqlStateStore
from spikard.fsm.stores.work import Mode, Row, Work

Values = tuple[Any, ...]

_SEEN = "entity_id, machine_name, state, observed_at, source, source_event_id, metadata_json, ingested_at, ingest_seq"
_OLDEST_FIRST = "entity_id, observed_at, ingest_seq, ingested_at"
_NEWEST_FIRST = "observed_at DESC, ingest_seq DESC, ingested_at DESC"
_BUILT = "machine_name, version, status, config_json, created_at, metadata_json, candidate_sequence"
_DIFF = (
    'machine_name, source_state, "trigger", active_success, active_target_state, candidate_success, '
    "candidate_target_state, differs, reason, recorded_at, metadata_json"
)
_IDENTITY = (
    "machine_name = ? AND entity_id = ? AND state = ? AND observed_at = ? AND source = ? "
    "AND COALESCE(source_event_id, '') = ?"
)


class SqlDiscoveryStore:
    """Keeps observations, candidates, comparisons and drafts in a database. Any thread may call."""

    def __init__(self, database: SqlStateStore) -> None:
        self._database = database

    def connect(self) -> None:
        """Open the database, making its tables where they are missing."""
        self._database.connect(auto_initialize=True)

    def disconnect(self) -> None:
        """Close all connections."""
        self._database.disconnect()

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()

    # Observations

    def add_observation(self, event: ObservedStateEvent) -> bool:
        """Keep an observation; False where it was kept before."""
        kept = normalized(event)
        values = (
            new_id(),
            kept.entity_id,
            kept.machine_name,
            kept.state,
            self._time(kept.observed_at),
            kept.source,
            kept.source_event_id,
            _encoded(kept.metadata),
            self._time(kept.ingested_at),
            kept.ingest_seq,
        )
        statement = (
            f"INSERT INTO {{s}}discovery_observations (id, {_SEEN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?j, ?, ?) "
            "ON CONFLICT DO NOTHING RETURNING id"
        )
        return bool(self._write(statement, *values))

    def list_observations(self, machine_name: str, entity_id: str | None = None) -> list[ObservedStateEvent]:
        """Observations by entity, each entity's from the oldest on."""
        return self._observations(*_of_machine(machine_name, entity_id), f"ORDER BY {_OLDEST_FIRST}")

    def list_observations_page(
        self, machine_name: str, *, limit: int = 50, offset: int = 0, entity_id: str | None = None
    ) -> tuple[list[ObservedStateEvent], int]:
        """Some of the observations, newest first, and how many there are."""
        where, values = _of_machine(machine_name, entity_id)
        page = self._observations(where, values, f"ORDER BY {_NEWEST_FIRST} {_window(limit, offset)}")
        return page, self._count(where, values)

    def count_observations(self, machine_name: str, entity_id: str | None = None) -> int:
        """How many observations there are."""
        return self._count(*_of_machine(machine_name, entity_id))

    def list_entity_ids(self, machine_name: str) -> list[str]:
        """Entities that were seen."""
        return self._names("entity_id", "WHERE machine_name = ?", machine_name)

    def delete_observations_for_entity(self, machine_name: str, entity_id: str) -> int:
        """Forget an entity; the number of its observations."""
        where = "machine_name = ? AND entity_id = ?"
        statement = f"DELETE FROM {{s}}discovery_observations WHERE {where} RETURNING id"
        return len(self._write(statement, machine_name, entity_id))

    def delete_observation(self, machine_name: str, identity: ObservationIdentity) -> bool:
        """Forget one observation; False where there is none such."""
        moment = self._time(to_utc(identity.observed_at))
        values = (machine_name, identity.entity_id, identity.state, moment, identity.source)
        statement = f"DELETE FROM {{s}}discovery_observations WHERE {_IDENTITY} RETURNING id"
        return bool(self._write(statement, *values, identity.source_event_id or ""))

    def resolve_observations(
        self,
        filter: DiscoveryDraftFilter,  # noqa: A002 - the name that callers give
        *,
        observation_source: ObservationSourceConfig | None = None,
        limit: int = RESOLVE_LIMIT,
    ) -> tuple[list[ObservedStateEvent], bool]:
        """Observations that match, of all machines, and whether there are more; of another table if one is given."""
        # What metadata must say is looked at here, so no row may be left out before.
        window = "" if filter.metadata_match else f" LIMIT {int(limit) + 1}"
        found = self._matching(filter, observation_source, f"ORDER BY {_OLDEST_FIRST}{window}")
        return found[:limit], len(found) > limit

    def list_observations_for_draft_scope(
        self,
        filter: DiscoveryDraftFilter,  # noqa: A002 - the name that callers give
        *,
        observation_source: ObservationSourceConfig | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[list[ObservedStateEvent], int]:
        """Some of the observations that match, newest first, and how many there are."""
        found = newest_first(self._matching(filter, observation_source, f"ORDER BY {_OLDEST_FIRST}"))
        start = max(0, offset)
        return found[start : start + max(1, limit)], len(found)

    def list_all_channels(self) -> list[str]:
        """Machines that were seen."""
        return self._names("machine_name")

    def list_all_sources(self) -> list[str]:
        """Who saw anything."""
        return self._names("source")

    def _matching(
        self, scope: DiscoveryDraftFilter, source: ObservationSourceConfig | None, tail: str
    ) -> list[ObservedStateEvent]:
        found = self._observations(*self._conditions(scope), tail, source)
        return [event for event in found if scope.matches_metadata(event.metadata)]

    def _conditions(self, scope: DiscoveryDraftFilter) -> tuple[str, Values]:
        parts = ["1 = 1"]
        values: list[Any] = []
        lists = (("machine_name", scope.channels), ("entity_id", scope.entity_ids), ("source", scope.sources))
        for column, allowed in lists:
            if allowed is not None:
                parts.append(f"{column} IN ({', '.join('?' * len(allowed))})" if allowed else "1 = 0")
                values += allowed
        for comparison, moment in ((">=", scope.observed_after), ("<=", scope.observed_before)):
            if moment is not None:
                parts.append(f"observed_at {comparison} ?")
                values.append(self._time(to_utc(moment)))
        return " AND ".join(parts), tuple(values)

    def _observations(
        self, where: str, values: Values, tail: str, source: ObservationSourceConfig | None = None
    ) -> list[ObservedStateEvent]:
        table = "{s}discovery_observations" if source is None or not source.is_foreign else _foreign(source)
        rows = self._read(f"SELECT {_SEEN} FROM {table} WHERE {where} {tail}", *values)
        return [_observation(row) for row in rows]

    def _count(self, where: str, values: Values) -> int:
        rows = self._read(f"SELECT COUNT(*) FROM {{s}}discovery_observations WHERE {where}", *values)
        return int(rows[0][0])

    def _names(self, column: str, where: str = "", *values: Any) -> list[str]:
        statement = f"SELECT DISTINCT {column} FROM {{s}}discovery_observations {where}"
        return sorted(row[0] for row in self._read(statement, *values))

    # Candidates

    def save_built_candidate(self, candidate: BuiltDiscoveryCandidate) -> BuiltDiscoveryCandidate:
        """Keep a candidate, in place of one with its name and version; the candidate with its number."""
        values = (
            candidate.machine_name,
            candidate.version,
            candidate.status,
            _encoded(candidate.config),
            self._time(to_utc(candidate.created_at)),
            _encoded(candidate.metadata),
        )
        statement = (
            f"INSERT INTO {{s}}discovery_candidates (id, {_BUILT}) SELECT ?, ?, ?, ?, ?j, ?, ?j, "
            "COALESCE(MAX(candidate_sequence), 0) + 1 FROM {s}discovery_candidates WHERE machine_name = ? "
            "ON CONFLICT (machine_name, version) DO UPDATE SET status = excluded.status, "
            "config_json = excluded.config_json, created_at = excluded.created_at, "
            "metadata_json = excluded.metadata_json RETURNING candidate_sequence"
        )
        rows = self._write(statement, new_id(), *values, candidate.machine_name)
        return replace(candidate, candidate_sequence=rows[0][0])

    def get_built_candidate(self, machine_name: str, version: str) -> BuiltDiscoveryCandidate | None:
        """One candidate."""
        return next(iter(self._built("machine_name = ? AND version = ?", machine_name, version)), None)

    def get_latest_built_candidate(self, machine_name: str) -> BuiltDiscoveryCandidate | None:
        """The candidate with the highest number."""
        return next(reversed(self.list_built_candidates(machine_name)), None)

    def list_built_candidates(self, machine_name: str) -> list[BuiltDiscoveryCandidate]:
        """Candidates in the order of their numbers."""
        return self._built("machine_name = ?", machine_name)

    def delete_built_candidate(self, machine_name: str, version: str) -> bool:
        """Forget a candidate; False where there is none such."""
        statement = "DELETE FROM {s}discovery_candidates WHERE machine_name = ? AND version = ? RETURNING id"
        return bool(self._write(statement, machine_name, version))

    def count_built_candidates_by_draft(self, draft_ids: list[str]) -> dict[str, BuiltByDraftAggregate]:
        """What was built of drafts; drafts that nothing was built of are left out."""
        return built_by_draft(draft_ids, self._built("1 = 1"))

    def _built(self, where: str, *values: Any) -> list[BuiltDiscoveryCandidate]:
        statement = f"SELECT {_BUILT} FROM {{s}}discovery_candidates WHERE {where} ORDER BY candidate_sequence"
        return [_candidate(row) for row in self._read(statement, *values)]

    # Comparisons

    def record_shadow_diff(self, diff: ShadowDiff) -> None:
        """Keep a comparison."""
        values = asdict(diff)
        metadata = values.pop("metadata")
        recorded_at = self._time(to_utc(values.pop("recorded_at")))
        statement = f"INSERT INTO {{s}}discovery_shadow_diffs (id, {_DIFF}) VALUES (?, {'?, ' * 9}?, ?j)"
        self._write(statement, new_id(), *values.values(), recorded_at, _encoded(metadata))

    def list_shadow_diffs(self, machine_name: str, limit: int = 100) -> list[ShadowDiff]:
        """The last comparisons, oldest first."""
        statement = (
            f"SELECT {_DIFF} FROM {{s}}discovery_shadow_diffs WHERE machine_name = ? "
            f"ORDER BY recorded_at DESC, id DESC LIMIT {max(0, int(limit))}"
        )
        return [_diff(row) for row in reversed(self._read(statement, machine_name))]

    # Drafts

    def save_draft(self, draft: DiscoveryDraft) -> DiscoveryDraft:
        """Keep a draft, in place of one with its id."""
        body, moment = _encoded(_draft_body(draft)), self._time(to_utc(draft.updated_at))
        statement = (
            "INSERT INTO {s}discovery_drafts (id, instance_id, machine_name, draft_json, updated_at) "
            "VALUES (?, ?, ?, ?j, ?) ON CONFLICT (id) DO UPDATE SET instance_id = excluded.instance_id, "
            "machine_name = excluded.machine_name, draft_json = excluded.draft_json, updated_at = excluded.updated_at"
        )
        self._write(statement, draft.id, draft.instance_id, draft.machine_name, body, moment)
        return draft

    def get_draft(self, draft_id: str) -> DiscoveryDraft | None:
        """One draft."""
        rows = self._read("SELECT draft_json FROM {s}discovery_drafts WHERE id = ?", draft_id)
        return _draft(rows[0][0]) if rows else None

    def list_all_drafts(self) -> list[DiscoveryDraft]:
        """All drafts, those changed last first."""
        rows = self._read("SELECT draft_json FROM {s}discovery_drafts ORDER BY updated_at DESC")
        return [_draft(row[0]) for row in rows]

    def delete_draft(self, draft_id: str) -> bool:
        """Forget a draft; False where there is none such."""
        return bool(self._write("DELETE FROM {s}discovery_drafts WHERE id = ? RETURNING id", draft_id))

    # All of it

    def list_fleet_summaries(self) -> list[dict[str, Any]]:
        """A row for each machine: what was seen and built of it, and how often the last comparisons differed."""
        tables = ("observations", "candidates", "shadow_diffs")
        rows = self._read(" UNION ".join(f"SELECT machine_name FROM {{s}}discovery_{table}" for table in tables))
        return [
            fleet_summary(
                name,
                self.list_observations_page(name, limit=1),
                self.list_built_candidates(name),
                self.list_shadow_diffs(name, RECENT_DIFFS),
            )
            for name in sorted(row[0] for row in rows)
        ]

    def _read(self, statement: str, *values: Any) -> list[Row]:
        return self._run("read", statement, values)

    def _write(self, statement: str, *values: Any) -> list[Row]:
        return self._run("write", statement, values)

    def _run(self, mode: Mode, statement: str, values: Values) -> list[Row]:
        def work() -> Work:
            rows = yield statement, values
            return rows

        rows: list[Row] = self._database._run(mode, work)
        return rows

    def _time(self, moment: datetime) -> Any:
        return self._database._time(moment)


def _of_machine(machine_name: str, entity_id: str | None) -> tuple[str, Values]:
    if entity_id is None:
        return "machine_name = ?", (machine_name,)
    return "machine_name = ? AND entity_id = ?", (machine_name, entity_id)


def _window(limit: int, offset: int) -> str:
    return f"LIMIT {max(1, int(limit))} OFFSET {max(0, int(offset))}"


def _foreign(source: ObservationSourceConfig) -> str:
    """A table of somebody else, with its columns under our names."""
    source.validate_identifiers()
    columns = asdict(source.field_mapping or ObservationFieldMapping())
    metadata = columns.pop("metadata")
    named = [f"{column or 'NULL'} AS {name}" for name, column in columns.items()]
    named += [f"{metadata or 'NULL'} AS metadata_json", f"{columns['observed_at']} AS ingested_at", "0 AS ingest_seq"]
    return f"(SELECT {', '.join(named)} FROM {source.effective_table_name()}) AS observed"


def _observation(row: Row) -> ObservedStateEvent:
    entity_id, machine_name, state, observed_at, source, event_id, metadata, ingested_at, ingest_seq = row
    return ObservedStateEvent(
        str(entity_id),
        machine_name,
        state,
        _moment(observed_at),
        source or "unknown",
        None if event_id is None else str(event_id),
        _decoded(metadata) or {},
        _moment(ingested_at),
        ingest_seq,
    )


def _candidate(row: Row) -> BuiltDiscoveryCandidate:
    name, version, status, config, created_at, metadata, sequence = row
    return BuiltDiscoveryCandidate(
        name, version, status, _decoded(config), _moment(created_at), _decoded(metadata), sequence
    )


def _diff(row: Row) -> ShadowDiff:
    name, state, trigger, active, active_target, candidate, target, differs, reason, recorded_at, metadata = row
    return ShadowDiff(
        name,
        state,
        trigger,
        bool(active),
        active_target,
        bool(candidate),
        target,
        bool(differs),
        reason,
        _moment(recorded_at),
        _decoded(metadata),
    )


def _draft_body(draft: DiscoveryDraft) -> dict[str, Any]:
    return {
        **{name: getattr(draft, name) for name in draft.__dataclass_fields__},
        "filter": None if draft.filter is None else asdict(draft.filter),
        "observation_source": None if draft.observation_source is None else draft.observation_source.to_json_dict(),
    }


def _draft(body: Any) -> DiscoveryDraft:
    return msgspec.convert(_decoded(body), DiscoveryDraft)


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _decoded(value: Any) -> Any:
    return msgspec.json.decode(value) if isinstance(value, (str, bytes)) else value


def _moment(value: Any) -> datetime:
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, UTC)
    return to_utc(value if isinstance(value, datetime) else datetime.fromisoformat(value))
