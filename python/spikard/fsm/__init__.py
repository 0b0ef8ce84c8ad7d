"""State machines: definitions, plans of transitions, and whatever carries them out.

Names are imported when they are first used, so that a program loads what it needs and nothing else.
"""

import sys
from typing import TYPE_CHECKING

from spikard.fsm.former_paths import FormerPaths, former_module, front_of
from spikard.late_names import late_names

if TYPE_CHECKING:
    from spikard.fsm.action_executor import ActionExecutor as ActionExecutor
    from spikard.fsm.action_registry import ActionRegistry as ActionRegistry
    from spikard.fsm.action_result import ActionResult as ActionResult
    from spikard.fsm.action_result import ActionStatus as ActionStatus
    from spikard.fsm.action_result import action_results_to_payload as action_results_to_payload
    from spikard.fsm.action_spec import EFFECT_TYPES as EFFECT_TYPES
    from spikard.fsm.action_spec import ActionSpec as ActionSpec
    from spikard.fsm.action_steps import MAX_BRANCH_DEPTH as MAX_BRANCH_DEPTH
    from spikard.fsm.analysis import LintSeverity as LintSeverity
    from spikard.fsm.analysis import LintWarning as LintWarning
    from spikard.fsm.analysis import lint as lint
    from spikard.fsm.builtin_actions import copy_key as copy_key
    from spikard.fsm.builtin_actions import snapshot as snapshot
    from spikard.fsm.builtin_actions import validate_keys as validate_keys
    from spikard.fsm.builtin_actions import write_local_file as write_local_file
    from spikard.fsm.builtins import builtin_registries as builtin_registries
    from spikard.fsm.builtins import get_builtin_catalog as get_builtin_catalog
    from spikard.fsm.builtins import register_builtins as register_builtins
    from spikard.fsm.catalog.entry import CatalogEntry as CatalogEntry
    from spikard.fsm.catalog.entry_point import resolve_entry_point as resolve_entry_point
    from spikard.fsm.catalog.from_store import build_machine_from_store as build_machine_from_store
    from spikard.fsm.catalog.machine_catalog import MachineCatalog as MachineCatalog
    from spikard.fsm.catalog.machine_errors import MachineCatalogError as MachineCatalogError
    from spikard.fsm.catalog.machine_errors import MachineConflict as MachineConflict
    from spikard.fsm.catalog.machine_errors import MachineInvalidIdentifier as MachineInvalidIdentifier
    from spikard.fsm.catalog.machine_errors import MachineRecordNotFound as MachineRecordNotFound
    from spikard.fsm.catalog.machine_errors import MachineRevisionConflict as MachineRevisionConflict
    from spikard.fsm.catalog.machine_record import MachineCompatibilityIssue as MachineCompatibilityIssue
    from spikard.fsm.catalog.machine_record import MachineCompatibilityReport as MachineCompatibilityReport
    from spikard.fsm.catalog.machine_record import MachineRecord as MachineRecord
    from spikard.fsm.catalog.manifest import catalog_entries_to_yaml_text as catalog_entries_to_yaml_text
    from spikard.fsm.catalog.manifest import load_manifest_path as load_manifest_path
    from spikard.fsm.catalog.manifest import parse_manifest_yaml_text as parse_manifest_yaml_text
    from spikard.fsm.catalog.registration import apply_catalog_entries as apply_catalog_entries
    from spikard.fsm.change_bus import ChangeBus as ChangeBus
    from spikard.fsm.change_bus import ChangeEvent as ChangeEvent
    from spikard.fsm.charts.session import ChartSession as ChartSession
    from spikard.fsm.charts.statechart import Statechart as Statechart
    from spikard.fsm.check_spec import CHECK_OPS as CHECK_OPS
    from spikard.fsm.check_spec import CheckSpec as CheckSpec
    from spikard.fsm.checks import evaluate_check as evaluate_check
    from spikard.fsm.checks import evaluate_when_check as evaluate_when_check
    from spikard.fsm.classification import ClassificationResult as ClassificationResult
    from spikard.fsm.classification import ClassificationRuleSet as ClassificationRuleSet
    from spikard.fsm.classification import DataIngester as DataIngester
    from spikard.fsm.classification import IngestionResult as IngestionResult
    from spikard.fsm.classification import StateClassifier as StateClassifier
    from spikard.fsm.clock import Clock as Clock
    from spikard.fsm.clock import FsmClock as FsmClock
    from spikard.fsm.clock import SimulatedClock as SimulatedClock
    from spikard.fsm.code_actions import execute_code_action as execute_code_action
    from spikard.fsm.compatibility import CompatibilityReport as CompatibilityReport
    from spikard.fsm.compatibility import MachineChange as MachineChange
    from spikard.fsm.compatibility import compare_machines as compare_machines
    from spikard.fsm.config_code import ConfigCode as ConfigCode
    from spikard.fsm.config_issue import ConfigIssue as ConfigIssue
    from spikard.fsm.config_loader import ConfigLoader as ConfigLoader
    from spikard.fsm.config_loader import load_config as load_config
    from spikard.fsm.config_validator import ConfigValidator as ConfigValidator
    from spikard.fsm.config_validator import check_config as check_config
    from spikard.fsm.config_validator import validate_config as validate_config
    from spikard.fsm.config_validator import validate_machine_config as validate_machine_config
    from spikard.fsm.dead_letters.client import DLQClient as DLQClient
    from spikard.fsm.dead_letters.database import DatabaseDeadLetterStore as DatabaseDeadLetterStore
    from spikard.fsm.dead_letters.errors import ConfigError as ConfigError
    from spikard.fsm.dead_letters.errors import DLQError as DLQError
    from spikard.fsm.dead_letters.errors import RecordNotFoundError as RecordNotFoundError
    from spikard.fsm.dead_letters.errors import StoreError as StoreError
    from spikard.fsm.dead_letters.file import FileDeadLetterStore as FileDeadLetterStore
    from spikard.fsm.dead_letters.memory import InMemoryDeadLetterStore as InMemoryDeadLetterStore
    from spikard.fsm.dead_letters.protocol import DeadLetterStore as DeadLetterStore
    from spikard.fsm.dead_letters.protocol import RetryHandler as RetryHandler
    from spikard.fsm.dead_letters.record import OUTBOX_DLQ_STAGE as OUTBOX_DLQ_STAGE
    from spikard.fsm.dead_letters.record import DeadLetterRecord as DeadLetterRecord
    from spikard.fsm.dead_letters.record import DLQReason as DLQReason
    from spikard.fsm.dead_letters.record import DLQStatistics as DLQStatistics
    from spikard.fsm.dead_letters.record import DLQStatus as DLQStatus
    from spikard.fsm.dead_letters.record import QueryResult as QueryResult
    from spikard.fsm.dead_letters.retry_engine import RetryEngine as RetryEngine
    from spikard.fsm.dead_letters.retry_engine import RetryResult as RetryResult
    from spikard.fsm.dead_letters.settings import DLQConfig as DLQConfig
    from spikard.fsm.dead_letters.settings import RetentionConfig as RetentionConfig
    from spikard.fsm.dead_letters.settings import RetryConfig as RetryConfig
    from spikard.fsm.dead_letters.settings import create_store as create_store
    from spikard.fsm.dead_letters.synchronous import SyncDeadLetterStore as SyncDeadLetterStore
    from spikard.fsm.dead_letters.ttl_cleaner import CleanupResult as CleanupResult
    from spikard.fsm.dead_letters.ttl_cleaner import RetentionPolicy as RetentionPolicy
    from spikard.fsm.dead_letters.ttl_cleaner import TTLCleaner as TTLCleaner
    from spikard.fsm.delays import parse_delay as parse_delay
    from spikard.fsm.delivery import idempotency_key as idempotency_key
    from spikard.fsm.destination_candidate import DestinationCandidate as DestinationCandidate
    from spikard.fsm.destination_check_result import DestinationCheckResult as DestinationCheckResult
    from spikard.fsm.discovery.candidate import BuiltByDraftAggregate as BuiltByDraftAggregate
    from spikard.fsm.discovery.candidate import BuiltDiscoveryCandidate as BuiltDiscoveryCandidate
    from spikard.fsm.discovery.candidate import candidate_to_dot as candidate_to_dot
    from spikard.fsm.discovery.candidate import candidate_to_mermaid as candidate_to_mermaid
    from spikard.fsm.discovery.client import DiscoveryClient as DiscoveryClient
    from spikard.fsm.discovery.draft import DEFAULT_DISCOVERY_INSTANCE_ID as DEFAULT_DISCOVERY_INSTANCE_ID
    from spikard.fsm.discovery.draft import DiscoveryDraft as DiscoveryDraft
    from spikard.fsm.discovery.draft import DiscoveryDraftFilter as DiscoveryDraftFilter
    from spikard.fsm.discovery.edge import InferredEdge as InferredEdge
    from spikard.fsm.discovery.engine import InferenceEngine as InferenceEngine
    from spikard.fsm.discovery.engine import InferenceThresholds as InferenceThresholds
    from spikard.fsm.discovery.factory import create_discovery_store as create_discovery_store
    from spikard.fsm.discovery.memory import InMemoryDiscoveryStore as InMemoryDiscoveryStore
    from spikard.fsm.discovery.mongodb import MongoDBDiscoveryStore as MongoDBDiscoveryStore
    from spikard.fsm.discovery.observation import ObservationIdentity as ObservationIdentity
    from spikard.fsm.discovery.observation import observation_identity_from_event as observation_identity_from_event
    from spikard.fsm.discovery.observation_source import DEFAULT_OBSERVATION_TABLE as DEFAULT_OBSERVATION_TABLE
    from spikard.fsm.discovery.observation_source import ObservationFieldMapping as ObservationFieldMapping
    from spikard.fsm.discovery.observation_source import ObservationSourceConfig as ObservationSourceConfig
    from spikard.fsm.discovery.postgres import PostgresDiscoveryStore as PostgresDiscoveryStore
    from spikard.fsm.discovery.protocol import BuiltDiscoveryCandidateStore as BuiltDiscoveryCandidateStore
    from spikard.fsm.discovery.protocol import DraftStore as DraftStore
    from spikard.fsm.discovery.protocol import ObservationStore as ObservationStore
    from spikard.fsm.discovery.protocol import ShadowResultStore as ShadowResultStore
    from spikard.fsm.discovery.redis import RedisDiscoveryStore as RedisDiscoveryStore
    from spikard.fsm.discovery.shadow import ShadowDiff as ShadowDiff
    from spikard.fsm.discovery.sqlite import SQLiteDiscoveryStore as SQLiteDiscoveryStore
    from spikard.fsm.dotted_name import import_dotted as import_dotted
    from spikard.fsm.drawing import get_statistics as get_statistics
    from spikard.fsm.drawing import to_asl as to_asl
    from spikard.fsm.drawing import to_dot as to_dot
    from spikard.fsm.drawing import to_mermaid as to_mermaid
    from spikard.fsm.drawing import to_mermaid_flowchart as to_mermaid_flowchart
    from spikard.fsm.drawing import to_plantuml as to_plantuml
    from spikard.fsm.drawing import to_scxml as to_scxml
    from spikard.fsm.drawing import to_svg as to_svg
    from spikard.fsm.drawing import to_xstate as to_xstate
    from spikard.fsm.effects import apply_effect as apply_effect
    from spikard.fsm.entity_migration.migrator import EntityMigrator as EntityMigrator
    from spikard.fsm.entity_migration.outcome import MigrationOutcome as MigrationOutcome
    from spikard.fsm.entity_migration.outcome import MigrationRefusedError as MigrationRefusedError
    from spikard.fsm.entity_migration.outcome import MigrationReport as MigrationReport
    from spikard.fsm.entity_migration.rule import MigrationRule as MigrationRule
    from spikard.fsm.entity_migration.rule import read_migrations as read_migrations
    from spikard.fsm.entity_session import EntitySession as EntitySession
    from spikard.fsm.errors import ActionNotFoundError as ActionNotFoundError
    from spikard.fsm.errors import ConfigurationError as ConfigurationError
    from spikard.fsm.errors import EntityBusyError as EntityBusyError
    from spikard.fsm.errors import ErrorCode as ErrorCode
    from spikard.fsm.errors import ErrorPolicy as ErrorPolicy
    from spikard.fsm.errors import EventAnsweredError as EventAnsweredError
    from spikard.fsm.errors import EventInProgressError as EventInProgressError
    from spikard.fsm.errors import FSMError as FSMError
    from spikard.fsm.errors import GuardExecutionError as GuardExecutionError
    from spikard.fsm.errors import GuardNotFoundError as GuardNotFoundError
    from spikard.fsm.errors import GuardRejectedError as GuardRejectedError
    from spikard.fsm.errors import InvalidTransitionError as InvalidTransitionError
    from spikard.fsm.errors import LeaseLostError as LeaseLostError
    from spikard.fsm.errors import MachineVersionMismatch as MachineVersionMismatch
    from spikard.fsm.errors import ReplayDivergence as ReplayDivergence
    from spikard.fsm.errors import StaleVersionError as StaleVersionError
    from spikard.fsm.errors import TerminalStateError as TerminalStateError
    from spikard.fsm.errors import TimeoutExpiredError as TimeoutExpiredError
    from spikard.fsm.errors import UndefinedStateError as UndefinedStateError
    from spikard.fsm.errors import UndefinedTriggerError as UndefinedTriggerError
    from spikard.fsm.errors import is_transient_error as is_transient_error
    from spikard.fsm.event import Event as Event
    from spikard.fsm.event_recorder import EventRecorder as EventRecorder
    from spikard.fsm.execution_result import ExecutionMode as ExecutionMode
    from spikard.fsm.execution_result import ExecutionResult as ExecutionResult
    from spikard.fsm.expression_errors import ExprAttributeError as ExprAttributeError
    from spikard.fsm.expression_errors import ExprError as ExprError
    from spikard.fsm.expression_errors import ExprLimitError as ExprLimitError
    from spikard.fsm.expression_errors import ExprNameError as ExprNameError
    from spikard.fsm.expression_errors import ExprRefusedError as ExprRefusedError
    from spikard.fsm.expression_errors import ExprSyntaxError as ExprSyntaxError
    from spikard.fsm.expressions import Expression as Expression
    from spikard.fsm.expressions import evaluate_bool_expr as evaluate_bool_expr
    from spikard.fsm.expressions import evaluate_expr as evaluate_expr
    from spikard.fsm.features import get_allow_catalog_code as get_allow_catalog_code
    from spikard.fsm.features import get_allow_catalog_code_source as get_allow_catalog_code_source
    from spikard.fsm.features import get_allow_inline_code_actions as get_allow_inline_code_actions
    from spikard.fsm.features import get_allow_inline_code_actions_source as get_allow_inline_code_actions_source
    from spikard.fsm.features import get_allow_inline_code_imports as get_allow_inline_code_imports
    from spikard.fsm.features import get_allow_inline_code_imports_source as get_allow_inline_code_imports_source
    from spikard.fsm.features import get_code_isolation as get_code_isolation
    from spikard.fsm.guard_factories import all_of as all_of
    from spikard.fsm.guard_factories import any_of as any_of
    from spikard.fsm.guard_factories import equals as equals
    from spikard.fsm.guard_factories import greater_than as greater_than
    from spikard.fsm.guard_factories import in_list as in_list
    from spikard.fsm.guard_factories import negate as negate
    from spikard.fsm.guard_registry import GuardRegistry as GuardRegistry
    from spikard.fsm.guard_result import GuardResult as GuardResult
    from spikard.fsm.guard_spec import GuardSpec as GuardSpec
    from spikard.fsm.history_type import HistoryType as HistoryType
    from spikard.fsm.history_type import parse_history_dest as parse_history_dest
    from spikard.fsm.hooks.dwell import DwellTimeTracker as DwellTimeTracker
    from spikard.fsm.hooks.logging import LoggingHook as LoggingHook
    from spikard.fsm.hooks.logging import StructuredLoggingHook as StructuredLoggingHook
    from spikard.fsm.hooks.metrics import MetricsCollector as MetricsCollector
    from spikard.fsm.hooks.observer import TransitionObserver as TransitionObserver
    from spikard.fsm.hooks.prometheus import PrometheusHook as PrometheusHook
    from spikard.fsm.hooks.protocol import TransitionHook as TransitionHook
    from spikard.fsm.hooks.tracing import OpenTelemetryHook as OpenTelemetryHook
    from spikard.fsm.hooks.webhook import WebhookHook as WebhookHook
    from spikard.fsm.http_actions import HttpActionConfig as HttpActionConfig
    from spikard.fsm.http_actions import async_execute_http_action as async_execute_http_action
    from spikard.fsm.http_actions import execute_http_action as execute_http_action
    from spikard.fsm.invoke_spec import InvokeSpec as InvokeSpec
    from spikard.fsm.machine_definition import MachineDefinition as MachineDefinition
    from spikard.fsm.machine_definition import MachineNotFoundError as MachineNotFoundError
    from spikard.fsm.machine_definition import build_machine as build_machine
    from spikard.fsm.machine_definition import parse_machine as parse_machine
    from spikard.fsm.machine_definition import parse_machine_file as parse_machine_file
    from spikard.fsm.machine_stores.client import MachineStoreClient as MachineStoreClient
    from spikard.fsm.machine_stores.database import SQLAlchemyMachineStore as SQLAlchemyMachineStore
    from spikard.fsm.machine_stores.memory import InMemoryMachineStore as InMemoryMachineStore
    from spikard.fsm.names import is_valid_entity_id as is_valid_entity_id
    from spikard.fsm.names import is_valid_name as is_valid_name
    from spikard.fsm.names import normalize_entity_id as normalize_entity_id
    from spikard.fsm.names import normalize_name as normalize_name
    from spikard.fsm.names import validate_discovery_namespace as validate_discovery_namespace
    from spikard.fsm.names import validate_discovery_slug as validate_discovery_slug
    from spikard.fsm.names import validate_entity_id as validate_entity_id
    from spikard.fsm.names import validate_name as validate_name
    from spikard.fsm.names import validate_namespace as validate_namespace
    from spikard.fsm.observed_state_event import ObservedStateEvent as ObservedStateEvent
    from spikard.fsm.orchestration.fallback import enrich_hint_result as enrich_hint_result
    from spikard.fsm.orchestration.fallback import is_allowlisted_failure as is_allowlisted_failure
    from spikard.fsm.orchestration.fallback import parallel_fallback_eligible as parallel_fallback_eligible
    from spikard.fsm.orchestration.fallback import parse_mode as parse_mode
    from spikard.fsm.orchestration.fallback import scalar_fallback_eligible as scalar_fallback_eligible
    from spikard.fsm.orchestration.idempotency import IdempotencyStore as IdempotencyStore
    from spikard.fsm.orchestration.idempotency import InMemoryIdempotencyStore as InMemoryIdempotencyStore
    from spikard.fsm.orchestration.invoke import InvokeAdapter as InvokeAdapter
    from spikard.fsm.orchestration.orchestrator import ContextValidatorFn as ContextValidatorFn
    from spikard.fsm.orchestration.orchestrator import Orchestrator as Orchestrator
    from spikard.fsm.orchestration.outbox_drainer import DrainResult as DrainResult
    from spikard.fsm.orchestration.outbox_drainer import OutboxDrainer as OutboxDrainer
    from spikard.fsm.orchestration.outbox_policy import OutboxPolicy as OutboxPolicy
    from spikard.fsm.orchestration.redis_idempotency import RedisIdempotencyStore as RedisIdempotencyStore
    from spikard.fsm.orchestration.services import ServiceAdapter as ServiceAdapter
    from spikard.fsm.orchestration.sql_idempotency import SqlIdempotencyStore as SqlIdempotencyStore
    from spikard.fsm.parallel_state_config import ParallelStateConfig as ParallelStateConfig
    from spikard.fsm.parallel_state_manager import ParallelStateManager as ParallelStateManager
    from spikard.fsm.queue.client import QueueClient as QueueClient
    from spikard.fsm.queue.database import DatabaseApplyDataEventSource as DatabaseApplyDataEventSource
    from spikard.fsm.queue.database import DatabaseEventSource as DatabaseEventSource
    from spikard.fsm.queue.event import ClaimedApplyDataEvent as ClaimedApplyDataEvent
    from spikard.fsm.queue.event import ClaimedEvent as ClaimedEvent
    from spikard.fsm.queue.event import EventStatus as EventStatus
    from spikard.fsm.queue.event import WorkerApplyDataEvent as WorkerApplyDataEvent
    from spikard.fsm.queue.event import WorkerEvent as WorkerEvent
    from spikard.fsm.queue.source import EventSource as EventSource
    from spikard.fsm.queue.status import QueueEventsPage as QueueEventsPage
    from spikard.fsm.queue.status import QueueEventState as QueueEventState
    from spikard.fsm.queue.status import QueueEventStatus as QueueEventStatus
    from spikard.fsm.queue.status import QueueSummary as QueueSummary
    from spikard.fsm.queue.submission import submit_event as submit_event
    from spikard.fsm.queue.submission import submit_event_in as submit_event_in
    from spikard.fsm.queue.submission import submit_event_in_sync as submit_event_in_sync
    from spikard.fsm.queue.submission import submit_event_sync as submit_event_sync
    from spikard.fsm.recorded_event import RecordedEvent as RecordedEvent
    from spikard.fsm.region import Region as Region
    from spikard.fsm.retry_policy import BackoffStrategy as BackoffStrategy
    from spikard.fsm.retry_policy import RetryPolicy as RetryPolicy
    from spikard.fsm.retry_policy import compute_delay as compute_delay
    from spikard.fsm.runtime.asynchronous import AsyncFsmRuntime as AsyncFsmRuntime
    from spikard.fsm.runtime.errors import EntityAlreadyExists as EntityAlreadyExists
    from spikard.fsm.runtime.errors import MachineNotFound as MachineNotFound
    from spikard.fsm.runtime.errors import QueueNotConfigured as QueueNotConfigured
    from spikard.fsm.runtime.functions import apply_data as apply_data
    from spikard.fsm.runtime.functions import process_event as process_event
    from spikard.fsm.runtime.functions import queue_apply_data as queue_apply_data
    from spikard.fsm.runtime.observer import NullObserver as NullObserver
    from spikard.fsm.runtime.observer import RuntimeObserver as RuntimeObserver
    from spikard.fsm.runtime.runtime import FsmRuntime as FsmRuntime
    from spikard.fsm.runtime.session import MachineSession as MachineSession
    from spikard.fsm.runtime.snapshot import ControlAuditEvent as ControlAuditEvent
    from spikard.fsm.runtime.snapshot import EntitySnapshot as EntitySnapshot
    from spikard.fsm.runtime.snapshot import MachineSummary as MachineSummary
    from spikard.fsm.runtime.snapshot import TransitionEvent as TransitionEvent
    from spikard.fsm.runtime.snapshot import TransitionsPage as TransitionsPage
    from spikard.fsm.schedulers.adapter import SchedulerAdapter as SchedulerAdapter
    from spikard.fsm.schedulers.celery import CeleryScheduler as CeleryScheduler
    from spikard.fsm.schedulers.due_timer import DueTimer as DueTimer
    from spikard.fsm.schedulers.in_process import AsyncioScheduler as AsyncioScheduler
    from spikard.fsm.schedulers.redis import RedisScheduler as RedisScheduler
    from spikard.fsm.schedulers.sql import SqlScheduler as SqlScheduler
    from spikard.fsm.schedulers.task import ScheduledTask as ScheduledTask
    from spikard.fsm.schedulers.task import TaskStatus as TaskStatus
    from spikard.fsm.schedulers.task import generate_task_id as generate_task_id
    from spikard.fsm.sinks import EventSink as EventSink
    from spikard.fsm.sinks import LoggingEventSink as LoggingEventSink
    from spikard.fsm.sinks import LoggingMetricSink as LoggingMetricSink
    from spikard.fsm.sinks import MetricSink as MetricSink
    from spikard.fsm.sinks import configure_event_sink as configure_event_sink
    from spikard.fsm.sinks import configure_metric_sink as configure_metric_sink
    from spikard.fsm.sinks import create_metric_action as create_metric_action
    from spikard.fsm.sinks import create_publish_action as create_publish_action
    from spikard.fsm.state import State as State
    from spikard.fsm.state_hierarchy import StateHierarchy as StateHierarchy
    from spikard.fsm.state_machine import StateMachine as StateMachine
    from spikard.fsm.state_machine_builder import StateMachineBuilder as StateMachineBuilder
    from spikard.fsm.state_timeout import check_timeout as check_timeout
    from spikard.fsm.state_type import StateType as StateType
    from spikard.fsm.stored_state import parse_stored_state as parse_stored_state
    from spikard.fsm.stores.batch import batch_fallback as batch_fallback
    from spikard.fsm.stores.client import StateStoreClient as StateStoreClient
    from spikard.fsm.stores.factory import create_state_store as create_state_store
    from spikard.fsm.stores.memory import InMemoryStateStore as InMemoryStateStore
    from spikard.fsm.stores.mongodb import MongoDBStateStore as MongoDBStateStore
    from spikard.fsm.stores.postgres import PostgresStateStore as PostgresStateStore
    from spikard.fsm.stores.protocol import AsyncContextPersistStore as AsyncContextPersistStore
    from spikard.fsm.stores.protocol import AsyncStateStore as AsyncStateStore
    from spikard.fsm.stores.protocol import AuditStore as AuditStore
    from spikard.fsm.stores.protocol import BatchStateStore as BatchStateStore
    from spikard.fsm.stores.protocol import ContextPersistStore as ContextPersistStore
    from spikard.fsm.stores.protocol import EventStore as EventStore
    from spikard.fsm.stores.protocol import QueryableStateStore as QueryableStateStore
    from spikard.fsm.stores.protocol import StateStore as StateStore
    from spikard.fsm.stores.protocol import TransactionalStore as TransactionalStore
    from spikard.fsm.stores.protocol import VersionedStateStore as VersionedStateStore
    from spikard.fsm.stores.redis import RedisStateStore as RedisStateStore
    from spikard.fsm.stores.row import EntityChange as EntityChange
    from spikard.fsm.stores.row import EntityRow as EntityRow
    from spikard.fsm.stores.session import SessionScopedStore as SessionScopedStore
    from spikard.fsm.stores.session import SessionStateStore as SessionStateStore
    from spikard.fsm.stores.sqlite import SQLiteStateStore as SQLiteStateStore
    from spikard.fsm.submachine import resolve_submachines as resolve_submachines
    from spikard.fsm.templates import render_template as render_template
    from spikard.fsm.templates import render_template_value as render_template_value
    from spikard.fsm.timeout import Timeout as Timeout
    from spikard.fsm.transition import Transition as Transition
    from spikard.fsm.transition_result import TransitionResult as TransitionResult
    from spikard.fsm.when_check import WhenCheck as WhenCheck
    from spikard.fsm.worker.config import WorkerConfig as WorkerConfig
    from spikard.fsm.worker.outcome import APPLY_DATA_WORKER_DLQ_STAGE as APPLY_DATA_WORKER_DLQ_STAGE
    from spikard.fsm.worker.outcome import WORKER_DLQ_STAGE as WORKER_DLQ_STAGE
    from spikard.fsm.worker.process import Worker as Worker
    from spikard.fsm.workflow import WORKFLOW_STATUS_ACTIVE as WORKFLOW_STATUS_ACTIVE
    from spikard.fsm.workflow import WORKFLOW_STATUS_COMPLETE as WORKFLOW_STATUS_COMPLETE
    from spikard.fsm.workflow import WORKFLOW_STATUS_FAILED as WORKFLOW_STATUS_FAILED
    from spikard.fsm.workflow import WORKFLOW_VALID_STATUSES as WORKFLOW_VALID_STATUSES
    from spikard.fsm.workflow import compute_workflow_status as compute_workflow_status
    from spikard.fsm.workflow import persistence_flags_for_state as persistence_flags_for_state

