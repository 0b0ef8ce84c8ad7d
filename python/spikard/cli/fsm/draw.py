"""Drawings of machines, and machines in the formats of others."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikard.cli.fsm import machine_file, options
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_USAGE, Failure, print_json, write_text

if TYPE_CHECKING:
    from argparse import Namespace

FORMATS = ("svg", "mermaid", "flowchart", "dot", "plantuml", "scxml", "xstate", "asl")
# What a file is to be, by its end.
BY_SUFFIX = {
    ".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".dot": "dot", ".gv": "dot", ".puml": "plantuml",
    ".plantuml": "plantuml", ".scxml": "scxml", ".json": "xstate",
}  # fmt: skip


def run(arguments: list[str]) -> int:
    """Print a drawing, or write it to a file."""
    parser = options.command_parser("draw", "Draw a machine.")
    options.add_file(parser)
    options.add_variables(parser)
    parser.add_argument("--format", choices=FORMATS, help="as what (by the end of the output's name, else mermaid)")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write it to a file")
    parser.add_argument("--title", help="a title above it (none)")
    parser.add_argument("--direction", choices=("TB", "LR"), default="TB", help="from top to bottom or left to right")
    parser.add_argument("--highlight", metavar="STATE", action="append", default=[], help="mark a state as active")
    parser.add_argument("--no-guards", dest="guards", action="store_false", help="leave guards out")
    parser.add_argument("--actions", action="store_true", help="show actions, too")
    given = parser.parse_args(arguments)
    form = given.format or options.output_format(given.output, BY_SUFFIX, "mermaid")
    config = machine_file.load(given.file, options.variables(given.var))
    drawing = drawn(config, form, given)
    if given.json:
        print_json({"format": form, "output": given.output and str(given.output), "drawing": drawing})
        if given.output is None:
            return EXIT_DONE
    write_text(drawing, given.output)
    return EXIT_DONE


def drawn(config: dict[str, Any], form: str, given: "Namespace") -> str:
    """The machine in a format, with the options that the format knows."""
    from spikard.fsm import drawing

    names = {state["name"] for state in config["states"]}
    for name in given.highlight:
        if name not in names:
            raise Failure(f"--highlight {name}: the machine has no such state", EXIT_USAGE)
    shown: dict[str, Any] = {
        "title": given.title,
        "show_guards": given.guards,
        "show_actions": given.actions,
        "highlight": given.highlight,
    }
    if form in ("svg", "mermaid"):
        draw = drawing.to_svg if form == "svg" else drawing.to_mermaid
        return draw(config, direction=given.direction, **shown)
    if form == "flowchart":
        return drawing.to_mermaid_flowchart(
            config, given.title, given.guards, given.direction, highlight=given.highlight
        )
    if form in ("dot", "plantuml"):
        return (drawing.to_dot if form == "dot" else drawing.to_plantuml)(config, **shown)
    if form == "scxml":
        return drawing.to_scxml(config, given.title)
    return drawing.to_xstate(config) if form == "xstate" else drawing.to_asl(config)
