"""Webhooks whose messages wait in the outbox of a store."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from spikard.fsm import InMemoryStateStore, Orchestrator, StateMachine, WebhookHook
from spikard.fsm.hooks.webhook_outbox import OWNER
from tests.fsm.test_stores import STORES, fsm_database
from tests.fsm.test_webhooks import MACHINE, PATIENCE, Receiver, hooks, receiver

__all__ = ["fsm_database", "hooks", "receiver"]
Make = Callable[..., WebhookHook]


@pytest.fixture(params=["memory", "sqlite", "postgres", "redis"])
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    made = STORES[request.param](request)
    yield made
    disconnect = getattr(made, "disconnect", None)
    if disconnect is not None:
        disconnect()


def waiting(store: Any, entity_id: str) -> list[str]:
    return [row.action["params"]["event"] for row in store.get_outbox(entity_id)]


def test_messages_outlive_the_hook(store: Any, receiver: Receiver, hooks: Make) -> None:
    webhook = {
        "url": receiver.url,
        "events_json": ["transition_failed"],
        "secret": "s3",
        "headers_json": {"X-Own": "k"},
    }
    receiver.answers = [503]
    first = WebhookHook(lambda: [webhook], outbox=store, pause_seconds=0.2)
    Orchestrator(StateMachine.from_dict(MACHINE), store, hooks=[first]).process_event("hooked", "go")
    receiver.wait_for(1)
    first.close()
    assert waiting(store, "hooked") == ["transition_failed"]
    assert "s3" not in str(store.get_outbox("hooked"))
    again = hooks(webhook, outbox=store)
    receiver.wait_for(2)
    assert again.flush(PATIENCE)
    assert waiting(store, "hooked") == []
    (before, body), (after, same) = receiver.seen
    assert before["X-Spikard-Delivery"] == after["X-Spikard-Delivery"]
    assert (after["X-Own"], body, json.loads(body)["entity_id"]) == ("k", same, "hooked")
    assert after["X-Spikard-Signature"].startswith("sha256=")


def test_in_the_end_it_is_given_up_and_kept(receiver: Receiver, hooks: Make) -> None:
    store = InMemoryStateStore()
    receiver.answers = [500] * 3
    hook = hooks({"url": receiver.url, "events_json": ["x", "y"]}, outbox=store, retries=2)
    hook.fire("x", {})
    receiver.wait_for(3)
    assert hook.flush(PATIENCE)
    assert store.claim_outbox("w", 10, 1, [OWNER]) == []
    hook.fire("y", {"n": 1})
    receiver.wait_for(4)
    assert json.loads(receiver.seen[3][1]) == {"n": 1}


def test_webhooks_that_are_gone_are_not_told(receiver: Receiver, hooks: Make) -> None:
    store = InMemoryStateStore()
    known: list[dict[str, Any]] = [{"url": receiver.url, "events_json": ["x"]}]
    receiver.answers = [503]
    first = WebhookHook(lambda: known, 0, outbox=store, pause_seconds=0.2)
    first.fire("x", {})
    receiver.wait_for(1)
    first.close()
    again = hooks(outbox=store)
    while waiting(store, OWNER):
        assert again.flush(PATIENCE)
    assert len(receiver.seen) == 1


async def test_a_loop_is_not_kept_waiting(receiver: Receiver, hooks: Make) -> None:
    store = InMemoryStateStore()
    hook = hooks({"url": receiver.url, "events_json": ["transition_failed"]}, outbox=store)
    orchestrator = Orchestrator(StateMachine.from_dict(MACHINE), store, hooks=[hook])
    assert not (await orchestrator.async_process_event("e", "go")).success
    assert hook.flush(PATIENCE)
    receiver.wait_for(1)


def test_stores_without_an_outbox_are_refused() -> None:
    with pytest.raises(TypeError, match="object has no outbox for webhooks"):
        WebhookHook(list, outbox=object())
