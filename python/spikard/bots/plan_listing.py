"""The plan for people: every handler, what it asks for, and by what it is found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spikard.bots.checking import sources_of
from spikard.bots.filters.base import written
from spikard.bots.plan import Entry, Gate, Table
from spikard.errors import DIError

if TYPE_CHECKING:
    from spikard.bots.dispatcher.dispatcher import Dispatcher


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One handler.

    Attributes:
        number: Its place in the order in which handlers of its kind of event are asked.
        observer: The kind of event.
        router: The router's name.
        handler: The function's name and place.
        filters: Its filters, those of its routers first.
        indexed_by: What it is looked up by; None if it is asked about every event.
        arguments: Where each of its parameters comes from; `?` for what nobody gives.
    """

    number: int
    observer: str
    router: str
    handler: str
    filters: tuple[str, ...]
    indexed_by: str | None
    arguments: Mapping[str, str]


class PlanListing(list[PlanRow]):
    """All handlers, to be looped over or printed."""

    def __str__(self) -> str:
        head = ("#", "event", "router", "handler", "filters", "indexed by", "arguments")
        rows = [head, *(_cells(row) for row in self)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
        return "\n".join(line.rstrip() for line in lines)


def _cells(row: PlanRow) -> tuple[str, ...]:
    arguments = ", ".join(f"{name} ({source})" for name, source in row.arguments.items())
    filters = ", ".join(row.filters)
    return str(row.number), row.observer, row.router, row.handler, filters, row.indexed_by or "-", arguments


def list_plan(dispatcher: "Dispatcher") -> PlanListing:
    """The plan of a dispatcher."""
    listing = PlanListing()
    for name in dispatcher.observers:
        table = _own(dispatcher) if name == "error" else dispatcher.table(name)
        for number, (entry, filters) in enumerate(_entries(table, ())):
            listing.append(
                PlanRow(
                    number,
                    name,
                    entry.router.name,
                    entry.handler.name,
                    (*filters, *(written(filter_) for filter_ in entry.filters)),
                    None if entry.key is None else str(entry.key),
                    _arguments(dispatcher, name, entry),
                )
            )
    return listing


def _own(dispatcher: "Dispatcher") -> Table:
    items: list[Entry | Gate] = []
    for router in dispatcher.walk():
        items += router.error_table().items
    return Table(items)


def _entries(table: Table, filters: tuple[str, ...]) -> Iterator[tuple[Entry, tuple[str, ...]]]:
    for item in table.items:
        if isinstance(item, Entry):
            yield item, filters
        else:
            yield from _entries(item.table, (*filters, *(written(filter_) for filter_ in item.filters)))


def _arguments(dispatcher: "Dispatcher", name: str, entry: Entry) -> dict[str, str]:
    signature = entry.handler.called
    if signature is None:
        return {}
    sources = sources_of(dispatcher, entry.router, name, entry.handler, {})
    found: dict[str, Any] = {}
    for wanted in signature.wanted:
        try:
            found[wanted.name] = sources.of(wanted, signature) or "?"
        except DIError:
            found[wanted.name] = "?"
    return found


__all__ = ["PlanListing", "PlanRow", "list_plan"]
