"""Import paths of the library whose names these are, for programs that change nothing but the package's name.

The home of every name is `spikard.fsm`. A former path is a module without a file that asks there:
`spikard.fsm.guards` has the `GuardRegistry` that `spikard.fsm` has. A module of ours that has the name of a former
one takes its `__getattr__` from `front_of`.
"""

import builtins
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

FRONT = "spikard.fsm"

PATHS = frozenset(
    """
    _engine _expr _hierarchy _parallel _types actions behavior code_action code_action_namespace config config._shared
    config._submachine config.features config.loader config.validator context core
    discovery._drafts discovery._inference discovery._visualization discovery.classification
    discovery.classification._classifier discovery.classification._ingester discovery.classification._models
    discovery.constants discovery.engine_cache discovery.models discovery.observation_ordering discovery.protocols
    discovery.service discovery.slug discovery.stores discovery.stores.factory discovery.stores.in_memory
    discovery.stores.mongodb discovery.stores.postgres discovery.stores.redis discovery.stores.sqlite
    dlq dlq._config dlq._errors dlq._protocols dlq._retry dlq._sync dlq._ttl dlq._types dlq.client dlq.database_store
    dlq.file_store dlq.memory_store events events._change_bus guards http_action instance invoke lint machine
    machine_builder machine_builder.builder machine_parser machine_parser.parser machine_parser.types machine_store
    machine_store._sqlalchemy machine_store.client machine_store.in_memory machine_store.protocols machines
    machines.catalog observability orchestrator orchestrator_default_fallback queue.types registry registry.loader
    registry.resolve registry.source_code registry.types registry.yaml_manifest runtime.audit runtime.observers
    runtime.types scheduler scheduler.asyncio_scheduler scheduler.base scheduler.celery_scheduler
    scheduler.redis_scheduler shared shared.entity_id_validator shared.import_utils shared.name_validator state_parsing
    stores.base stores.sqlalchemy_session visualization worker.apply_data_processor worker.dlq_reasons
    worker.event_sources worker.event_sources.apply_data_database worker.event_sources.base
    worker.event_sources.database worker.models worker.registry worker.runner workflow_status
    """.split()
)

# Names that were found at former paths and are no names of the front.
BESIDES = {
    "ActionFunc": "function_protocols:ActionFunc",
    "AsyncActionFunc": "function_protocols:AsyncActionFunc",
    "AsyncGuardFunc": "function_protocols:AsyncGuardFunc",
    "GuardFunc": "function_protocols:GuardFunc",
    "DEFAULT_OBSERVATION_COLLECTION": "discovery.observation_source:DEFAULT_OBSERVATION_COLLECTION",
    "PyStatorRuntime": "runtime.runtime:FsmRuntime",
    "PyStatorRuntimeError": "runtime.errors:FsmRuntimeError",
    "GUARD_PARAMS_KEY": "guard_function:GUARD_PARAMS_KEY",
    "TransitionContext": "transition_context:TransitionContext",
    "NAME_PATTERN": "names:NAME_PATTERN",
    "NAME_ERROR_MESSAGE": "names:NAME_ERROR_MESSAGE",
    "NAMESPACE_PATTERN": "names:NAMESPACE_PATTERN",
    "ENTITY_ID_PATTERN": "names:ENTITY_ID_PATTERN",
    "ENTITY_ID_ERROR_MESSAGE": "names:ENTITY_ID_ERROR_MESSAGE",
    "DISCOVERY_SLUG_PATTERN": "names:DISCOVERY_SLUG_PATTERN",
    "validate_discovery_slug_optional": "names:validate_discovery_slug_optional",
    **{
        name: f"orchestration.fallback:{name}"
        for name in """
        META_KEY MD_FALLBACK_STATE MD_APPLIED MD_RECOVERY_KIND MD_ORIGINAL_ERROR MD_SKIP_APPLY_HISTORY
        MD_PARALLEL_COMPOSITE_SOURCE MODE_OFF MODE_HINT MODE_PERSIST
        """.split()
    },
    "ApplyDataEventSource": "queue.source:EventSource",
    "DEFAULT_TABLE_NAME": "dead_letters.database:DEFAULT_TABLE_NAME",
    "validate_table_name": "dead_letters.database:validate_table_name",
    "MachineStore": "machine_stores.protocol:MachineStore",
    "parse_machine_config": "machine_definition:parse_machine",
    "FsmRuntimeError": "runtime.errors:FsmRuntimeError",
    "RuntimeError": "runtime.errors:FsmRuntimeError",
    "CatalogKind": "catalog.entry:CatalogKind",
    "always": "builtin_guards:always",
    "key_missing": "builtin_guards:key_missing",
    "key_present": "builtin_guards:key_present",
    "log": "builtin_actions:log",
    "never": "builtin_guards:never",
    "noop": "builtin_actions:noop",
    "set_context": "builtin_actions:set_context",
    "trace": "builtin_actions:trace",
}


def front_of(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of a module that hands out the front's names, and the modules below it.

    `from ... import *` is given all names but those of Python itself.
    """

    def look_up(name: str) -> Any:
        if name == "__all__":
            return [*sys.modules[FRONT].__all__, *(BESIDES.keys() - vars(builtins).keys())]
        if name in BESIDES:
            home, _, attribute = BESIDES[name].partition(":")
            return getattr(import_module(f"{FRONT}.{home}"), attribute)
        if not name.startswith("_") and name in sys.modules[FRONT].__all__:
            return getattr(sys.modules[FRONT], name)
        # `import spikard.fsm as fsm; fsm.errors.FSMError`: what is not imported yet is found there as well.
        inside = f"{module}.{name}"
        if not name.startswith("__") and hasattr(sys.modules[module], "__path__") and find_spec(inside) is not None:
            return import_module(inside)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return look_up


def former_module(path: str) -> ModuleType:
    """The module of a former path, known to `import` from now on."""
    name = f"{FRONT}.{path}"
    module = ModuleType(name, f"A former path: its names are those of `{FRONT}`.")
    module.__dict__["__getattr__"] = front_of(name)
    module.__path__ = []  # there are paths below some
    sys.modules[name] = module
    return module


class FormerPaths(MetaPathFinder, Loader):
    """Finds modules of former paths after everything that has a file."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - a finder
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """The module, when it is a former path."""
        front, _, former = fullname.partition(f"{FRONT}.")
        return ModuleSpec(fullname, self, is_package=True) if not front and former in PATHS else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A module without a file."""
        return former_module(spec.name.removeprefix(f"{FRONT}."))

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""
