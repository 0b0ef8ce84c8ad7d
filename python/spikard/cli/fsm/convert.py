"""Machines from one format to another."""

import json
import sys
from pathlib import Path
from typing import Any

from spikard.cli.fsm import machine_file, options
from spikard.cli.fsm.outcome import EXIT_DONE, print_json, write_text

FORMATS = ("scxml", "yaml", "json")
# What a file is, by its end.
BY_SUFFIX = {".scxml": "scxml", ".xml": "scxml", ".json": "json", ".yaml": "yaml", ".yml": "yaml"}


def run(arguments: list[str]) -> int:
    """Print a machine in another format, or write it to a file."""
    parser = options.command_parser("convert", "Convert a machine: SCXML to YAML or JSON, and back.")
    options.add_file(parser)
    options.add_variables(parser)
    parser.add_argument(
        "--from", dest="source", choices=("scxml", "yaml", "json"), help="what it is (by its name's end)"
    )
    parser.add_argument(
        "--to", choices=("yaml", "json", "scxml"), help="what it becomes (by the output's end, else yaml)"
    )
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write it to a file")
    given = parser.parse_args(arguments)
    source = given.source or BY_SUFFIX.get(given.file.suffix.lower()) or "yaml"
    to = given.to or options.output_format(given.output, BY_SUFFIX, "yaml")
    text = _written(_read(given.file, source, options.variables(given.var)), to)
    if given.json:
        print_json({"format": to, "output": given.output and str(given.output), "machine": text})
        if given.output is None:
            return EXIT_DONE
    write_text(text, given.output)
    return EXIT_DONE


def _read(path: Path, source: str, variables: dict[str, str]) -> dict[str, Any]:
    if source != "scxml":
        return machine_file.load(path, variables)
    from spikard.fsm.charts.document import read_file
    from spikard.fsm.charts.translation import scxml_to_config

    with machine_file.reading(path):
        return scxml_to_config(sys.stdin.read() if str(path) == options.STDIN else read_file(path))


def _written(config: dict[str, Any], to: str) -> str:
    if to == "scxml":
        from spikard.fsm.drawing import to_scxml

        return to_scxml(config)
    if to == "json":
        return json.dumps(config, indent=2, ensure_ascii=False)
    from spikard.openapi import to_yaml

    return to_yaml(config)
