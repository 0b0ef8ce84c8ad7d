"""Faults of a body that Python finds while building it, in the shape of a 422's `errors`."""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from spikard.exceptions import ErrorType

Fault = dict[str, Any]

INPUT_LIMIT = 1024
# msgspec says what is wrong in words only, so its words are read here: pattern -> type, message, context names.
PHRASES: tuple[tuple[re.Pattern[str], ErrorType, str], ...] = tuple(
    (re.compile(pattern), kind, message)
    for pattern, kind, message in (
        (r"Object missing required field `(?P<missing>.+)`", ErrorType.MISSING, "Field required"),
        (
            r"Object contains unknown field `(?P<unexpected_field>.+)`",
            ErrorType.EXTRA_FORBIDDEN,
            "Additional properties are not allowed",
        ),
        (
            r"Expected `(?:int|float|number)` >= (?P<ge>\S+)",
            ErrorType.GREATER_THAN_EQUAL,
            "Input should be greater than or equal to {ge}",
        ),
        (r"Expected `(?:int|float|number)` > (?P<gt>\S+)", ErrorType.GREATER_THAN, "Input should be greater than {gt}"),
        (
            r"Expected `(?:int|float|number)` <= (?P<le>\S+)",
            ErrorType.LESS_THAN_EQUAL,
            "Input should be less than or equal to {le}",
        ),
        (r"Expected `(?:int|float|number)` < (?P<lt>\S+)", ErrorType.LESS_THAN, "Input should be less than {lt}"),
        (
            r"Expected `\w+` that's a multiple of (?P<multiple_of>\S+)",
            ErrorType.MULTIPLE_OF,
            "Input should be a multiple of {multiple_of}",
        ),
        (
            r"Expected `str` of length >= (?P<min_length>\d+)",
            ErrorType.STRING_TOO_SHORT,
            "String should have at least {min_length} character{s}",
        ),
        (
            r"Expected `str` of length <= (?P<max_length>\d+)",
            ErrorType.STRING_TOO_LONG,
            "String should have at most {max_length} character{s}",
        ),
        (
            r"Expected `str` matching regex '(?P<pattern>.*)'",
            ErrorType.STRING_PATTERN_MISMATCH,
            "String should match pattern '{pattern}'",
        ),
        (
            r"Expected `array` of (?:at least )?length (?:>= )?(?P<min_length>\d+)",
            ErrorType.TOO_SHORT,
            "List should have at least {min_length} item{s} after validation",
        ),
        (
            r"Expected `array` of (?:at most )?length (?:<= )?(?P<max_length>\d+)",
            ErrorType.TOO_LONG,
            "List should have at most {max_length} item{s} after validation",
        ),
        (
            r"Expected `object` of length >= (?P<min_properties>\d+)",
            ErrorType.MIN_PROPERTIES,
            "Object must have at least {min_properties} properties",
        ),
        (
            r"Expected `object` of length <= (?P<max_properties>\d+)",
            ErrorType.MAX_PROPERTIES,
            "Object must have at most {max_properties} properties",
        ),
        (r"Invalid enum value (?P<value>.+)", ErrorType.ENUM, "Input should be one of the values of the enumeration"),
        (r"Invalid value (?P<value>.+)", ErrorType.ENUM, "Input should be one of the known tags"),
        (r"Invalid UUID", ErrorType.UUID_PARSING, "Input should be a valid UUID"),
        (
            r"Invalid RFC3339 encoded datetime|Expected `datetime`",
            ErrorType.DATETIME_PARSING,
            "Input should be a valid datetime",
        ),
        (r"Invalid RFC3339 encoded date|Expected `date`", ErrorType.DATE_PARSING, "Input should be a valid date"),
        (r"Invalid RFC3339 encoded time|Expected `time`", ErrorType.TIME_PARSING, "Input should be a valid time"),
        (
            r"Invalid ISO8601 duration|Expected `(?:duration|timedelta)`",
            ErrorType.TIME_DELTA_PARSING,
            "Input should be a valid duration",
        ),
        (r"Invalid decimal string|Expected `decimal`", ErrorType.DECIMAL_PARSING, "Input should be a valid decimal"),
        (r"Invalid base64 encoded string|Expected `bytes`", ErrorType.STRING_FORMAT, "Invalid base64 format"),
        (r"Expected `uuid`", ErrorType.UUID_PARSING, "Input should be a valid UUID"),
        (
            r"Expected `int`|Integer value out of range",
            ErrorType.INT_PARSING,
            "Input should be a valid integer, unable to parse string as an integer",
        ),
        (
            r"Expected `(?:float|number)`",
            ErrorType.FLOAT_PARSING,
            "Input should be a valid number, unable to parse string as a number",
        ),
        (r"Expected `bool`", ErrorType.BOOL_PARSING, "Input should be a valid boolean, unable to interpret input"),
        (r"Expected `str`", ErrorType.STRING_TYPE, "Input should be a valid string"),
        (r"Expected `array`", ErrorType.LIST_TYPE, "Input should be a valid list"),
        (r"Expected `object`", ErrorType.DICT_TYPE, "Input should be a valid dictionary"),
        (r"Expected `null`", ErrorType.NULL_TYPE, "Input should be a valid null"),
        (r"Expected `[^`]*\|", ErrorType.ANY_OF, "Must match at least one schema (anyOf), but matched 0"),
    )
)
# " - at `$.items[0].price`" ends msgspec's messages; "key in" precedes the place for keys of mappings.
PLACE = re.compile(r" - at (?:key in )?`\$(?P<path>.*)`$", re.DOTALL)
STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+|\.\.\.)\]")
FORMATS = {
    ErrorType.UUID_PARSING: "uuid",
    ErrorType.DATETIME_PARSING: "date-time",
    ErrorType.DATE_PARSING: "date",
    ErrorType.TIME_PARSING: "time",
}
# Pydantic's types that 7.3 of the error catalogue has under another name.
PYDANTIC_TYPES = {
    "literal_error": ErrorType.ENUM,
    "int_type": ErrorType.INT_PARSING,
    "int_from_float": ErrorType.INT_PARSING,
    "float_type": ErrorType.FLOAT_PARSING,
    "bool_type": ErrorType.BOOL_PARSING,
    "model_type": ErrorType.DICT_TYPE,
    "model_attributes_type": ErrorType.DICT_TYPE,
    "dataclass_type": ErrorType.DICT_TYPE,
    "mapping_type": ErrorType.DICT_TYPE,
    "tuple_type": ErrorType.LIST_TYPE,
    "set_type": ErrorType.LIST_TYPE,
    "frozen_set_type": ErrorType.LIST_TYPE,
    "none_required": ErrorType.NULL_TYPE,
    "uuid_type": ErrorType.UUID_PARSING,
    "date_type": ErrorType.DATE_PARSING,
    "date_from_datetime_parsing": ErrorType.DATE_PARSING,
    "datetime_type": ErrorType.DATETIME_PARSING,
    "datetime_from_date_parsing": ErrorType.DATETIME_PARSING,
    "time_type": ErrorType.TIME_PARSING,
    "time_delta_type": ErrorType.TIME_DELTA_PARSING,
    "decimal_type": ErrorType.DECIMAL_PARSING,
    "url_type": ErrorType.URL_PARSING,
}
PYDANTIC_MESSAGES: Mapping[str, str] = {
    ErrorType.INT_PARSING: "Input should be a valid integer, unable to parse string as an integer",
    ErrorType.FLOAT_PARSING: "Input should be a valid number, unable to parse string as a number",
    ErrorType.BOOL_PARSING: "Input should be a valid boolean, unable to interpret input",
    ErrorType.STRING_TYPE: "Input should be a valid string",
    ErrorType.LIST_TYPE: "Input should be a valid list",
    ErrorType.DICT_TYPE: "Input should be a valid dictionary",
    ErrorType.NULL_TYPE: "Input should be a valid null",
    ErrorType.UUID_PARSING: "Input should be a valid UUID",
    ErrorType.DATE_PARSING: "Input should be a valid date",
    ErrorType.DATETIME_PARSING: "Input should be a valid datetime",
    ErrorType.TIME_PARSING: "Input should be a valid time",
    ErrorType.TIME_DELTA_PARSING: "Input should be a valid duration",
    ErrorType.DECIMAL_PARSING: "Input should be a valid decimal",
    ErrorType.URL_PARSING: "Input should be a valid URL",
    ErrorType.EXTRA_FORBIDDEN: "Additional properties are not allowed",
    ErrorType.MISSING: "Field required",
}


