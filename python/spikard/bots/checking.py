"""What is wrong with a tree of handlers before any update has come: what nobody gives, clashes, the unreachable."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import unwrap
from typing import TYPE_CHECKING, Any, Literal

from spikard.bots.arguments import ABSENT, Signature, Wanted, described, found_in, signature_of
from spikard.bots.callback_data_factory import CallbackDataFactory
from spikard.bots.filters.base import BaseFilter, CompiledFilter, names_given, parts_of
from spikard.bots.filters.callback_data import CallbackDataFilter
from spikard.bots.handler import HandlerObject
from spikard.bots.injection import is_provided, need_of
from spikard.bots.magic import MagicFilter
from spikard.bots.plan import Entry, Gate, Table
from spikard.bots.types.base import VKObject
from spikard.errors import DIError

if TYPE_CHECKING:
    from spikard.bots.dispatcher.dispatcher import Dispatcher
    from spikard.bots.router import Router

# What the dispatcher gives to every handler.
_ALWAYS = frozenset(
    {
        *("bot", "update", "raw_event", "event_type", "dispatcher", "router", "handler", "flags"),
        *("state", "current_state", "raw_state", "chat", "from_user", "event_from_user"),
    }
)
_BY_EVENT = {
    "callback_query": frozenset({"message", "callback_message"}),
    "error": frozenset({"error", "exception", "message", "callback_message"}),
}
_OF_HOOKS = frozenset({"bot", "bots", "dispatcher", "router"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong.

    Attributes:
        kind: `argument` that nobody gives, `prefix` that two kinds of buttons share, handler that is `unreachable`.
        message: What, and what to do.
        handler: The function's name.
        file: Where it is written; empty if that is not known.
        line: Its first line; 0 if that is not known.
        parameter: Of an argument its name.
    """

    kind: Literal["argument", "prefix", "unreachable"]
    message: str
    handler: str
    file: str = ""
    line: int = 0
    parameter: str | None = None

    @property
    def is_fault(self) -> bool:
        """Whether a strict dispatcher does not start with it."""
        return self.kind != "unreachable"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        return f"{place}{self.handler}: {self.message}"


def _finding(kind: Literal["argument", "prefix", "unreachable"], function: Any, message: str, name: Any) -> Finding:
    target = unwrap(function) if callable(function) else function
    code = getattr(target, "__code__", None)
    file, line = (code.co_filename, code.co_firstlineno) if code is not None else ("", 0)
    return Finding(kind, message, described(target).partition(" (")[0], file, line, name)


class Sources:
    """Where what functions ask for may come from, at one place of the tree."""

    def __init__(self, dispatcher: "Dispatcher", data: Mapping[str, Any], names: frozenset[str], more: bool) -> None:
        self.container = dispatcher.container
        self.data = {**dispatcher.data, **data}
        # Which middlewares and filters give; `is_unknown` if one of them does not say what it gives.
        self.names = names
        self.is_unknown = more

    def of(self, wanted: Wanted, signature: Signature) -> str | None:
        """From where a parameter gets its value; None if from nowhere."""
        if not wanted.is_asked:
            if wanted.name in self.names or wanted.typed in self.names:
                return "update"
            if found_in(self.data, wanted) is not ABSENT:
                return "data"
        if self.container is not None and is_provided(wanted, self.container):
            need_of(wanted, signature, self.container)
            return "container"
        if not wanted.is_asked and wanted.kind is not None and self._may_be_typed(wanted.kind):
            return "update"
        if not wanted.is_required:
            return "default"
        return "middleware or filter" if self.is_unknown and not wanted.is_asked else None

    def _may_be_typed(self, kind: type) -> bool:
        """Whether something of the update, or of what filters give, may be of a class."""
        if issubclass(kind, BaseException):
            return "error" in self.names
        known = _ALWAYS | _BY_EVENT["error"] | _OF_HOOKS
        return issubclass(kind, VKObject) or bool(self.names - known)


def check(dispatcher: "Dispatcher", data: Mapping[str, Any]) -> list[Finding]:
    """Everything that is wrong with the tree of a dispatcher; `data` is what polling will be given beside."""
    checker = _Checker(dispatcher, data)
    return [*checker.arguments(), *checker.hooks(), *checker.prefixes(), *checker.unreachable()]


