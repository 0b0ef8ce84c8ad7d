"""Files of machines laid out the same way everywhere."""

import difflib
import sys
from pathlib import Path

from spikard.cli.fsm import machine_file, options
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_FAILURE, Failure, print_json, told


def run(arguments: list[str]) -> int:
    """Write files anew: 0; 1 where one cannot be, or, with `--check`, where one would be written."""
    parser = options.command_parser("fmt", "Lay files of machines out: indentation, blanks. Values and comments stay.")
    parser.add_argument("files", metavar="FILE", nargs="+", help="YAML or JSON, a directory, or - for standard input")
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if a file would change")
    parser.add_argument("--diff", action="store_true", help="write nothing; show what would change")
    given = parser.parse_args(arguments)
    is_dry = given.check or given.diff
    changed: list[str] = []
    failures: dict[str, Failure] = {}
    files = list(options.machine_files(given.files))
    for path in files:
        is_stdin = str(path) == options.STDIN
        try:
            text = sys.stdin.read() if is_stdin else read(path)
            new = formatted(text, path)
        except Failure as failure:
            # One that is broken keeps no other from being laid out.
            failures[failure.message] = failure
            continue
        if is_stdin and not is_dry:
            print(new, end="")
            continue
        if new == text:
            continue
        changed.append(str(path))
        if given.diff:
            lines = difflib.unified_diff(text.splitlines(True), new.splitlines(True), str(path), f"{path} (fmt)")
            print("".join(lines), end="")
        if not is_dry:
            path.write_text(new, encoding="utf-8")
    if given.json:
        failed = [{"message": one.message, "hint": one.hint} for one in failures.values()]
        print_json({"changed": changed, "checked": len(files), "written": not is_dry, "failed": failed})
    elif not given.diff:
        for name in changed:
            print(f"{name}: {'would be' if is_dry else 'is'} laid out anew")
    for one in failures.values():
        told("spikard fsm", one.message, one.hint, one.exit_code, as_json=False)
    return EXIT_FAILURE if failures or (changed and given.check) else EXIT_DONE


def read(path: Path) -> str:
    """The text of a file."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise Failure(f"{path}:{line}: it is not UTF-8, byte 0x{error.object[error.start]:02x}") from None


def formatted(text: str, path: Path) -> str:
    """The text as it is to be."""
    from spikard.fsm.config_format import format_config

    try:
        with machine_file.reading(path):
            return format_config(text, "json" if path.suffix.lower() == ".json" else "yaml", path=str(path))
    except ImportError:
        raise Failure("laying YAML out needs ruamel.yaml", hint="pip install 'spikard[cli]'") from None
    except Failure as failure:
        raise Failure(failure.message, hint=f"spikard fsm validate {path} shows the place") from None
