"""Types of a machine, for type checkers and editors."""

from pathlib import Path

from spikard.cli.fsm import machine_file, options
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_USAGE, Failure, print_json, write_text


def run(arguments: list[str]) -> int:
    """Print a stub, or write it to a file."""
    parser = options.command_parser(
        "stubs", "Write a .pyi with literal types of states and triggers, and a session with its methods."
    )
    options.add_file(parser)
    options.add_variables(parser)
    parser.add_argument("--name", help="what the classes begin with (the machine's name)")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write it to a file")
    given = parser.parse_args(arguments)
    from spikard.fsm.stub_file import stub_of

    if given.name is not None and not given.name.isidentifier():
        raise Failure(f"--name {given.name} is no name in Python", EXIT_USAGE)
    text = stub_of(machine_file.build(given.file, options.variables(given.var)), given.name)
    if given.json:
        print_json({"output": given.output and str(given.output), "stub": text})
        if given.output is None:
            return EXIT_DONE
    write_text(text, given.output)
    return EXIT_DONE