class FieldError(Exception):
    """A member of the body cannot be built; carries the name and what was raised."""

    def __init__(self, name: str, cause: Exception) -> None:
        super().__init__(name)
        self.name = name
        self.cause = cause


def body_faults(error: Exception) -> list[Fault] | None:
    """The faults an exception stands for, located in the body; None when it is no fault of the body."""
    return faults_of(error, ("body",))


def faults_of(error: Exception, loc: tuple[str, ...]) -> list[Fault] | None:
    """The faults an exception stands for, located below `loc`."""
    if isinstance(error, FieldError):
        return faults_of(error.cause, (*loc, error.name))
    if is_pydantic_error(error):
        return [_pydantic_fault(item, loc) for item in error.errors(include_url=False)]  # type: ignore[attr-defined]
    if isinstance(error, msgspec.ValidationError):
        return _msgspec_faults(error, loc)
    if isinstance(error, msgspec.DecodeError):
        return None
    if isinstance(error, ValueError | AssertionError):
        return [_value_fault(error, loc)]
    return None


def is_pydantic_error(error: BaseException | None) -> bool:
    """Whether pydantic has found faults in its input."""
    core: Any = sys.modules.get("pydantic_core")
    return core is not None and isinstance(error, core.ValidationError)


def fault(kind: str, loc: Iterable[str], msg: str, *, ctx: Mapping[str, Any] | None = None) -> Fault:
    """A fault without input; a place in the body is also given as a JSON pointer."""
    places = list(loc)
    item: Fault = {"type": str(kind), "loc": places, "msg": msg}
    if ctx:
        item["ctx"] = dict(ctx)
    if places[0] == "body":
        item["pointer"] = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in places[1:])
    return item


