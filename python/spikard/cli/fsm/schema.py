"""The JSON Schema of the format."""

import json
from pathlib import Path

from spikard.cli.fsm import options
from spikard.cli.fsm.outcome import EXIT_DONE, write_text


def run(arguments: list[str]) -> int:
    """Print it, or write it to a file."""
    parser = options.command_parser(
        "schema",
        "Print the JSON Schema (draft 2020-12) of machines. Editors complete and check files that begin with "
        "`# yaml-language-server: $schema=FILE`.",
    )
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write it to a file")
    given = parser.parse_args(arguments)
    from spikard.fsm.config_schema import config_schema

    write_text(json.dumps(config_schema(), indent=2, ensure_ascii=False), given.output)
    return EXIT_DONE
