"""Settings from the environment, for fields the code leaves alone."""

import os


def environment_text(variable: str, default: str) -> str:
    """The variable's value, or the default where it is absent or empty."""
    return os.environ.get(variable) or default


def environment_whole(variable: str, default: int) -> int:
    """The variable's value as an integer; ValueError naming the variable when it is none."""
    value = os.environ.get(variable)
    if not value:
        return default
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"the environment variable {variable} must be an integer, not {value!r}") from None


__all__ = ["environment_text", "environment_whole"]