def _value_fault(error: Exception, loc: tuple[str, ...]) -> Fault:
    is_assertion = isinstance(error, AssertionError)
    kind = ErrorType.ASSERTION_ERROR if is_assertion else ErrorType.VALUE_ERROR
    text = str(error)
    label = "Assertion failed" if is_assertion else "Value error"
    return fault(kind, loc, f"{label}, {text}", ctx={"error": text})


def _msgspec_faults(error: msgspec.ValidationError, loc: tuple[str, ...]) -> list[Fault] | None:
    text = str(error)
    place = PLACE.search(text)
    if place is not None:
        loc = (*loc, *_steps(place["path"]))
        text = text[: place.start()]
    cause = error.__cause__ or error.__context__
    if isinstance(cause, Exception) and (is_pydantic_error(cause) or isinstance(cause, ValueError | AssertionError)):
        return faults_of(cause, loc)
    for pattern, kind, message in PHRASES:
        match = pattern.match(text)
        if match is not None:
            return [_phrased(kind, message, match.groupdict(), loc)]
    return [fault(ErrorType.VALUE_ERROR, loc, f"Value error, {text}", ctx={"error": text})]


def _phrased(kind: ErrorType, message: str, found: dict[str, str], loc: tuple[str, ...]) -> Fault:
    if kind is ErrorType.MISSING:
        return fault(kind, (*loc, found["missing"]), message)
    if kind is ErrorType.EXTRA_FORBIDDEN:
        name = found["unexpected_field"]
        return fault(kind, (*loc, name), message, ctx={"additional_properties": False, "unexpected_field": name})
    if kind is ErrorType.ENUM:
        return fault(kind, loc, message)
    ctx: dict[str, Any] = {name: value if name == "pattern" else _number(value) for name, value in found.items()}
    if kind in FORMATS:
        ctx["format"] = FORMATS[kind]
    count = next((value for name, value in ctx.items() if name.startswith(("min_", "max_"))), 0)
    return fault(kind, loc, message.format(**ctx, s="" if count == 1 else "s") if ctx else message, ctx=ctx)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _steps(path: str) -> list[str]:
    # The name of a mapping's key isn't told: `[...]`.
    return [match["name"] or match["index"] for match in STEP.finditer(path) if match["index"] != "..."]


def _pydantic_fault(item: Mapping[str, Any], loc: tuple[str, ...]) -> Fault:
    kind = str(PYDANTIC_TYPES.get(item["type"], item["type"]))
    ctx = {name: _plain(value) for name, value in item.get("ctx", {}).items()}
    places = (*loc, *(str(part) for part in item["loc"]))
    if kind == ErrorType.ENUM and "expected" in ctx:
        message = f"Input should be {ctx['expected']}"
    elif kind == ErrorType.EXTRA_FORBIDDEN:
        message = PYDANTIC_MESSAGES[ErrorType.EXTRA_FORBIDDEN]
        ctx = {"additional_properties": False, "unexpected_field": places[-1]}
    else:
        message = PYDANTIC_MESSAGES.get(kind, item["msg"])
    found = fault(kind, places, message, ctx=ctx)
    shown = _shown(item.get("input"))
    return found if shown is NOT_SHOWN else _with_input(found, shown)


NOT_SHOWN = object()


def _shown(value: Any) -> Any:
    """The input, when it is JSON and small enough to be repeated to the client."""
    try:
        text = msgspec.json.encode(value)
    except (TypeError, ValueError):
        return NOT_SHOWN
    return msgspec.json.decode(text) if len(text) <= INPUT_LIMIT else NOT_SHOWN


def _with_input(item: Fault, shown: Any) -> Fault:
    ordered: Fault = {}
    for name, value in item.items():
        ordered[name] = value
        if name == "msg":
            ordered["input"] = shown
    return ordered


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool | list | dict) else str(value)


Errors = Callable[[Exception], list[Fault] | None]

__all__ = ["Errors", "FieldError", "body_faults", "fault", "faults_of", "is_pydantic_error"]
