"""Values as the text of JSON columns."""

from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(enc_hook=str)
_DECODER = msgspec.json.Decoder()


def encoded(value: Any) -> str:
    """A value as JSON; what JSON does not know, as its text."""
    return _ENCODER.encode(value).decode()


def decoded(text: str | None) -> Any:
    """A value from JSON."""
    return None if text is None else _DECODER.decode(text)
