"""What is repeated, what is not, and what the server sees of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from spikard.bots import Retry
from spikard.bots.errors import APIError, NetworkError, RateLimited, ServerError
from spikard.bots.retry import as_retry, is_repeatable, read_retry_after
from spikard.bots.testing import FakeVKTeams

SWIFT = Retry(base=0.0)


def test_waits_grow_up_to_a_limit_and_vary() -> None:
    steady = Retry(jitter=0.0)
    assert [steady.delay(attempt) for attempt in (1, 2, 3, 4, 20)] == [0.5, 1.0, 2.0, 4.0, 30.0]
    varied = {round(Retry().delay(1), 6) for _ in range(50)}
    assert len(varied) > 10
    assert all(0.4 <= wait <= 0.6 for wait in varied)
    assert Retry().delay(10**6) <= 36.0


@pytest.mark.parametrize("options", [{"attempts": 0}, {"base": -1}, {"factor": 0.5}, {"jitter": 2}, {"budget": -1}])
def test_senseless_settings_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Retry"):
        Retry(**options)


def test_a_number_is_that_of_repetitions() -> None:
    assert as_retry(3).attempts == 4
    assert as_retry(0).attempts == as_retry(None).attempts == 1
    assert as_retry(SWIFT) is SWIFT


def test_retry_after_is_seconds_or_a_date() -> None:
    assert read_retry_after("2") == 2.0
    assert read_retry_after("-1") == 0.0
    soon = read_retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))
    assert soon is not None
    assert 25 < soon <= 30
    assert read_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    for text in (None, "", "soon"):
        assert read_retry_after(text) is None


def test_which_calls_can_be_sent_again() -> None:
    assert is_repeatable("chats/getInfo", {})
    assert is_repeatable("messages/sendText", {"requestId": "r"})
    assert not is_repeatable("messages/sendText", {})
    for method in ("chats/createChat", "threads/add", "chats/members/add", "messages/sendTextWithDeeplink", "new/one"):
        assert not is_repeatable(method, {"requestId": "r"})


@pytest.mark.parametrize("fault", [500, 502, 503, 504, "drop", {"ok": False, "description": "Server error: busy"}])
async def test_passing_faults_are_waited_out(server: FakeVKTeams, fault: Any, caplog: Any) -> None:
    bot = server.bot(retry=SWIFT)
    server.fail_next("messages/sendText", fault, times=3)
    assert (await bot.send_text("c", "secret words")).msg_id
    assert len(server.sent) == 1
    warnings = [one.getMessage() for one in caplog.records if "attempt" in one.getMessage()]
    assert len(warnings) == 3
    assert all("messages/sendText" in one and "secret" not in one for one in warnings)


async def test_row_11_an_answer_that_is_lost_sends_nothing_twice(server: FakeVKTeams) -> None:
    bot = server.bot(retry=SWIFT)
    server.fail_next("messages/sendText", "lost", times=2)
    answer = await bot.send_text("c", "t")
    assert [message.msg_id for message in server.sent] == [answer.msg_id]
    assert server.duplicates == 2


@pytest.mark.parametrize("fault", [500, "lost", "drop"])
async def test_calls_that_may_not_be_repeated_are_not(server: FakeVKTeams, fault: Any) -> None:
    bot = server.bot(retry=SWIFT, auto_request_id=False)
    server.fail_next("*", fault)
    with pytest.raises((ServerError, NetworkError)):
        await bot.create_chat("New")
    server.fail_next("*", fault)
    with pytest.raises((ServerError, NetworkError)):
        await bot.send_text("c", "t")
    assert len(server.calls) == 2


async def test_what_never_reached_the_server_is_repeated_whatever_it_is(server: FakeVKTeams) -> None:
    bot = server.bot(retry=Retry(attempts=3, base=0.0), auto_request_id=False)
    await server.stop()
    with pytest.raises(NetworkError, match=r"chats/createChat at http://127\.0\.0\.1"):
        await bot.create_chat("New")
    await bot.close()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("html", ServerError), (400, ServerError), (403, ServerError), ({"ok": False, "description": "No"}, APIError)],
)
async def test_lasting_faults_are_not_repeated(server: FakeVKTeams, fault: Any, kind: type[Exception]) -> None:
    bot = server.bot(retry=SWIFT)
    server.fail_next("self/get", fault)
    with pytest.raises(kind):
        await bot.get_me()
    assert len(server.calls) == 1


async def test_a_fault_of_the_server_has_its_status_and_cause(server: FakeVKTeams) -> None:
    import httpx

    bot = server.bot(retry=None)
    server.fail_next("self/get", 503)
    with pytest.raises(ServerError, match="503") as caught:
        await bot.get_me()
    assert caught.value.status == 503
    assert isinstance(caught.value.__cause__, httpx.HTTPStatusError)


async def test_row_11_too_many_calls_wait_as_long_as_the_server_says(server: FakeVKTeams) -> None:
    server.rate = (2, 0.3)
    bot = server.bot(retry=Retry(attempts=20, base=0.0))
    start = asyncio.get_running_loop().time()
    await asyncio.gather(*(bot.send_text("c", str(number)) for number in range(6)))
    assert asyncio.get_running_loop().time() - start >= 0.6
    assert len(server.sent) == 6


async def test_one_refusal_pauses_everybody(server: FakeVKTeams) -> None:
    bot = server.bot(retry=Retry(base=0.0))
    server.rate = (0, 0.0)
    server.api.chat("c")
    loop = asyncio.get_running_loop()
    await bot.limiter.pause(0.2)
    start = loop.time()
    server.rate = None
    await asyncio.gather(*(bot.get_me() for _ in range(5)))
    assert loop.time() - start >= 0.19


async def test_waiting_has_a_budget(server: FakeVKTeams) -> None:
    server.rate = (1, 60.0)
    bot = server.bot(retry=Retry(budget=1.0))
    await bot.get_me()
    with pytest.raises(RateLimited) as caught:
        await bot.get_me()
    assert caught.value.retry_after is not None
    assert 50 < caught.value.retry_after <= 60
    assert server.http_429 == 1


async def test_a_call_may_have_a_retry_of_its_own(server: FakeVKTeams) -> None:
    bot = server.bot(retry=None)
    server.fail_next("self/get", 500, times=2)
    await bot.request("self/get", retry=SWIFT)
    assert len(server.calls) == 3
    assert server.bot(retry_on_5xx=2).retry.attempts == 3
