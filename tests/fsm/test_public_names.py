"""The wing's front: lazy, complete and true."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import spikard.fsm as fsm

PACKAGE = Path(fsm.__file__).parent

# What programs import from the front. Names may come, none of these may go.
NAMES = """
    APPLY_DATA_WORKER_DLQ_STAGE ActionExecutor ActionNotFoundError ActionRegistry ActionResult ActionSpec
    ActionStatus AsyncFsmRuntime AsyncStateStore AsyncioScheduler AuditStore BackoffStrategy BatchStateStore
    BuiltDiscoveryCandidate CHECK_OPS CatalogEntry CeleryScheduler ChangeBus ChangeEvent CheckSpec
    ClaimedApplyDataEvent ClaimedEvent ClassificationResult ClassificationRuleSet CleanupResult Clock
    CompatibilityReport ConfigCode ConfigIssue ConfigLoader ConfigValidator ConfigurationError ContextPersistStore
    ContextValidatorFn ControlAuditEvent DLQClient DLQConfig DLQReason DLQStatistics DLQStatus DataIngester
    DatabaseDeadLetterStore DatabaseEventSource DeadLetterRecord DeadLetterStore DestinationCandidate
    DestinationCheckResult DiscoveryDraft DiscoveryDraftFilter DwellTimeTracker EFFECT_TYPES EntityAlreadyExists
    EntityBusyError EntityChange EntityRow EntitySession EntitySnapshot ErrorCode ErrorPolicy Event EventRecorder
    EventSink EventSource EventStatus EventStore ExecutionMode ExecutionResult FSMError FileDeadLetterStore FsmClock
    FsmRuntime GuardExecutionError GuardNotFoundError GuardRegistry GuardRejectedError GuardResult GuardSpec
    HistoryType HttpActionConfig IdempotencyStore InMemoryDeadLetterStore InMemoryDiscoveryStore
    InMemoryMachineStore InMemoryStateStore InferenceEngine InferenceThresholds IngestionResult
    InvalidTransitionError InvokeAdapter InvokeSpec LintSeverity LintWarning LoggingEventSink LoggingHook
    LoggingMetricSink MAX_BRANCH_DEPTH MachineCatalog MachineDefinition MachineNotFound MachineNotFoundError
    MachineRecord MachineRevisionConflict MachineSession MachineStoreClient MachineSummary MachineVersionMismatch
    MetricSink MetricsCollector MongoDBStateStore NullObserver ObservationSourceConfig ObservedStateEvent
    OpenTelemetryHook Orchestrator ParallelStateConfig ParallelStateManager PostgresDiscoveryStore
    PostgresStateStore PrometheusHook QueryResult QueryableStateStore QueueClient QueueEventState QueueEventStatus
    QueueEventsPage QueueNotConfigured QueueSummary RecordedEvent RedisScheduler RedisStateStore Region
    ReplayDivergence RetentionConfig RetentionPolicy RetryConfig RetryEngine RetryPolicy RetryResult RuntimeObserver
    SQLAlchemyMachineStore SQLiteDiscoveryStore SQLiteStateStore ScheduledTask SchedulerAdapter ShadowDiff
    SimulatedClock SqlScheduler StaleVersionError State StateClassifier StateHierarchy StateMachine
    StateMachineBuilder StateStore StateStoreClient StateType StructuredLoggingHook SyncDeadLetterStore TTLCleaner
    TaskStatus TerminalStateError Timeout TimeoutExpiredError TransactionalStore Transition TransitionEvent
    TransitionHook TransitionObserver TransitionResult TransitionsPage UndefinedStateError UndefinedTriggerError
    VersionedStateStore WORKER_DLQ_STAGE WORKFLOW_STATUS_ACTIVE WORKFLOW_STATUS_COMPLETE WORKFLOW_STATUS_FAILED
    WORKFLOW_VALID_STATUSES WebhookHook WhenCheck Worker WorkerApplyDataEvent WorkerConfig WorkerEvent all_of any_of
    apply_catalog_entries apply_data apply_effect async_execute_http_action batch_fallback build_machine
    build_machine_from_store builtin_registries catalog_entries_to_yaml_text check_config check_timeout
    compare_machines compute_delay compute_workflow_status configure_event_sink configure_metric_sink copy_key
    create_metric_action create_publish_action create_state_store create_store enrich_hint_result equals
    evaluate_bool_expr evaluate_check evaluate_expr evaluate_when_check execute_code_action execute_http_action
    generate_task_id get_builtin_catalog get_statistics greater_than idempotency_key import_dotted in_list
    is_allowlisted_failure is_transient_error is_valid_entity_id is_valid_name lint load_config load_manifest_path
    negate normalize_entity_id normalize_name observation_identity_from_event parallel_fallback_eligible parse_delay
    parse_history_dest parse_machine parse_machine_file parse_manifest_yaml_text parse_mode parse_stored_state
    persistence_flags_for_state process_event queue_apply_data register_builtins render_template
    render_template_value resolve_entry_point resolve_submachines scalar_fallback_eligible snapshot submit_event
    submit_event_in submit_event_sync to_asl to_dot to_mermaid to_mermaid_flowchart to_plantuml to_scxml to_svg
    to_xstate validate_config validate_discovery_namespace validate_discovery_slug validate_entity_id validate_keys
    validate_machine_config validate_name validate_namespace write_local_file
