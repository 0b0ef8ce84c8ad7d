"""Which subcommand of `spikard fsm` is meant, and what becomes of errors."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from spikard.cli import command
from spikard.cli.fsm.outcome import EXIT_FAILURE, EXIT_USAGE, Failure, told
from spikard.errors import SpikardError
from spikard.fsm.errors import FSMError

# Name: module that has `run(arguments) -> exit code`, and what it is for.
COMMANDS = {
    "new": ("spikard.cli.fsm.new", "write a machine to begin with, out of a template"),
    "validate": ("spikard.cli.fsm.validate", "look for faults of machines in files"),
    "lint": ("spikard.cli.fsm.lint", "the same, and for what is probably not meant"),
    "fmt": ("spikard.cli.fsm.fmt", "lay files of machines out the same way everywhere"),
    "schema": ("spikard.cli.fsm.schema", "print the JSON Schema of the format, for editors"),
    "convert": ("spikard.cli.fsm.convert", "from one format to another: SCXML, YAML, JSON"),
    "draw": ("spikard.cli.fsm.draw", "draw a machine: SVG, Mermaid, Graphviz, PlantUML; SCXML, XState"),
    "run": ("spikard.cli.fsm.run", "try a machine out: events by hand, from a file, from a pipe"),
    "simulate": ("spikard.cli.fsm.run", "the same as run"),
    "test": ("spikard.cli.fsm.test", "run the scenarios of machines"),
    "testgen": ("spikard.cli.fsm.testgen", "find scenarios that cover a machine"),
    "verify": ("spikard.cli.fsm.verify", "prove properties of a machine, or show how they fail"),
    "replay": ("spikard.cli.fsm.replay", "compute recorded events again, and say where it differs"),
    "diff": ("spikard.cli.fsm.diff", "compare two versions of a machine"),
    "stubs": ("spikard.cli.fsm.stubs", "write types of a machine for type checkers"),
    "bench": ("spikard.cli.fsm.bench", "measure a machine on this computer"),
    "discovery": ("spikard.cli.fsm.discovery", "build machines out of what was seen of entities"),
    "discover": ("spikard.cli.fsm.discovery", "the same as discovery"),
    "conform": ("spikard.cli.fsm.conform", "say how well a log fits a machine"),
    "worker": ("spikard.cli.fsm.worker", "bring waiting events to their entities"),
    "migrate": ("spikard.cli.fsm.migrate", "bring entities to another version of their machine"),
    "machines": ("spikard.cli.fsm.machines", "keep machines in the database"),
    "db": ("spikard.cli.fsm.db", "make, upgrade, fill and empty the database"),
    "dlq": ("spikard.cli.fsm.dlq", "look at dead letters, put them back or drop them"),
}
EXIT_INTERRUPTED = 130
PROGRAM = "spikard fsm"


def run(arguments: Sequence[str]) -> int:
    """Run a subcommand; gives its exit code. Errors are told in one message each, never as tracebacks."""
    as_json = "--json" in arguments
    try:
        code = command.dispatch(PROGRAM, COMMANDS, arguments)
        # What cannot be written is noticed here, not by the interpreter at its end.
        sys.stdout.flush()
        return code
    except SystemExit as end:
        # What argparse ends with: help that was asked for, or arguments that it does not understand.
        return end.code if isinstance(end.code, int) else EXIT_USAGE
    except Failure as failure:
        return told(PROGRAM, failure.message, failure.hint, failure.exit_code, as_json=as_json)
    except FSMError as error:
        return told(PROGRAM, error.message, None, EXIT_FAILURE, as_json=as_json)
    except (SpikardError, ValueError) as error:
        return told(PROGRAM, str(error), None, EXIT_FAILURE, as_json=as_json)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        _stop_writing()
        return EXIT_FAILURE
    except OSError as error:
        _stop_writing()
        what = error.strerror or str(error)
        return told(PROGRAM, f"{error.filename}: {what}" if error.filename else what, None, EXIT_FAILURE, as_json=False)


def _stop_writing() -> None:
    """Have the interpreter not complain at its end about what is not written yet."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
