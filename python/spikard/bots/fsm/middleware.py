"""The state of a dialogue for routers that have no dispatcher above them."""

from typing import Any

from spikard.bots.fsm.context import FSMContext
from spikard.bots.fsm.key import storage_key
from spikard.bots.fsm.strategy import FSMStrategy
from spikard.bots.middleware import BaseMiddleware, Handler
from spikard.bots.storages.base import BaseStorage


class FSMContextMiddleware(BaseMiddleware):
    """Adds `state` and `current_state`. A dispatcher does so by itself."""

    def __init__(self, storage: BaseStorage, strategy: FSMStrategy | str = FSMStrategy.USER_IN_CHAT) -> None:
        self.storage = storage
        self.strategy = FSMStrategy(strategy)

    async def __call__(self, handler: Handler, event: Any, data: dict[str, Any]) -> Any:
        """Goes on with both in the data; None where the event has neither chat nor user."""
        bot = data.get("bot")
        key = storage_key(getattr(bot, "id", "unknown"), event, self.strategy)
        state = FSMContext(self.storage, key) if key is not None else None
        data["state"] = state
        data["current_state"] = data["raw_state"] = await state.get_state() if state is not None else None
        return await handler(event, data)


__all__ = ["FSMContextMiddleware"]
