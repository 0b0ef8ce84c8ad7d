"""What buttons send back, as objects: packed into a short text and read again."""

import base64
import hmac
from contextvars import ContextVar
from datetime import date
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_args
from uuid import UUID

import msgspec
from msgspec import StructMeta

if TYPE_CHECKING:
    from spikard.bots.filters.callback_data import CallbackDataFilter

_SIGNATURE = 8
# Whose buttons are signed; set by the dispatcher, or by a program that packs outside of one.
signing_key: ContextVar[bytes | None] = ContextVar("spikard_bots_signing_key", default=None)


class _Declared(StructMeta):
    """Takes the options that stand in the class statement."""

    def __new__(
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        prefix: str | None = None,
        sep: str | None = None,
        max_bytes: int | None = None,
        signed: bool | None = None,
        **options: Any,
    ) -> Any:
        made: Any = super().__new__(mcls, name, bases, namespace, **{"kw_only": True, "frozen": True, **options})
        if not any(isinstance(base, _Declared) for base in bases):
            return made
        made.__callback_sep__ = sep = sep if sep is not None else made.__callback_sep__
        if not prefix:
            raise TypeError(f'{name} must define a prefix: class {name}(CallbackDataFactory, prefix="...")')
        if len(sep) != 1 or sep == "\\":
            raise TypeError(f"{name}: sep is one character and no backslash, not {sep!r}")
        if sep in prefix or "\\" in prefix:
            raise TypeError(f"{name}: the prefix {prefix!r} has {sep!r} or a backslash in it")
        made.__callback_prefix__ = prefix
        if max_bytes is not None:
            made.__callback_max_bytes__ = max_bytes
        if signed is not None:
            made.__callback_signed__ = signed
        return made


class CallbackDataFactory(msgspec.Struct, metaclass=_Declared):
    """The base of classes of callback data.

    `class Buy(CallbackDataFactory, prefix="buy"): id: int` packs `Buy(id=42)` into `buy:42`. Options of the class:
    `sep`, `max_bytes` (packing more raises ValueError), `signed` (users cannot make up buttons).
    """

    __callback_prefix__: ClassVar[str] = ""
    __callback_sep__: ClassVar[str] = ":"
    __callback_max_bytes__: ClassVar[int | None] = None
    __callback_signed__: ClassVar[bool] = False

    def pack(self) -> str:
        """The object as a text. Raises ValueError if that is longer than the class allows."""
        sep = self.__callback_sep__
        values = (_escape(_write(getattr(self, name)), sep) for name in self.__struct_fields__)
        packed = sep.join([self.__callback_prefix__, *values])
        if self.__callback_signed__:
            packed = f"{packed}{sep}{_sign(packed)}"
        size = len(packed.encode())
        if self.__callback_max_bytes__ is not None and size > self.__callback_max_bytes__:
            raise ValueError(f"{packed!r} has {size} bytes, more than {self.__callback_max_bytes__}")
        return packed

    @classmethod
    def unpack(cls, text: str) -> Self:
        """The object of a text. Raises ValueError for one that `pack` has not made."""
        sep = cls.__callback_sep__
        if cls.__callback_signed__:
            text, _, signature = text.rpartition(sep)
            if not hmac.compare_digest(_sign(text).encode(), signature.encode()):
                raise ValueError(f"{cls.__name__}: the signature is wrong")
        prefix, *values = _split(text, sep)
        if prefix != cls.__callback_prefix__:
            raise ValueError(f"Invalid prefix {prefix!r}: {cls.__name__} has {cls.__callback_prefix__!r}")
        fields = msgspec.structs.fields(cls)
        if len(values) != len(fields):
            raise ValueError(f"{cls.__name__}: expected {len(fields)} values, got {len(values)}")
        return cls(**{field.name: _read(cls, field, value) for field, value in zip(fields, values, strict=True)})

    @classmethod
    def filter(cls, rule: Any = None) -> "CallbackDataFilter":
        """Lets presses of such buttons through, if the rule holds for the object; injects it as `callback_data`."""
        # Filters know this module; only here does it know them.
        from spikard.bots.filters.callback_data import CallbackDataFilter

        return CallbackDataFilter(cls, rule)

    def __str__(self) -> str:
        return self.pack()


def _write(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Enum):
        return _write(value.value)
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | float | Decimal):
        return str(value)
    raise TypeError(f"Callback data holds words, numbers, dates and the like, not {type(value).__name__}")


def _read(cls: type[CallbackDataFactory], field: msgspec.structs.FieldInfo, text: str) -> Any:
    if not text and type(None) in get_args(field.type):
        return None
    try:
        return msgspec.convert(text, field.type, strict=False)
    except msgspec.ValidationError as fault:
        raise ValueError(f"{cls.__name__}.{field.name}: {fault}") from None


def _escape(text: str, sep: str) -> str:
    return text.replace("\\", "\\\\").replace(sep, f"\\{sep}")


def _split(text: str, sep: str) -> list[str]:
    """The pieces between separators that have no backslash before them."""
    values = [""]
    escaped = False
    for character in text:
        if escaped or character not in (sep, "\\"):
            values[-1] += character
            escaped = False
        elif character == sep:
            values.append("")
        else:
            escaped = True
    return values


def _sign(text: str) -> str:
    key = signing_key.get()
    if key is None:
        raise RuntimeError("Signed callback data needs a key: signing_key.set(b'...'), or a dispatcher that has one")
    return base64.b32encode(hmac.digest(key, text.encode(), sha256)).decode()[:_SIGNATURE]


__all__ = ["CallbackDataFactory", "signing_key"]
