"""The outbox: who does an action, under which key, how often, and what becomes of those nobody can do."""

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import uuid4

import pytest

from spikard.fsm import (
    ActionExecutor,
    ActionRegistry,
    Event,
    ExecutionMode,
    InMemoryDeadLetterStore,
    InMemoryStateStore,
    LeaseLostError,
    Orchestrator,
    OutboxDrainer,
    OutboxPolicy,
    StateMachine,
    configure_event_sink,
    idempotency_key,
)
from spikard.fsm.orchestration import outbox_drainer
from spikard.fsm.stores.row import EntityChange, OutboxRow, Settlement
from tests.fsm.test_stores import STORES, fsm_database

__all__ = ["fsm_database"]

# Those that say so among their capabilities.
WITH_OUTBOX = ("memory", "sqlite", "postgres", "redis")

AT_ONCE = OutboxPolicy(lease_seconds=0, base_delay_seconds=0)


@pytest.fixture(params=WITH_OUTBOX)
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    made = STORES[request.param](request)
    yield made
    if hasattr(made, "disconnect"):
        made.disconnect()


def machine(*actions: Any, name: str | None = None) -> StateMachine:
    return StateMachine.from_dict(
        {
            "meta": {"machine_name": name or f"m{uuid4().hex[:8]}", "version": "1"},
            "states": [{"name": "a", "type": "initial"}, {"name": "b"}, {"name": "c"}],
            "transitions": [
                {"trigger": "go", "source": "a", "dest": "b", "actions": list(actions)},
                {"trigger": "on", "source": "b", "dest": "c", "actions": [{"increment": "ons"}]},
                {"trigger": "hit", "source": "a", "dest": "a", "actions": [{"increment": "n"}]},
            ],
        }
    )


def entity() -> str:
    return f"o{uuid4().hex[:12]}"


def test_actions_are_held_by_one_at_a_time(store: Any) -> None:
    e, name = entity(), f"m{uuid4().hex[:8]}"
    rows = tuple(OutboxRow(f"{e}-{number:03d}", e, number, "act", {"trigger": "go"}) for number in range(12))
    store.commit(EntityChange(e, 0, "a", {}, metadata={"machine_name": name}, outbox=rows))
    assert store.claim_outbox("w", 100, 60, ["another"]) == []
    first = store.claim_outbox("w", 5, 0, [name])
    assert [held.outbox_id for held in first] == [f"{e}-{number:03d}" for number in range(5)]
    assert {(held.entity_id, held.machine_name, held.action, held.attempt, held.fence) for held in first} == {
        (e, name, "act", 1, 1)
    }
    assert dict(first[0].about) == {"trigger": "go"}
    again = store.claim_outbox("x", 100, 60, [name])
    assert sorted((held.ordinal, held.fence) for held in again) == [(n, 2 if n < 5 else 1) for n in range(12)]
    assert store.claim_outbox("y", 100, 60, [name]) == []
    lost = EntityChange(e, patch={"k": 1}, settled={f"{e}-000": Settlement("done", fence=1)})
    with pytest.raises(LeaseLostError):
        store.commit(lost)
    assert dict(store.load(e).context) == {}
    ours = {
        f"{e}-000": Settlement("done", fence=2),
        f"{e}-001": Settlement("failed", "later", 0, 2),
        f"{e}-002": Settlement("failed", "much later", 60, 2),
        f"{e}-003": Settlement("dead", "never", fence=2),
    }
    store.commit(EntityChange(e, patch={"k": 2}, settled=ours))
    assert dict(store.load(e).context) == {"k": 2}
    assert [row.ordinal for row in store.get_outbox(e)] == [1, 2, *range(4, 12)]
    assert [(held.ordinal, held.attempt) for held in store.claim_outbox("z", 100, 60, [name])] == [(1, 3)]
    store.extend_outbox({f"{e}-005": 1, f"{e}-006": 7}, 0)
    assert [held.ordinal for held in store.claim_outbox("z", 100, 60, [name])] == [5]
    assert not store.revive_outbox(f"{e}-001")
    assert store.revive_outbox(f"{e}-003")
    assert [(held.ordinal, held.attempt) for held in store.claim_outbox("z", 100, 60, [name])] == [(3, 1)]
    with pytest.raises(LeaseLostError):
        store.commit(EntityChange(e, settled={f"{e}-000": Settlement("done", fence=2)}))
    store.delete_entity(e)
    assert store.get_outbox(e) == []


