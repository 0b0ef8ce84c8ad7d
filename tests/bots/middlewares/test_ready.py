"""Middlewares that come with the package."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from spikard.bots import UNHANDLED, Dispatcher, F, Router, SkipHandler
from spikard.bots.middlewares import (
    ContainerMiddleware,
    I18nMiddleware,
    LoggingMiddleware,
    MetricsMiddleware,
    ThrottlingMiddleware,
)
from spikard.bots.types import Message, Update
from spikard.di import Container, Inject
from spikard.errors import ConfigError
from tests.bots.updates import BOT, pressed, said


@pytest.mark.parametrize("key", ["user", "chat"])
async def test_who_has_no_turn_left_is_stopped(key: Any) -> None:
    dp = Dispatcher(limit_text="slowly")
    limited: list[str] = []

    async def on_limit(event: Message, limit_text: str) -> str:
        limited.append(event.text or "")
        return limit_text

    dp.message.outer_middleware(ThrottlingMiddleware(0.001, 2, key=key, on_limit=on_limit))
    dp.message.register(lambda event: "taken", flags={"inline": True})
    found = [await dp.feed_update(BOT, said(str(number))) for number in range(3)]
    assert found == ["taken", "taken", "slowly"]
    assert limited == ["2"]
    # Another user, in the same chat.
    assert await dp.feed_update(BOT, said(user="bob")) == ("taken" if key == "user" else "slowly")


async def test_stopped_events_are_handled_and_their_buttons_answered() -> None:
    dp = Dispatcher()
    bot: Any = type(BOT)()
    dp.callback_query.outer_middleware(ThrottlingMiddleware(0.001))
    dp.callback_query.register(lambda query: "taken", flags={"inline": True})
    assert [await dp.feed_update(bot, pressed()) for _ in range(2)] == ["taken", None]
    assert len(bot.answered) == 2
    with pytest.raises(ValueError, match="'place'"):
        ThrottlingMiddleware(1, key="place")  # type: ignore[arg-type]


async def test_each_event_has_a_line_without_what_was_written(caplog: pytest.LogCaptureFixture) -> None:
    dp = Dispatcher()
    dp.message.middleware(LoggingMiddleware())
    dp.callback_query.outer_middleware(LoggingMiddleware(level=logging.DEBUG))

    @dp.message(F.text == "secret failure")
    async def fails(message: Message) -> None:
        raise OSError("closed")

    @dp.message(F.text == "secret skip")
    async def skips(message: Message) -> None:
        raise SkipHandler

    @dp.message()
    async def rest(message: Message) -> None: ...

    with caplog.at_level(logging.DEBUG, "spikard.bots.access"):
        updates = [said("secret"), said("secret failure"), said("secret skip"), pressed("secret")]
        for update in updates:
            await dp.feed_update(BOT, update)
    lines = [record for record in caplog.records if record.name == "spikard.bots.access"]
    texts = [record.getMessage() for record in lines]
    assert f"newMessage {updates[0].event_id} from ann in c: " in texts[0]
    assert "rest" in texts[0]
    assert [next(word for word in ("handled", "failed with OSError", "skipped") if word in text) for text in texts] == [
        *("handled", "failed with OSError", "skipped", "handled", "handled")
    ]
    assert "unhandled" in texts[4]
    assert [record.levelno for record in lines] == [20, 40, 20, 20, 10]
    assert not any("secret" in text for text in texts)


async def test_texts_in_the_language_of_whoever_reads_them(tmp_path: Path) -> None:
    (tmp_path / "en.json").write_text(json.dumps({"hello": "Hello, {name}", "only": "English"}))
    (tmp_path / "ru.json").write_text(json.dumps({"hello": "Привет, {name}"}), "utf-8")

    async def language(event: Message, languages: dict[str, str]) -> str | None:
        return languages.get(event.text or "")

    dp = Dispatcher(languages={"a": "ru", "b": "ru-RU", "c": "fr"})
    dp.message.outer_middleware(I18nMiddleware(tmp_path, language))

    @dp.message()
    async def handler(message: Message, _: Any, locale: str) -> list[str]:
        return [_("hello", name="{Ann}"), _("only"), _("absent"), locale]

    found = [await dp.feed_update(BOT, said(text), raise_errors=True) for text in "abcd"]
    assert found == [
        ["Привет, {Ann}", "English", "absent", "ru"],
        ["Привет, {Ann}", "English", "absent", "ru-RU"],
        ["Hello, {Ann}", "English", "absent", "fr"],
        ["Hello, {Ann}", "English", "absent", "en"],
    ]
    assert dp.check() == []
    with pytest.raises(ConfigError, match="'de'"):
        I18nMiddleware({"en": {}}, language, default="de")
    (tmp_path / "en.json").write_text("[")
    with pytest.raises(ConfigError, match="cannot be read"):
        I18nMiddleware(tmp_path, language)


async def test_a_container_for_a_router_alone() -> None:
    class Database:
        pass

    router = Router()
    router.message.outer_middleware(ContainerMiddleware(Container().add_scoped(Database)))

    @router.message()
    async def handler(message: Message, db: Inject[Database], other: Database) -> bool:
        return db is other

    dp = Dispatcher()
    dp.include_router(router)
    assert await dp.feed_update(BOT, said(), raise_errors=True) is True


async def test_updates_are_counted_for_prometheus() -> None:
    dp = Dispatcher()
    metrics = MetricsMiddleware()
    dp.update.outer_middleware(metrics)

    @dp.message(F.text)
    async def handler(message: Message) -> None:
        if message.text == "fail":
            raise OSError("closed")

    for update in (said("a"), said("b"), said("fail"), pressed(), Update(event_id=1, type='odd"kind', payload={})):
        await dp.feed_update(BOT, update)
    text = metrics.render()
    assert 'spikard_bot_updates_total{type="newMessage",outcome="handled"} 2' in text
    assert 'spikard_bot_updates_total{type="newMessage",outcome="unhandled"} 1' in text
    assert 'spikard_bot_updates_total{type="callbackQuery",outcome="unhandled"} 1' in text
    assert 'spikard_bot_updates_total{type="other",outcome="unhandled"} 1' in text
    assert "spikard_bot_errors_total 1" in text
    assert "spikard_bot_updates_running 0" in text
    assert 'spikard_bot_update_seconds_bucket{le="+Inf"} 5' in text
    assert "spikard_bot_update_seconds_count 5" in text
    assert UNHANDLED is await dp.feed_update(BOT, pressed())
