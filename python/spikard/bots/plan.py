"""Which handlers an event has to be shown to: the tree of routers as one list, with tables of what filters compare.

The tables are looked into once for each event; what is left is asked in the order in which a walk through the tree
would come to it, so the plan gives what the walk gives.
"""

from collections.abc import Callable, Iterator
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from spikard.bots.actions import typing_action
from spikard.bots.arguments import Signature, signature_of
from spikard.bots.filters.base import BuiltinFilter, CompiledFilter, Key, best_key, parts_of, verdict
from spikard.bots.filters.command import words_of
from spikard.bots.fsm.state import State, StatesGroupMeta
from spikard.bots.handler import HandlerObject
from spikard.bots.leaving import leave_lane
from spikard.bots.magic import MagicFilter
from spikard.bots.middleware import Handler, Middleware, wrapped
from spikard.bots.outcomes import UNHANDLED, CancelHandler, SkipHandler
from spikard.bots.request_ids import HandlerRun, current_run

if TYPE_CHECKING:
    from spikard.bots.router import Router

# A name that no argument can have: who is asked about is noted here, for handlers of errors.
TRAIL = "spikard.trail"
Reader = Callable[[Any, dict[str, Any]], Any]


class Trail:
    """Which handler has failed, and with which data."""

    __slots__ = ("data", "entry")

    def __init__(self) -> None:
        self.entry: Entry | None = None
        self.data: dict[str, Any] | None = None


async def _passes(filters: list[CompiledFilter], event: Any, data: dict[str, Any]) -> dict[str, Any] | None:
    """The data with what the filters gave; None if one does not pass. The mapping given is left as it is."""
    is_own = False
    for filter_ in filters:
        found = filter_.check(event, data)
        if found is True:
            continue
        if found is False:
            return None
        if filter_.is_async and isawaitable(found):
            found = await found
        found = verdict(found)
        if found is False:
            return None
        if found is not True:
            if not is_own:
                data, is_own = dict(data), True
            data.update(found)
    return data


class Entry:
    """A handler in the plan."""

    __slots__ = ("filters", "handler", "key", "leaves_lane", "name", "router", "run")

    def __init__(self, router: "Router", handler: HandlerObject, inner: list[Middleware]) -> None:
        self.router = router
        self.handler = handler
        self.filters = [filter_.compiled for filter_ in handler.filters or ()]
        self.key = best_key(self.filters)
        # Without its line, which another edit of the same program may move.
        self.name = f"{router.name}/{handler.name.partition(' (')[0]}"
        run: Handler = typing_action(handler.run) if handler.flags.get("typing") else handler.run
        self.run: Handler = wrapped(inner, run) if inner else run
        self.leaves_lane = handler.flags.get("lane") == "free"

    async def offer(self, event: Any, data: dict[str, Any]) -> Any:
        """What the handler makes of the event; UNHANDLED if it does not take it."""
        passed = await _passes(self.filters, event, data)
        if passed is None:
            return UNHANDLED
        if passed is data:
            passed = dict(data)
        passed["handler"], passed["router"], passed["flags"] = self.handler, self.router, self.handler.flags
        update = data.get("update")
        # What it sends is known to the server when it is run again after a crash.
        token = None if update is None else current_run.set(HandlerRun(update.event_id, self.name, 0, passed))
        if self.leaves_lane and (leave := leave_lane.get()) is not None:
            leave()
        try:
            return await self.run(event, passed)
        except SkipHandler:
            return UNHANDLED
        except CancelHandler:
            raise
        except Exception:
            trail = data.get(TRAIL)
            if trail is not None and trail.entry is None:
                trail.entry, trail.data = self, passed
            raise
        finally:
            if token is not None:
                current_run.reset(token)


class Gate:
    """A router whose filters or outer middleware stand before everything in it."""

    __slots__ = ("filters", "key", "run", "table")

    def __init__(self, filters: list[CompiledFilter], outer: list[Middleware], table: "Table") -> None:
        self.filters = filters
        # Middleware sees every event, filters only those that could pass them.
        self.key: Key | None = None if outer else best_key(filters)
        self.table = table
        self.run = wrapped(outer, self._inside)

    async def _inside(self, event: Any, data: dict[str, Any]) -> Any:
        passed = await _passes(self.filters, event, data)
        return UNHANDLED if passed is None else await self.table.offer(event, passed)

    async def offer(self, event: Any, data: dict[str, Any]) -> Any:
        """What comes of the event inside."""
        # What is added on the way is there below, and nowhere else.
        return await self.run(event, dict(data))


