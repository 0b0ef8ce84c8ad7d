"""How one value is made: what is called, with what, and what follows."""

import collections.abc
import enum
import inspect
from collections.abc import Sequence
from typing import Any, get_args, get_origin

from spikard.di.key import described
from spikard.di.signature import MISSING, Parameter, read_parameters, read_return, underlying
from spikard.errors import DIError, UnknownDependency


class Kind(enum.Enum):
    """What calling a provider gives."""

    VALUE = "value"  # nothing is called, the value is there
    GIVEN = "given"  # the scope brings it
    ALIAS = "alias"
    CALL = "call"
    COROUTINE = "coroutine"
    GENERATOR = "generator"
    ASYNC_GENERATOR = "async generator"
    MANAGER = "context manager"
    ASYNC_MANAGER = "async context manager"


ASYNC = frozenset({Kind.COROUTINE, Kind.ASYNC_GENERATOR, Kind.ASYNC_MANAGER})
CLEANED = frozenset({Kind.GENERATOR, Kind.ASYNC_GENERATOR, Kind.MANAGER, Kind.ASYNC_MANAGER})
YIELDING = (
    collections.abc.Iterator,
    collections.abc.Generator,
    collections.abc.Iterable,
    collections.abc.AsyncIterator,
    collections.abc.AsyncGenerator,
    collections.abc.AsyncIterable,
)


class Provider:
    """A callable and its kind; the signature is read when it is first needed, so names may be defined later."""

    def __init__(self, target: Any, kind: Kind, depends_on: Sequence[Any] | None = None) -> None:
        self.target = target
        self.kind = kind
        self.depends_on = None if depends_on is None else tuple(depends_on)
        self._parameters: tuple[Parameter, ...] | None = None

    @classmethod
    def of(cls, target: Any, depends_on: Sequence[Any] | None = None) -> "Provider":
        """Read what kind of provider a callable is."""
        if not callable(target):
            msg = f"{target!r} cannot be called; a provider is a class or a function, a value goes to add_instance"
            raise DIError(msg)
        provider = cls(target, _kind(target), depends_on)
        provider.peek()
        return provider

    @property
    def name(self) -> str:
        """The provider as it is shown to people."""
        return described(self.target)

    @property
    def is_async(self) -> bool:
        """Whether making the value has to be awaited."""
        return self.kind in ASYNC

    @property
    def cleans(self) -> bool:
        """Whether something follows when the value is no longer needed."""
        return self.kind in CLEANED

    @property
    def is_lambda(self) -> bool:
        """Whether it is a lambda with one parameter, which gets the container or the scope."""
        if getattr(self.target, "__name__", "") != "<lambda>":
            return False
        parameters = self.parameters
        return len(parameters) == 1 and parameters[0].default is MISSING

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What it is called with."""
        if self._parameters is None:
            calls = self.kind not in {Kind.VALUE, Kind.GIVEN, Kind.ALIAS}
            self._parameters = read_parameters(self.target, self.name) if calls else ()
        return self._parameters

    def peek(self) -> None:
        """Read the signature now if its names are known yet: those of the caller are, here and now."""
        try:
            _ = self.parameters
        except UnknownDependency:
            self._parameters = None

    def makes(self) -> Any:
        """The type of the value as far as it is written down, else MISSING."""
        if isinstance(self.target, type):
            return self.target
        annotation = read_return(self.target, self.name)
        if self.kind in CLEANED and annotation is not MISSING:
            if get_origin(annotation) not in YIELDING:
                return MISSING
            arguments = get_args(annotation)
            return arguments[0] if arguments else MISSING
        return annotation


def _kind(target: Any) -> Kind:
    if isinstance(target, type):
        return Kind.CALL
    function = underlying(target)
    if inspect.isgeneratorfunction(function):
        return Kind.MANAGER if _is_manager(target) else Kind.GENERATOR
    if inspect.isasyncgenfunction(function):
        return Kind.ASYNC_MANAGER if _is_manager(target) else Kind.ASYNC_GENERATOR
    return Kind.COROUTINE if inspect.iscoroutinefunction(function) else Kind.CALL


def _is_manager(target: Any) -> bool:
    """Whether `contextlib` has decorated the generator function."""
    code = getattr(target, "__code__", None)
    return hasattr(target, "__wrapped__") and code is not None and code.co_name == "helper"


__all__ = ["Kind", "Provider"]
