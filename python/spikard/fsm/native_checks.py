"""The native part's looks at configurations; what is beyond its limits is a fault of the configuration."""

from collections.abc import Callable
from typing import Any, TypeVar

from spikard.fsm.errors import ConfigurationError

Answer = TypeVar("Answer")


def within_limits(look: Callable[..., Answer], config: Any, *more: Any) -> Answer:
    """Calls `look`; ConfigurationError where the configuration is nested too deeply or goes round in a circle."""
    try:
        return look(config, *more)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"The configuration cannot be read: {error}") from None
