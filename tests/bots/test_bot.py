"""The client against a server: what it sends, how it counts, what it keeps to itself."""

import asyncio
import logging
import pickle
from pathlib import Path
from typing import Any

import httpx
import pytest

from spikard.bots import UNSET, Bot, RateLimiter, Retry
from spikard.bots.errors import InvalidToken
from spikard.bots.testing import FakeVKTeams
from spikard.bots.types import InputFile, Message, MessageFormat, ParentMessage
from spikard.bots.wire import dump_format, dump_keyboard, dump_parent_topic, encode_params, join_ids
from spikard.errors import ConfigError

SWIFT = Retry(base=0.0)


def test_settings_have_the_order_and_defaults_of_the_reference() -> None:
    bot = Bot("t", "https://h/bot/v1/", 5.0, 6, 7.0, "http://proxy:1", "HTML")
    assert (bot.token, bot.api_url, bot.timeout, bot.poll_time) == ("t", "https://h/bot/v1", 5.0, 6)
    assert (bot.rate_limit, bot.proxy, bot.parse_mode) == (7.0, "http://proxy:1", "HTML")
    assert Bot("t").api_url == "https://myteam.mail.ru/bot/v1"
    assert Bot("t", "https://teams.corp.example").api_url == "https://teams.corp.example/bot/v1"
    assert Bot("t").rate_limit is None


def test_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VKTEAMS_TOKEN", raising=False)
    with pytest.raises(ConfigError, match="VKTEAMS_TOKEN"):
        Bot()
    monkeypatch.setenv("VKTEAMS_TOKEN", "001.secret.9:77")
    monkeypatch.setenv("VKTEAMS_API_URL", "https://h/bot/v1")
    monkeypatch.setenv("VKTEAMS_PROXY", "http://p:1")
    bot = Bot()
    assert (bot.id, bot.api_url, bot.proxy) == ("77", "https://h/bot/v1", "http://p:1")


@pytest.mark.parametrize("options", [{"api_url": "teams.corp"}, {"api_url": "ftp://x"}, {"on_long_text": "cut"}])
def test_settings_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Bot("t", **options)


def test_a_bot_shows_and_pickles_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    token = "001.1234.5678:1000000001"
    bot = Bot(token, "https://h/bot/v1")
    assert repr(bot) == "<Bot 1000000001 https://h/bot/v1>"
    packed = pickle.dumps(bot)
    assert b"5678" not in packed
    monkeypatch.setenv("VKTEAMS_TOKEN", token)
    assert pickle.loads(packed) == bot
    monkeypatch.setenv("VKTEAMS_TOKEN", "other:2")
    with pytest.raises(ConfigError):
        pickle.loads(packed)


def test_row_8_bots_are_told_apart_by_their_account() -> None:
    one, other = Bot("001.0000000000.1:5"), Bot("001.0000000000.1:6")
    assert one.id == "5"
    assert one != other
    assert len({one, other, Bot("another:5")}) == 2
    nameless = Bot("no number")
    assert nameless.id not in (Bot("nor here").id, "")
    assert "no number" not in nameless.id


def test_row_18_the_default_address_is_that_of_a_service_that_lives() -> None:
    assert "icq" not in Bot("t").api_url


async def test_row_18_a_wrong_token_is_said_at_once(server: FakeVKTeams) -> None:
    bot = server.bot(token="wrong:1", retry=SWIFT)
    with pytest.raises(InvalidToken):
        await bot.get_me()
    assert len(server.calls) == 1


async def test_the_http_client_is_made_anew_after_closing(server: FakeVKTeams) -> None:
    bot = server.bot()
    await bot.close()
    first = bot.http
    assert await bot.get_session() is first
    assert bot.http is first
    await bot.close()
    await bot.close()
    assert first.is_closed
    assert (await bot.get_me()).nick == "testbot"
    assert bot.http is not first
    assert bot.me is not None
    async with server.bot() as other:
        client = other.http
    assert client.is_closed


