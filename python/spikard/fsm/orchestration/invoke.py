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


def changed(machine: Any, left: str, entered: str) -> tuple[list[tuple[str, InvokeSpec]], list[tuple[str, InvokeSpec]]]:
    """The services to stop and to start, each with its state, for all states of the chains between two."""
    hierarchy, states = machine.hierarchy, machine.states
    if left == entered or left not in states or entered not in states:
        return [], []
    shared = hierarchy.lca(left, entered)
    exits, enters = hierarchy.exit_chain(left, shared), hierarchy.enter_chain(shared, entered)
    return (
        [(name, spec) for name in exits for spec in states[name].invoke],
        [(name, spec) for name in enters for spec in states[name].invoke],
    )
