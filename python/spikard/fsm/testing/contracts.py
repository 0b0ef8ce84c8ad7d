"""Contracts: what must hold before and after steps, and for as long as an entity is in a state.

A state or transition of a machine may have the key `contracts`, a mapping of `pre`, `post` and `invariant` to
conditions: expressions, or anything that guards can be. They are checked in tests, never in production.

- of a transition: `pre` before the actions of its step, `post` after them
- of a state: `pre` before the actions of the step that enters it, `post` after those of the step that leaves it,
  `invariant` after every step that ends in it

`old` is the context as it was before the step, in `post` and `invariant`.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from spikard._spikard import Expression
from spikard.fsm.errors import ConfigurationError, FSMError
from spikard.fsm.expression_errors import ExprError
from spikard.fsm.guard_spec import GuardSpec

if TYPE_CHECKING:
    from spikard.fsm.state_machine import StateMachine

KINDS = ("pre", "post", "invariant")
Conditions = dict[str, tuple[GuardSpec, ...]]


class ContractError(FSMError):
    """A condition did not hold: `kind` is `pre`, `post` or `invariant`, `owner` whose it is."""

    def __init__(self, kind: str, owner: str, condition: str, context: dict[str, Any] | None = None) -> None:
        super().__init__(f"Contract of {owner}: {kind} '{condition}' does not hold", context)
        self.kind = kind
        self.owner = owner
        self.condition = condition


class Contracts:
    """The contracts of a machine."""

    class Around:
        """What is to be checked after a step."""

        __slots__ = ("_check",)

        def __init__(self, check: Callable[[dict[str, Any]], None] | None) -> None:
            self._check = check

        def after(self, context: dict[str, Any]) -> None:
            """Raises ContractError where the step has broken something."""
            if self._check is not None:
                self._check(context)

    NONE = Around(None)

    def __init__(self, machine: "StateMachine") -> None:
        self._passes = machine.guard_registry.passes
        self._states = {
            name: found
            for name, state in machine.states.items()
            if (found := _read(f"state '{name}'", state.metadata.get("contracts")))
        }
        self._transitions = {}
        self._labels = {}
        for number, transition in enumerate(machine.transitions):
            label = f"transition '{transition.trigger}' to '{transition.dest}'"
            if found := _read(label, transition.metadata.get("contracts")):
                self._transitions[number], self._labels[number] = found, label

    def __bool__(self) -> bool:
        return bool(self._states or self._transitions)

    @property
    def conditions(self) -> list[GuardSpec]:
        """All conditions of all contracts."""
        owners = (*self._states.values(), *self._transitions.values())
        return [guard for owner in owners for guards in owner.values() for guard in guards]

    def around(
        self, number: int | None, before: tuple[str, ...], after: tuple[str, ...], context: dict[str, Any]
    ) -> "Contracts.Around":
        """Checks what must hold before a step; gives what checks the rest. `context` has the payload in it."""
        if not self:
            return self.NONE
        old = dict(context)
        of_transition = self._transitions.get(number, {}) if number is not None else {}
        label = self._labels.get(number, "") if number is not None else ""
        self._check("pre", label, of_transition, context)
        for name in after:
            if name not in before:
                self._check("pre", f"state '{name}'", self._states.get(name, {}), context)

        def check(context: dict[str, Any]) -> None:
            seen = {**context, "old": old}
            self._check("post", label, of_transition, seen)
            for name in before:
                if name not in after:
                    self._check("post", f"state '{name}'", self._states.get(name, {}), seen)
            for name in after:
                self._check("invariant", f"state '{name}'", self._states.get(name, {}), seen)

        return self.Around(check)

    def _check(self, kind: str, owner: str, conditions: Conditions, context: dict[str, Any]) -> None:
        for condition in conditions.get(kind, ()):
            if not self._holds(condition, context):
                raise ContractError(kind, owner, condition.label.removeprefix("expr:"))

    def _holds(self, condition: GuardSpec, context: dict[str, Any]) -> bool:
        if condition.expr is None:
            return self._passes(condition, context)
        # What is not there is null, and what cannot be compared does not hold.
        expression = Expression(condition.expr)
        try:
            return expression.holds({**dict.fromkeys(expression.names), **context})
        except (ExprError, TypeError, ValueError, ArithmeticError, LookupError):
            return False


def _read(owner: str, written: Any) -> Conditions:
    if written is None:
        return {}
    if not isinstance(written, Mapping) or not set(written) <= set(KINDS):
        raise ConfigurationError(f"contracts of {owner}: a mapping with {', '.join(KINDS)} is needed")
    return {str(kind): tuple(_condition(owner, item) for item in _listed(items)) for kind, items in written.items()}


def _listed(items: Any) -> list[Any]:
    return items if isinstance(items, list) else [items]


def _condition(owner: str, item: Any) -> GuardSpec:
    try:
        if isinstance(item, str):
            Expression(item)
            return GuardSpec(expr=item)
        return GuardSpec.from_config(item)
    except (ExprError, ValueError) as error:
        raise ConfigurationError(f"contracts of {owner}: {error}") from error