class _Checker:
    def __init__(self, dispatcher: "Dispatcher", data: Mapping[str, Any]) -> None:
        self._dispatcher = dispatcher
        self._data = data

    def arguments(self) -> Iterator[Finding]:
        """Parameters of handlers, filters and middlewares that nobody gives."""
        for router in self._dispatcher.walk():
            for name in router.observers:
                yield from self._of_observer(router, name)

    def _of_observer(self, router: "Router", name: str) -> Iterator[Finding]:
        observer = router.observers[name]
        above = sources_above(self._dispatcher, router, name, self._data)
        for middleware in (*observer.outer_middleware, *observer.middleware):
            yield from self._of_function(middleware, 3, above)
        for filter_ in observer.filters:
            yield from self._of_filter(filter_, above)
        for handler in observer.handlers:
            there = sources_of(self._dispatcher, router, name, handler, self._data)
            for one in handler.filters or ():
                yield from self._of_filter(one.compiled, there)
            signature = handler.called
            if signature is not None:
                yield from self._of_signature(signature, there)

    def _of_filter(self, filter_: CompiledFilter, sources: Sources) -> Iterator[Finding]:
        for part in parts_of(filter_):
            if callable(part) and not isinstance(part, BaseFilter | MagicFilter | type):
                yield from self._of_function(part, 1, sources)

    def _of_function(self, function: Callable[..., Any], positional: int, sources: Sources) -> Iterator[Finding]:
        yield from self._of_signature(signature_of(function, positional=positional), sources)

    def _of_signature(self, signature: Signature, sources: Sources) -> Iterator[Finding]:
        for wanted in signature.wanted:
            try:
                is_given = sources.of(wanted, signature) is not None
                fault = ""
            except DIError as error:
                is_given, fault = False, f": {error}"
            if not is_given:
                marked = " is marked Inject, but there is no container" if wanted.is_asked and not fault else ""
                message = f"nothing gives the parameter {wanted.name!r}{marked}{fault}"
                yield _finding("argument", signature.function, message, wanted.name)

    def hooks(self) -> Iterator[Finding]:
        """Parameters of what runs at the start and at the end."""
        sources = Sources(self._dispatcher, self._data, _OF_HOOKS, more=False)
        for router in self._dispatcher.walk():
            for callback in (*router._on_startup, *router._on_shutdown):
                yield from self._of_function(callback, 0, sources)

    def prefixes(self) -> Iterator[Finding]:
        """Kinds of buttons that begin in the same way."""
        known: dict[str, type[CallbackDataFactory]] = {}
        for router in self._dispatcher.walk():
            for observer in router.observers.values():
                for handler in observer.handlers:
                    filters = [one.compiled for one in handler.filters or ()]
                    for part in (part for filter_ in (*observer.filters, *filters) for part in parts_of(filter_)):
                        if not isinstance(part, CallbackDataFilter):
                            continue
                        other = known.setdefault(part.prefix, part.factory)
                        if other is not part.factory:
                            names = f"{other.__qualname__} and {part.factory.__qualname__}"
                            message = f"{names} both have the prefix {part.prefix!r}: give one of them another"
                            yield _finding("prefix", handler.callback, message, None)

    def unreachable(self) -> Iterator[Finding]:
        """Handlers behind one that takes all that they could."""
        for name in self._dispatcher.observers:
            if name != "error":
                yield from _unreachable(self._dispatcher.table(name), _Taken())


class _Taken:
    """What handlers before have taken: events with some values, or all of them."""

    def __init__(self, known: "_Taken | None" = None) -> None:
        self.all: Entry | None = known.all if known is not None else None
        self.values: dict[tuple[Any, Any], Entry] = dict(known.values) if known is not None else {}

    def by(self, entry: Entry) -> Entry | None:
        """A handler that has taken everything that this one could get."""
        if self.all is not None:
            return self.all
        for key in (filter_.key for filter_ in entry.filters):
            if key is None:
                continue
            owners = [self.values.get((key.source, value)) for value in key.values]
            if all(owners):
                return owners[0]
        return None

    def add(self, entry: Entry) -> None:
        """Notes what a handler takes, where it takes all of something."""
        if not entry.filters:
            self.all = self.all or entry
        elif len(entry.filters) == 1 and entry.key is not None and entry.key.is_exact:
            for value in entry.key.values:
                self.values.setdefault((entry.key.source, value), entry)


def _unreachable(table: Table, taken: _Taken) -> Iterator[Finding]:
    for item in table.items:
        if isinstance(item, Gate):
            # What is taken inside may come by outside: the gate lets only some of it in.
            yield from _unreachable(item.table, _Taken(taken))
            continue
        earlier = taken.by(item)
        if earlier is not None:
            message = f"never reached, unless {earlier.handler.name} before it passes updates on"
            yield _finding("unreachable", item.handler.callback, message, None)
        taken.add(item)


def sources_above(dispatcher: "Dispatcher", router: "Router", name: str, data: Mapping[str, Any]) -> Sources:
    """What is there when a router's own handlers of a kind of event are asked."""
    names = set(_ALWAYS | _BY_EVENT.get(name, frozenset()))
    is_unknown = False
    adding: list[Any] = list(dispatcher.update.outer_middleware)
    above: Router | None = router
    while above is not None:
        observer = above.observers[name]
        adding += [*observer.outer_middleware, *observer.middleware, *observer.filters]
        above = above.parent_router
    if name == "error":
        # They see what the handler has seen that failed, whichever it was.
        is_unknown = True
    for one in adding:
        given = names_given(one) if isinstance(one, CompiledFilter) else getattr(one, "injects", None)
        is_unknown = is_unknown or given is None
        names.update(given or ())
    return Sources(dispatcher, data, frozenset(names), is_unknown)


def sources_of(
    dispatcher: "Dispatcher", router: "Router", name: str, handler: HandlerObject, data: Mapping[str, Any]
) -> Sources:
    """What is there when a handler runs."""
    above = sources_above(dispatcher, router, name, data)
    names = set(above.names)
    for filter_ in handler.filters or ():
        given = names_given(filter_.compiled)
        above.is_unknown = above.is_unknown or given is None
        names.update(given or ())
    above.names = frozenset(names)
    return above


__all__ = ["Finding", "Sources", "check", "sources_above", "sources_of"]
