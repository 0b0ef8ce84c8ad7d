"""`F`: a filter written as an expression over the event, like `F.text.startswith("hi") & (F.chat.type == "private")`.

An expression is a row of steps. A step that does not fit the value (an attribute that is not there, a call of None)
rejects it: what follows is passed over up to the next `|` or `~`, which see None. A path and one comparison, the shape
of nearly all filters, becomes one function.
"""

import operator
import re
from collections.abc import Callable, Container, Iterable
from typing import TYPE_CHECKING, Any, NoReturn, Self

from spikard.bots.fsm.state import State

_NOTHING_FOUND = (AttributeError, KeyError, TypeError, ValueError, IndexError)
_WHOLE = slice(None, None, None)


class _Reject(Exception):  # noqa: N818 - never seen outside
    """The value does not fit."""


class Step:
    """One operation of an expression."""

    __slots__ = ("apply", "constant", "is_important", "kind", "name", "written")

    def __init__(
        self,
        kind: str,
        apply: Callable[[Any, Any], Any],
        *,
        is_important: bool = False,
        name: str | None = None,
        constant: Any = None,
        written: str = "",
    ) -> None:
        self.kind = kind
        # As in a program: `{}` stands for what precedes it.
        self.written = written
        # Of the value so far and the whole event.
        self.apply = apply
        # Whether it sees None where the value was rejected before.
        self.is_important = is_important
        self.name = name
        self.constant = constant

    @property
    def is_open(self) -> bool:
        """Whether its text needs brackets before anything else is done with it."""
        return self.written.startswith(("{} ", "~", "+", "-")) or self.written.endswith(" {}")


def _resolved(operand: Any, root: Any) -> Any:
    return operand.resolve(root) if isinstance(operand, MagicFilter) else operand