class Table:
    """Entries in their order, and by what their filters compare."""

    def __init__(self, items: list[Entry | Gate]) -> None:
        self.items = items
        self._always: list[int] = []
        tables: dict[tuple[Any, ...], dict[Any, list[int]]] = {}
        for ordinal, item in enumerate(items):
            if item.key is None:
                self._always.append(ordinal)
                continue
            table = tables.setdefault(item.key.source, {})
            for value in item.key.values:
                table.setdefault(value, []).append(ordinal)
        self._tables = [(_reader(source), table) for source, table in tables.items()]
        # Whether anybody looks at the state; else it need not be read from where it is kept.
        self.reads_state = True

    def candidates(self, event: Any, data: dict[str, Any]) -> Iterator[Entry | Gate]:
        """Those whose filters could pass, in their order."""
        found = self._always
        is_shared = True
        for read, table in self._tables:
            value = read(event, data)
            try:
                more = table.get(value)
            except TypeError:  # a value without a hash equals no constant
                continue
            if more:
                found = found + more
                is_shared = False
        ordinals = found if is_shared else sorted(set(found))
        items = self.items
        return (items[ordinal] for ordinal in ordinals)

    async def offer(self, event: Any, data: dict[str, Any]) -> Any:
        """What the first makes of it that takes it."""
        for item in self.candidates(event, data):
            found = await item.offer(event, data)
            if found is not UNHANDLED:
                return found
        return UNHANDLED

    def entries(self) -> Iterator[Entry]:
        """All handlers, in their order."""
        for item in self.items:
            if isinstance(item, Entry):
                yield item
            else:
                yield from item.table.entries()


def _reader(source: tuple[Any, ...]) -> Reader:
    kind, *details = source
    if kind == "command":
        prefixes, ignore_case = details
        return words_of(prefixes, ignore_case)
    if kind == "state":
        return lambda _, data: data.get("current_state", data.get("raw_state"))
    if kind == "prefix":
        (separator,) = details

        def prefix(event: Any, _: dict[str, Any]) -> Any:
            given = getattr(event, "callback_data", None)
            return given.partition(separator)[0] if isinstance(given, str) else None

        return prefix

    def attribute(event: Any, _: dict[str, Any]) -> Any:
        value = event
        for name in details:
            value = getattr(value, name, None)
            if value is None:
                return None
        return value

    return attribute


def _collected(router: "Router", event_name: str, inner: list[Middleware]) -> list[Entry | Gate]:
    observer = router.observers.get(event_name)
    items: list[Entry | Gate] = []
    if observer is not None:
        inner = [*inner, *observer.middleware]
        items += [Entry(router, handler, inner) for handler in observer.handlers]
    for child in router.sub_routers:
        items += _collected(child, event_name, inner)
    if observer is None or not (observer.outer_middleware or observer.filters):
        return items
    return [Gate(observer.filters, list(observer.outer_middleware), Table(items))]


def compile_plan(router: "Router", event_name: str) -> Table:
    """The plan of a router and all below it, for one kind of event."""
    table = Table(_collected(router, event_name, []))
    table.reads_state = any(_reads_state(one, event_name) for one in router.walk())
    return table


def _reads_state(router: "Router", event_name: str) -> bool:
    for observer in (router.observers[event_name], router.observers["error"]):
        if observer.outer_middleware or observer.middleware:
            return True
        if any(_wants_state(filter_) for filter_ in observer.filters):
            return True
        for handler in observer.handlers:
            if handler.signature is None or _names_state(handler.signature):
                return True
            if any(_wants_state(one.compiled) for one in handler.filters or ()):
                return True
    return False


def _wants_state(filter_: CompiledFilter) -> bool:
    for part in parts_of(filter_):
        if isinstance(part, BuiltinFilter):
            is_wanted = part.reads_state
        elif isinstance(part, State | StatesGroupMeta):
            is_wanted = True
        else:
            is_wanted = not isinstance(part, MagicFilter | type) and _names_state(signature_of(part))
        if is_wanted:
            return True
    return False


def _names_state(signature: Signature) -> bool:
    return signature.takes_all or any(wanted.name in {"current_state", "raw_state"} for wanted in signature.wanted)


def compile_own(router: "Router", event_name: str) -> Table:
    """The plan of a router alone."""
    observer = router.observers[event_name]
    entries: list[Entry | Gate] = [
        Entry(router, handler, [*observer.outer_middleware, *observer.middleware]) for handler in observer.handlers
    ]
    return Table(entries)


__all__ = ["TRAIL", "Entry", "Gate", "Table", "Trail", "compile_own", "compile_plan"]
