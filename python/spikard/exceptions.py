"""What handlers raise and what they may find in a 422: the exceptions, and the closed list of fault types."""

import enum

from spikard.errors import (
    AsgiAnswer,
    AsyncDependency,
    BackgroundQueueFull,
    CaptiveDependency,
    ConfigError,
    ContainerClosed,
    ContainerFrozen,
    CyclicDependency,
    DependencyTypeError,
    DIError,
    DuplicateRegistration,
    EncodeError,
    HTTPException,
    ProblemDetails,
    RouteConflict,
    RouteError,
    ScopeError,
    SpikardError,
    StreamConsumed,
    UnknownDependency,
    ValidationException,
    WebSocketDisconnect,
)


class ErrorType(enum.StrEnum):
    """The `type` of a fault in the `errors` of a 422."""

    MISSING = "missing"
    INT_PARSING = "int_parsing"
    FLOAT_PARSING = "float_parsing"
    BOOL_PARSING = "bool_parsing"
    STRING_TYPE = "string_type"
    LIST_TYPE = "list_type"
    DICT_TYPE = "dict_type"
    NULL_TYPE = "null_type"
    STRING_TOO_SHORT = "string_too_short"
    STRING_TOO_LONG = "string_too_long"
    STRING_PATTERN_MISMATCH = "string_pattern_mismatch"
    GREATER_THAN = "greater_than"
    GREATER_THAN_EQUAL = "greater_than_equal"
    LESS_THAN = "less_than"
    LESS_THAN_EQUAL = "less_than_equal"
    MULTIPLE_OF = "multiple_of"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    UNIQUE_ITEMS = "unique_items"
    ENUM = "enum"
    CONST = "const"
    UUID_PARSING = "uuid_parsing"
    DATE_PARSING = "date_parsing"
    DATETIME_PARSING = "datetime_parsing"
    TIME_PARSING = "time_parsing"
    TIME_DELTA_PARSING = "time_delta_parsing"
    DECIMAL_PARSING = "decimal_parsing"
    IP_V4_ADDRESS = "ip_v4_address"
    IP_V6_ADDRESS = "ip_v6_address"
    URL_PARSING = "url_parsing"
    STRING_FORMAT = "string_format"
    EXTRA_FORBIDDEN = "extra_forbidden"
    ONE_OF = "one_of"
    ANY_OF = "any_of"
    NOT_ALLOWED = "not_allowed"
    MIN_PROPERTIES = "min_properties"
    MAX_PROPERTIES = "max_properties"
    DEPENDENT_REQUIRED = "dependent_required"
    CONTAINS = "contains"
    PROPERTY_NAMES = "property_names"
    UNEVALUATED = "unevaluated"
    NULL_BYTE = "null_byte"
    JSON_INVALID = "json_invalid"
    FILE_CONTENT_TYPE = "file_content_type"
    FILE_TYPE_MISMATCH = "file_type_mismatch"
    FILE_EMPTY = "file_empty"
    FILE_TOO_LARGE = "file_too_large"
    VALUE_ERROR = "value_error"
    ASSERTION_ERROR = "assertion_error"


__all__ = [
    "AsgiAnswer",
    "AsyncDependency",
    "BackgroundQueueFull",
    "CaptiveDependency",
    "ConfigError",
    "ContainerClosed",
    "ContainerFrozen",
    "CyclicDependency",
    "DIError",
    "DependencyTypeError",
    "DuplicateRegistration",
    "EncodeError",
    "ErrorType",
    "HTTPException",
    "ProblemDetails",
    "RouteConflict",
    "RouteError",
    "ScopeError",
    "SpikardError",
    "StreamConsumed",
    "UnknownDependency",
    "ValidationException",
    "WebSocketDisconnect",
]
