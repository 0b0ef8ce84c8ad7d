"""Actions that only change the context, and need no function."""

from typing import Any

from spikard._spikard import change_context
from spikard.fsm.clock import Clock


def apply_effect(effect_type: str, params: dict[str, Any], ctx: dict[str, Any], *, clock: Clock | None = None) -> None:
    """Change the context as an effect says: all of it, or nothing where it raises."""
    if effect_type == "set":
        # The very values, not copies of them.
        ctx.update(params)
        return
    now = None if clock is None else round(clock.now().timestamp() * 1_000_000)
    change_context(effect_type, params, ctx, now=now)
