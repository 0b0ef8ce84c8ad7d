"""Everything that can go wrong in the middle of an event does, one after the other: nothing is lost, nothing twice."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Generator, Iterator
from typing import Any
from uuid import uuid4

import pytest

from spikard.fsm import (
    ActionRegistry,
    Event,
    Orchestrator,
    OutboxDrainer,
    OutboxPolicy,
    StateMachine,
    configure_event_sink,
    idempotency_key,
)
from tests.fsm.faulty_store import Crash, Fault, FaultyStore
from tests.fsm.test_stores import STORES, fsm_database

__all__ = ["fsm_database"]

# Those that say so among their capabilities.
WITH_OUTBOX = ("memory", "sqlite", "postgres", "redis")

# Whoever comes next may have the actions at once, and without a pause between attempts.
AT_ONCE = OutboxPolicy(lease_seconds=0, base_delay_seconds=0, max_attempts=100)


def definition(name: str) -> dict[str, Any]:
    return {
        "meta": {"machine_name": name, "version": "1"},
        "states": [{"name": "a", "type": "initial"}, {"name": "b", "on_enter": ["note"]}, {"name": "c"}],
        "transitions": [
            {
                "trigger": "go",
                "source": "a",
                "dest": "b",
                "actions": [{"increment": "n"}, "count", {"emit": {"topic": "gone"}}, {"raise": "on"}],
            },
            {"trigger": "on", "source": "b", "dest": "c", "actions": [{"increment": "m"}, "count"]},
            {"trigger": "late", "source": "b", "dest": "a", "after": 60_000},
            {"trigger": "later", "source": "c", "dest": "a", "after": 60_000},
        ],
    }


class Receiver:
    """Takes effects, and keeps the keys under which they came."""

    def __init__(self, store: Any, name: str) -> None:
        self.keys: dict[str, Counter[str]] = {}
        self.actions = ActionRegistry()
        self.actions.register("count", self.count)
        self.actions.register("note", self.note)
        configure_event_sink(self.actions, self)
        self.machine = StateMachine.from_dict(definition(name))
        self.machine.bind_actions(self.actions)
        self.orchestrator = Orchestrator(self.machine, store, outbox=AT_ONCE)
        self.drainer = OutboxDrainer(self.orchestrator, lease_seconds=30)

    async def acount(self, ctx: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        self.count(ctx)

    def count(self, ctx: dict[str, Any]) -> None:
        ctx["counted"] = ctx.get("counted", 0) + 1
        self.note(ctx)

    def note(self, ctx: dict[str, Any]) -> None:
        self._keep(ctx["_entity_id"], idempotency_key())

    def send(self, topic: str, payload: dict[str, Any], metadata: dict[str, Any]) -> None:
        self._keep(metadata["entity_id"], metadata["idempotency_key"])

    def _keep(self, entity_id: str, key: str | None) -> None:
        assert key is not None
        self.keys.setdefault(entity_id, Counter())[key] += 1


@pytest.fixture(params=WITH_OUTBOX)
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    made = STORES[request.param](request)
    yield made
    if hasattr(made, "disconnect"):
        made.disconnect()


def agrees(store: Any, entity_id: str) -> None:
    """What is kept of the entity is that of the same number of whole steps."""
    kept, past = store.load(entity_id), store.get_transition_history(entity_id)
    timers = {timer.trigger for timer in store.get_timers(entity_id)}
    left = [getattr(row.action, "name", row.action) for row in store.get_outbox(entity_id)]
    reached = {None: [], "b": ["go"], "c": ["on", "go"]}[kept.state]
    assert [line["trigger"] for line in past] == reached
    assert timers == {None: set(), "b": {"late"}, "c": {"later"}}[kept.state]
    assert (kept.context.get("n", 0), kept.context.get("m", 0)) == (int("go" in reached), int("on" in reached))
    assert kept.context.get("counted", 0) + left.count("count") == len(reached)


def is_complete(receiver: Receiver, store: Any, entity_id: str) -> None:
    """Everything has happened, and to an idempotent receiver once."""
    agrees(store, entity_id)
    assert store.load(entity_id).state == "c"
    assert store.get_outbox(entity_id) == []
    assert store.load(entity_id).context["counted"] == 2
    assert len(receiver.keys[entity_id]) == 4


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("error", [Fault, Crash])
@pytest.mark.parametrize("way", ["sync", "async"])
async def test_a_fault_at_every_call(store: Any, way: str, error: type[BaseException], is_after: bool) -> None:
    faulty = FaultyStore(store, error, is_after=is_after)
    receiver = Receiver(faulty, f"m{uuid4().hex[:8]}")
    reached = 0
    for number in range(60):
        entity_id, event = f"f{uuid4().hex[:12]}", Event("go")
        faulty.calls, faulty.fails_at = 0, number
        try:
            await processed(receiver.orchestrator, way, entity_id, event)
        except error:
            reached += 1
        is_over = faulty.calls <= number
        faulty.fails_at = None
        agrees(store, entity_id)
        await processed(receiver.orchestrator, way, entity_id, event)
        agrees(store, entity_id)
        receiver.drainer.drain()
        is_complete(receiver, store, entity_id)
        if is_over:
            break
    else:
        raise AssertionError("the event never comes to its end")
    assert reached >= 4
    assert max(receiver.keys[entity_id].values()) == 1, "an undisturbed event does nothing twice"


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_a_fault_at_every_call_of_a_drainer(store: Any, is_after: bool) -> None:
    faulty = FaultyStore(store, is_after=is_after)
    receiver = Receiver(faulty, f"m{uuid4().hex[:8]}")
    deferred = Orchestrator(receiver.machine, store, outbox=OutboxPolicy("deferred"))
    drainer = OutboxDrainer(receiver.orchestrator, lease_seconds=0)
    for number in range(80):
        entity_id, event = f"d{uuid4().hex[:12]}", Event("go")
        deferred.process_event(entity_id, event)
        assert entity_id not in receiver.keys
        faulty.calls, faulty.fails_at = 0, number
        try:
            drainer.drain()
        except Fault:
            agrees(store, entity_id)
        is_over = faulty.calls <= number
        faulty.fails_at = None
        drainer.drain()
        is_complete(receiver, store, entity_id)
        if is_over:
            return
    raise AssertionError("the outbox is never empty")


class CancelledAt:
    """Awaits something, and is cancelled where it waits for the n-th time."""

    def __init__(self, work: Awaitable[Any], number: int) -> None:
        self._work = work
        self._number = number
        self.waits = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._work.__await__()
        try:
            waited_for = next(steps)
            while True:
                if self.waits == self._number:
                    self.waits += 1
                    if waited_for is not None:
                        waited_for.cancel()
                    waited_for = steps.throw(asyncio.CancelledError())
                    continue
                self.waits += 1
                try:
                    answer = yield waited_for
                except BaseException as error:  # noqa: BLE001 - belongs to whoever waits
                    waited_for = steps.throw(error)
                else:
                    waited_for = steps.send(answer)
        except StopIteration as done:
            return done.value


async def test_cancelled_wherever_it_waits(store: Any) -> None:
    receiver = Receiver(store, f"m{uuid4().hex[:8]}")
    receiver.actions.register("count", receiver.acount)
    reached = 0
    for number in range(80):
        entity_id, event = f"c{uuid4().hex[:12]}", Event("go")
        work = CancelledAt(receiver.orchestrator.async_process_event(entity_id, event), number)
        try:
            await work
        except asyncio.CancelledError:
            reached += 1
        is_over = work.waits <= number
        await at_rest(store)
        agrees(store, entity_id)
        await receiver.orchestrator.async_process_event(entity_id, event)
        agrees(store, entity_id)
        await receiver.drainer.adrain()
        is_complete(receiver, store, entity_id)
        if is_over:
            break
    else:
        raise AssertionError("the event never comes to its end")
    assert reached >= 2
    await receiver.orchestrator.close()
    receiver.drainer.close()


async def at_rest(store: Any) -> None:
    """Nothing is under way any more, in a thread or in the loop of the store."""
    await asyncio.get_running_loop().shutdown_default_executor()
    asyncio.get_running_loop()._default_executor = None  # type: ignore[attr-defined]
    asyncio.get_running_loop()._executor_shutdown_called = False  # type: ignore[attr-defined]
    background = getattr(store, "_background", None)
    if background is not None and background.is_running:
        await asyncio.wrap_future(background.submit(others()))


async def others() -> None:
    here = asyncio.current_task()
    rest = [task for task in asyncio.all_tasks() if task is not here]
    if rest:
        await asyncio.wait(rest)


async def processed(orchestrator: Orchestrator, way: str, entity_id: str, event: Event) -> Any:
    if way == "sync":
        return orchestrator.process_event(entity_id, event)
    return await orchestrator.async_process_event(entity_id, event)
