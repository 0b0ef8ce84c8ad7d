"""The machines a worker knows, from the database or from files."""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spikard.fsm.action_registry import ActionRegistry
from spikard.fsm.guard_registry import GuardRegistry
from spikard.fsm.machine_definition import parse_machine_file
from spikard.fsm.orchestration.orchestrator import Orchestrator
from spikard.fsm.orchestration.outbox_policy import OutboxPolicy
from spikard.fsm.state_machine import StateMachine
from spikard.fsm.stores.json_text import decoded
from spikard.fsm.stores.sql import SqlStateStore
from spikard.fsm.stores.work import Work

FILES = ("*.yaml", "*.yml", "*.json")


class WorkerMachines:
    """Machines by name, each with an orchestrator. A name that is not known is looked for once more."""

    def __init__(
        self,
        store: SqlStateStore,
        guards: GuardRegistry | None,
        actions: ActionRegistry | None,
        hooks: Iterable[Any] = (),
        folder: str | None = None,
        outbox: OutboxPolicy | None = None,
    ) -> None:
        self.store = store
        self._outbox = outbox
        self._guards = guards
        self._actions = actions
        self._hooks = list(hooks)
        self._folder = folder
        self._orchestrators: dict[str, Orchestrator] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> list[str]:
        """The names of the machines that are loaded."""
        return sorted(self._orchestrators)

    def load(self) -> None:
        """Read the machines, in the latest version of each."""
        with self._lock:
            configs = self._from_files(self._folder) if self._folder else self._from_database()
            for name, config in configs.items():
                known = self._orchestrators.get(name)
                machine = StateMachine.from_dict(config)
                if known is None or known.fingerprint != machine.fingerprint:
                    self._orchestrators[name] = self._orchestrator(machine)

    def orchestrator(self, name: str) -> Orchestrator | None:
        """The one of a machine, or None where there is no such machine even after looking again."""
        if name not in self._orchestrators:
            self.load()
        return self._orchestrators.get(name)

    async def close(self) -> None:
        """Let go of what orchestrators have started themselves."""
        for orchestrator in list(self._orchestrators.values()):
            await orchestrator.close()

    def _orchestrator(self, machine: StateMachine) -> Orchestrator:
        return Orchestrator(machine, self.store, self._guards, self._actions, hooks=self._hooks, outbox=self._outbox)

    def _from_database(self) -> dict[str, dict[str, Any]]:
        def work() -> Work:
            return (
                yield (
                    "SELECT name, config_json FROM {s}machines WHERE status <> 'retired' ORDER BY created_at, id",
                    (),
                )
            )

        return {row[0]: decoded(row[1]) for row in self.store._run("read", work)}

    def _from_files(self, folder: str) -> dict[str, dict[str, Any]]:
        paths = [path for pattern in FILES for path in sorted(Path(folder).glob(pattern))]
        definitions = [parse_machine_file(path) for path in paths]
        return {definition.name: definition.config for definition in definitions}