async def test_a_client_that_is_given_serves_polls_too() -> None:
    paths = []

    def handle(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return httpx.Response(200, json={"ok": True, "events": []})

    bot = Bot("t", "https://h/bot/v1")
    bot.http = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    assert await bot.get_events() == []
    await bot.send_actions("c", "typing")
    assert paths == ["/bot/v1/events/get", "/bot/v1/chats/sendActions"]
    await bot.close()


def test_parameters_on_the_wire() -> None:
    made = encode_params("T", {"a": None, "b": True, "c": [1], "d": {"я": 1}, "e": 1.5, "f": "x", "g": InputFile})
    assert made == {"token": "T", "b": "true", "c": "[1]", "d": '{"я":1}', "e": 1.5, "f": "x", "g": str(InputFile)}
    assert join_ids(None) is None
    assert join_ids("a") == "a"
    assert join_ids(["a", "b"]) == "a,b"
    assert join_ids([]) == ""
    assert join_ids(5) == "5"
    assert dump_keyboard([[{"text": "я"}]]) == '[[{"text":"я"}]]'
    assert dump_keyboard("[]") == "[]"
    assert dump_format(MessageFormat(bold=[{"offset": 0, "length": 1}])) == '{"bold":[{"offset":0,"length":1}]}'
    topic = ParentMessage(chat_id="c", message_id=2**60, type="thread")
    assert dump_parent_topic(topic) == '{"chatId":"c","messageId":1152921504606846976,"type":"thread"}'
    for dump in (dump_keyboard, dump_format, dump_parent_topic):
        assert dump(None) is None
        with pytest.raises(TypeError):
            dump(5)


def test_parse_modes() -> None:
    bot = Bot("t", parse_mode="HTML")
    assert bot.resolve_parse_mode(UNSET) == "HTML"
    assert bot.resolve_parse_mode(None) is None
    assert bot.resolve_parse_mode("MarkdownV2") == "MarkdownV2"
    assert Bot("t").resolve_parse_mode() is None


async def test_a_server_that_wants_parameters_in_the_address_gets_them_there(server: FakeVKTeams) -> None:
    server.get_only.add("chats/sendActions")
    bot = server.bot()
    await bot.send_actions("c", "typing")
    await bot.send_actions("c", "typing")
    assert [call.verb for call in server.calls] == ["POST", "GET", "GET"]


async def test_middlewares_are_around_every_call(server: FakeVKTeams) -> None:
    bot = server.bot()
    seen = []

    @bot.use
    async def outer(call: Any, bot: Bot, method: str, params: dict[str, Any]) -> dict[str, Any]:
        seen.append(("outer", method, dict(params)))
        answer: dict[str, Any] = await call(bot, method, params | {"text": "changed"})
        return answer | {"msgId": "other"}

    @bot.use
    async def inner(call: Any, bot: Bot, method: str, params: dict[str, Any]) -> dict[str, Any]:
        seen.append(("inner", method, params["text"]))
        answer: dict[str, Any] = await call(bot, method, params)
        return answer

    assert (await bot.send_text("c", "t", request_id="r")).msg_id == "other"
    assert seen == [
        ("outer", "messages/sendText", {"chatId": "c", "text": "t", "requestId": "r"}),
        ("inner", "messages/sendText", "changed"),
    ]
    assert server.sent[0].text == "changed"


async def test_events_move_the_mark_and_bad_ones_do_not_hold_it(server: FakeVKTeams, caplog: Any) -> None:
    bot = server.bot()
    server.push_message("one")
    server.push_raw({"eventId": 2, "type": 7})
    server.push_raw({"type": "newMessage"})
    server.push_raw({"eventId": "4", "type": "newMessage", "payload": {"chat": {"chatId": "c"}, "text": "two"}})
    server.push_raw("nonsense")
    updates = await bot.get_events(poll_time=0)
    assert [update.event_id for update in updates] == [1, 4]
    assert bot.last_event_id == 4
    assert len([one for one in caplog.records if "cannot be read" in one.getMessage()]) == 3
    batch = await bot.poll(poll_time=0)
    assert len(batch.malformed) == 2, "those without an id are never acknowledged"
    message = updates[0].decoded
    assert isinstance(message, Message)
    assert message.bot is bot


@pytest.mark.parametrize("fault", [504, 404, 2.0])
async def test_a_poll_that_is_cut_is_an_empty_one(server: FakeVKTeams, fault: float) -> None:
    bot = server.bot(timeout=0.05)
    server.fail_next("events/get", fault)
    assert await bot.get_events(poll_time=0) == []


async def test_bots_may_share_a_limiter(server: FakeVKTeams) -> None:
    limiter = RateLimiter(20, burst=1)
    one, other = server.bot(rate_limit=limiter), server.bot(rate_limit=limiter)
    start = asyncio.get_running_loop().time()
    await asyncio.gather(*(bot.get_me() for bot in (one, other) * 2))
    assert asyncio.get_running_loop().time() - start >= 0.15
    assert one.rate_limit is limiter


async def test_no_text_holds_the_token(server: FakeVKTeams, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "httpx")
    bot = server.bot(retry=None)
    bad = {"ok": False, "description": f"no rights for token={server.token} ({server.token})"}
    server.fail_next("self/get", bad)
    server.fail_next("self/get", 500)
    server.fail_next("self/get", "drop")
    for _ in range(3):
        with pytest.raises(Exception, match="self/get") as caught:
            await bot.get_me()
        fault: BaseException | None = caught.value
        while fault is not None:
            assert server.token not in f"{fault} {fault!r} {vars(fault)}"
            request = getattr(fault, "_request", None) or getattr(fault, "request", None)
            assert request is None or server.token.encode() not in request.content
            fault = fault.__cause__
    logging.getLogger("httpx").info("GET %s", f"https://h/files/1?token={server.token}&a=1")
    assert "token=***&a=1" in caplog.text


def test_a_certificate_that_is_not_trusted_names_the_option(tmp_path: Path) -> None:
    async def run() -> None:
        import ssl

        import trustme

        authority = trustme.CA()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(context)

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            body = b'{"ok":true,"userId":"1"}'
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
            writer.close()

        listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        address = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        pem = tmp_path / "ca.pem"
        pem.write_bytes(authority.cert_pem.bytes())
        async with listening:
            async with Bot("t", address) as bot:
                with pytest.raises(Exception, match="extra_ca") as caught:
                    await bot.get_me()
                assert type(caught.value).__name__ == "TLSError"
            for options in ({"extra_ca": pem}, {"verify_ssl": str(pem)}, {"verify_ssl": False}):
                async with Bot("t", address, **options) as bot:
                    assert (await bot.get_me()).user_id == "1"

    asyncio.run(run())


async def test_the_token_follows_no_redirect_to_another_host() -> None:
    seen = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        if "/moved/" in request.url.path:
            return httpx.Response(200, json={"ok": True, "userId": "1"})
        target = "https://other.example/x" if request.url.host == "away" else "/moved/self/get"
        return httpx.Response(307, headers={"location": target})

    async with Bot("t", "https://away/bot/v1", http=httpx.AsyncClient(transport=httpx.MockTransport(handle))) as bot:
        with pytest.raises(Exception, match="redirects to https://other"):
            await bot.get_me()
    async with Bot("t", "https://h/bot/v1", http=httpx.AsyncClient(transport=httpx.MockTransport(handle))) as bot:
        assert (await bot.get_me()).user_id == "1"
    assert seen == ["https://away/bot/v1/self/get", "https://h/bot/v1/self/get", "https://h/moved/self/get"]
