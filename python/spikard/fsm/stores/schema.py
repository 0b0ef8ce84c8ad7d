"""The tables of stores in SQL, and how they come into being."""

from collections.abc import Mapping
from typing import Final

# What differs between databases is in braces. A migration that was published is never changed; a new one is added.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE {s}machines (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, description TEXT, strict_mode {bool},
            revision INTEGER NOT NULL DEFAULT 1, config_json {json} NOT NULL, fingerprint TEXT,
            status TEXT NOT NULL DEFAULT 'draft', created_at {time} NOT NULL, updated_at {time} NOT NULL,
            created_by TEXT, updated_by TEXT, UNIQUE (name, version))""",
        """CREATE TABLE {s}entity_states (
            id TEXT PRIMARY KEY, entity_id TEXT NOT NULL UNIQUE,
            machine_id TEXT REFERENCES {s}machines (id) ON DELETE SET NULL, machine_name TEXT, machine_version TEXT,
            current_state TEXT, is_terminal {bool}, workflow_status TEXT, context_json {json} NOT NULL DEFAULT '{{}}',
            version INTEGER NOT NULL DEFAULT 1, status TEXT NOT NULL DEFAULT 'active', deleted_at {time},
            archived_at {time}, labels_json {json}, created_at {time} NOT NULL, updated_at {time} NOT NULL,
            history_json {json} NOT NULL DEFAULT '{{}}', fingerprint TEXT, entered_at {time},
            event_seq BIGINT NOT NULL DEFAULT 0)""",
        "CREATE INDEX {i}entity_states_machine ON {s}entity_states (machine_name, current_state)",
        "CREATE INDEX {i}entity_states_status ON {s}entity_states (workflow_status, is_terminal)",
        """CREATE TABLE {s}transition_history (
            id TEXT PRIMARY KEY, entity_id TEXT NOT NULL, machine_name TEXT, source_state TEXT NOT NULL,
            target_state TEXT, "trigger" TEXT NOT NULL, success {bool} NOT NULL, error_type TEXT, error_message TEXT,
            actions_executed {json}, context_snapshot {json}, created_at {time} NOT NULL, duration_ms {real},
            seq BIGINT, event_id TEXT, machine_version TEXT, context_patch {json}, transition_id TEXT)""",
        "CREATE INDEX {i}transition_history_entity ON {s}transition_history (entity_id, id)",
        "CREATE INDEX {i}transition_history_machine ON {s}transition_history (machine_name, created_at)",
        """CREATE TABLE {s}event_log (
            id TEXT PRIMARY KEY, entity_id TEXT NOT NULL, machine_name TEXT, sequence BIGINT NOT NULL,
            "trigger" TEXT NOT NULL, payload_json {json}, event_id TEXT, source TEXT NOT NULL DEFAULT '',
            created_at {time} NOT NULL, UNIQUE (entity_id, sequence))""",
        """CREATE TABLE {s}fsm_outbox (
            id TEXT PRIMARY KEY, entity_id TEXT NOT NULL, transition_id TEXT NOT NULL, ordinal INTEGER NOT NULL,
            action_json {json} NOT NULL, status TEXT NOT NULL DEFAULT 'pending', attempt INTEGER NOT NULL DEFAULT 0,
            next_at {time}, lease_until {time}, result_json {json})""",
        "CREATE INDEX {i}fsm_outbox_entity ON {s}fsm_outbox (entity_id, id)",
        """CREATE TABLE {s}fsm_timers (
            entity_id TEXT NOT NULL, timer_key TEXT NOT NULL, machine_name TEXT, "trigger" TEXT NOT NULL,
            fires_at {time} NOT NULL, fingerprint TEXT, entity_version INTEGER, lease_until {time},
            PRIMARY KEY (entity_id, timer_key))""",
        "CREATE INDEX {i}fsm_timers_fires ON {s}fsm_timers (fires_at)",
        *(
            f"""CREATE TABLE {{s}}{name} (
            id TEXT PRIMARY KEY, machine_name TEXT NOT NULL, entity_id TEXT NOT NULL, {columns}
            status TEXT NOT NULL DEFAULT 'pending', fires_at {{time}} NOT NULL, claimed_by TEXT, claimed_at {{time}},
            attempt INTEGER NOT NULL DEFAULT 0, max_attempts INTEGER NOT NULL DEFAULT 5, error_message TEXT,
            idempotency_key TEXT UNIQUE, created_at {{time}} NOT NULL, completed_at {{time}}, result_json {{json}},
            transition_history_id TEXT, lease_until {{time}}, fence BIGINT NOT NULL DEFAULT 0,
            kind TEXT NOT NULL DEFAULT '{kind}', timer_key TEXT, shard INTEGER NOT NULL DEFAULT 0)"""
            for name, kind, columns in (
                ("worker_events", "event", '"trigger" TEXT NOT NULL, context_json {json},'),
                ("worker_apply_data_events", "apply_data", "data_json {json},"),
            )
        ),
        "CREATE INDEX {i}worker_events_due ON {s}worker_events (status, fires_at)",
        "CREATE INDEX {i}worker_events_entity ON {s}worker_events (machine_name, entity_id)",
        "CREATE INDEX {i}worker_apply_data_due ON {s}worker_apply_data_events (status, fires_at)",
        """CREATE TABLE {s}dead_letter_queue (
            record_id TEXT PRIMARY KEY, source_name TEXT NOT NULL, reason TEXT NOT NULL, error_message TEXT NOT NULL,
            error_type TEXT NOT NULL, stage TEXT NOT NULL, payload {json} NOT NULL, metadata {json} NOT NULL,
            attempt INTEGER NOT NULL, max_attempts INTEGER NOT NULL, status TEXT NOT NULL,
            retry_count INTEGER NOT NULL DEFAULT 0, created_at {time} NOT NULL, updated_at {time},
            expires_at {time})""",
        "CREATE INDEX {i}dead_letter_queue_status ON {s}dead_letter_queue (status, created_at)",
        "CREATE INDEX {i}dead_letter_queue_source ON {s}dead_letter_queue (source_name, reason)",
    ),
    (
        """CREATE TABLE {s}discovery_observations (
            id TEXT PRIMARY KEY, machine_name TEXT NOT NULL, entity_id TEXT NOT NULL, state TEXT NOT NULL,
            observed_at {time} NOT NULL, source TEXT NOT NULL, source_event_id TEXT, metadata_json {json} NOT NULL,
            ingested_at {time} NOT NULL, ingest_seq BIGINT NOT NULL DEFAULT 0)""",
        """CREATE UNIQUE INDEX {i}discovery_observations_identity ON {s}discovery_observations
            (machine_name, entity_id, state, observed_at, source, COALESCE(source_event_id, ''))""",
        "CREATE INDEX {i}discovery_observations_order ON {s}discovery_observations (entity_id, observed_at)",
        """CREATE TABLE {s}discovery_candidates (
            id TEXT PRIMARY KEY, machine_name TEXT NOT NULL, version TEXT NOT NULL, status TEXT NOT NULL,
            config_json {json} NOT NULL, created_at {time} NOT NULL, metadata_json {json} NOT NULL,
            candidate_sequence BIGINT NOT NULL, UNIQUE (machine_name, version))""",
        """CREATE TABLE {s}discovery_shadow_diffs (
            id TEXT PRIMARY KEY, machine_name TEXT NOT NULL, source_state TEXT NOT NULL, "trigger" TEXT NOT NULL,
            active_success {bool} NOT NULL, active_target_state TEXT, candidate_success {bool} NOT NULL,
            candidate_target_state TEXT, differs {bool} NOT NULL, reason TEXT, recorded_at {time} NOT NULL,
            metadata_json {json} NOT NULL)""",
        "CREATE INDEX {i}discovery_shadow_diffs_machine ON {s}discovery_shadow_diffs (machine_name, id)",
        """CREATE TABLE {s}discovery_drafts (
            id TEXT PRIMARY KEY, instance_id TEXT NOT NULL, machine_name TEXT NOT NULL, draft_json {json} NOT NULL,
            updated_at {time} NOT NULL)""",
    ),
    tuple(
        # Of an entity one event at most is held, whatever those who claim at once have read.
        f"CREATE UNIQUE INDEX {{i}}{name}_claimed ON {{s}}{name} (machine_name, entity_id) WHERE status = 'claimed'"
        for name in ("worker_events", "worker_apply_data_events")
    ),
    (
        *(
            f"ALTER TABLE {{s}}fsm_outbox ADD COLUMN {column}"
            for column in (
                "machine_name TEXT",
                "about_json {json}",
                "fence BIGINT NOT NULL DEFAULT 0",
                "error_message TEXT",
                "claimed_by TEXT",
                "created_at {time}",
            )
        ),
        # `next_at` says from when on somebody may do an action: after a lease, or a pause between two attempts.
        "CREATE INDEX {i}fsm_outbox_due ON {s}fsm_outbox (next_at, id) WHERE status = 'pending'",
        """CREATE TABLE {s}fsm_answers (
            event_key TEXT PRIMARY KEY, payload_json {json}, expires_at {time} NOT NULL)""",
        "CREATE INDEX {i}fsm_answers_expiry ON {s}fsm_answers (expires_at)",
        """CREATE TABLE {s}fsm_holds (
            entity_id TEXT PRIMARY KEY, holder TEXT NOT NULL, held_until {time} NOT NULL)""",
        *(
            f"CREATE INDEX {{i}}{name}_next ON {{s}}{name} (fires_at, id) WHERE status = 'pending'"
            for name in ("worker_events", "worker_apply_data_events")
        ),
    ),
    (
        *(
            f"ALTER TABLE {{s}}fsm_timers ADD COLUMN {column}"
            for column in (
                "task_id TEXT",
                "entered_at {time}",
                "delay_ms BIGINT",
                "payload_json {json}",
                "metadata_json {json}",
                "scheduled_at {time}",
                "fired_at {time}",
                "status TEXT NOT NULL DEFAULT 'pending'",
                "claimed_by TEXT",
                "fence BIGINT NOT NULL DEFAULT 0",
                "attempt INTEGER NOT NULL DEFAULT 0",
                "error_message TEXT",
                "owner TEXT",
            )
        ),
        "CREATE UNIQUE INDEX {i}fsm_timers_task ON {s}fsm_timers (task_id)",
        "CREATE INDEX {i}fsm_timers_due ON {s}fsm_timers (status, fires_at)",
        "CREATE TABLE {s}fsm_timer_watch (name TEXT PRIMARY KEY, last_seen {time} NOT NULL)",
    ),
)
VERSIONS = "CREATE TABLE IF NOT EXISTS {s}schema_versions (version INTEGER PRIMARY KEY)"

UNINITIALISED = (
    "Database schema is not initialized. Run 'spikard fsm db init' first, or pass auto_initialize=True. "
    "Missing: migrations {first} to {last} of the state machines' tables."
)


def statements(migration: int, words: Mapping[str, str]) -> list[str]:
    """The statements of a migration, counted from one, in the words of a database."""
    return [statement.format(**words) for statement in MIGRATIONS[migration - 1]]
