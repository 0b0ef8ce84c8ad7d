"""What can be told of a graph without building anything."""

import inspect
import re
from collections.abc import Iterable
from typing import Any, get_origin

from spikard.di.key import described
from spikard.di.layer import Layer, refuse_scoped
from spikard.di.node import Node
from spikard.di.provider import Kind
from spikard.di.signature import MISSING
from spikard.errors import CyclicDependency, DependencyTypeError, DIError


def validate(layer: Layer, keys: Iterable[Any]) -> None:
    """Raise what is wrong: the error itself if there is one, else one with a line for each."""
    faults: dict[Any, DIError] = {}
    for key in keys:
        try:
            node = layer.node(key)
            refuse_scoped(node, in_scope=True)
            _check_type(node)
        except DIError as fault:
            faults.setdefault(_identity(fault), fault)
    if not faults:
        return
    found = list(faults.values())
    if len(found) == 1:
        raise found[0]
    kinds = {type(fault) for fault in found}
    made = kinds.pop() if len(kinds) == 1 else DIError
    raise made("\n".join(str(fault) for fault in found))


def _identity(fault: DIError) -> Any:
    # A cycle is found once from each of its keys.
    if isinstance(fault, CyclicDependency):
        return frozenset(re.split(" -> ", str(fault)))
    return str(fault)


def _check_type(node: Node) -> None:
    """DependencyTypeError where a provider says itself that it makes something else."""
    provider, key = node.registration.provider, node.key
    if provider.kind in {Kind.VALUE, Kind.GIVEN} or not node.registration.checked:
        return
    made = provider.makes()
    if made is MISSING or not _is_wrong(key, made):
        return
    raise DependencyTypeError(f"{node.name}: its provider {provider.name} gives {described(made)}")


def _is_wrong(key: Any, made: Any) -> bool:
    wanted, given = get_origin(key) or key, get_origin(made) or made
    if made is None:
        return isinstance(wanted, type)
    if not isinstance(wanted, type) or not isinstance(given, type):
        return False
    if getattr(wanted, "_is_protocol", False) or inspect.isclass(given) is False:
        return False
    try:
        return not issubclass(given, wanted)
    except TypeError:
        return False


__all__ = ["validate"]
