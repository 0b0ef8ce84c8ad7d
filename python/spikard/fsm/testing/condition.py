"""Conditions about entities: where one rests, and what its context says."""

import re
from collections.abc import Mapping
from typing import Any

from spikard._spikard import Expression
from spikard.fsm.expression_errors import ExprError
from spikard.fsm.guard_spec import GuardSpec
from spikard.fsm.testing.simulated_session import SimulatedSession
from spikard.fsm.testing.simulation import Simulation

_IN_STATE = re.compile(r"in_state\(\s*(['\"])([\w.]+)\1\s*\)")
_PLACES = "state_is"


class Condition:
    """An expression that is asked whenever an entity rests somewhere.

    It sees the context, `state` (the name of the leaf), and `in_state('x')`, which is also true of states around the
    leaf and of regions. The name of a state alone means the same, unless the context has a key of that name.
    What compares with something that is not there is false.
    """

    def __init__(self, simulation: Simulation, written: Any, known: frozenset[str]) -> None:
        self.text = _text(written)
        states = simulation.chains
        for _, name in _IN_STATE.findall(self.text):
            if name not in states:
                raise ValueError(f"'{self.text}': there is no state '{name}'")
        source = _IN_STATE.sub(lambda found: f"{_PLACES}['{found[2]}']", self.text)
        try:
            self._expression = Expression(source)
        except ExprError as error:
            raise ValueError(f"'{self.text}': {error}") from error
        names = set(self._expression.names) - {_PLACES, "state"}
        self._states = tuple(sorted(name for name in names if name in states and name not in known))
        self.fields = tuple(sorted(names - set(self._states)))
        for name in self.fields:
            if name not in known:
                raise ValueError(f"'{self.text}': '{name}' is neither a state nor a field that the machine knows")
        self._all = tuple(states)
        # Places are not compared with values, so they say nothing of values to be tried.
        self.guard = GuardSpec(expr=re.sub(rf"{_PLACES}\['[\w.]+'\]|\bstate\b", "True", source))

    def holds(self, session: SimulatedSession) -> bool:
        """Whether it is true of an entity now."""
        active = session.active
        namespace: dict[str, Any] = {
            _PLACES: {name: name in active for name in self._all},
            "state": session.current_state,
            **{name: name in active for name in self._states},
        }
        for name in self.fields:
            namespace[name] = session.context.get(name)
        try:
            return self._expression.holds(namespace)
        except (ExprError, TypeError, ValueError, ArithmeticError, LookupError):
            return False

    def __str__(self) -> str:
        return self.text


def _text(written: Any) -> str:
    if isinstance(written, str) and written.strip():
        return written.strip()
    if isinstance(written, Mapping):
        if set(written) == {"state"}:
            return f"in_state('{written['state']}')"
        if set(written) <= {"state", "expr"} and "expr" in written:
            place = f"in_state('{written['state']}') and " if "state" in written else ""
            return f"{place}({written['expr']})"
    raise ValueError(f"a condition is an expression, {{state: name}} or {{state: name, expr: text}}, not {written!r}")
