"""The wing's front, for parts that are loaded only by those who use them."""

from importlib import import_module
from typing import Any


def front() -> Any:
    """`spikard.fsm`, whose names load their modules when they are first asked for."""
    return import_module("spikard.fsm")
