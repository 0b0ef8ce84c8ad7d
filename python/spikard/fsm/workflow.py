"""What a state means for the work as a whole: still going on, done, or gone wrong."""

from typing import Any, Literal

WorkflowStatus = Literal["active", "complete", "failed"]

WORKFLOW_STATUS_ACTIVE: Literal["active"] = "active"
WORKFLOW_STATUS_COMPLETE: Literal["complete"] = "complete"
WORKFLOW_STATUS_FAILED: Literal["failed"] = "failed"
WORKFLOW_VALID_STATUSES: frozenset[str] = frozenset(
    {WORKFLOW_STATUS_ACTIVE, WORKFLOW_STATUS_COMPLETE, WORKFLOW_STATUS_FAILED}
)


def compute_workflow_status(machine: Any, state_name: str) -> WorkflowStatus:
    """How the work stands in a state; a state the machine does not know counts as going on."""
    state = machine.states.get(state_name)
    if state is None:
        return WORKFLOW_STATUS_ACTIVE
    if state.is_terminal:
        return WORKFLOW_STATUS_COMPLETE
    return WORKFLOW_STATUS_FAILED if state.is_error else WORKFLOW_STATUS_ACTIVE


def persistence_flags_for_state(machine: Any, state_name: str) -> tuple[bool, WorkflowStatus]:
    """What stores keep beside a state: whether it is terminal, and how the work stands."""
    return machine.is_terminal(state_name), compute_workflow_status(machine, state_name)
