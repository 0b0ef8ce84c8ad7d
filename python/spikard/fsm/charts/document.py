"""SCXML as text, and the files that it refers to."""

from pathlib import Path

from spikard._spikard import Chart
from spikard.fsm.errors import ConfigurationError

_KINDS = {"xml": "Invalid XML", "chart": "Invalid SCXML", "limit": "SCXML beyond the limits"}
_LONGEST = 8 << 20


def read_chart(text: str, base: Path | None = None, *, path: str | None = None, strict: bool = False) -> Chart:
    """Reads a document; `base` is the folder that it may refer to files in.

    With `strict`, expressions that cannot be compiled are faults; else they become events `error.execution`.
    """
    try:
        chart = Chart.read(text, lambda address: read_address(address, base))
    except ValueError as error:
        message, kind, line, column = error.args
        place = {"line": line, "column": column}
        raise ConfigurationError(
            f"{_KINDS[kind]}: {message} at line {line}, column {column}", path=path, context=place
        ) from None
    if strict and chart.broken:
        message, line, column = chart.broken[0]
        place = {"line": line, "column": column}
        raise ConfigurationError(f"Invalid SCXML: {message} at line {line}, column {column}", path=path, context=place)
    return chart


def read_file(path: Path) -> str:
    """The text of a document."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"Configuration file not found: {path}", path=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"Configuration file cannot be read: {error}", path=str(path)) from error


def read_address(address: str, base: Path | None) -> str:
    """The text of a file that a document names, which must be in the document's own folder or below."""
    if base is None:
        raise ValueError("a document that comes as text refers to no files; read it from a file")
    name = address.removeprefix("file:")
    if "://" in name or name.startswith("//"):
        raise ValueError("only files are read")
    root = base.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise ValueError(f"{name} is not in the document's folder")
    try:
        if path.stat().st_size > _LONGEST:
            raise ValueError(f"{name} is larger than {_LONGEST} bytes")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name} cannot be read: {error}") from error