# The module of each public name. No module may have the name of one: it would take the name's place.
_MODULES = {
    "ActionExecutor": "action_executor",
    "ActionRegistry": "action_registry",
    "ActionResult": "action_result",
    "ActionStatus": "action_result",
    "action_results_to_payload": "action_result",
    "EFFECT_TYPES": "action_spec",
    "ActionSpec": "action_spec",
    "MAX_BRANCH_DEPTH": "action_steps",
    "LintSeverity": "analysis",
    "LintWarning": "analysis",
    "lint": "analysis",
    "copy_key": "builtin_actions",
    "snapshot": "builtin_actions",
    "validate_keys": "builtin_actions",
    "write_local_file": "builtin_actions",
    "builtin_registries": "builtins",
    "get_builtin_catalog": "builtins",
    "register_builtins": "builtins",
    "build_machine_from_store": "catalog.from_store",
    "CatalogEntry": "catalog.entry",
    "resolve_entry_point": "catalog.entry_point",
    "catalog_entries_to_yaml_text": "catalog.manifest",
    "load_manifest_path": "catalog.manifest",
    "parse_manifest_yaml_text": "catalog.manifest",
    "apply_catalog_entries": "catalog.registration",
    "ChangeBus": "change_bus",
    "ChangeEvent": "change_bus",
    "ChartSession": "charts.session",
    "Statechart": "charts.statechart",
    "CHECK_OPS": "check_spec",
    "CheckSpec": "check_spec",
    "evaluate_check": "checks",
    "evaluate_when_check": "checks",
    "ClassificationResult": "classification",
    "ClassificationRuleSet": "classification",
    "DataIngester": "classification",
    "IngestionResult": "classification",
    "StateClassifier": "classification",
    "Clock": "clock",
    "FsmClock": "clock",
    "SimulatedClock": "clock",
    "execute_code_action": "code_actions",
    "CompatibilityReport": "compatibility",
    "MachineChange": "compatibility",
    "compare_machines": "compatibility",
    "ConfigCode": "config_code",
    "ConfigIssue": "config_issue",
    "ConfigLoader": "config_loader",
    "load_config": "config_loader",
    "ConfigValidator": "config_validator",
    "check_config": "config_validator",
    "validate_config": "config_validator",
    "validate_machine_config": "config_validator",
    "DLQClient": "dead_letters.client",
    "DatabaseDeadLetterStore": "dead_letters.database",
    "FileDeadLetterStore": "dead_letters.file",
    "InMemoryDeadLetterStore": "dead_letters.memory",
    "DeadLetterStore": "dead_letters.protocol",
    "RetryHandler": "dead_letters.protocol",
    "DLQReason": "dead_letters.record",
    "DLQStatistics": "dead_letters.record",
    "DLQStatus": "dead_letters.record",
    "DeadLetterRecord": "dead_letters.record",
    "QueryResult": "dead_letters.record",
    "RetryEngine": "dead_letters.retry_engine",
    "RetryResult": "dead_letters.retry_engine",
    "DLQConfig": "dead_letters.settings",
    "RetentionConfig": "dead_letters.settings",
    "RetryConfig": "dead_letters.settings",
    "create_store": "dead_letters.settings",
    "SyncDeadLetterStore": "dead_letters.synchronous",
    "CleanupResult": "dead_letters.ttl_cleaner",
    "RetentionPolicy": "dead_letters.ttl_cleaner",
    "TTLCleaner": "dead_letters.ttl_cleaner",
    "parse_delay": "delays",
    "DestinationCandidate": "destination_candidate",
    "DestinationCheckResult": "destination_check_result",
    "BuiltByDraftAggregate": "discovery.candidate",
    "BuiltDiscoveryCandidate": "discovery.candidate",
    "candidate_to_dot": "discovery.candidate",
    "candidate_to_mermaid": "discovery.candidate",
    "DEFAULT_DISCOVERY_INSTANCE_ID": "discovery.draft",
    "DiscoveryDraft": "discovery.draft",
    "DiscoveryDraftFilter": "discovery.draft",
    "InferredEdge": "discovery.edge",
    "InferenceEngine": "discovery.engine",
    "InferenceThresholds": "discovery.engine",
    "MongoDBDiscoveryStore": "discovery.mongodb",
    "RedisDiscoveryStore": "discovery.redis",
    "SessionScopedStore": "stores.session",
    "SessionStateStore": "stores.session",
    "DiscoveryClient": "discovery.client",
    "create_discovery_store": "discovery.factory",
    "InMemoryDiscoveryStore": "discovery.memory",
    "ObservationIdentity": "discovery.observation",
    "observation_identity_from_event": "discovery.observation",
    "DEFAULT_OBSERVATION_TABLE": "discovery.observation_source",
    "ObservationFieldMapping": "discovery.observation_source",
    "ObservationSourceConfig": "discovery.observation_source",
    "PostgresDiscoveryStore": "discovery.postgres",
    "BuiltDiscoveryCandidateStore": "discovery.protocol",
    "DraftStore": "discovery.protocol",
    "ObservationStore": "discovery.protocol",
    "ShadowResultStore": "discovery.protocol",
    "ShadowDiff": "discovery.shadow",
    "SQLiteDiscoveryStore": "discovery.sqlite",
    "import_dotted": "dotted_name",
    "get_statistics": "drawing",
    "to_asl": "drawing",
    "to_dot": "drawing",
    "to_mermaid": "drawing",
    "to_mermaid_flowchart": "drawing",
    "to_plantuml": "drawing",
    "to_scxml": "drawing",
    "to_svg": "drawing",
    "to_xstate": "drawing",
    "apply_effect": "effects",
    "EntityMigrator": "entity_migration.migrator",
    "MigrationOutcome": "entity_migration.outcome",
    "MigrationRefusedError": "entity_migration.outcome",
    "MigrationReport": "entity_migration.outcome",
    "MigrationRule": "entity_migration.rule",
    "read_migrations": "entity_migration.rule",
    "EntitySession": "entity_session",
    "ActionNotFoundError": "errors",
    "ConfigurationError": "errors",
    "EntityBusyError": "errors",
    "ErrorCode": "errors",
    "ErrorPolicy": "errors",
    "FSMError": "errors",
    "GuardExecutionError": "errors",
    "GuardNotFoundError": "errors",
    "GuardRejectedError": "errors",
    "InvalidTransitionError": "errors",
    "MachineVersionMismatch": "errors",
    "ReplayDivergence": "errors",
    "StaleVersionError": "errors",
    "TerminalStateError": "errors",
    "TimeoutExpiredError": "errors",
    "UndefinedStateError": "errors",
    "UndefinedTriggerError": "errors",
    "is_transient_error": "errors",
    "Event": "event",
    "EventRecorder": "event_recorder",
    "ExecutionMode": "execution_result",
    "ExecutionResult": "execution_result",
    "ExprAttributeError": "expression_errors",
    "ExprError": "expression_errors",
    "ExprLimitError": "expression_errors",
    "ExprNameError": "expression_errors",
    "ExprRefusedError": "expression_errors",
    "ExprSyntaxError": "expression_errors",
    "Expression": "expressions",
    "evaluate_bool_expr": "expressions",
    "evaluate_expr": "expressions",
    "get_allow_catalog_code": "features",
    "get_allow_catalog_code_source": "features",
    "get_allow_inline_code_actions": "features",
    "get_allow_inline_code_actions_source": "features",
    "get_allow_inline_code_imports": "features",
    "get_allow_inline_code_imports_source": "features",
    "get_code_isolation": "features",
    "all_of": "guard_factories",
    "any_of": "guard_factories",
    "equals": "guard_factories",
    "greater_than": "guard_factories",
    "in_list": "guard_factories",
    "negate": "guard_factories",
    "GuardRegistry": "guard_registry",
    "GuardResult": "guard_result",
    "GuardSpec": "guard_spec",
    "HistoryType": "history_type",
    "parse_history_dest": "history_type",
    "DwellTimeTracker": "hooks.dwell",
    "LoggingHook": "hooks.logging",
    "StructuredLoggingHook": "hooks.logging",
    "MetricsCollector": "hooks.metrics",
    "TransitionObserver": "hooks.observer",
    "TransitionHook": "hooks.protocol",
    "HttpActionConfig": "http_actions",
    "async_execute_http_action": "http_actions",
    "execute_http_action": "http_actions",
    "InvokeSpec": "invoke_spec",
    "MachineDefinition": "machine_definition",
    "MachineNotFoundError": "machine_definition",
    "build_machine": "machine_definition",
    "parse_machine": "machine_definition",
    "parse_machine_file": "machine_definition",
    "is_valid_entity_id": "names",
    "is_valid_name": "names",
    "normalize_entity_id": "names",
    "normalize_name": "names",
    "validate_discovery_namespace": "names",
    "validate_discovery_slug": "names",
    "validate_entity_id": "names",
    "validate_name": "names",
    "validate_namespace": "names",
    "ObservedStateEvent": "observed_state_event",
    "enrich_hint_result": "orchestration.fallback",
    "is_allowlisted_failure": "orchestration.fallback",
    "parallel_fallback_eligible": "orchestration.fallback",
    "parse_mode": "orchestration.fallback",
    "scalar_fallback_eligible": "orchestration.fallback",
    "IdempotencyStore": "orchestration.idempotency",
    "InMemoryIdempotencyStore": "orchestration.idempotency",
    "InvokeAdapter": "orchestration.invoke",
    "ServiceAdapter": "orchestration.services",
    "ContextValidatorFn": "orchestration.orchestrator",
    "Orchestrator": "orchestration.orchestrator",
    "OutboxDrainer": "orchestration.outbox_drainer",
    "DrainResult": "orchestration.outbox_drainer",
    "OUTBOX_DLQ_STAGE": "dead_letters.record",
    "OutboxPolicy": "orchestration.outbox_policy",
    "SqlIdempotencyStore": "orchestration.sql_idempotency",
    "RedisIdempotencyStore": "orchestration.redis_idempotency",
    "idempotency_key": "delivery",
    "LeaseLostError": "errors",
    "EventInProgressError": "errors",
    "EventAnsweredError": "errors",
    "ParallelStateConfig": "parallel_state_config",
    "ParallelStateManager": "parallel_state_manager",
    "RecordedEvent": "recorded_event",
    "Region": "region",
    "BackoffStrategy": "retry_policy",
    "RetryPolicy": "retry_policy",
    "compute_delay": "retry_policy",
    "SchedulerAdapter": "schedulers.adapter",
    "AsyncioScheduler": "schedulers.in_process",
    "CeleryScheduler": "schedulers.celery",
    "RedisScheduler": "schedulers.redis",
    "SqlScheduler": "schedulers.sql",
    "DueTimer": "schedulers.due_timer",
    "ScheduledTask": "schedulers.task",
    "TaskStatus": "schedulers.task",
    "generate_task_id": "schedulers.task",
    "EventSink": "sinks",
    "LoggingEventSink": "sinks",
    "LoggingMetricSink": "sinks",
    "MetricSink": "sinks",
    "configure_event_sink": "sinks",
    "configure_metric_sink": "sinks",
    "create_metric_action": "sinks",
    "create_publish_action": "sinks",
    "State": "state",
    "StateHierarchy": "state_hierarchy",
    "StateMachine": "state_machine",
    "StateMachineBuilder": "state_machine_builder",
    "check_timeout": "state_timeout",
    "StateType": "state_type",
    "parse_stored_state": "stored_state",
    "batch_fallback": "stores.batch",
    "StateStoreClient": "stores.client",
    "create_state_store": "stores.factory",
    "InMemoryStateStore": "stores.memory",
    "PostgresStateStore": "stores.postgres",
    "AsyncContextPersistStore": "stores.protocol",
    "AsyncStateStore": "stores.protocol",
    "AuditStore": "stores.protocol",
    "BatchStateStore": "stores.protocol",
    "ContextPersistStore": "stores.protocol",
    "EventStore": "stores.protocol",
    "QueryableStateStore": "stores.protocol",
    "StateStore": "stores.protocol",
    "TransactionalStore": "stores.protocol",
    "VersionedStateStore": "stores.protocol",
    "RedisStateStore": "stores.redis",
    "EntityChange": "stores.row",
    "EntityRow": "stores.row",
    "SQLiteStateStore": "stores.sqlite",
    "resolve_submachines": "submachine",
    "render_template": "templates",
    "render_template_value": "templates",
    "Timeout": "timeout",
    "Transition": "transition",
    "TransitionResult": "transition_result",
    "WhenCheck": "when_check",
    "WORKFLOW_STATUS_ACTIVE": "workflow",
    "WORKFLOW_STATUS_COMPLETE": "workflow",
    "WORKFLOW_STATUS_FAILED": "workflow",
    "WORKFLOW_VALID_STATUSES": "workflow",
    "compute_workflow_status": "workflow",
    "persistence_flags_for_state": "workflow",
    "QueueClient": "queue.client",
    "DatabaseApplyDataEventSource": "queue.database",
    "DatabaseEventSource": "queue.database",
    "ClaimedApplyDataEvent": "queue.event",
    "ClaimedEvent": "queue.event",
    "EventStatus": "queue.event",
    "WorkerApplyDataEvent": "queue.event",
    "WorkerEvent": "queue.event",
    "EventSource": "queue.source",
    "QueueEventState": "queue.status",
    "QueueEventStatus": "queue.status",
    "QueueEventsPage": "queue.status",
    "QueueSummary": "queue.status",
    "submit_event": "queue.submission",
    "submit_event_in": "queue.submission",
    "submit_event_in_sync": "queue.submission",
    "submit_event_sync": "queue.submission",
    "WorkerConfig": "worker.config",
    "Worker": "worker.process",
    "WORKER_DLQ_STAGE": "worker.outcome",
    "APPLY_DATA_WORKER_DLQ_STAGE": "worker.outcome",
    "MachineStoreClient": "machine_stores.client",
    "InMemoryMachineStore": "machine_stores.memory",
    "SQLAlchemyMachineStore": "machine_stores.database",
    "FsmRuntime": "runtime.runtime",
    "AsyncFsmRuntime": "runtime.asynchronous",
    "MachineSession": "runtime.session",
    "ControlAuditEvent": "runtime.snapshot",
    "EntitySnapshot": "runtime.snapshot",
    "MachineSummary": "runtime.snapshot",
    "TransitionEvent": "runtime.snapshot",
    "TransitionsPage": "runtime.snapshot",
    "NullObserver": "runtime.observer",
    "RuntimeObserver": "runtime.observer",
    "EntityAlreadyExists": "runtime.errors",
    "MachineNotFound": "runtime.errors",
    "QueueNotConfigured": "runtime.errors",
    "apply_data": "runtime.functions",
    "process_event": "runtime.functions",
    "queue_apply_data": "runtime.functions",
    "MachineCatalog": "catalog.machine_catalog",
    "MachineRecord": "catalog.machine_record",
    "MachineCompatibilityIssue": "catalog.machine_record",
    "MachineCompatibilityReport": "catalog.machine_record",
    "MachineCatalogError": "catalog.machine_errors",
    "MachineRecordNotFound": "catalog.machine_errors",
    "MachineInvalidIdentifier": "catalog.machine_errors",
    "MachineConflict": "catalog.machine_errors",
    "MachineRevisionConflict": "catalog.machine_errors",
    "DLQError": "dead_letters.errors",
    "RecordNotFoundError": "dead_letters.errors",
    "StoreError": "dead_letters.errors",
    "ConfigError": "dead_letters.errors",
    "WebhookHook": "hooks.webhook",
    "OpenTelemetryHook": "hooks.tracing",
    "PrometheusHook": "hooks.prometheus",
    "MongoDBStateStore": "stores.mongodb",
}

__all__ = sorted(_MODULES)  # noqa: PLE0605 - one list of names, not two


sys.meta_path.append(FormerPaths())
# Made before it is imported: an import would put the module in the function's place.
former_module("lint")


if not TYPE_CHECKING:  # to a type checker every misspelt name would be an Any
    __getattr__ = late_names(__name__, _MODULES, front_of(__name__))


def __dir__() -> list[str]:
    return [*__all__]