""".split()


def test_every_name_can_be_imported() -> None:
    assert len(fsm.__all__) > 20
    assert [name for name in fsm.__all__ if not hasattr(fsm, name)] == []


@pytest.mark.parametrize("name", NAMES)
def test_names_stay(name: str) -> None:
    assert name in fsm.__all__
    assert getattr(fsm, name) is not None


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(fsm.__file__).read_text(encoding="utf-8"))
    seen = {
        alias.asname: node.module
        for guarded in tree.body
        if isinstance(guarded, ast.If)
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {name: f"spikard.fsm.{module}" for name, module in fsm._MODULES.items()}


def test_no_module_has_the_name_of_something_public() -> None:
    modules = {path.stem for path in PACKAGE.iterdir() if path.name != "__init__.py"}
    assert modules & set(fsm.__all__) == set()


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = fsm.nothing_of_the_kind


def test_import_loads_no_library() -> None:
    heavy = "sqlite3 asyncpg redis pymongo celery httpx urllib.request yaml sqlalchemy spikard.fsm.errors".split()
    code = f"import sys, spikard.fsm; print([name for name in {heavy!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20).stdout
    assert found.strip() == "[]"


def test_modules_are_found_without_an_import_of_their_own() -> None:
    code = (
        "import spikard.fsm as fsm\n"
        "assert fsm.errors.FSMError is fsm.FSMError\n"
        "assert fsm.guards.GuardRegistry is fsm.GuardRegistry\n"
        "assert fsm.config.loader.ConfigLoader is fsm.ConfigLoader\n"
        "assert fsm.stores.base.StateStore is fsm.StateStore\n"
        "assert callable(fsm.lint)\n"
        "for module in (fsm, fsm.config, fsm.errors):\n"
        "    assert not hasattr(module, 'nothing_of_the_kind')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)


def test_former_paths_have_the_names_of_the_front() -> None:
    code = (
        "from spikard.fsm.guards import GuardRegistry\n"
        "from spikard.fsm.core import StateMachine, TransitionContext\n"
        "from spikard.fsm.config.loader import ConfigLoader\n"
        "from spikard.fsm.stores.base import StateStore\n"
        "from spikard.fsm.stores import InMemoryStateStore\n"
        "from spikard.fsm.lint import LintWarning\n"
        "from spikard.fsm.runtime.runtime import PyStatorRuntime\n"
        "from spikard.fsm.orchestrator_default_fallback import MD_APPLIED, META_KEY, MODE_HINT, parse_mode\n"
        "import spikard.fsm as fsm\n"
        "for found in (GuardRegistry, StateMachine, ConfigLoader, StateStore, InMemoryStateStore, LintWarning):\n"
        "    assert found is getattr(fsm, found.__name__)\n"
        "assert PyStatorRuntime is fsm.FsmRuntime\n"
        "assert parse_mode({META_KEY: ' Hint '}) == MODE_HINT and MD_APPLIED.startswith('orchestrator_')\n"
        "assert callable(fsm.lint)\n"
        "assert TransitionContext({'_entity_id': 'e', 'x': 1}).user_data() == {'x': 1}\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)


@pytest.mark.parametrize("path", ["guards", "stores", "config.loader"])
def test_former_paths_have_nothing_else(path: str) -> None:
    with pytest.raises(ImportError, match="nothing_of_the_kind"):
        exec(f"from spikard.fsm.{path} import nothing_of_the_kind")


def test_what_has_never_been_a_path_is_none() -> None:
    with pytest.raises(ModuleNotFoundError, match="nothing_of_the_kind"):
        importlib.import_module("spikard.fsm.nothing_of_the_kind")
