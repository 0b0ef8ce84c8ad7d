"""What an object can do beyond what every one of its kind has to."""

from collections.abc import Iterable
from typing import Any

# A name that says nothing, and that nobody gives to a method.
_NO_METHOD = "no_method_has_this_name"


def offered(thing: Any, name: str) -> Any:
    """The method of a name, or None where the object has none.

    An object that has every name one asks for, as stand-ins in tests do, offers nothing: it was told of the methods
    that all of its kind have, and answers the others by accident.
    """
    method = getattr(thing, name, None)
    return None if method is None or hasattr(thing, _NO_METHOD) else method


def is_overridden(thing: Any, names: Iterable[str], by_way_of: str) -> bool:
    """Whether one of some methods is newer than another one: of a class further down, or of the object itself.

    What goes by way of the older method would then pass by the newer ones, which somebody wrote to be called. So it is
    with a method that was put into a class afterwards, as tests do: it does not say that it was written there.
    """
    names = frozenset(names)
    if hasattr(thing, "__dict__") and (by_way_of in vars(thing) or not names.isdisjoint(vars(thing))):
        return by_way_of not in vars(thing)
    for kind in type(thing).__mro__:
        here = vars(kind)
        if by_way_of in here:
            return any(not _is_written_in(kind, name, here[name]) for name in names if name in here)
        if not names.isdisjoint(here):
            return True
    return False


def _is_written_in(kind: type, name: str, method: Any) -> bool:
    return getattr(method, "__qualname__", None) == f"{kind.__qualname__}.{name}"
