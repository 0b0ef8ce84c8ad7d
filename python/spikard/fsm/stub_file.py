"""What type checkers need to know of a machine: its states, its triggers, and what sessions get by them."""

import keyword

from spikard.fsm.entity_session import EntitySession
from spikard.fsm.state_machine import StateMachine

_HEAD = '''"""Types of the machine {name!r} {version}."""

from typing import Any, Literal, TypeAlias

from spikard.fsm import EntitySession, StateMachine, TransitionResult

State: TypeAlias = Literal[{states}]
Trigger: TypeAlias = Literal[{triggers}]

class {title}Session(EntitySession):
    @property
    def current_state(self) -> State: ...
    @property
    def allowed_triggers(self) -> list[Trigger]: ...  # type: ignore[override]
    def send(self, trigger: Trigger, **payload: Any) -> TransitionResult: ...  # type: ignore[override]
    async def asend(self, trigger: Trigger, **payload: Any) -> TransitionResult: ...  # type: ignore[override]
'''
_IS = """    @property
    def is_{name}(self) -> bool: ...
"""
_TRIGGER = """    def {name}(self, **payload: Any) -> TransitionResult: ...
"""
_MACHINE = """
class {title}Machine(StateMachine):
    def create(
        self,
        *,
        entity_id: str | None = None,
        context: dict[str, Any] | None = None,
        initial_state: State | None = None,  # type: ignore[override]
        execute_actions: bool = False,
        **options: Any,
    ) -> {title}Session: ...
"""


def stub_of(machine: StateMachine, title: str | None = None) -> str:
    """The text of a `.pyi` with literal types of states and triggers, a session and a machine with both.

    Names that Python or sessions have for something else are left to `send`.
    """
    triggers = [name for name in machine.trigger_names if not name.startswith("_")]
    quoted = ", ".join(f'"{name}"' for name in machine.state_names)
    named = (
        title or "".join(word.capitalize() for word in machine.name.replace("/", "_").split("_") if word) or "Machine"
    )
    parts = [
        _HEAD.format(
            name=machine.name, version=machine.version, states=quoted, title=named,
            triggers=", ".join(f'"{name}"' for name in triggers) or '""',
        ),
        *(_IS.format(name=name) for name in machine.state_names if _is_free(f"is_{name}")),
        *(_TRIGGER.format(name=name) for name in triggers if _is_free(name)),
        _MACHINE.format(title=named),
    ]  # fmt: skip
    return "".join(parts)


def _is_free(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and not hasattr(EntitySession, name)
