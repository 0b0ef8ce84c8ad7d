"""Names of states, triggers, guards and actions, of machines in a catalogue, and of entities."""

import re

# Anchored, for those who use them with `match` and `search`.
NAME_PATTERN = re.compile(r"^[a-z0-9_]+$")
ENTITY_ID_PATTERN = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9._-]{0,254}$")
NAMESPACE_PATTERN = re.compile(r"^[a-z0-9_]+(?:/[a-z0-9_]+)*$")
DISCOVERY_SLUG_PATTERN = NAME_PATTERN

_NAME_RULE = "lowercase letters (a-z), numbers (0-9), and underscores (_)"
NAME_ERROR_MESSAGE = f"must contain only {_NAME_RULE}. No spaces, uppercase letters, or special characters allowed."
ENTITY_ID_ERROR_MESSAGE = (
    "must start with an alphanumeric character and contain only letters (a-z, A-Z), numbers (0-9), dots (.), "
    "hyphens (-), and underscores (_). Length: 1-255 characters."
)


def validate_name(name: str, field_name: str = "name") -> str:
    """A name, trimmed and in small letters; `ValueError` says what is wrong with it."""
    text = _text(name, field_name)
    if NAME_PATTERN.fullmatch(text):
        return text
    raise ValueError(f"{field_name} {NAME_ERROR_MESSAGE} Got: {name!r}")


def is_valid_name(name: str) -> bool:
    """Whether `validate_name` takes it."""
    return isinstance(name, str) and bool(NAME_PATTERN.fullmatch(name.strip().lower()))


def normalize_name(name: str) -> str | None:
    """The nearest name to a text: blanks and hyphens become `_`, other characters go. None when nothing is left."""
    if not isinstance(name, str):
        return None
    words = re.sub(r"[\s-]+", "_", name.strip().lower())
    return re.sub(r"_+", "_", re.sub(r"[^a-z0-9_]", "", words)).strip("_") or None


def validate_namespace(namespace: str, field_name: str = "namespace") -> str:
    """Names joined by slashes; outer and repeated slashes are dropped."""
    if not isinstance(namespace, str):
        raise ValueError(f"{field_name} must be a string")
    segments = [segment for segment in namespace.strip().lower().split("/") if segment]
    if not segments:
        raise ValueError(f"{field_name} cannot be empty after normalization")
    if not all(NAME_PATTERN.fullmatch(segment) for segment in segments):
        raise ValueError(f"{field_name} must be a slash-separated path of {_NAME_RULE}. Got: {namespace!r}")
    return "/".join(segments)


def validate_entity_id(entity_id: str, field_name: str = "entity_id") -> str:
    """An entity's id without blanks around it; `ValueError` says what is wrong with it."""
    if not isinstance(entity_id, str):
        raise ValueError(f"{field_name} must be a string")
    text = entity_id.strip()
    if not text:
        raise ValueError(f"{field_name} cannot be empty")
    if not ENTITY_ID_PATTERN.fullmatch(text):
        raise ValueError(f"{field_name} {ENTITY_ID_ERROR_MESSAGE} Got: {entity_id!r}")
    return text


def is_valid_entity_id(entity_id: str) -> bool:
    """Whether `validate_entity_id` takes it."""
    return isinstance(entity_id, str) and bool(ENTITY_ID_PATTERN.fullmatch(entity_id.strip()))


def normalize_entity_id(entity_id: str) -> str | None:
    """The nearest id to a text: what may not be in one is dropped. None when nothing is left."""
    if not isinstance(entity_id, str):
        return None
    text = re.sub(r"[^a-zA-Z0-9._-]", "", entity_id)
    return re.sub(r"^[._-]+", "", text)[:255] or None


def validate_discovery_slug(value: str, field: str) -> str:
    """A name as it stands, only trimmed; `ValueError` says what is wrong with it."""
    text = value.strip() if value else ""
    if not text:
        raise ValueError(f"{field} cannot be empty")
    if not NAME_PATTERN.fullmatch(text):
        raise ValueError(f"{field} must contain only lowercase letters, digits, and underscores. Got: {value!r}")
    return text


def validate_discovery_slug_optional(value: str | None, field: str) -> str | None:
    """The same, or None where there is none."""
    return validate_discovery_slug(value, field) if value and value.strip() else None


def validate_discovery_namespace(value: str | None, field: str) -> str | None:
    """Slugs joined by slashes, or None where there are none."""
    text = "" if value is None else str(value).strip()
    segments = [segment.strip() for segment in text.split("/") if segment.strip()]
    checked = [
        validate_discovery_slug(segment, f"{field} segment {place}") for place, segment in enumerate(segments, 1)
    ]
    return "/".join(checked) or None


def _text(name: str, field_name: str) -> str:
    if not isinstance(name, str):
        raise ValueError(f"{field_name} must be a string")
    if not name:
        raise ValueError(f"{field_name} cannot be empty")
    text = name.strip().lower()
    if not text:
        raise ValueError(f"{field_name} cannot be empty after normalization")
    return text
