"""What the commands that print a document have in common."""

import argparse
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikard.cli import target
from spikard.errors import ConfigError, RouteError
from spikard.openapi import to_yaml

if TYPE_CHECKING:
    from spikard.app import Spikard

EXIT_DIFFERENT = 1
EXIT_CONFIG = 2
EXIT_STARTUP = 3


def run(arguments: list[str], name: str, made: "Callable[[Spikard], dict[str, Any]]") -> int:
    """Print the document that `made` gives for the application the arguments name."""
    parser = argparse.ArgumentParser(
        prog=f"spikard {name}", description=f"Print the {name} document of an application."
    )
    add_target(parser)
    parser.add_argument("--yaml", action="store_true", help="YAML in place of JSON")
    parser.add_argument("--output", metavar="FILE", type=Path, help="write it to a file")
    parser.add_argument("--check", metavar="FILE", type=Path, help="print nothing; end with 1 if FILE says otherwise")
    options = parser.parse_args(arguments)
    app = loaded(options.target, options.app_dir)
    if isinstance(app, int):
        return app
    document = made(app)
    if options.check is not None:
        return check(document, options.check, as_yaml=options.yaml)
    write(document, as_yaml=options.yaml, output=options.output)
    return 0


def add_target(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which application is meant."""
    parser.add_argument("target", metavar="TARGET", help="module:attribute, module or path/to/file.py[:attribute]")
    parser.add_argument("--app-dir", metavar="DIR", help="where modules are looked for first")


def loaded(text: str, app_dir: str | None) -> "Spikard | int":
    """The application of a target; the exit code where there is none, after saying why."""
    try:
        return target.load(text, app_dir)
    except (ConfigError, RouteError) as fault:
        print(f"spikard: error: {fault}", file=sys.stderr)
        return EXIT_CONFIG
    except Exception:  # noqa: BLE001 - whatever the imported code raises
        traceback.print_exc()
        print(f"spikard: error: {text} cannot be imported", file=sys.stderr)
        return EXIT_STARTUP


def text_of(document: dict[str, Any], *, as_yaml: bool) -> str:
    """A document as it is printed."""
    return to_yaml(document) if as_yaml else json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def check(document: dict[str, Any], kept: Path, *, as_yaml: bool) -> int:
    """Whether a file has the document as it is now: 0, or else 1."""
    try:
        text = kept.read_text(encoding="utf-8")
    except OSError as fault:
        print(f"spikard: error: {kept} cannot be read: {fault.strerror}", file=sys.stderr)
        return EXIT_CONFIG
    if text == text_of(document, as_yaml=as_yaml):
        return 0
    print(f"spikard: {kept} is not what the application says now; write it again with --output {kept}", file=sys.stderr)
    return EXIT_DIFFERENT


def write(document: dict[str, Any], *, as_yaml: bool = False, output: Path | None = None) -> None:
    """Print a document, or write it to a file."""
    text = text_of(document, as_yaml=as_yaml)
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")
