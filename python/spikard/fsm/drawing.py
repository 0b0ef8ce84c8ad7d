"""Drawings of machines. Each takes a machine or a configuration."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from spikard._spikard import draw_machine, machine_statistics

if TYPE_CHECKING:
    from spikard._spikard import TransitionResult
    from spikard.fsm.state_machine import StateMachine

    Drawable: TypeAlias = StateMachine | Mapping[str, Any]


def to_mermaid(
    machine: "Drawable",
    title: str | None = None,
    show_guards: bool = True,
    show_actions: bool = False,
    show_timeouts: bool = True,
    direction: str = "TB",
    *,
    highlight: str | Iterable[str] | None = None,
    trace: "Iterable[TransitionResult]" = (),
) -> str:
    """A state diagram for Mermaid; `highlight` marks active states, `trace` the steps made."""
    return draw_machine(
        _config(machine),
        "mermaid",
        title=title,
        guards=show_guards,
        actions=show_actions,
        timeouts=show_timeouts,
        direction=direction,
        highlight=_names(highlight),
        trace=_steps(trace),
    )


def to_mermaid_flowchart(
    machine: "Drawable",
    title: str | None = None,
    show_guards: bool = True,
    direction: str = "TB",
    *,
    highlight: str | Iterable[str] | None = None,
    trace: "Iterable[TransitionResult]" = (),
) -> str:
    """A flowchart for Mermaid."""
    return draw_machine(
        _config(machine),
        "flowchart",
        title=title,
        guards=show_guards,
        direction=direction,
        highlight=_names(highlight),
        trace=_steps(trace),
    )


def to_dot(
    machine: "Drawable",
    title: str | None = None,
    show_guards: bool = True,
    show_actions: bool = False,
    *,
    highlight: str | Iterable[str] | None = None,
    trace: "Iterable[TransitionResult]" = (),
) -> str:
    """A graph for Graphviz."""
    return draw_machine(
        _config(machine),
        "dot",
        title=title,
        guards=show_guards,
        actions=show_actions,
        highlight=_names(highlight),
        trace=_steps(trace),
    )


def to_plantuml(
    machine: "Drawable",
    title: str | None = None,
    show_guards: bool = True,
    show_actions: bool = False,
    *,
    highlight: str | Iterable[str] | None = None,
    trace: "Iterable[TransitionResult]" = (),
) -> str:
    """A state diagram for PlantUML."""
    return draw_machine(
        _config(machine),
        "plantuml",
        title=title,
        guards=show_guards,
        actions=show_actions,
        highlight=_names(highlight),
        trace=_steps(trace),
    )


def to_svg(
    machine: "Drawable",
    title: str | None = None,
    show_guards: bool = True,
    show_actions: bool = False,
    show_timeouts: bool = True,
    direction: str = "TB",
    *,
    highlight: str | Iterable[str] | None = None,
    trace: "Iterable[TransitionResult]" = (),
) -> str:
    """A picture, laid out without any other program."""
    return draw_machine(
        _config(machine),
        "svg",
        title=title,
        guards=show_guards,
        actions=show_actions,
        timeouts=show_timeouts,
        direction=direction,
        highlight=_names(highlight),
        trace=_steps(trace),
    )


def to_scxml(machine: "Drawable", name: str | None = None) -> str:
    """An SCXML document."""
    return draw_machine(_config(machine), "scxml", title=name)


def to_xstate(machine: "Drawable") -> str:
    """The JSON of a machine for XState."""
    return draw_machine(_config(machine), "xstate")


def to_asl(machine: "Drawable") -> str:
    """The JSON of a definition for Step Functions."""
    return draw_machine(_config(machine), "asl")


def get_statistics(machine: "Drawable") -> dict[str, Any]:
    """How large a machine is, and of what."""
    return machine_statistics(_config(machine))


def _config(machine: "Drawable") -> dict[str, Any]:
    return dict(machine) if isinstance(machine, Mapping) else machine.to_dict()


def _names(highlight: str | Iterable[str] | None) -> list[str]:
    if highlight is None:
        return []
    return [highlight] if isinstance(highlight, str) else list(highlight)


def _steps(trace: "Iterable[TransitionResult]") -> list[tuple[str, str]]:
    return [(result.source_state, result.target_state) for result in trace if result.target_state is not None]
