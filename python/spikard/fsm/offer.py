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

    What goes by way of the older method would then pass by the newer ones, which somebody wrote to be called.
    """
    places = [vars(thing) if hasattr(thing, "__dict__") else {}, *(vars(kind) for kind in type(thing).__mro__)]
    for place in places:
        if by_way_of in place:
            return False
        if not place.keys().isdisjoint(names):
            return True
    return False
