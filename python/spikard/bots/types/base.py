"""What all models have: the two spellings of their fields, and the bot that they came with."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_args

import msgspec
from msgspec import StructMeta

from spikard.bots.errors import DecodeError

if TYPE_CHECKING:
    from spikard.bots.bot import Bot


class _Shape:
    """Which fields of a model have another name on the wire, and which hold models."""

    __slots__ = ("nested", "wire_to_python")

    def __init__(self, model: type["VKObject"]) -> None:
        fields = msgspec.structs.fields(model)
        self.wire_to_python = {field.encode_name: field.name for field in fields if field.encode_name != field.name}
        for alias, name in model.__wire_aliases__.items():
            self.wire_to_python[alias] = name
        self.nested = {field.name: found for field in fields if (found := _model_in(field.type)) is not None}


def _model_in(annotation: Any) -> type["VKObject"] | None:
    """The model that values of a field are or hold."""
    if isinstance(annotation, type) and issubclass(annotation, VKObject):
        return annotation
    for part in get_args(annotation):
        found = _model_in(part)
        if found is not None:
            return found
    return None


@cache
def shape_of(model: type["VKObject"]) -> _Shape:
    """The shape of a model, read once."""
    return _Shape(model)


class WireNames(StructMeta):
    """Lets programs write fields by either name and models as mappings: `Message(msgId="1", chat={"chatId": "c"})`.

    Decoding does not come this way: it makes objects natively.
    """

    def __call__(self, *args: Any, **fields: Any) -> Any:
        shape = shape_of(self)
        if not fields.keys().isdisjoint(shape.wire_to_python):
            fields = {shape.wire_to_python.get(name, name): value for name, value in fields.items()}
        for name, model in shape.nested.items():
            value = fields.get(name)
            if isinstance(value, Mapping):
                fields[name] = model.from_dict(value)
            elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
                fields[name] = [model.from_dict(item) if isinstance(item, Mapping) else item for item in value]
        return super().__call__(*args, **fields)


class VKObject(msgspec.Struct, kw_only=True, rename="camel", dict=True, metaclass=WireNames):
    """A model of the platform. Fields nobody has declared are ignored; equal means equal fields, whatever the bot."""

    # Further names of fields on the wire.
    __wire_aliases__: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | Self) -> Self:
        """Makes an object from names of the wire or of Python; raises `DecodeError` for what does not fit."""
        if isinstance(data, cls):
            return data
        if not isinstance(data, Mapping):
            raise DecodeError(f"{cls.__name__} is made from a mapping, not from {type(data).__name__}", "$")
        try:
            return msgspec.convert(to_wire(cls, data), cls, strict=False)
        except msgspec.ValidationError as fault:
            raise decode_error(cls, fault) from None

    @classmethod
    def from_json(cls, text: bytes | str) -> Self:
        """Makes an object from JSON; raises `DecodeError`."""
        try:
            data = msgspec.json.decode(text)
        except msgspec.DecodeError as fault:
            raise DecodeError(f"{cls.__name__}: {fault}", "$") from None
        return cls.from_dict(data)

    def to_dict(self, by_alias: bool = True, *, exclude_none: bool = False) -> dict[str, Any]:
        """All fields as plain data, by their names on the wire or, with `by_alias=False`, in Python."""
        return _to_plain(self, by_alias, exclude_none)  # type: ignore[no-any-return]

    def to_json(self, by_alias: bool = True, *, exclude_none: bool = True) -> str:
        """The object as JSON, by default as the server writes it: without what is not there."""
        return msgspec.json.encode(self.to_dict(by_alias, exclude_none=exclude_none)).decode()

    @classmethod
    def model_validate(cls, data: Any) -> Self:
        """`from_dict`, by the name that users of Pydantic look for."""
        return cls.from_dict(data)

    @classmethod
    def model_validate_json(cls, text: bytes | str) -> Self:
        """`from_json`, by the name that users of Pydantic look for."""
        return cls.from_json(text)

    def model_dump(self, *, by_alias: bool = False, exclude_none: bool = False) -> dict[str, Any]:
        """`to_dict` by names of Python."""
        return self.to_dict(by_alias, exclude_none=exclude_none)

    def model_dump_json(self, *, by_alias: bool = False, exclude_none: bool = False) -> str:
        """`model_dump` as JSON."""
        return self.to_json(by_alias, exclude_none=exclude_none)

    def set_bot(self, bot: "Bot") -> None:
        """Binds the object and the models in it to the bot that their methods speak through."""
        self.__dict__["_bot"] = bot
        for name in shape_of(type(self)).nested:
            value = getattr(self, name)
            if isinstance(value, VKObject):
                value.set_bot(bot)
            elif value and isinstance(value, list):
                for item in value:
                    if isinstance(item, VKObject):
                        item.set_bot(bot)

    def bound(self, bot: "Bot | None") -> Self:
        """The object itself, bound to a bot if there is one."""
        if bot is not None:
            self.set_bot(bot)
        return self

    @property
    def bot(self) -> "Bot":
        """The bot that the object came with; raises RuntimeError if a program has made the object itself."""
        bot: Bot | None = self.__dict__.get("_bot")
        if bot is None:
            raise RuntimeError(
                f"This {type(self).__name__} is not bound to a Bot instance: it was made by hand."
                " Call set_bot(bot) first."
            )
        return bot

    @property
    def bot_or_none(self) -> "Bot | None":
        """The bot that the object came with, if it did."""
        return self.__dict__.get("_bot")


def children(model: VKObject) -> Iterator[VKObject]:
    """The models that a model's fields hold."""
    for name in shape_of(type(model)).nested:
        value = getattr(model, name)
        if isinstance(value, VKObject):
            yield value
        elif isinstance(value, list):
            yield from (item for item in value if isinstance(item, VKObject))


def to_wire(model: type[VKObject], data: Mapping[str, Any]) -> dict[str, Any]:
    """The data by names of the wire, whichever it came by."""
    shape = shape_of(model)
    names = dict(zip(model.__struct_fields__, model.__struct_encode_fields__, strict=True))
    found: dict[str, Any] = {}
    for key, value in data.items():
        name = shape.wire_to_python.get(key, key)
        inner = shape.nested.get(name)
        found[names.get(name, key)] = value if inner is None else _each(value, inner)
    return found


def _each(value: Any, model: type[VKObject]) -> Any:
    if isinstance(value, VKObject):
        return value.to_dict()
    if isinstance(value, Mapping):
        return to_wire(model, value)
    if isinstance(value, list | tuple):
        return [_each(item, model) for item in value]
    return value


def _to_plain(value: Any, by_alias: bool, exclude_none: bool) -> Any:
    if isinstance(value, VKObject):
        names = value.__struct_encode_fields__ if by_alias else value.__struct_fields__
        pairs = zip(names, (getattr(value, name) for name in value.__struct_fields__), strict=True)
        return {
            name: _to_plain(item, by_alias, exclude_none) for name, item in pairs if not (exclude_none and item is None)
        }
    if isinstance(value, list):
        return [_to_plain(item, by_alias, exclude_none) for item in value]
    return value


def decode_error(model: type[VKObject], fault: msgspec.ValidationError) -> DecodeError:
    """What did not fit into a model, and where."""
    _, _, path = str(fault).partition(" - at `")
    return DecodeError(f"{model.__name__}: {fault}", path.rstrip("`") or "$")


VKTeamsObject = VKObject

__all__ = ["VKObject", "VKTeamsObject"]
