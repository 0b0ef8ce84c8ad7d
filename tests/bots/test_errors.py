"""What becomes of faults before a handler is found."""

from typing import Any

import pytest

from spikard.bots import UNHANDLED, Dispatcher
from spikard.bots.errors import DecodeError, FileDownloadError
from spikard.bots.types import Update
from tests.bots.updates import BOT, said


@pytest.mark.parametrize("raw", [{"type": "newMessage", "payload": {}}, b"{broken", '{"eventId": 1}'])
async def test_what_is_no_update_is_told_and_not_handled(raw: Any) -> None:
    dp = Dispatcher()
    told: list[Any] = []
    dp.on_malformed(told.append)
    assert await dp.feed_raw(BOT, raw) is UNHANDLED
    assert len(told) == 1
    with pytest.raises(DecodeError):
        await dp.feed_raw(BOT, raw, raise_errors=True)


async def test_errors_of_middlewares_of_updates_go_to_handlers_of_errors() -> None:
    dp = Dispatcher()

    @dp.update.outer_middleware
    async def failing(handler: Any, update: Update, data: dict[str, Any]) -> Any:
        raise LookupError("no tenant")

    dp.message.register(lambda event: "fine", flags={"inline": True})
    assert await dp.feed_update(BOT, said()) is UNHANDLED
    with pytest.raises(LookupError):
        await dp.feed_update(BOT, said(), raise_errors=True)

    @dp.error()
    async def on_error(event: Any, error: Exception) -> str:
        return f"{type(event).__name__}: {error}"

    assert await dp.feed_update(BOT, said(), raise_errors=True) == "Message: no tenant"
    assert dp.stats()["errors"] == 3


def test_an_address_in_an_error_does_not_take_the_text_after_it_along() -> None:
    fault = FileDownloadError("https://files.corp.example/f?token=001.1:2", "too large")
    assert str(fault) == "Cannot download https://files.corp.example/f?token=***: too large"
