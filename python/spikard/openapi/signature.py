"""A route's handler as its plan sees it: which parameter is what."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spikard.params import MISSING
from spikard.routing.callee import inspect_handler
from spikard.routing.handler_plan import Argument, HandlerPlan
from spikard.routing.slot import Slot, slot_of
from spikard.schema.field import fields_of

TAKES_BODY = ("body", "body_field", "file")


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a handler by name, what each is filled from, and the return annotation."""

    slots: Mapping[str, Slot]
    arguments: Mapping[str, Argument]
    returns: Any
    # Of fields of models, whose constructors know them: by their position in the plan.
    defaults: Mapping[int, Any]

    @classmethod
    def read(cls, plan: HandlerPlan) -> "Signature":
        """Read the handler of a compiled plan."""
        callee = inspect_handler(plan.handler)
        parameters = [one for one in callee.parameters if one.kind is not one.VAR_KEYWORD]
        slots = {one.name: slot_of(one, callee.described) for one in parameters}
        positional = [one.name for one in parameters if one.name not in plan.keyword_names]
        names = [*positional, *plan.keyword_names]
        arguments = dict(zip(names, plan.arguments, strict=False))
        return cls(slots, arguments, callee.returns, _model_defaults(slots, arguments))

    @property
    def has_return(self) -> bool:
        """Whether the handler says what it returns."""
        return self.returns is not inspect.Parameter.empty

    def body_slots(self) -> list[Slot]:
        """The parameters that take the body, or members of it."""
        return [slot for name, slot in self.slots.items() if self.arguments.get(name, ("", None))[0] in TAKES_BODY]


def _model_defaults(slots: Mapping[str, Slot], arguments: Mapping[str, Argument]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for name, (kind, payload) in arguments.items():
        if kind == "model":
            fields = {field.constructor_name: field.default for field in fields_of(slots[name].annotation.core)}
            _, indices, names = payload
            found.update({index: fields.get(field, MISSING) for index, field in zip(indices, names, strict=True)})
    return found


__all__ = ["Signature"]
