"""One contract for all that remembers events."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest

from spikard.fsm import (
    Event,
    EventInProgressError,
    IdempotencyStore,
    InMemoryIdempotencyStore,
    InMemoryStateStore,
    Orchestrator,
    RedisIdempotencyStore,
    SqlIdempotencyStore,
    StateMachine,
)
from tests.fsm.test_stores import STORES, fsm_database

__all__ = ["fsm_database"]


def in_redis(request: pytest.FixtureRequest, stack: ExitStack, **options: float) -> Any:
    import redis

    client = redis.Redis.from_url(request.getfixturevalue("redis_url"))
    stack.callback(client.close)
    return RedisIdempotencyStore(client, f"spikard:test:{uuid4().hex}", **options)


def in_sql(kind: str) -> Callable[..., Any]:
    def make(request: pytest.FixtureRequest, stack: ExitStack, **options: float) -> Any:
        store = STORES[kind](request)
        stack.callback(store.disconnect)
        return SqlIdempotencyStore(store, **options)

    return make


KINDS: dict[str, Callable[..., Any]] = {
    "memory": lambda request, stack, **options: InMemoryIdempotencyStore(**options),
    "sqlite": in_sql("sqlite"),
    "postgres": in_sql("postgres"),
    "redis": in_redis,
}


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    with ExitStack() as stack:
        yield lambda **options: KINDS[request.param](request, stack, **options)


def test_one_begins_and_everybody_gets_the_answer(make: Callable[..., Any]) -> None:
    store, key = make(), uuid4().hex
    assert isinstance(store, IdempotencyStore)
    begun: list[Any] = []
    start = threading.Barrier(16)

    def begin(_: int) -> str:
        start.wait(20)
        try:
            begun.append(store.begin(key))
        except EventInProgressError:
            return "in progress"
        return "begun"

    with ThreadPoolExecutor(16) as threads:
        told = list(threads.map(begin, range(16)))
    assert sorted(told) == ["begun"] + ["in progress"] * 15
    assert begun == [None]
    store.finish(key, {"target_state": "b", "metadata": {"k": [1, None]}})
    assert store.begin(key) == {"target_state": "b", "metadata": {"k": [1, None]}}
    assert store.begin(uuid4().hex) is None


def test_what_has_failed_is_new_again(make: Callable[..., Any]) -> None:
    store, key = make(), uuid4().hex
    assert store.begin(key) is None
    store.forget(key)
    assert store.begin(key) is None


def test_marks_and_answers_lapse(make: Callable[..., Any]) -> None:
    key = uuid4().hex
    store = make(begun_seconds=0.001)
    assert store.begin(key) is None
    threading.Event().wait(0.05)
    assert store.begin(key) is None
    store.finish(key, {"k": 1}, 0.001)
    threading.Event().wait(0.05)
    assert store.begin(key) is None


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_orchestrators_ask_it(make: Callable[..., Any], way: str) -> None:
    machine = StateMachine.from_dict(
        {
            "states": [{"name": "a", "type": "initial"}],
            "transitions": [
                {"trigger": "hit", "source": "a", "dest": "a", "actions": [{"increment": "n"}], "guards": ["open"]}
            ],
        }
    )
    is_open = False
    machine.guard("open")(lambda ctx: is_open)
    store = InMemoryStateStore()
    orchestrator = Orchestrator(machine, store, idempotency=make())
    event = Event("hit")

    async def process() -> Any:
        if way == "sync":
            return orchestrator.process_event("e", event)
        return await orchestrator.async_process_event("e", event)

    assert not (await process()).success
    is_open = True
    assert [(await process()).metadata.get("replayed", False) for _ in range(3)] == [False, True, True]
    assert store.get_context("e")["n"] == 1
    without = Orchestrator(machine, store, idempotency=False)
    for _ in range(2):
        without.process_event("e", event)
    assert store.get_context("e")["n"] == 3


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres", "redis"])
def test_the_same_event_from_many_counts_once(request: pytest.FixtureRequest, kind: str) -> None:
    machine = StateMachine.from_dict(
        {
            "states": [{"name": "a", "type": "initial"}],
            "transitions": [{"trigger": "hit", "source": "a", "dest": "a", "actions": [{"increment": "n"}]}],
        }
    )
    store, e, event = STORES[kind](request), f"i{uuid4().hex[:12]}", Event("hit")
    # Processes of their own, as far as orchestrators can tell.
    orchestrators = [Orchestrator(machine, store, max_conflict_retries=1000) for _ in range(8)]
    start = threading.Barrier(8)

    def process(orchestrator: Orchestrator) -> Any:
        start.wait(20)
        return orchestrator.process_event(e, event)

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(process, orchestrators))
    assert store.load(e).context["n"] == 1
    assert sorted(bool(result.metadata.get("replayed")) for result in results) == [False] + [True] * 7
    if hasattr(store, "disconnect"):
        store.disconnect()
