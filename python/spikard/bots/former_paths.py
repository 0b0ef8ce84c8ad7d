"""Import paths that ported bots use, as other names of our modules: the module itself, not a copy of its names.

Classes keep one identity whichever path they are imported by, and nothing is loaded before somebody asks for it.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_PACKAGE = "spikard.bots"
TARGETS: dict[str, Sequence[str]] = {
    "client": ["bot"],
    "client.bot": ["bot"],
    "dispatcher.event": ["observer", "handler", "outcomes"],
    "dispatcher.event.bases": ["outcomes"],
    "dispatcher.event.handler": ["handler"],
    "dispatcher.event.observer": ["observer"],
    "dispatcher.middlewares": ["middleware"],
    "dispatcher.middlewares.base": ["middleware"],
    "dispatcher.middlewares.fsm_context": ["fsm.middleware"],
    "dispatcher.middlewares.manager": ["middleware"],
    "dispatcher.router": ["router"],
    "enums.button_style": ["enums"],
    "enums.chat_action": ["enums"],
    "enums.chat_type": ["enums"],
    "enums.event_type": ["enums"],
    "enums.parse_mode": ["enums"],
    "enums.part_type": ["enums"],
    "enums.style_type": ["enums"],
    "exceptions": ["errors"],
    "fsm.storage": ["storages"],
    "fsm.storage.base": ["storages.base"],
    "fsm.storage.memory": ["storages.memory"],
    "fsm.storage.redis": ["storages.redis"],
    "testing_server": ["testing.fake_server"],
    "utils": ["keyboard", "text", "actions", "scheduler", "sync"],
    "utils.actions": ["actions"],
    "utils.format_builder": ["text.format_builder"],
    "utils.keyboard": ["keyboard"],
    "utils.paginator": ["keyboard.paginator"],
    "utils.scheduler": ["scheduler"],
    "utils.sync": ["sync"],
    "utils.magic_filter": ["magic"],
    "utils.text": ["text"],
}


class _Loader(Loader):
    """Puts modules under a second name; where further names are below that, under a package that lends theirs."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._targets = [f"{_PACKAGE}.{target}" for target in targets]

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        del spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        if not hasattr(module, "__path__"):
            sys.modules[module.__name__] = import_module(self._targets[0])
            return

        def lend(name: str) -> Any:
            if not name.startswith("__"):
                for target in self._targets:
                    found = getattr(import_module(target), name, self)
                    if found is not self:
                        return found
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        module.__getattr__ = lend  # type: ignore[method-assign]


class AliasFinder(MetaPathFinder):
    """Finds modules by the names of the table."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The alias of that name, if there is one."""
        del path, target
        package, _, name = fullname.partition(f"{_PACKAGE}.")
        if package or name not in TARGETS:
            return None
        has_children = any(other.startswith(f"{name}.") for other in TARGETS)
        return ModuleSpec(fullname, _Loader(TARGETS[name]), is_package=has_children)


def install() -> None:
    """Makes the names importable; more than once is once."""
    if not any(isinstance(finder, AliasFinder) for finder in sys.meta_path):
        sys.meta_path.append(AliasFinder())


__all__ = ["AliasFinder", "install"]
