"""Services that live as long as a state."""

from typing import Any, Protocol, runtime_checkable

from spikard.fsm.invoke_spec import InvokeSpec


@runtime_checkable
class InvokeAdapter(Protocol):
    """Starts and stops services. Both may be coroutines where the event is processed asynchronously."""

    def start(self, spec: InvokeSpec, source_state: str, context: dict[str, Any]) -> Any:
        """A state was entered, from `source_state`."""
        ...

    def stop(self, spec: InvokeSpec, context: dict[str, Any]) -> Any:
        """The state is being left."""
        ...


def changed(machine: Any, before: frozenset[str], after: frozenset[str]) -> tuple[list[InvokeSpec], list[InvokeSpec]]:
    """The services to stop, innermost first, and to start, outermost first, between two sets of active states."""
    depth = machine.hierarchy.ancestors
    left = sorted(before - after, key=lambda name: (-len(depth(name)), name))
    entered = sorted(after - before, key=lambda name: (len(depth(name)), name))
    return (
        [spec for name in left for spec in machine.states[name].invoke],
        [spec for name in entered for spec in machine.states[name].invoke],
    )
