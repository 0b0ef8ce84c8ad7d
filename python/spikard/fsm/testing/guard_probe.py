"""What a guard written in Python looks at: found out by asking it."""

from collections.abc import Mapping
from typing import Any

from spikard.fsm.guard_function import GuardFunction


class _Watched(dict[str, Any]):
    """A context that has every key, and knows which ones were asked for."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._value = value

    def __getitem__(self, key: str) -> Any:
        self.asked.append(key)
        return self._value

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.append(key)
        return self._value if default is None else default

    def __contains__(self, key: object) -> bool:
        self.asked.append(str(key))
        return True


class Probe:
    """What asking a guard has shown: the keys it looks at, and the values that it may compare them with."""

    def __init__(self, name: str, function: GuardFunction, params: Mapping[str, Any]) -> None:
        self.name = name
        self.fields: list[str] = []
        kinds: tuple[type, ...]
        if function._values is not None:
            wanted = [parameter for parameter in function._values if parameter.name not in params]
            self.fields = [parameter.name for parameter in wanted]
            annotated = {parameter.annotation for parameter in wanted}
            kinds = tuple(kind for kind in (int, bool, str) if kind in annotated) or (int, bool, str)
        else:
            found, kinds = _asked(function, params)
            self.fields = [key for key in dict.fromkeys(found) if not key.startswith("_")]
        constants = [value for value in _constants(function, params) if value not in self.fields]
        # A bool counts as a number, too: where numbers fit, it says nothing new.
        plain = (0, 1, 10) if int in kinds else (True, False) if bool in kinds else ()
        self.constants = [value for value in (*constants, *plain) if type(value) in _fitting(kinds)]

    def of(self, field: str) -> list[Any]:
        """What a field may be compared with; nothing, if it is not looked at."""
        return self.constants if field in self.fields else []


def _asked(function: GuardFunction, params: Mapping[str, Any]) -> tuple[list[str], tuple[type, ...]]:
    """The keys that a guard asks for, and the types of values that it does not choke on."""
    found: list[str] = []
    kinds = []
    for value in (1, True, "x"):
        context = _Watched(value)
        try:
            # Not by way of `GuardFunction`, which copies the context where there are parameters.
            function.function(context, **params)
            kinds.append(type(value))
        except Exception:  # noqa: BLE001, S110 - made-up values are not what it is written for
            pass
        found += context.asked
    return found, tuple(kinds) or (int, bool, str)


def _fitting(kinds: tuple[type, ...]) -> tuple[type, ...]:
    return (*kinds, float) if int in kinds else kinds


def _constants(function: GuardFunction, params: Mapping[str, Any]) -> list[Any]:
    """The constants in a guard's code, and its parameters."""
    code = getattr(function.function, "__code__", None)
    written = [] if code is None else list(code.co_consts)
    found = [one for value in (*written, *params.values()) for one in (value if isinstance(value, tuple) else (value,))]
    document = getattr(function.function, "__doc__", None)
    return [value for value in found if isinstance(value, (int, float, str)) and value != document]
