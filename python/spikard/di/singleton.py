"""Singletons: built once, whatever the number of threads and tasks that ask at the same time."""

import threading
from collections.abc import Callable
from typing import Any

from spikard.di.key import way
from spikard.di.node import Node
from spikard.di.signature import MISSING
from spikard.errors import CyclicDependency


def build(node: Node, builder: Callable[[Any], Any]) -> Any:
    """The value, made by the first thread that comes; the others wait for it."""
    container = node.layer.container
    me = threading.get_ident()
    if node.owner == me:
        # Only a factory or a resolve inside the constructor comes back here: the graph itself has no cycle.
        raise CyclicDependency(way((node.key,), node.key))
    with node.lock:
        value = container.built.get(node.slot, MISSING)
        if value is MISSING:
            container.check_open()
            node.owner = me
            try:
                value = builder(container.root)
            finally:
                node.owner = None
            keep(node, value)
    return value


def keep(node: Node, value: Any) -> None:
    """Remember a singleton that has been built."""
    node.layer.container.built[node.slot] = value
    node.layer.ready[node.key] = value


__all__ = ["build", "keep"]
