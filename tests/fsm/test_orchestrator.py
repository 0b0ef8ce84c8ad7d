"""Orchestrators: whole steps, conflicts, actions, fallbacks, services, timers."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from spikard.fsm import (
    ActionRegistry,
    AsyncioScheduler,
    Event,
    GuardRegistry,
    GuardRejectedError,
    InMemoryStateStore,
    Orchestrator,
    SimulatedClock,
    SQLiteStateStore,
    StaleVersionError,
    StateMachine,
    TransitionResult,
    create_state_store,
    parse_mode,
)  # fmt: skip


def machine(**meta: Any) -> StateMachine:
    return StateMachine.from_dict(
        {
            "meta": {"machine_name": "m", "version": "1", **meta},
            "error_policy": {"default_fallback": "lost"},
            "states": [
                {"name": "a", "type": "initial"},
                {"name": "b", "on_enter": ["entered"], "on_exit": ["left"], "invoke": [{"id": "i", "src": "svc"}]},
                {"name": "c", "type": "terminal"},
                {"name": "lost", "type": "error"},
            ],
            "transitions": [
                {"trigger": "go", "source": "a", "dest": "b", "actions": ["act"], "guards": ["ready"]},
                {"trigger": "stay", "source": "a", "dest": "a", "actions": ["count"]},
                {"trigger": "finish", "source": "b", "dest": "c"},
                {"trigger": "wake", "source": "b", "dest": "a", "after": 5000},
            ],
        }
    )


class World:
    """An orchestrator with what its actions have seen."""

    def __init__(self, store: Any = None, *, meta: dict[str, Any] | None = None, **options: Any) -> None:
        self.seen: list[str] = []
        self.store = InMemoryStateStore() if store is None else store
        actions, guards = ActionRegistry(), GuardRegistry()
        guards.register("ready", lambda ctx: ctx.get("ready", True))

        @actions.decorator()
        def act(ctx: dict[str, Any]) -> None:
            self.seen.append(f"act:{ctx['_entity_id']}:{ctx['new_status']}")
            ctx["done"] = ctx.get("done", 0) + 1
            ctx["_hidden"] = 1

        @actions.decorator()
        def count(ctx: dict[str, Any]) -> None:
            ctx["n"] = ctx.get("n", 0) + 1

        for name in ("entered", "left"):
            actions.register(name, lambda ctx, name=name: self.seen.append(name))
        self.orchestrator = Orchestrator(machine(**(meta or {})), self.store, guards, actions, **options)

    def process(self, *arguments: Any) -> TransitionResult:
        return self.orchestrator.process_event("e", *arguments)


async def one_way(world: World, way: str, *arguments: Any) -> TransitionResult:
    if way == "sync":
        return await asyncio.to_thread(world.process, *arguments)
    return await world.orchestrator.async_process_event("e", *arguments)


@pytest.fixture(params=["sync", "async"])
def way(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "memory":
        yield World()
    else:
        with SQLiteStateStore(f"sqlite:///{tmp_path}/fsm.db") as store:
            yield World(store)


async def test_a_step_is_kept_and_its_actions_done(world: World, way: str) -> None:
    result = await one_way(world, way, Event("go", {"x": 1, "_p": 2}))
    assert (result.success, result.target_state) == (True, "b")
    assert [entry["name"] for entry in result.metadata["action_results"]] == ["act", "entered"]
    assert world.seen == ["act:e:b", "entered"]
    assert world.store.get_state("e") == "b"
    assert world.store.get_context("e") == {"x": 1, "new_status": "b", "done": 1}
    (line,) = world.store.get_transition_history("e")
    assert (line["source_state"], line["trigger"]) == ("a", "go")
    assert line["transition_id"] == result.metadata["transition_id"]
    assert world.store.get_outbox("e") == []
    assert (await one_way(world, way, "finish", {"y": 2})).target_state == "c"
    assert (world.store.get_is_terminal("e"), world.store.get_workflow_status("e")) == (True, "complete")


async def test_a_refusal_changes_nothing(world: World, way: str) -> None:
    result = await one_way(world, way, "go", {"ready": False})
    assert isinstance(result.error, GuardRejectedError)
    assert not (await one_way(world, way, "unknown")).success
    assert world.store.get_state("e") is None
    assert world.seen == []


async def test_an_event_that_comes_twice_counts_once(world: World, way: str) -> None:
    event = Event("stay")
    first = await one_way(world, way, event)
    again = await one_way(world, way, event)
    assert (again.target_state, again.metadata["replayed"]) == (first.target_state, True)
    assert world.store.get_context("e")["n"] == 1


def test_legacy_06_no_update_is_lost() -> None:
    world = World(max_conflict_retries=200)
    world.orchestrator.executor.log_execution = False
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait(20)
        for _ in range(300):
            world.orchestrator.process_event("e", "stay", {})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(world.store.get_transition_history("e", limit=2000)) == 1000
    assert world.store.load("e").version >= 1200


def test_a_conflict_that_does_not_end_is_an_error() -> None:
    class Contested(InMemoryStateStore):
        """Somebody else is always quicker."""

        def commit(self, change: Any) -> int:
            raise StaleVersionError(change.entity_id, 1, 2)

    with pytest.raises(StaleVersionError):
        World(Contested(), max_conflict_retries=2).process("go")


@pytest.mark.parametrize("crash_at", range(3))
def test_legacy_07_state_and_outbox_agree_after_a_crash(crash_at: int) -> None:
    class Crash(BaseException):
        """The process is gone."""

    class Crashing(InMemoryStateStore):
        """Goes away before its n-th call."""

        calls = 0

        def _maybe(self) -> None:
            self.calls += 1
            if self.calls > crash_at:
                raise Crash

        def load(self, entity_id: str) -> Any:
            self._maybe()
            return super().load(entity_id)

        def commit(self, change: Any) -> int:
            self._maybe()
            return super().commit(change)

    world = World(Crashing())
    with pytest.raises(Crash):
        world.process("go")
    world.store._maybe = lambda: None
    row, left = world.store.load("e"), [row.action.name for row in world.store.get_outbox("e")]
    assert (row.state, left) == ((None, []) if crash_at < 2 else ("b", ["act", "entered"]))


async def test_legacy_10_stores_that_cannot_be_awaited_are_asked_in_a_thread() -> None:
    class Plain:
        """The least a store can be."""

        def __init__(self) -> None:
            self.states: dict[str, str] = {}
            self.threads: set[str] = set()

        def get_state(self, entity_id: str) -> str | None:
            self.threads.add(threading.current_thread().name)
            return self.states.get(entity_id)

        def set_state(self, entity_id: str, state: str, *, metadata: dict[str, Any] | None = None) -> None:
            self.states[entity_id] = state

        def get_context(self, entity_id: str) -> dict[str, Any]:
            return {}

    store = Plain()
    world = World(store)
    assert (await world.orchestrator.async_process_event("e", "go")).success
    assert store.states == {"e": "b"}
    assert threading.main_thread().name not in store.threads
    assert world.orchestrator.capabilities == frozenset()
    with pytest.raises(TypeError, match="requires a sync StateStore"):
        World(object()).process("go")


async def test_validation(way: str) -> None:
    world = World(context_validator=lambda entity, state, trigger, ctx: ("x" in ctx, ["x is missing"]))
    result = await one_way(world, way, "go")
    assert result.error.code == "validation_failed"
    assert result.error.context["validation_errors"] == ["x is missing"]
    assert result.metadata["reason"] == "context_validation"
    assert (await one_way(world, way, "go", {"x": 1})).success


def test_models_are_validators() -> None:
    import msgspec

    class Order(msgspec.Struct):
        """What an order has to have."""

        qty: int

    world = World(context_model=Order)
    assert "qty" in str(world.process("go", {"qty": "many"}).error)
    assert world.process("go", {"qty": 1}).success


@pytest.mark.parametrize(("mode", "success"), [("hint", False), ("persist", True), ("off", False)])
def test_fallbacks(mode: str, success: bool) -> None:
    world = World(meta={"orchestrator_default_fallback": mode})
    result = world.process("finish")
    assert result.success is success
    assert world.store.get_state("e") == ("lost" if success else None)
    expected = {"hint": "hint", "persist": "default_fallback", "off": None}[mode]
    assert result.metadata.get("orchestrator_recovery_kind") == expected


def test_legacy_05_a_refusal_does_not_fall_back() -> None:
    world = World(meta={"orchestrator_default_fallback": True})
    assert isinstance(world.process("go", {"ready": False}).error, GuardRejectedError)
    assert world.store.get_state("e") is None
    assert [parse_mode({"orchestrator_default_fallback": mode}) for mode in (True, False, "hint", 7)] == [
        "persist", "off", "hint", "off",
    ]  # fmt: skip


async def test_services_live_as_long_as_their_states(way: str) -> None:
    told: list[tuple[str, ...]] = []

    class Services:
        """Keeps what it is told."""

        def start(self, spec: Any, source_state: str, context: dict[str, Any]) -> None:
            told.append(("start", spec.id, source_state))

        def stop(self, spec: Any, context: dict[str, Any]) -> None:
            told.append(("stop", spec.id))

    world = World(invoke_adapter=Services())
    await one_way(world, way, "go")
    await one_way(world, way, "finish")
    assert told == [("start", "i", "a"), ("stop", "i")]


async def test_legacy_11_timers_are_armed_and_stopped(way: str) -> None:
    clock = SimulatedClock()
    scheduler = AsyncioScheduler(clock=clock)
    world = World(scheduler=scheduler, clock=clock)
    await one_way(world, way, "go")
    (timer,) = world.store.get_timers("e")
    assert (timer.trigger, (timer.fires_at - clock.now()).total_seconds()) == ("wake", 5)
    (task,) = await scheduler.get_pending_tasks("e")
    assert task.metadata["timer_key"] == timer.timer_key
    await one_way(world, way, "finish")
    assert world.store.get_timers("e") == []
    assert await scheduler.get_pending_tasks("e") == []
    await world.orchestrator.close()


async def test_time_moves_entities() -> None:
    clock = SimulatedClock()
    scheduler = AsyncioScheduler(clock=clock)
    world = World(scheduler=scheduler, clock=clock)
    await world.orchestrator.async_process_event("e", "go")
    clock.advance(5)
    async with asyncio.timeout(5):
        while world.store.get_state("e") != "a":  # noqa: ASYNC110 - gives the loop turns, the clock is simulated
            await asyncio.sleep(0)
    assert world.store.get_timers("e") == []
    await scheduler.close()


def test_hooks_and_logs_are_told() -> None:
    told: list[str] = []

    class Watcher:
        """Keeps what it is told."""

        def on_before_process(self, *arguments: Any) -> None:
            told.append("before")

        def on_transition_start(self, *arguments: Any) -> None:
            told.append("start")

        def on_transition_complete(self, result: Any, duration_ms: float, context: Any) -> None:
            told.append(f"complete:{result.success}")

        def on_transition_error(self, *arguments: Any) -> None:
            told.append("error")

        def record_transition(self, **line: Any) -> None:
            told.append(f"line:{line['target_state']}")

        def append_event(self, entity_id: str, trigger: str, **about: Any) -> int:
            told.append(f"event:{trigger}")
            return 1

    watcher = Watcher()
    world = World(hooks=[watcher], audit_store=watcher, event_store=watcher)
    world.process("go")
    assert told == ["event:go", "before", "start", "complete:True", "line:b"]


def test_an_entity_has_to_exist_where_that_is_wanted() -> None:
    with pytest.raises(ValueError, match="Entity 'e' has no state"):
        World(use_initial_state_when_missing=False).process("go")


async def test_effects_are_kept_with_the_step_and_seen_by_what_follows(way: str) -> None:
    chained = StateMachine.from_dict(
        {
            "states": [{"name": "a", "type": "initial"}, {"name": "b"}, {"name": "c"}],
            "transitions": [
                {"trigger": "go", "source": "a", "dest": "b", "actions": [{"set": {"total": 5}}]},
                {
                    "auto": True,
                    "source": "b",
                    "dest": "c",
                    "guards": [{"expr": "total > 4"}],
                    "actions": [{"increment": "n"}],
                },
            ],
        }
    )
    store = InMemoryStateStore()
    orchestrator = Orchestrator(chained, store)
    if way == "sync":
        result = orchestrator.process_event("e", "go")
    else:
        result = await orchestrator.async_process_event("e", "go")
    assert result.target_state == "b"
    assert result.metadata["following"] == [("_auto_b", "b", "c")]
    assert store.load("e").version == 1
    assert (store.get_state("e"), store.get_context("e")) == ("c", {"total": 5, "n": 1, "new_status": "c"})


async def test_legacy_19_regions_join_and_are_left(way: str) -> None:
    seen: list[str] = []
    regions = [
        {"name": "r1", "initial": "x1", "states": ["x1", "x2"], "final": "x2"},
        {"name": "r2", "initial": "y1", "states": ["y1", "y2"], "final": "y2"},
    ]
    parallel = StateMachine.from_dict(
        {
            "states": [
                {"name": "a", "type": "initial"},
                {"name": "p", "type": "parallel", "regions": regions, "on_exit": ["left_p"]},
                *({"name": name, "on_exit": [f"left_{name}"]} for name in ("x1", "x2", "y1", "y2")),
                {"name": "done", "on_enter": ["arrived"]},
            ],
            "transitions": [
                {"trigger": "go", "source": "a", "dest": "p"},
                {"trigger": "first", "source": "x1", "dest": "x2", "region": "r1"},
                {"trigger": "second", "source": "y1", "dest": "y2", "region": "r2"},
                {"trigger": "_join_p", "source": "p", "dest": "done"},
            ],
        }
    )
    for name in ("left_p", "left_x1", "left_x2", "left_y1", "left_y2", "arrived"):
        parallel.action(name)(lambda ctx, name=name: seen.append(name))
    store, told = InMemoryStateStore(), []

    class Lines:
        """Keeps what it is told."""

        def record_transition(self, **line: Any) -> None:
            told.append(line["target_state"])

    orchestrator = Orchestrator(parallel, store, audit_store=Lines())
    states = []
    for trigger in ("go", "first", "second"):
        if way == "sync":
            orchestrator.process_event("e", trigger)
        else:
            await orchestrator.async_process_event("e", trigger)
        states.append(store.get_state("e"))
    assert states == ["p:r1=x1,r2=y1", "p:r1=x2,r2=y1", "done"]
    assert seen == ["left_x1", "left_y1", "left_y2", "left_x2", "left_p", "arrived"]
    assert told[-1] == "done"


def test_data_is_kept_and_what_follows_is_done() -> None:
    waiting = StateMachine.from_dict(
        {
            "states": [{"name": "a", "type": "initial"}, {"name": "b"}],
            "transitions": [{"auto": True, "source": "a", "dest": "b", "guards": [{"expr": "paid"}]}],
        }
    )
    store = InMemoryStateStore()
    orchestrator = Orchestrator(waiting, store)
    assert orchestrator.apply_data("e", {"paid": False, "n": 1}) == []
    (result,) = orchestrator.apply_data("e", {"paid": True})
    assert result.target_state == "b"
    assert store.get_context("e") == {"paid": True, "n": 1}


def test_the_past_is_replayed_in_a_new_session() -> None:
    machine = StateMachine.from_dict(
        {
            "meta": {"version": "1.0.0", "machine_name": "m"},
            "states": [{"name": "a", "type": "initial"}, {"name": "b"}, {"name": "c", "type": "terminal"}],
            "transitions": [
                {"trigger": "go", "source": "a", "dest": "b"},
                {"trigger": "end", "source": "b", "dest": "c"},
            ],
        }
    )
    store = InMemoryStateStore()
    orchestrator = Orchestrator(machine, store, event_store=store)
    for trigger in ("go", "end"):
        orchestrator.process_event("e", trigger)
    assert [result.target_state for result in orchestrator.replay("e")] == ["b", "c"]
    assert [result.target_state for result in orchestrator.replay("e", up_to_sequence=1)] == ["b"]
    with pytest.raises(RuntimeError, match="No event store configured on this orchestrator"):
        Orchestrator(machine, store).replay("e")
    assert store.get_state("e") == "c"


async def test_a_transition_is_known_by_the_line_that_the_audit_has_of_it(way: str) -> None:
    class Lines:
        """Names each line."""

        def record_transition(self, **line: Any) -> str:
            return f"line of {line['target_state']}"

    world = World(audit_store=Lines())
    result = await one_way(world, way, "go")
    assert result.metadata["transition_id"] == "line of b"


def test_a_store_that_keeps_steps_has_one_line_of_each(tmp_path: Path) -> None:
    with create_state_store(f"sqlite:///{tmp_path / 'e.db'}") as store:
        machine = World().orchestrator.machine
        Orchestrator(machine, store, audit_store=store).process_event("e", "go")
        assert [line["trigger"] for line in store.get_transition_history("e")] == ["go"]


async def test_the_scheduler_is_closed_with_its_orchestrator() -> None:
    scheduler = AsyncioScheduler()
    world = World(scheduler=scheduler)
    await world.orchestrator.async_process_event("e", "go")
    assert scheduler.pending_count == 1
    await world.orchestrator.close()
    assert scheduler.pending_count == 0
