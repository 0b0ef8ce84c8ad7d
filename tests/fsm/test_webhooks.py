"""Webhooks: who is told, how it is signed, and what happens when nobody answers."""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from spikard.fsm import FSMError, InMemoryStateStore, Orchestrator, StateMachine, TransitionResult, WebhookHook
from spikard.fsm.hooks.delivery import Delivery
from spikard.fsm.http_call import close_connections

MACHINE: dict[str, Any] = {
    "states": [{"name": "a", "type": "initial"}, {"name": "b"}],
    "transitions": [{"trigger": "go", "source": "a", "dest": "b", "guards": ["never"]}],
}
PATIENCE = 20


class Receiver:
    """A service that is told things, and answers as it was told to."""

    def __init__(self) -> None:
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.changed:
                    receiver.seen.append((dict(self.headers), body))
                    receiver.changed.notify_all()
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - a name of the standard library
                """Nothing on the console."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def wait_for(self, count: int) -> None:
        """Wait until so many messages have come."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.seen) >= count, PATIENCE), self.seen

    def close(self) -> None:
        close_connections()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("SPIKARD_FSM_HTTP_ALLOW_PRIVATE", "1")
    running = Receiver()
    yield running
    running.close()


@pytest.fixture
def hooks() -> Iterator[Callable[..., WebhookHook]]:
    made: list[WebhookHook] = []

    def make(*webhooks: dict[str, Any], **options: Any) -> WebhookHook:
        made.append(WebhookHook(lambda: webhooks, pause_seconds=0.001, **options))
        return made[-1]

    yield make
    for hook in made:
        hook.close()


def test_refusals_are_told_and_signed(receiver: Receiver, hooks: Callable[..., WebhookHook]) -> None:
    webhook = {"url": receiver.url, "events_json": ["transition_failed"], "headers_json": {"X-Own": 1}, "secret": "s3"}
    hook = hooks(webhook)
    Orchestrator(StateMachine.from_dict(MACHINE), InMemoryStateStore(), hooks=[hook]).process_event("e-1", "go")
    assert hook.flush(PATIENCE)
    ((headers, body),) = receiver.seen
    assert headers["X-Spikard-Signature"] == "sha256=" + hmac.new(b"s3", body, hashlib.sha256).hexdigest()
    assert (headers["X-Own"], headers["Content-Type"]) == ("1", "application/json")
    told = json.loads(body)
    assert (told["event_type"], told["entity_id"], told["source_state"], told["trigger"]) == (
        "transition_failed", "e-1", "a", "go",
    )  # fmt: skip
    assert "Guard 'never' failed" in told["error"]


def test_errors_are_told_and_successes_are_not(receiver: Receiver, hooks: Callable[..., WebhookHook]) -> None:
    hook = hooks({"url": receiver.url, "events_json": ["transition_failed"]})
    hook.on_transition_complete(TransitionResult.success_result("a", "b", "go"), 1.0, {})
    hook.on_transition_error(ValueError("broken"), "a", "go", {"_entity_id": "e"})
    assert hook.flush(PATIENCE)
    ((headers, body),) = receiver.seen
    assert "X-Spikard-Signature" not in headers
    assert (json.loads(body)["error"], json.loads(body)["error_type"]) == ("broken", "ValueError")


def test_only_those_who_want_to_know(receiver: Receiver, hooks: Callable[..., WebhookHook]) -> None:
    hook = hooks(
        {"url": receiver.url, "events_json": ["dead_letter_created"]},
        {"url": receiver.url, "events_json": ["dead_letter_created"], "enabled": False},
        {"url": receiver.url, "events_json": None},
    )
    hook.fire("dead_letter_created", {"n": 1})
    hook.fire("transition_failed", {"n": 2})
    assert hook.flush(PATIENCE)
    assert [json.loads(body) for _, body in receiver.seen] == [{"n": 1}]


def test_what_may_pass_is_tried_again(receiver: Receiver, hooks: Callable[..., WebhookHook]) -> None:
    receiver.answers = [503, 429]
    hook = hooks({"url": receiver.url, "events_json": ["x"]})
    hook.fire("x", {})
    assert hook.flush(PATIENCE)
    assert len(receiver.seen) == 3
    assert len({headers["X-Spikard-Delivery"] for headers, _ in receiver.seen}) == 1


def test_in_the_end_it_is_given_up(
    receiver: Receiver, hooks: Callable[..., WebhookHook], caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers = [500] * 3 + [404]
    hook = hooks({"url": receiver.url, "events_json": ["x"]}, retries=2)
    hook.fire("x", {})
    assert hook.flush(PATIENCE)
    assert len(receiver.seen) == 3
    assert "failed 3 times and is given up: it answers 500" in caplog.text
    hook.fire("x", {})
    assert hook.flush(PATIENCE)
    assert "refuses what it is told: 404" in caplog.text


def test_private_addresses_are_not_called(
    hooks: Callable[..., WebhookHook], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("SPIKARD_FSM_HTTP_ALLOW_PRIVATE", raising=False)
    hook = hooks({"url": "http://127.0.0.1:9/", "events_json": ["x"]})
    hook.fire("x", {})
    assert hook.flush(PATIENCE)
    assert "it is not a public address" in caplog.text


def test_the_list_is_read_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    reads: list[int] = []

    def load() -> list[dict[str, Any]]:
        reads.append(1)
        if len(reads) > 1:
            raise FSMError("no database")
        return [{"url": "http://nowhere.invalid/", "events_json": []}]

    kept, fresh = WebhookHook(load, 60), WebhookHook(load, 0)
    for hook in (kept, fresh):
        hook.fire("x", {})
        hook.fire("x", {})
        hook.close()
    assert len(reads) == 3
    assert "Webhooks cannot be loaded, those known before are told: no database" in caplog.text


def test_no_more_wait_than_may(caplog: pytest.LogCaptureFixture) -> None:
    may_end, done = threading.Event(), []
    delivery = Delivery(workers=1, max_waiting=2)
    assert delivery.submit("first", lambda: done.append(may_end.wait(PATIENCE)))
    assert [delivery.submit("more", lambda: done.append(True)) for _ in range(4)].count(False) >= 1
    may_end.set()
    assert delivery.flush(PATIENCE)
    assert len(done) >= 2
    delivery.close()
    assert not delivery.submit("late", lambda: None)
    assert "is dropped: 2 wait" in caplog.text
