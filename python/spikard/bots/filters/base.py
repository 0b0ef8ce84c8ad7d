"""What a filter is, and how filters are joined.

A filter says no (False, None), yes (True, another truthy value), or yes with values for the handler (a mapping).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from inspect import isawaitable, isclass
from typing import Any, NamedTuple

from spikard.bots.arguments import signature_of
from spikard.bots.fsm.state import State, StatesGroupMeta
from spikard.bots.injection import SCOPE, arguments_for
from spikard.bots.magic import MagicFilter

Verdict = bool | dict[str, Any]
Check = Callable[[Any, dict[str, Any]], Any]


class BaseFilter(ABC):
    """A filter with parameters. Joined with others by `&`, `|` and `~`."""

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


class Key(NamedTuple):
    """What an event must have so that a filter can pass: an attribute or a state, and the values that do.

    Attributes:
        source: What is looked at; filters with one source share a table.
        values: Hashable.
        rank: The lower, the fewer events it fits.
    """

    source: tuple[Any, ...]
    values: tuple[Any, ...]
    rank: int


class BuiltinFilter(BaseFilter):
    """A filter of ours: `check` judges at once; it can still be awaited by hand."""

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
        return CompiledFilter(target.check, False, target.key(), True, target)
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
    return Key(("attribute", *path), constants, 0 if path[-1] in {"text", "callback_data"} else 2)


def verdict(found: Any) -> Verdict:
    """What a filter's result means."""
    if isinstance(found, Mapping):
        return dict(found)
    return bool(found)


async def judged(filter_: CompiledFilter, event: Any, data: dict[str, Any]) -> Verdict:
    """What a compiled filter says."""
    found = filter_.check(event, data)
    if isawaitable(found):
        found = await found
    return verdict(found)


class _Joined(BaseFilter):
    """Filters joined to one."""

    def __init__(self, *filters: Any) -> None:
        self.filters = filters
        self._compiled = [compiled(filter_) for filter_ in filters]

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
    "or_f",
    "verdict",
]
