"""Arguments that several commands have."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spikard.cli.fsm.outcome import EXIT_USAGE, Failure

SUFFIXES = (".json", ".yaml", ".yml")
STDIN = "-"


def command_parser(name: str, description: str, **options: Any) -> argparse.ArgumentParser:
    """The parser of a subcommand, with `--json`."""
    parser = argparse.ArgumentParser(prog=f"spikard fsm {name}", description=description, allow_abbrev=False, **options)
    add_json(parser)
    return parser


def add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, call: object, purpose: str
) -> argparse.ArgumentParser:
    """One of several commands, with `--json`; the list says its purpose, its own help the same as a sentence."""
    sentence = f"{purpose[:1].upper()}{purpose[1:]}."
    one = commands.add_parser(name, help=purpose, description=sentence, allow_abbrev=False)
    add_json(one)
    one.set_defaults(call=call)
    return one


def add_json(parser: argparse.ArgumentParser) -> None:
    """The switch that every command has."""
    parser.add_argument("--json", action="store_true", help="print the result for programs")


def add_files(parser: argparse.ArgumentParser) -> None:
    """Files of machines, and what their variables are."""
    parser.add_argument("files", metavar="FILE", nargs="+", help="YAML or JSON, a directory, or - for standard input")
    add_variables(parser)


def add_file(parser: argparse.ArgumentParser, name: str = "file", metavar: str = "FILE") -> None:
    """One file of a machine."""
    parser.add_argument(name, metavar=metavar, type=Path, help="a machine in YAML or JSON, or - for standard input")


def add_variables(parser: argparse.ArgumentParser) -> None:
    """What `${NAME}` in files means."""
    parser.add_argument(
        "--var",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a variable of the file; wins over the environment",
    )


def positive(text: str) -> int:
    """A number of the command line that is at least 1."""
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def variables(given: Sequence[str]) -> dict[str, str]:
    """The variables that `--var` has given."""
    found = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise Failure(f"--var {one} is not of the form NAME=VALUE", EXIT_USAGE)
        found[name] = value
    return found


def output_format(output: Path | None, by_suffix: Mapping[str, str], otherwise: str) -> str:
    """What a file becomes, by the end of its name. A name without an end, or one of texts, says nothing of it."""
    suffix = "" if output is None else output.suffix.lower()
    if suffix in ("", ".txt", ".md"):
        return otherwise
    if suffix not in by_suffix:
        known = ", ".join(sorted(by_suffix))
        raise Failure(f"{output}: {suffix} is the end of no format; there are {known}", EXIT_USAGE)
    return by_suffix[suffix]


def machine_files(names: Sequence[str]) -> Iterator[Path]:
    """The files that are named, and those inside of directories save scenarios; each once, `-` as it is."""
    seen = set()
    for name in names:
        path = Path(name)
        found = _inside(path) if name != STDIN and path.is_dir() else [path]
        for each in found:
            if each not in seen:
                seen.add(each)
                yield each


def _inside(folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()]
    chosen = sorted(path for path in files if ".scenarios." not in path.name)
    if not chosen:
        raise Failure(f"there is no machine in {folder}: no file ends with {', '.join(SUFFIXES)}")
    return chosen
