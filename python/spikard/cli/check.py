"""Whether an application could be served, found without serving it."""

import argparse
import sys

from spikard.cli import document, target
from spikard.errors import ConfigError, SpikardError

EXIT_FAULTY = 1


def run(arguments: list[str]) -> int:
    """Print each fault in a line: 0 if there is none, 1 if there is, 2 if there is no application to look at."""
    parser = argparse.ArgumentParser(
        prog="spikard check", description="Check an application without serving it: routes, dependencies, documents."
    )
    document.add_target(parser)
    options = parser.parse_args(arguments)
    from spikard.app.inspection import in_one_line, inspect

    try:
        app = target.load(options.target, options.app_dir)
    except ConfigError as fault:
        print(f"spikard: error: {in_one_line(fault)}", file=sys.stderr)
        return document.EXIT_CONFIG
    except SpikardError as fault:
        # Raised where a route was declared, and nothing can be declared after it.
        print(f"routes: {in_one_line(fault)}")
        return EXIT_FAULTY
    except Exception as fault:  # noqa: BLE001 - whatever the imported code raises
        name = type(fault).__name__
        print(f"spikard: error: {options.target} cannot be imported: {name}: {in_one_line(fault)}", file=sys.stderr)
        return document.EXIT_CONFIG
    faults = inspect(app)
    for line in faults:
        print(line)
    return EXIT_FAULTY if faults else 0
