"""The names that text in an annotation may mean, besides those of its module."""

import sys
from types import FrameType
from typing import Any


def captured_names(function: Any) -> dict[str, Any]:
    """What a function has in its closure."""
    names: dict[str, Any] = {}
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None) or ()
    for name, cell in zip(code.co_freevars if code is not None else (), cells, strict=False):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # the cell is still empty
            continue
    return names


def frame_names(module_names: dict[str, Any]) -> dict[str, Any]:
    """The local names of the calls in progress in a module, the innermost winning."""
    names: dict[str, Any] = {}
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals is module_names and frame.f_locals is not module_names:
            names = {**frame.f_locals, **names}
        frame = frame.f_back
    return names


__all__ = ["captured_names", "frame_names"]
