"""A chart's states and transitions, in the form that other machines have them."""

from collections.abc import Iterator

from spikard._spikard import Chart
from spikard.fsm.guard_spec import GuardSpec
from spikard.fsm.region import Region
from spikard.fsm.state import State
from spikard.fsm.state_type import StateType
from spikard.fsm.transition import Transition


class ChartState(State):
    """A state of a chart: its name is whatever the document calls it."""

    def __post_init__(self) -> None:
        # Names and regions are the document's, which has been checked.
        pass


class ChartRegion(Region):
    """A region of a chart: the state right inside of a parallel one."""

    def __post_init__(self) -> None:
        pass


def view_states(chart: Chart) -> dict[str, State]:
    """The states by their ids, without histories."""
    rows = [row for row in chart.states() if row[1] not in ("shallow", "deep")]
    first = _first(chart)
    children: dict[str, list[str]] = {}
    for name, _, parent, _ in rows:
        children.setdefault(parent or "", []).append(name)
    kinds = {name: kind for name, kind, _, _ in rows}
    states: dict[str, State] = {}
    for name, kind, parent, initial in rows:
        type_ = StateType.STABLE
        if kind == "parallel":
            type_ = StateType.PARALLEL
        elif kind == "final" and parent is None:
            type_ = StateType.TERMINAL
        elif name in first and parent is None:
            type_ = StateType.INITIAL
        regions: tuple[Region, ...] = ()
        if kind == "parallel":
            regions = tuple(_region(region, rows, children, kinds) for region in children.get(name, ()))
        inside = children.get(name, [])
        # Where it begins may be deep inside, or a history.
        child = next((state for state in initial if state in inside), inside[0]) if kind == "compound" else None
        states[name] = ChartState(name, type_, parent=parent, initial_child=child, regions=regions)
    return states


def _first(chart: Chart) -> set[str]:
    """The outermost states that the chart begins in."""
    parents = {name: parent for name, _, parent, _ in chart.states()}
    found = set()
    for name in chart.initial:
        here: str = name
        while (above := parents.get(here)) is not None:
            here = above
        found.add(here)
    return found


def _region(
    name: str,
    rows: list[tuple[str, str, str | None, list[str]]],
    children: dict[str, list[str]],
    kinds: dict[str, str],
) -> Region:
    inside = children.get(name, [name])
    wanted = next((row[3][0] for row in rows if row[0] == name and row[3]), inside[0])
    initial = wanted if wanted in inside else inside[0]
    final = next((child for child in inside if kinds.get(child) == "final"), None)
    return ChartRegion(name, initial, tuple(inside), "", final)


def view_transitions(chart: Chart) -> list[Transition]:
    """One transition for each event that a transition of the chart waits for."""
    histories = {name: (kind, parent) for name, kind, parent, _ in chart.states() if kind in ("shallow", "deep")}
    return [
        Transition(
            trigger=event or f"_auto_{source}",
            source=frozenset((source or chart.name,)),
            dest=_dest(targets, histories) or source or chart.name,
            guards=() if condition is None else (GuardSpec(expr=condition),),
            internal=internal or not targets,
            auto=event is None,
            metadata={"targets": targets} if len(targets) > 1 else {},
        )
        for source, events, condition, targets, internal in chart.transitions()
        for event in _events(events)
    ]


def _events(events: list[str]) -> Iterator[str | None]:
    yield from events or (None,)


def _dest(targets: list[str], histories: dict[str, tuple[str, str | None]]) -> str:
    if not targets:
        return ""
    kind, parent = histories.get(targets[0], ("", None))
    if kind:
        return f"H*({parent})" if kind == "deep" else f"H({parent})"
    return targets[0]
