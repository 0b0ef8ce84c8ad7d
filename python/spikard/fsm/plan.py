"""What a computed transition has, for those who carry it out or watch it."""

from collections.abc import Sequence
from typing import Any, Protocol

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.errors import FSMError


class Plan(Protocol):
    """A computed transition: where it leads, and what it asks to be done. `TransitionResult` is one."""

    @property
    def success(self) -> bool:
        """Whether the event was accepted."""
        ...

    @property
    def source_state(self) -> str:
        """Where it starts."""
        ...

    @property
    def target_state(self) -> str | None:
        """Where it leads; None when it was refused."""
        ...

    @property
    def trigger(self) -> str:
        """The event."""
        ...

    @property
    def actions_to_execute(self) -> Sequence[ActionSpec]:
        """The transition's own actions."""
        ...

    @property
    def on_exit_actions(self) -> Sequence[ActionSpec]:
        """Those of the states that are left."""
        ...

    @property
    def on_enter_actions(self) -> Sequence[ActionSpec]:
        """Those of the states that are entered."""
        ...

    @property
    def all_action_specs(self) -> Sequence[ActionSpec]:
        """All of them, in order."""
        ...

    @property
    def error(self) -> FSMError | None:
        """Why it was refused."""
        ...

    @property
    def metadata(self) -> dict[str, Any]:
        """What else is known."""
        ...