def _guarded(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(value: Any, root: Any) -> Any:
        try:
            return function(value, root)
        except _NOTHING_FOUND as fault:
            raise _Reject from fault

    return apply


def _attribute(name: str) -> Step:
    return Step("attribute", _guarded(lambda value, _: getattr(value, name)), name=name, written=f"{{}}.{name}")


def _operation(function: Callable[[Any, Any], Any], right: Any, written: str) -> Step:
    text = _filled(written, right)
    return Step("operation", _guarded(lambda value, root: function(value, _resolved(right, root))), written=text)


def _mirrored(function: Callable[[Any, Any], Any], left: Any, written: str) -> Step:
    text = _filled(written, left)
    return Step("operation", _guarded(lambda value, root: function(_resolved(left, root), value)), written=text)


def _filled(written: str, operand: Any) -> str:
    """With the operand in the place of `<>`."""
    is_open = isinstance(operand, MagicFilter) and operand.steps and operand.steps[-1].is_open and " " in written
    text = f"({operand!r})" if is_open else _shown(operand)
    return written.replace("<>", text.replace("{", "{{").replace("}", "}}"))


def _shown(operand: Any) -> str:
    return str(getattr(operand, "__name__", None) or repr(operand))


def _called(method: str, *args: Any, **kwargs: Any) -> str:
    given = [_shown(arg) for arg in args] + [f"{name}={_shown(arg)}" for name, arg in kwargs.items()]
    return "{}" + f"{method}({', '.join(given)})".replace("{", "{{").replace("}", "}}")


def _holds(collection: Any, item: Any) -> bool:
    try:
        return item in collection
    except TypeError:
        return False


def _lacks(collection: Any, item: Any) -> bool:
    try:
        return item not in collection
    except TypeError:
        return False


def _run(steps: tuple[Step, ...], value: Any, root: Any) -> Any:
    rejected = False
    for index, step in enumerate(steps):
        if rejected and not step.is_important:
            continue
        if step.kind in {"any", "all"} and not isinstance(value, str | bytes) and isinstance(value, Iterable):
            rest = steps[index + 1 :]
            judge = any if step.kind == "any" else all
            return judge(_run(rest, item, root) for item in value)
        try:
            value = step.apply(value, root)
        except _Reject:
            rejected, value = True, None
        else:
            rejected = False
    return value


class MagicFilter:
    """An expression over an event. Each operation gives a new one; `resolve(event)` evaluates it."""

    __slots__ = ("_resolve", "_steps")

    def __init__(self, steps: tuple[Step, ...] = ()) -> None:
        self._steps = steps
        self._resolve: Callable[[Any], Any] | None = None

    def _with(self, step: Step) -> Self:
        return type(self)((*self._steps, step))

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its operations, the first first."""
        return self._steps

    def resolve(self, value: Any) -> Any:
        """The expression's value for an event; None where it does not fit."""
        resolve = self._resolve
        if resolve is None:
            resolve = self._resolve = self._compiled()
        return resolve(value)

    def check(self, event: Any) -> bool | dict[str, Any]:
        """Whether the event passes; with `as_`, what is to be injected."""
        found = self.resolve(event)
        if self._injects:
            return False if found is None else found
        return bool(found)

    @property
    def _injects(self) -> bool:
        return bool(self._steps) and self._steps[-1].kind == "as"

    def _compiled(self) -> Callable[[Any], Any]:
        steps = self._steps
        equality = self.equality()
        if equality is not None:
            path, constants = equality
            is_single = steps[-1].kind == "equal"
            (constant,) = constants if is_single else (None,)

            def compare(value: Any) -> Any:
                try:
                    for name in path:
                        value = getattr(value, name)
                    return value == constant if is_single else value in constants
                except _NOTHING_FOUND:
                    return None if is_single else False

            return compare

        def run(value: Any) -> Any:
            return _run(steps, value, value)

        return run

    def equality(self) -> tuple[tuple[str, ...], tuple[Any, ...]] | None:
        """`(path, constants)` where it only asks whether an attribute is one of some hashable constants."""
        *path, last = self._steps or (None,)
        if last is None or last.kind not in {"equal", "in"} or not path:
            return None
        if any(step.kind != "attribute" for step in path):
            return None
        constants = (last.constant,) if last.kind == "equal" else last.constant
        return tuple(step.name or "" for step in path), constants

    # --- reaching in

    def __getattr__(self, name: str) -> Self:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self._with(_attribute(name))

    def attr_(self, name: str) -> Self:
        """The attribute, also where its name is a method's here."""
        return self._with(_attribute(name))

    def __getitem__(self, key: Any) -> Self:
        if isinstance(key, MagicFilter):
            return self._with(Step("selector", lambda value, _: _selected(key, value), written=_filled("{}[<>]", key)))
        take = _guarded(lambda value, _: value[key])
        if key is ...:
            return self._with(Step("any", take, written="{}[...]"))
        if isinstance(key, slice) and key == _WHOLE:
            return self._with(Step("all", take, written="{}[:]"))
        return self._with(Step("item", take, written=_filled("{}[<>]", key)))

    def __call__(self, *args: Any, **kwargs: Any) -> Self:
        def call(value: Any, root: Any) -> Any:
            if not callable(value):
                raise _Reject
            try:
                return value(
                    *(_resolved(arg, root) for arg in args),
                    **{name: _resolved(arg, root) for name, arg in kwargs.items()},
                )
            except _NOTHING_FOUND as fault:
                raise _Reject from fault

        return self._with(Step("call", call, written=_called("", *args, **kwargs)))

    # --- comparing

    def __eq__(self, other: object) -> Self:  # type: ignore[override]
        if not isinstance(other, MagicFilter) and _is_hashable(other):
            equal = _guarded(lambda value, _: value == other)
            return self._with(Step("equal", equal, constant=other, written=_filled("{} == <>", other)))
        return self._with(_operation(operator.eq, other, "{} == <>"))

    def __ne__(self, other: object) -> Self:  # type: ignore[override]
        return self._with(_operation(operator.ne, other, "{} != <>"))

    def __lt__(self, other: Any) -> Self:
        return self._with(_operation(operator.lt, other, "{} < <>"))

    def __le__(self, other: Any) -> Self:
        return self._with(_operation(operator.le, other, "{} <= <>"))

    def __gt__(self, other: Any) -> Self:
        return self._with(_operation(operator.gt, other, "{} > <>"))

    def __ge__(self, other: Any) -> Self:
        return self._with(_operation(operator.ge, other, "{} >= <>"))

    __hash__ = object.__hash__

    def is_(self, value: Any) -> Self:
        """Whether it is this very object."""
        return self._with(_operation(operator.is_, value, "{}.is_(<>)"))

    def is_not(self, value: Any) -> Self:
        """Whether it is another object."""
        return self._with(_operation(operator.is_not, value, "{}.is_not(<>)"))

    def in_(self, collection: "Container[Any] | MagicFilter") -> Self:
        """Whether it is one of these."""
        if isinstance(collection, list | tuple | set | frozenset) and all(map(_is_hashable, collection)):
            constants = tuple(collection)
            among = _guarded(lambda value, _: _holds(constants, value))
            return self._with(Step("in", among, constant=constants, written=_called(".in_", collection)))
        return self._with(_operation(lambda value, those: _holds(those, value), collection, "{}.in_(<>)"))

    def not_in(self, collection: "Container[Any] | MagicFilter") -> Self:
        """Whether it is none of these."""
        return self._with(_operation(lambda value, those: _lacks(those, value), collection, "{}.not_in(<>)"))

    def contains(self, item: Any) -> Self:
        """Whether this is in it."""
        return self._with(_operation(_holds, item, "{}.contains(<>)"))

    def not_contains(self, item: Any) -> Self:
        """Whether this is not in it."""
        return self._with(_operation(_lacks, item, "{}.not_contains(<>)"))

    # --- combining

    def __and__(self, other: Any) -> Any:
        if _is_filter(other) or self._injects or (isinstance(other, MagicFilter) and other._injects):
            return _joined("and_f", self, other)
        if isinstance(other, MagicFilter):
            both = _guarded(lambda left, root: left and other.resolve(root))
            return self._with(Step("operation", both, written=_filled("{} & <>", other)))
        return self._with(_operation(operator.and_, other, "{} & <>"))

    def __rand__(self, other: Any) -> Any:
        if _is_filter(other):
            return _joined("and_f", other, self)
        return self._with(_mirrored(operator.and_, other, "<> & {}"))

    def __or__(self, other: Any) -> Any:
        if _is_filter(other) or self._injects or (isinstance(other, MagicFilter) and other._injects):
            return _joined("or_f", self, other)
        if isinstance(other, MagicFilter):
            either = _guarded(lambda left, root: left or other.resolve(root))
        else:
            either = _guarded(lambda left, _: operator.or_(left, other))
        return self._with(Step("or", either, is_important=True, written=_filled("{} | <>", other)))

    def __ror__(self, other: Any) -> Any:
        if _is_filter(other):
            return _joined("or_f", other, self)
        return self._with(_mirrored(operator.or_, other, "<> | {}"))

    def __invert__(self) -> Self:
        if self._steps and self._steps[-1].kind == "not":
            return type(self)(self._steps[:-1])
        return self._with(Step("not", lambda value, _: not value, is_important=True, written="~{}"))

    def __xor__(self, other: Any) -> Self:
        return self._with(_operation(operator.xor, other, "{} ^ <>"))

    def __rxor__(self, other: Any) -> Self:
        return self._with(_mirrored(operator.xor, other, "<> ^ {}"))

    # --- computing

    if TYPE_CHECKING:  # made below, all alike

        def __add__(self, other: Any) -> Self: ...
        def __radd__(self, other: Any) -> Self: ...
        def __sub__(self, other: Any) -> Self: ...
        def __rsub__(self, other: Any) -> Self: ...
        def __mul__(self, other: Any) -> Self: ...
        def __rmul__(self, other: Any) -> Self: ...
        def __truediv__(self, other: Any) -> Self: ...
        def __rtruediv__(self, other: Any) -> Self: ...
        def __floordiv__(self, other: Any) -> Self: ...
        def __rfloordiv__(self, other: Any) -> Self: ...
        def __mod__(self, other: Any) -> Self: ...
        def __rmod__(self, other: Any) -> Self: ...
        def __pow__(self, other: Any) -> Self: ...
        def __rpow__(self, other: Any) -> Self: ...
        def __matmul__(self, other: Any) -> Self: ...
        def __rmatmul__(self, other: Any) -> Self: ...
        def __lshift__(self, other: Any) -> Self: ...
        def __rlshift__(self, other: Any) -> Self: ...
        def __rshift__(self, other: Any) -> Self: ...
        def __rrshift__(self, other: Any) -> Self: ...

    def __pos__(self) -> Self:
        return self._with(Step("operation", _guarded(lambda value, _: +value), written="+{}"))

    def __neg__(self) -> Self:
        return self._with(Step("operation", _guarded(lambda value, _: -value), written="-{}"))

    def len(self) -> Self:
        """Its length."""
        return self._with(Step("operation", _guarded(lambda value, _: len(value)), written="{}.len()"))

    def regexp(
        self, pattern: str | re.Pattern[str], mode: str = "match", flags: int = 0, *, search: bool | None = None
    ) -> Self:
        """What the pattern finds: `mode` is match, search, fullmatch, findall or finditer.

        Raises:
            ValueError: There is no such mode.
        """
        if search is not None:
            mode = "search" if search else "match"
        if mode not in {"match", "search", "fullmatch", "findall", "finditer"}:
            raise ValueError(f"no mode of regexp is called {mode!r}: match, search, fullmatch, findall, finditer")
        find = getattr(re.compile(pattern, flags) if isinstance(pattern, str) else pattern, mode)
        given = {"mode": mode} if mode != "match" else {}
        written = _called(".regexp", getattr(pattern, "pattern", pattern), **given)
        return self._with(Step("operation", _guarded(lambda value, _: find(value)), written=written))

    def func(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Self:
        """What the function makes of it: called with `args`, then the value, then `kwargs`."""

        def call(value: Any, root: Any) -> Any:
            given = [_resolved(arg, root) for arg in args]
            return function(*given, value, **{name: _resolved(arg, root) for name, arg in kwargs.items()})

        return self._with(Step("operation", _guarded(call), written=_called(".func", function, *args, **kwargs)))

    def cast(self, target: Callable[[Any], Any]) -> Self:
        """The value as this type; whatever the conversion raises rejects it."""

        def convert(value: Any, _: Any) -> Any:
            try:
                return target(value)
            except Exception as fault:
                raise _Reject from fault

        return self._with(Step("cast", convert, written=_called(".cast", target)))

    def extract(self, condition: "MagicFilter") -> Self:
        """Of a collection the items that fit."""

        def pick(value: Any, _: Any) -> Any:
            return [item for item in value if condition.resolve(item)] if isinstance(value, Iterable) else None

        return self._with(Step("extract", pick, written=_called(".extract", condition)))

    def as_(self, name: str) -> Self:
        """Injects the value into the handler under this name; None does not pass."""

        def inject(value: Any, _: Any) -> Any:
            return None if value is None else {name: value}

        return self._with(Step("as", inject, constant=name, written=_called(".as_", name)))

    # --- what an expression is not

    def __bool__(self) -> NoReturn:
        raise TypeError("F... is a filter, not a value: write & | ~ in place of and, or, not, and brackets around ==")

    def __len__(self) -> NoReturn:
        raise TypeError("F... has no length here: write F.something.len()")

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError("in is no filter: write F.something.contains(x), or F.something.in_(...) for one of several")

    def __iter__(self) -> NoReturn:
        raise TypeError("F... cannot be looped over: write F.something[...] for any item, F.something[:] for all")

    def __repr__(self) -> str:
        text, is_open = "F", False
        for step in self._steps:
            text = step.written.format(f"({text})" if is_open else text)
            is_open = step.is_open
        return text


def _selected(condition: MagicFilter, value: Any) -> Any:
    if isinstance(value, list | tuple):
        found = [item for item in value if condition.resolve(item)]
        if found:
            return found
        raise _Reject
    if condition.resolve(value):
        return value
    raise _Reject


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return not isinstance(value, MagicFilter)


def _is_filter(other: Any) -> bool:
    # Text is none, and is told so there.
    return (callable(other) or isinstance(other, State | str)) and not isinstance(other, MagicFilter)


def _joined(how: str, left: Any, right: Any) -> Any:
    # Filters know this module; only here does it know them.
    from spikard.bots.filters import base

    return getattr(base, how)(left, right)


def _binary(function: Callable[[Any, Any], Any], sign: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def forward(self: MagicFilter, other: Any) -> MagicFilter:
        return self._with(_operation(function, other, f"{{}} {sign} <>"))

    def mirrored(self: MagicFilter, other: Any) -> MagicFilter:
        return self._with(_mirrored(function, other, f"<> {sign} {{}}"))

    return forward, mirrored


_SIGNS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "matmul": "@",
    "lshift": "<<",
    "rshift": ">>",
}

for _name, _sign in _SIGNS.items():
    _forward, _backward = _binary(getattr(operator, _name), _sign)
    setattr(MagicFilter, f"__{_name}__", _forward)
    setattr(MagicFilter, f"__r{_name}__", _backward)

F = MagicFilter()
"""The event, as the beginning of an expression."""

__all__ = ["F", "MagicFilter"]