def test_drainers_do_not_do_the_same(store: Any) -> None:
    done: Counter[str | None] = Counter()
    actions = ActionRegistry()
    actions.register("act", lambda ctx: done.update([idempotency_key()]))
    m = machine("act", "act")
    deferred = Orchestrator(m, store, actions=actions, outbox="deferred")
    for _ in range(20):
        result = deferred.process_event(entity(), "go")
        assert [told["result"] for told in result.metadata["action_results"]] == ["in_outbox"] * 2
    assert not done
    drainers = [OutboxDrainer(deferred, batch_size=3) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        drained = list(threads.map(lambda drainer: drainer.drain(), drainers))
    assert sum(one.done for one in drained) == 40
    assert set(done.values()) == {1}
    assert len(done) == 40


def test_leases_are_renewed_by_the_clock_also_where_something_is_always_done(monkeypatch: pytest.MonkeyPatch) -> None:
    store, renewed = InMemoryStateStore(), threading.Event()
    monkeypatch.setattr(store, "extend_outbox", lambda left, _: left and renewed.set())
    answers: list[bool] = []
    actions = ActionRegistry()
    # The first of three is quick; the others wait for what nothing but the time that has passed brings about.
    actions.register("act", lambda _: answers.append(not answers or renewed.wait(10)))
    deferred = Orchestrator(machine("act"), store, actions=actions, outbox="deferred")
    for _ in range(3):
        deferred.process_event(entity(), "go")
    hours = itertools.count(step=3600.0)
    monkeypatch.setattr(outbox_drainer, "monotonic", lambda: next(hours))
    monkeypatch.setattr(outbox_drainer, "wait", lambda running, timeout, return_when: wait(running, None, return_when))
    assert OutboxDrainer(deferred, concurrency=1, lease_seconds=9000).drain().done == 3
    assert answers == [True] * 3


def test_what_fails_comes_again_and_is_given_up_in_the_end(store: Any) -> None:
    calls: list[str | None] = []

    def act(ctx: dict[str, Any]) -> None:
        calls.append(idempotency_key())
        raise ValueError("out of order")

    e, m, letters, actions = entity(), machine("act"), InMemoryDeadLetterStore(), ActionRegistry()
    actions.register("act", act)
    orchestrator = Orchestrator(m, store, actions=actions, outbox=OutboxPolicy(base_delay_seconds=0, max_attempts=3))
    result = orchestrator.process_event(e, "go")
    assert (result.success, result.metadata["action_results"][0]["error"]) == (True, "out of order")
    (row,) = store.get_outbox(e)
    drainer = OutboxDrainer(orchestrator, letters=letters)
    drained = drainer.drain()
    assert (drained.failed, drained.dead, drained.total) == (1, 1, 2)
    assert calls == [row.outbox_id] * 3
    assert store.get_outbox(e) == []
    (letter,) = asyncio.run(letters.query()).records
    assert (letter.reason, letter.stage, letter.attempt, letter.error_message) == (
        "action_failed", "outbox", 3, "out of order",
    )  # fmt: skip
    assert (letter.payload["entity_id"], letter.payload["action"]) == (e, "act")
    assert drainer.drain().total == 0
    actions.register("act", lambda ctx: ctx.update(mended=True))
    assert store.revive_outbox(letter.payload["outbox_id"])
    assert drainer.drain().done == 1
    assert store.load(e).context["mended"] is True
    drainer.close()


def test_an_action_that_is_not_known_here_is_not_lost(store: Any) -> None:
    m, actions = machine("act"), ActionRegistry()
    orchestrator = Orchestrator(m, store, actions=actions, outbox=OutboxPolicy("deferred", base_delay_seconds=60))
    e = entity()
    orchestrator.process_event(e, "go")
    drainer = OutboxDrainer(orchestrator)
    assert drainer.drain().failed == 1
    assert [row.ordinal for row in store.get_outbox(e)] == [0]


async def test_drainers_run_until_they_are_stopped(store: Any) -> None:
    seen, loop = asyncio.Event(), asyncio.get_running_loop()
    actions = ActionRegistry()

    async def act(ctx: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        loop.call_soon_threadsafe(seen.set)

    actions.register("act", act)
    orchestrator = Orchestrator(machine("act"), store, actions=actions, outbox="deferred")
    await orchestrator.async_process_event(entity(), "go")
    drainer = OutboxDrainer(orchestrator, poll_seconds=0.01)
    running = asyncio.create_task(drainer.run())
    async with asyncio.timeout(20):
        await seen.wait()
    drainer.shutdown()
    await running
    await orchestrator.close()


@pytest.mark.parametrize("way", ["sync", "async"])
def test_two_writers_never_both_win(store: Any, way: str) -> None:
    e, writers, rounds = entity(), 32, 3
    orchestrator = Orchestrator(machine(), store, max_conflict_retries=10_000)
    write(orchestrator, way, e, writers, rounds)
    assert store.load(e).context["n"] == writers * rounds
    assert len(store.get_transition_history(e, limit=1000)) == writers * rounds


@pytest.mark.parametrize("way", ["sync", "async"])
def test_one_at_a_time_also_with_actions(store: Any, way: str) -> None:
    e, writers, rounds = entity(), 32, 2
    m, actions = machine(), ActionRegistry()
    m = StateMachine.from_dict(
        {
            "meta": {"machine_name": f"m{uuid4().hex[:8]}"},
            "states": [{"name": "a", "type": "initial"}],
            "transitions": [{"trigger": "hit", "source": "a", "dest": "a", "actions": ["count"]}],
        }
    )
    actions.register("count", lambda ctx: ctx.update(n=ctx.get("n", 0) + 1))
    orchestrator = Orchestrator(m, store, actions=actions, concurrency="pessimistic")
    write(orchestrator, way, e, writers, rounds)
    assert store.load(e).context["n"] == writers * rounds


def write(orchestrator: Orchestrator, way: str, e: str, writers: int, rounds: int) -> None:
    if way == "sync":
        start = threading.Barrier(writers)

        def thread(_: int) -> None:
            start.wait(30)
            for _ in range(rounds):
                orchestrator.process_event(e, "hit")

        with ThreadPoolExecutor(writers) as threads:
            list(threads.map(thread, range(writers)))
        return

    async def task() -> None:
        for _ in range(rounds):
            await orchestrator.async_process_event(e, "hit")

    async def main() -> None:
        await asyncio.gather(*(task() for _ in range(writers)))

    asyncio.run(main())


def test_an_entity_that_is_held_can_be_moved_by_its_own_actions() -> None:
    store, m, actions = InMemoryStateStore(), machine("again"), ActionRegistry()
    orchestrator = Orchestrator(m, store, actions=actions, concurrency="pessimistic")
    actions.register("again", lambda ctx: orchestrator.process_event("e", "on") and None)
    assert orchestrator.process_event("e", "go").success
    assert store.get_state("e") == "c"
    assert store.try_hold("e", "somebody", 1)


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_raised_events_follow_once(store: Any, way: str) -> None:
    e = entity()
    branch = {"branch": {"when": {"field": "deep", "op": "eq", "value": True}, "then": [{"raise": "on"}], "else": []}}
    orchestrator = Orchestrator(machine({"raise": "on"}, branch), store, outbox=AT_ONCE)
    event = Event("go", {"deep": True})
    for _ in range(2):
        if way == "sync":
            result = orchestrator.process_event(e, event)
        else:
            result = await orchestrator.async_process_event(e, event)
        assert result.target_state == "b"
    assert (store.get_state(e), store.load(e).context["ons"]) == ("c", 1)
    assert store.get_outbox(e) == []


def test_events_that_go_round_in_a_circle_come_to_an_end() -> None:
    circle = {
        "meta": {"machine_name": "circle"},
        "states": [{"name": "a", "type": "initial"}],
        "transitions": [
            {"trigger": "go", "source": "a", "dest": "a", "actions": [{"increment": "n"}, {"raise": "go"}]}
        ],
    }  # fmt: skip
    store = InMemoryStateStore()
    assert Orchestrator(StateMachine.from_dict(circle), store).process_event("e", "go").success
    assert store.get_context("e")["n"] == 1001


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_emitted_events_go_to_the_sink(way: str) -> None:
    sent: list[tuple[str, Any, dict[str, Any]]] = []

    class Sink:
        """Keeps what it is sent."""

        def send(self, topic: str, payload: dict[str, Any], metadata: dict[str, Any]) -> None:
            sent.append((topic, payload, metadata))

    actions = ActionRegistry()
    configure_event_sink(actions, Sink())
    emits = [{"emit": {"topic": "orders.{{ kind }}", "payload": {"of": "{{ kind }}"}}}, {"emit": "all"}]
    orchestrator = Orchestrator(machine(*emits), InMemoryStateStore(), actions=actions)
    if way == "sync":
        result = orchestrator.process_event("e", "go", {"kind": "new"})
    else:
        result = await orchestrator.async_process_event("e", "go", {"kind": "new"})
    assert [told["status"] for told in result.metadata["action_results"]] == ["ok", "ok"]
    assert [(topic, payload) for topic, payload, _ in sent] == [
        ("orders.new", {"of": "new"}), ("all", {"kind": "new", "new_status": "b"}),
    ]  # fmt: skip
    assert [about["idempotency_key"][-4:] for _, _, about in sent] == ["-000", "-001"]
    assert {(about["entity_id"], about["trigger"], about["state"]) for _, _, about in sent} == {("e", "go", "b")}


@pytest.mark.parametrize("mode", [ExecutionMode.PARALLEL, ExecutionMode.PHASED])
async def test_actions_at_once_where_somebody_awaits_them(mode: ExecutionMode) -> None:
    both, keys = asyncio.Barrier(2), []
    order: list[str] = []

    async def meet(ctx: dict[str, Any]) -> None:
        async with asyncio.timeout(10):
            await both.wait()
        keys.append(idempotency_key())
        order.append("meet")

    m = StateMachine.from_dict(
        {
            "states": [{"name": "a", "type": "initial", "on_exit": ["left"]}, {"name": "b"}],
            "transitions": [
                {"trigger": "go", "source": "a", "dest": "b", "actions": ["meet", {"set": {"k": 1}}, "meet"]}
            ],
        }
    )  # fmt: skip
    actions = ActionRegistry()
    actions.register("meet", meet)
    actions.register("left", lambda ctx: order.append("left"))
    store = InMemoryStateStore()
    orchestrator = Orchestrator(m, store, actions=actions, executor=ActionExecutor(actions, default_mode=mode))
    result = await orchestrator.async_process_event("e", "go")
    assert [told["success"] for told in result.metadata["action_results"]] == [True] * 4
    assert len(set(keys)) == 2
    assert order == ["left", "meet", "meet"]
    assert store.get_outbox("e") == []


def test_http_actions_carry_their_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_FSM_HTTP_ALLOW_PRIVATE", "1")
    keys: list[str | None] = []
    answers = [503, 200]

    class Handler(BaseHTTPRequestHandler):
        """Fails the first time."""

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            keys.append(self.headers["Idempotency-Key"])
            self.send_response(answers.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        call = {"http": {"url": f"http://127.0.0.1:{server.server_port}/", "body": {}, "on_error": "fail"}}
        store = InMemoryStateStore()
        orchestrator = Orchestrator(machine(call), store, outbox=AT_ONCE)
        orchestrator.process_event("e", "go")
        (row,) = store.get_outbox("e")
        assert OutboxDrainer(orchestrator).drain().done == 1
        server.shutdown()
        serving.join()
    from spikard.fsm.http_call import close_connections

    close_connections()
    assert keys == [row.outbox_id] * 2


def test_without_an_outbox_actions_are_done_in_place() -> None:
    store, actions = InMemoryStateStore(), ActionRegistry()
    actions.register("act", lambda ctx: ctx.update(key=idempotency_key()))
    result = Orchestrator(machine("act"), store, actions=actions, outbox=False).process_event("e", "go")
    assert store.get_context("e")["key"] == f"{result.metadata['transition_id']}-000"
    assert idempotency_key() is None


def test_what_is_left_out_after_a_failure_stays_left_out() -> None:
    store, actions = InMemoryStateStore(), ActionRegistry()
    actions.register("bad", lambda ctx: 1 / 0)
    actions.register("never", lambda ctx: ctx.update(never=1))
    executor = ActionExecutor(actions, stop_on_error=True)
    orchestrator = Orchestrator(machine("bad", "never"), store, actions=actions, executor=executor)
    orchestrator.process_event("e", "go")
    assert [row.ordinal for row in store.get_outbox("e")] == [0]


def test_options_that_make_no_sense_are_refused() -> None:
    class Plain:
        """The least a store can be."""

        def get_state(self, entity_id: str) -> str | None:
            return None

        def set_state(self, entity_id: str, state: str, *, metadata: dict[str, Any] | None = None) -> None:
            return None

        def get_context(self, entity_id: str) -> dict[str, Any]:
            return {}

    m = machine()
    with pytest.raises(ValueError, match="delivery must be one of inline, deferred, off"):
        Orchestrator(m, InMemoryStateStore(), outbox="later")
    with pytest.raises(ValueError, match="'pessimistic' needs a store with 'holds'"):
        Orchestrator(m, Plain(), concurrency="pessimistic")
    with pytest.raises(ValueError, match="'deferred' needs a store with 'outbox'"):
        Orchestrator(m, Plain(), outbox="deferred")
    with pytest.raises(ValueError, match="concurrency must be one of"):
        Orchestrator(m, Plain(), concurrency="hopeful")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="max_attempts must be at least 1"):
        OutboxPolicy(max_attempts=0)
    with pytest.raises(ValueError, match="Plain has no 'outbox'"):
        OutboxDrainer(Orchestrator(m, Plain()))
    with pytest.raises(ValueError, match="one and the same store"):
        OutboxDrainer(Orchestrator(m, InMemoryStateStore()), Orchestrator(m, InMemoryStateStore()))


def test_pauses_grow_up_to_a_limit() -> None:
    policy = OutboxPolicy(base_delay_seconds=1, max_delay_seconds=5, max_attempts=9)
    pauses = [policy.failed(attempt, "no").pause for attempt in range(1, 6)]
    assert [round(pause, 2) >= least for pause, least in zip(pauses, (1, 2, 4, 5, 5), strict=True)] == [True] * 5
    assert max(pauses) <= 5.5
    assert policy.failed(9, "no").status == "dead"
