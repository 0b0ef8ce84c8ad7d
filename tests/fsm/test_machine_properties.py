"""What holds of every machine, whatever is in it: looked for by Hypothesis."""

import asyncio
import os
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from spikard.fsm import (
    EntitySession,
    Event,
    InMemoryStateStore,
    Orchestrator,
    ParallelStateConfig,
    StateMachine,
    TransitionResult,
)
from spikard.fsm.testing import SimulatedSession, replay
from tests.fsm.random_definitions import events, machines

# More of them for a night.
EXAMPLES = int(os.environ.get("SPIKARD_FSM_EXAMPLES", "15"))
checked = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
START = {"n": 0, "flag": False}
names = st.text("abcdefghij_0123456789", min_size=1, max_size=12)


def built(config: dict[str, Any]) -> StateMachine:
    machine = StateMachine.from_dict(config)
    machine.guard_registry.register("yes", lambda context: True)
    machine.guard_registry.register("no", lambda context: False)
    return machine


def walked(machine: StateMachine, sent: list[tuple[str, dict[str, Any]]]) -> EntitySession:
    session = machine.create(context=dict(START), execute_actions=True)
    for trigger, payload in sent:
        session.send(trigger, **payload)
    return session


def shown(result: TransitionResult) -> tuple[Any, ...]:
    error = None if result.error is None else type(result.error).__name__
    return result.success, result.source_state, result.target_state, result.trigger, result.all_actions, error


@checked
@given(machines(), events())
def test_what_is_left_and_what_is_entered_mirror_each_other(config: dict[str, Any], sent: Any) -> None:
    machine = built(config)
    for result in walked(machine, sent).history:
        left = [action.name.removeprefix("x_") for action in result.on_exit_actions]
        entered = [action.name.removeprefix("e_") for action in result.on_enter_actions]
        source, target = machine._chain(result.source_state), machine._chain(str(result.target_state))
        # Innermost first on the way out, outermost first on the way in, and nothing that both ends are in.
        assert left == source[: len(left)]
        assert entered == target[: len(entered)][::-1]
        assert source[len(left) :] == target[len(entered) :] or result.metadata.get("internal")
        assert set(left).isdisjoint(entered) or result.source_state == result.target_state


@checked
@given(machines(), events())
def test_plans_leave_then_act_then_enter(config: dict[str, Any], sent: Any) -> None:
    for result in walked(built(config), sent).history:
        plan = (*result.on_exit_actions, *result.actions_to_execute, *result.on_enter_actions)
        assert result.all_action_specs == plan
        kinds = ["xae".index(name[0]) if name[0] in "xae" and "." not in name else 1 for name in result.all_actions]
        assert kinds == sorted(kinds)


@checked
@given(machines(parallel=True), events())
def test_one_child_of_a_compound_state_is_active(config: dict[str, Any], sent: Any) -> None:
    machine = built(config)
    session = SimulatedSession(machine, context=dict(START))
    for trigger, payload in sent:
        session.send(trigger, **payload)
        state = machine.states[session.current_state]
        assert state.is_leaf or state.is_parallel
        assert not state.is_choice
        chain = machine._chain(session.current_state)
        for name in chain:
            active = [child for child in chain if machine.states[child].parent == name]
            assert len(active) == (1 if machine.states[name].is_compound else 0)
        configuration = session.configuration
        assert (configuration is not None) == state.is_parallel
        if configuration is not None:
            assert set(configuration.region_states) == set(state.region_names)


@checked
@given(names, st.dictionaries(names, names))
def test_texts_of_parallel_states_are_read_back(name: str, regions: dict[str, str]) -> None:
    config = ParallelStateConfig(name, regions)
    assert ParallelStateConfig.from_string(config.to_string()) == config


@checked
@given(machines(parallel=True))
def test_definitions_are_read_back(config: dict[str, Any]) -> None:
    machine = StateMachine.from_dict(config)
    again = StateMachine.from_dict(machine.to_dict())
    assert again.to_dict() == machine.to_dict()
    assert again.fingerprint == machine.fingerprint
    assert again.transitions == machine.transitions
    assert dict(again.states) == dict(machine.states)


@checked
@given(machines(parallel=True), events(), events())
def test_snapshots_go_on_where_they_were_taken(config: dict[str, Any], first: Any, then: Any) -> None:
    machine = built(config)
    session = machine.create(context=dict(START), execute_actions=True, track_regions=True)
    for trigger, payload in first:
        session.send(trigger, **payload)
    snapshot = session.snapshot()
    restored = EntitySession.from_snapshot(machine, snapshot)
    assert restored.snapshot() == snapshot
    if session.configuration is None and "both" in {trigger for trigger, _ in then}:
        return
    for trigger, payload in then:
        if trigger == "fork" and session.configuration is None:
            # A session without regions at the time does not follow them later.
            break
        assert shown(restored.send(trigger, **payload)) == shown(session.send(trigger, **payload))
    assert restored.context == session.context


@checked
@given(machines(), events())
def test_all_ways_to_send_an_event_agree(config: dict[str, Any], sent: Any) -> None:
    machine = built(config)
    session = machine.create(context=dict(START), execute_actions=True)
    awaited = machine.create(context=dict(START), execute_actions=True)
    simulated = SimulatedSession(machine, context=dict(START))
    store, astore = InMemoryStateStore(), InMemoryStateStore()
    orders, aorders = Orchestrator(machine, store), Orchestrator(machine, astore)
    for one in (store, astore):
        one.set_state("e", machine.initial_leaf)
        one.set_context("e", dict(START))

    async def walk() -> None:
        for trigger, payload in sent:
            state, context, memory = session.current_state, dict(session.context), session.snapshot()["history"]
            seen = {**context, **payload}
            plain = machine.process(state, Event(trigger, payload), context, history=memory)
            [batch] = machine.process_many([state], [trigger], [seen])
            waited = await machine.aprocess(state, trigger, seen, history=memory)
            expected = shown(plain)
            assert shown(waited) == expected
            if not memory:
                assert shown(batch) == expected
            assert shown(session.send(trigger, **payload)) == expected
            assert shown(await awaited.asend(trigger, **payload)) == expected
            assert shown(simulated.send(trigger, **payload)) == expected
            assert shown(orders.process_event("e", Event(trigger, payload))) == expected
            assert shown(await aorders.async_process_event("e", Event(trigger, payload))) == expected
            places = {session.current_state, awaited.current_state, simulated.current_state}
            assert places == {store.get_state("e")} == {astore.get_state("e")}

    asyncio.run(walk())
    contexts = [session.context, awaited.context, simulated.context, store.get_context("e"), astore.get_context("e")]
    status = {"new_status": None}
    assert all({**one, **status} == {**contexts[0], **status} for one in contexts)


@checked
@given(machines(), events())
def test_recordings_are_replayed(config: dict[str, Any], sent: Any) -> None:
    machine = built(config)
    recorder = machine.create(context=dict(START), execute_actions=True).record()
    for trigger, payload in sent:
        recorder.send(trigger, **payload)
    found = replay(machine, recorder.to_dict())
    assert found.is_same, found.divergence
    assert found.state == recorder.instance.current_state
