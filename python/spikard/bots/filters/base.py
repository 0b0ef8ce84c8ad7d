"""What a filter is, and how filters are joined.

A filter says no (False, None), yes (True, another truthy value), or yes with values for the handler (a mapping).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from inspect import isawaitable, isclass
from typing import Any, NamedTuple

from spikard.bots.arguments import described, signature_of
from spikard.bots.fsm.state import State, StatesGroupMeta
from spikard.bots.injection import SCOPE, arguments_for
from spikard.bots.magic import MagicFilter
from spikard.di.signature import read_return

Verdict = bool | dict[str, Any]
Check = Callable[[Any, dict[str, Any]], Any]


class BaseFilter(ABC):
    """A filter with parameters. Joined with others by `&`, `|` and `~`.

    Attributes:
        injects: Names of the values it may give; None where that is not declared.
    """

    injects: tuple[str, ...] | None = None

    @abstractmethod
    def __call__(self, event: Any, **kwargs: Any) -> Any:
        """Judges an event. Plain or async; `kwargs` are what the handler could be given."""

    def __and__(self, other: Any) -> "BaseFilter":
        return and_f(self, other)

    def __rand__(self, other: Any) -> "BaseFilter":
        return and_f(other, self)

    def __or__(self, other: Any) -> "BaseFilter":
        return or_f(self, other)

    def __ror__(self, other: Any) -> "BaseFilter":
        return or_f(other, self)

    def __invert__(self) -> "BaseFilter":
        return invert_f(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Key(NamedTuple):
    """What an event must have so that a filter can pass: an attribute or a state, and the values that do.

    Attributes:
        source: What is looked at; filters with one source share a table.
        values: Hashable.
        rank: The lower, the fewer events it fits.
        is_exact: Whether the filter passes wherever the values are there.
    """

    source: tuple[Any, ...]
    values: tuple[Any, ...]
    rank: int
    is_exact: bool = False

    def __str__(self) -> str:
        kind, *details = self.source
        name = ".".join(details) if kind == "attribute" else kind
        return f"{name} {', '.join(sorted(map(str, self.values)))}"


class BuiltinFilter(BaseFilter):
    """A filter of ours: `check` judges at once; it can still be awaited by hand."""

    injects: tuple[str, ...] | None = ()
    # Whether being asked changes nothing.
    is_pure = True
    # Whether it looks at the state of the dialogue.
    reads_state = False

    @abstractmethod
    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges an event."""

    async def __call__(self, event: Any, **kwargs: Any) -> Verdict:
        """Judges an event."""
        return self.check(event, kwargs)

    def key(self) -> Key | None:
        """What an event must have, where that can be looked up in a table."""
        return None


class CompiledFilter(NamedTuple):
    """A filter as the plan calls it."""

    check: Check
    is_async: bool
    key: Key | None
    # Whether it only looks: such filters may be passed over where a later one cannot pass.
    is_pure: bool
    source: Any


def compiled(target: Any) -> CompiledFilter:
    """A filter of any kind, ready to be called with the event and the data.

    Raises:
        TypeError: It is no filter.
    """
    if isinstance(target, CompiledFilter):
        return target
    if isinstance(target, _Joined):
        return target.compiled()
    if isinstance(target, BuiltinFilter):
        return CompiledFilter(target.check, False, target.key(), target.is_pure, target)
    if isinstance(target, MagicFilter):
        check = target.check
        return CompiledFilter(lambda event, _: check(event), False, _magic_key(target), True, target)
    if isinstance(target, State | StatesGroupMeta):
        from spikard.bots.filters.state import StateFilter

        return compiled(StateFilter(target))
    if isinstance(target, str):
        raise TypeError(f"{target!r} is text, not a filter: write Command({target!r}) or F.text == {target!r}")
    if isclass(target) and not issubclass(target, BaseFilter):
        return CompiledFilter(lambda event, _: isinstance(event, target), False, None, True, target)
    if isclass(target):
        raise TypeError(f"{target.__name__} is a class of filters: make one, {target.__name__}(...)")
    if not callable(target):
        raise TypeError(f"{target!r} is no filter: give F..., a filter, a state, a type or a function")
    return _function(target)


def _function(target: Callable[..., Any]) -> CompiledFilter:
    signature = signature_of(target)

    def check(event: Any, data: dict[str, Any]) -> Any:
        if SCOPE in data and signature.wanted:
            return injected(event, data)
        return called(event, signature.arguments(data))

    def called(event: Any, arguments: dict[str, Any]) -> Any:
        return target(event, **arguments) if signature.takes_event else target(**arguments)

    async def injected(event: Any, data: dict[str, Any]) -> Any:
        found = called(event, await arguments_for(signature, data))
        return await found if isawaitable(found) else found

    return CompiledFilter(check, True, None, False, target)


def _magic_key(target: MagicFilter) -> Key | None:
    equality = target.equality()
    if equality is None:
        return None
    path, constants = equality
    # What never equals anything by its hash alone cannot be looked up; None is what absent things look like.
    if None in constants:
        return None
    return Key(("attribute", *path), constants, 0 if path[-1] in {"text", "callback_data"} else 2, is_exact=True)


