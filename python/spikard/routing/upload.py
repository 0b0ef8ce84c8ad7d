"""Parameters that take the files of a form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from spikard.datastructures import UploadFile
from spikard.errors import RouteError
from spikard.params import File
from spikard.routing.slot import Slot
from spikard.schema.annotation import is_union, peel
from spikard.schema.field import fields_of
from spikard.schema.kind import kind_of

BYTES = (bytes, bytearray, memoryview)
Deliver = Callable[[Sequence[UploadFile]], Any]


@dataclass(frozen=True, slots=True)
class FileArgument:
    """A handler's argument that is the file, or all files, of one field."""

    name: str
    deliver: Deliver
    default: Any
    default_factory: Callable[[], Any] | None


def is_upload(slot: Slot) -> bool:
    """Whether the parameter is an uploaded file, or a list of them."""
    annotation = slot.annotation
    if annotation.core is UploadFile:
        return True
    return annotation.origin is list and bool(annotation.arguments) and peel(annotation.arguments[0]).core is UploadFile


def takes_file(slot: Slot, files: Mapping[str, Any] | None) -> bool:
    """Whether the parameter takes files: by its marker, its type, or the route's `file_params`."""
    return isinstance(slot.marker, File) or is_upload(slot) or field_of(slot, files) in (files or {})


def field_of(slot: Slot, files: Mapping[str, Any] | None) -> str:
    """The name of the field, which `file_params` may know by the parameter's own."""
    return slot.name if slot.name in (files or {}) else slot.wire_name


def file_argument(slot: Slot, field: str, described: str) -> FileArgument:
    """How the files of a field reach the parameter; RouteError for a type they cannot become."""
    return FileArgument(field, _deliver(slot, described), slot.default, slot.default_factory)


def _deliver(slot: Slot, described: str) -> Deliver:
    core, origin, arguments = slot.annotation.core, slot.annotation.origin, slot.annotation.arguments
    if slot.annotation.is_any:
        return _as_it_came
    if origin in (list, Sequence):
        each = _single(peel(arguments[0]).core) if arguments else _itself
        if each is not None:
            return partial(_all, each)
    one = _single(core)
    if one is None:
        raise RouteError(
            f"{described}: parameter {slot.name!r}: a file cannot become {slot.declared!r}; annotate it with "
            "UploadFile, list[UploadFile], bytes or str"
        )
    return partial(_last, one)


def _all(one: Callable[[UploadFile], Any], files: Sequence[UploadFile]) -> list[Any]:
    return [one(file) for file in files]


def _last(one: Callable[[UploadFile], Any], files: Sequence[UploadFile]) -> Any:
    return one(files[-1])


def _as_it_came(files: Sequence[UploadFile]) -> Any:
    return files[0] if len(files) == 1 else list(files)


def _single(core: Any) -> Callable[[UploadFile], Any] | None:
    if core is UploadFile or core is Any:
        return _itself
    if core in BYTES:
        return lambda file: core(_bytes(file))
    if core is str:
        return _text
    if is_union(core):
        return _itself
    return dict if core is dict else None


def _itself(file: UploadFile) -> UploadFile:
    return file


def _bytes(file: UploadFile) -> bytes:
    return file.as_bytes_io().getvalue()


def _text(file: UploadFile) -> str:
    # A UnicodeDecodeError is a ValueError, and so a fault of the file.
    return _bytes(file).decode()


def _text_or_file(file: UploadFile) -> Any:
    try:
        return _text(file)
    except UnicodeDecodeError:
        return file


def unpacking(convert: Callable[[Any], Any], annotation: Any, *, at_best: bool) -> Callable[[Any], Any]:
    """`convert` of a structured type, given text or bytes for files where its fields want these.

    `at_best`: a file that is no text stays a file.
    """
    core = peel(annotation).core
    if kind_of(core) is None:
        return convert
    ways: dict[str, Callable[[Any], Any]] = {}
    for field in fields_of(core):
        peeled = peel(field.annotation)
        inner = peel(peeled.arguments[0]).core if peeled.origin is list and peeled.arguments else peeled.core
        if inner is str:
            ways[field.wire_name] = _text_or_file if at_best else _text
        elif inner in BYTES:
            ways[field.wire_name] = _bytes
    if not ways:
        return convert

    def converted(tree: Any) -> Any:
        if isinstance(tree, dict):
            for name in ways.keys() & tree.keys():
                tree[name] = _unpacked(tree[name], ways[name])
        return convert(tree)

    return converted


def _unpacked(value: Any, way: Callable[[Any], Any]) -> Any:
    if isinstance(value, UploadFile):
        return way(value)
    if isinstance(value, list):
        return [_unpacked(item, way) for item in value]
    return value


__all__ = ["FileArgument", "field_of", "file_argument", "is_upload", "takes_file", "unpacking"]