def names_given(target: Any) -> frozenset[str] | None:
    """Names of the values that a filter of any kind may give; None where nobody can tell."""
    if isinstance(target, CompiledFilter):
        return names_given(target.source)
    if isinstance(target, _Not):
        return frozenset()
    if isinstance(target, _Joined):
        found = [names_given(filter_) for filter_ in target.filters]
        known = [names for names in found if names is not None]
        return frozenset().union(*known) if len(known) == len(found) else None
    if isinstance(target, BaseFilter):
        return None if target.injects is None else frozenset(target.injects)
    if isinstance(target, MagicFilter):
        return frozenset(step.constant for step in target.steps if step.kind == "as")
    if isclass(target) or isinstance(target, State | StatesGroupMeta):
        return frozenset()
    # A function that says that it answers yes or no gives nothing.
    return frozenset() if read_return(target, described(target)) is bool else None


def written(target: Any) -> str:
    """A filter of any kind for people."""
    target = target.source if isinstance(target, CompiledFilter) else target
    if isinstance(target, BaseFilter | MagicFilter):
        return repr(target)
    if isinstance(target, State):
        return target.state
    return described(target).partition(" (")[0]


def parts_of(target: Any) -> Iterator[Any]:
    """The filter, or those that it is joined of."""
    target = target.source if isinstance(target, CompiledFilter) else target
    if not isinstance(target, _Joined):
        yield target
        return
    for part in target.filters:
        yield from parts_of(part)


def verdict(found: Any) -> Verdict:
    """What a filter's result means."""
    if found is True or found is False or type(found) is dict:
        return found
    if isinstance(found, Mapping):
        return dict(found)
    return bool(found)


async def judged(filter_: CompiledFilter, event: Any, data: dict[str, Any]) -> Verdict:
    """What a compiled filter says."""
    found = filter_.check(event, data)
    if filter_.is_async and isawaitable(found):
        found = await found
    return verdict(found)


class _Joined(BaseFilter):
    """Filters joined to one."""

    sign = ""

    def __init__(self, *filters: Any) -> None:
        self.filters = filters
        self._compiled = [compiled(filter_) for filter_ in filters]

    def __repr__(self) -> str:
        return "(" + self.sign.join(map(written, self.filters)) + ")"

    async def __call__(self, event: Any, **kwargs: Any) -> Verdict:
        return await self._judge(event, kwargs)

    async def _judge(self, event: Any, data: dict[str, Any]) -> Verdict:
        raise NotImplementedError

    def _judge_now(self, event: Any, data: dict[str, Any]) -> Verdict:
        raise NotImplementedError

    def compiled(self) -> CompiledFilter:
        is_async = any(filter_.is_async for filter_ in self._compiled)
        is_pure = all(filter_.is_pure for filter_ in self._compiled)
        return CompiledFilter(self._judge if is_async else self._judge_now, is_async, self._key(), is_pure, self)

    def _key(self) -> Key | None:
        return None


class _And(_Joined):
    """All must pass; their values are merged, the later win."""

    sign = " & "

    async def _judge(self, event: Any, data: dict[str, Any]) -> Verdict:
        gathered: dict[str, Any] = {}
        for filter_ in self._compiled:
            found = await judged(filter_, event, {**data, **gathered})
            if found is False:
                return False
            if found is not True:
                gathered.update(found)
        return gathered or True

    def _judge_now(self, event: Any, data: dict[str, Any]) -> Verdict:
        gathered: dict[str, Any] = {}
        for filter_ in self._compiled:
            found = verdict(filter_.check(event, {**data, **gathered} if gathered else data))
            if found is False:
                return False
            if found is not True:
                gathered.update(found)
        return gathered or True

    def _key(self) -> Key | None:
        return best_key(self._compiled)


class _Or(_Joined):
    """The first that passes counts, with its values."""

    sign = " | "

    async def _judge(self, event: Any, data: dict[str, Any]) -> Verdict:
        for filter_ in self._compiled:
            found = await judged(filter_, event, data)
            if found is not False:
                return found
        return False

    def _judge_now(self, event: Any, data: dict[str, Any]) -> Verdict:
        for filter_ in self._compiled:
            found = verdict(filter_.check(event, data))
            if found is not False:
                return found
        return False


class _Not(_Joined):
    """Passes where the other does not; gives no values."""

    def __repr__(self) -> str:
        return f"~{written(self.filters[0])}"

    async def _judge(self, event: Any, data: dict[str, Any]) -> Verdict:
        return await judged(self._compiled[0], event, data) is False

    def _judge_now(self, event: Any, data: dict[str, Any]) -> Verdict:
        return verdict(self._compiled[0].check(event, data)) is False


def best_key(filters: list[CompiledFilter]) -> Key | None:
    """The key that fits fewest events, of those that may be asked first: nothing before them does more than look."""
    best: Key | None = None
    for filter_ in filters:
        if filter_.key is not None and (best is None or filter_.key.rank < best.rank):
            best = filter_.key
        if not filter_.is_pure:
            break
    return best


def and_f(*filters: Any) -> BaseFilter:
    """Passes where all do; their values are merged from left to right."""
    return _And(*filters)


def or_f(*filters: Any) -> BaseFilter:
    """Passes where one does, with the values of the first that does."""
    return _Or(*filters)


def invert_f(filter_: Any) -> BaseFilter:
    """Passes where the other does not."""
    return _Not(filter_)


__all__ = [
    "BaseFilter",
    "BuiltinFilter",
    "Check",
    "CompiledFilter",
    "Key",
    "Verdict",
    "and_f",
    "best_key",
    "compiled",
    "invert_f",
    "judged",
    "names_given",
    "or_f",
    "parts_of",
    "verdict",
    "written",
]
