"""Sessions: one entity, one event at a time."""

import asyncio
import itertools
import threading
from typing import Any

import pytest

from spikard.fsm import EntitySession, EventRecorder, StateMachine

DOOR: dict[str, Any] = {
    "meta": {"machine_name": "door"},
    "states": [{"name": "shut", "type": "initial"}, {"name": "wide"}, {"name": "gone", "type": "terminal"}],
    "transitions": [
        {"trigger": "open", "source": "shut", "dest": "wide", "actions": ["swing"]},
        {"trigger": "close", "source": "wide", "dest": "shut", "actions": ["count"]},
        {"trigger": "burn", "source": ["shut", "wide"], "dest": "gone"},
    ],
}
REGIONS: dict[str, Any] = {
    "states": [
        {"name": "start", "type": "initial"},
        {
            "name": "work",
            "type": "parallel",
            "on_enter": ["e_work"],
            "on_exit": ["x_work"],
            "regions": [
                {"name": "r1", "initial": "a1", "states": ["a1", "a2"], "final": "a2"},
                {"name": "r2", "initial": "b1", "states": ["b1", "b2"], "final": "b2"},
            ],
        },
        *(
            {"name": n, "parent": "work", "on_enter": [f"e_{n}"], "on_exit": [f"x_{n}"]}
            for n in ("a1", "a2", "b1", "b2")
        ),
        {"name": "done", "type": "terminal"},
        {"name": "failed", "type": "error"},
    ],
    "transitions": [
        {"trigger": "go", "source": "start", "dest": "work"},
        {"trigger": "one", "source": "a1", "dest": "a2", "region": "r1"},
        {"trigger": "two", "source": "b1", "dest": "b2", "region": "r2"},
        {"trigger": "bail", "source": "a1", "dest": "failed", "region": "r1"},
        {"trigger": "stop", "source": "work", "dest": "failed"},
        {"trigger": "_join_work", "source": "work", "dest": "done"},
    ],
}


def test_events_move_the_entity() -> None:
    session = StateMachine.from_dict(DOOR).create(entity_id="front", context={"n": 1})
    assert session.is_shut
    result = session.open(by="ann")
    assert (result.success, session.current_state, session.is_wide) == (True, "wide", True)
    assert session.context == {"n": 1}
    assert not session.send("open").success
    assert [step.trigger for step in session.history] == ["open"]
    assert session.allowed_triggers == ["burn", "close"]
    session.burn()
    assert (session.is_final, session.workflow_status) == (True, "complete")
    with pytest.raises(AttributeError, match="is_nothing"):
        _ = session.is_nothing


def test_actions_change_the_context() -> None:
    machine = StateMachine.from_dict(DOOR)

    @machine.action("swing")
    def swing(context: dict[str, Any]) -> None:
        context["speed"] = context["force"] * 2
        context["_secret"] = 1

    session = machine.create(execute_actions=True)
    result = session.send("open", force=3)
    assert session.context == {"force": 3, "speed": 6, "new_status": "wide"}
    assert [step["status"] for step in result.metadata["action_results"]] == ["ok"]


def test_what_an_action_sends_comes_after_the_step() -> None:
    machine = StateMachine.from_dict(DOOR)
    order: list[str] = []

    @machine.action("swing")
    def swing(context: dict[str, Any]) -> None:
        order.append("swing begins")
        session.send("close")
        order.append("swing ends")

    @machine.action("count")
    def count(context: dict[str, Any]) -> None:
        order.append("count")

    session = machine.create(execute_actions=True)
    session.send("open")
    assert order == ["swing begins", "swing ends", "count"]
    assert session.current_state == "shut"


async def test_both_ways_of_sending_share_one_queue() -> None:
    machine = StateMachine.from_dict(DOOR)
    inside = asyncio.Event()
    go_on = asyncio.Event()

    @machine.action("swing")
    async def swing(context: dict[str, Any]) -> None:
        await session.asend("close")
        inside.set()
        await go_on.wait()

    session = machine.create(execute_actions=True)
    first = asyncio.create_task(session.asend("open"))
    await inside.wait()
    waiting = asyncio.create_task(session.asend("burn"))
    await asyncio.sleep(0)
    assert session.current_state == "wide"
    go_on.set()
    await asyncio.gather(first, waiting)
    assert [step.trigger for step in session.history] == ["open", "close", "burn"]


def test_threads_take_turns() -> None:
    session = StateMachine.from_dict(DOOR).create()
    count = 400

    def push() -> None:
        for _ in range(count):
            session.send("open")
            session.send("close")

    threads = [threading.Thread(target=push) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = ["shut", *(str(step.target_state) for step in session.history)]
    assert all(before != after for before, after in itertools.pairwise(states))
    assert session.current_state == states[-1]


def test_callbacks_hear_of_steps_and_undo_none(caplog: pytest.LogCaptureFixture) -> None:
    machine = StateMachine.from_dict(DOOR)
    heard: list[str] = []
    machine.on_exit("shut")(lambda context: heard.append("exit"))
    machine.on_enter("wide")(lambda context: heard.append("enter"))

    @machine.on_transition("shut", "wide")
    def fail(context: dict[str, Any]) -> None:
        heard.append("transition")
        raise RuntimeError("broken")

    session = machine.create()
    assert session.send("open").success
    assert heard == ["exit", "enter", "transition"]
    assert session.current_state == "wide"
    assert "broken" in caplog.text


def test_refused_events_wait_for_the_next_step() -> None:
    session = EntitySession(StateMachine.from_dict(DOOR), defer_unhandled=True)
    session.send("close")
    assert session.deferred_events == [("close", {})]
    session.send("open")
    assert session.current_state == "shut"
    assert session.deferred_events == []


def test_a_snapshot_goes_on_from_there() -> None:
    machine = StateMachine.from_dict(DOOR)
    session = machine.create(entity_id="e", context={"a": 1})
    session.send("open")
    snapshot = session.snapshot()
    again = EntitySession.from_snapshot(machine, snapshot)
    assert again.snapshot() == snapshot
    assert again.current_state == "wide"
    assert snapshot["fingerprint"] == machine.fingerprint


def test_recordings_are_played_again() -> None:
    machine = StateMachine.from_dict(DOOR)
    recorder = machine.create(context={"a": 1}).record()
    recorder.send("open", force=1)
    again = EventRecorder.from_dict(recorder.to_dict(), machine)
    assert again.to_dict() == recorder.to_dict()
    assert again.replay(machine).current_state == "wide"


def test_steps_without_events_follow_and_see_what_was_done() -> None:
    config = {
        "states": [{"name": "a", "type": "initial"}, {"name": "b"}, {"name": "c"}],
        "transitions": [
            {"trigger": "go", "source": "a", "dest": "b"},
            {"auto": True, "source": "b", "dest": "c", "guards": ["ready"]},
        ],
    }
    machine = StateMachine.from_dict(config)
    machine.guard("ready")(lambda context: context.get("ready") is True)
    session = machine.create()
    session.send("go")
    assert session.current_state == "b"
    assert [step.target_state for step in session.apply_data(ready=True)] == ["c"]


def test_regions_move_join_and_leave() -> None:
    session = StateMachine.from_dict(REGIONS).create(track_regions=True)
    entered = session.send("go")
    assert [action.name for action in entered.on_enter_actions] == ["e_work", "e_a1", "e_b1"]
    assert session.configuration is not None
    assert session.configuration.to_string() == "work:r1=a1,r2=b1"
    session.send("one")
    assert session.configuration.to_string() == "work:r1=a2,r2=b1"
    again = EntitySession.from_snapshot(session.machine, session.snapshot())
    joined = session.send("two")
    assert (session.current_state, session.configuration) == ("done", None)
    assert [action.name for action in joined.on_exit_actions] == ["x_b2", "x_a2", "x_work"]
    assert again.configuration is not None
    assert not again.send("unheard").success
    stopped = again.send("stop")
    assert [action.name for action in stopped.on_exit_actions] == ["x_b1", "x_a2", "x_work"]
    assert again.current_state == "failed"


def test_a_region_that_goes_elsewhere_takes_the_others_along() -> None:
    session = StateMachine.from_dict(REGIONS).create(track_regions=True)
    session.send("go")
    result = session.send("bail")
    assert [action.name for action in result.on_exit_actions] == ["x_a1", "x_b1", "x_work"]
    assert (session.current_state, session.configuration) == ("failed", None)


def test_without_tracking_regions_are_left_alone() -> None:
    session = StateMachine.from_dict(REGIONS).create()
    session.send("go")
    assert not session.send("one").success
    assert session.current_state == "work"


@pytest.mark.parametrize(
    ("entity_id", "fault"), [("", "cannot be empty"), ("not one", "must start with an alphanumeric"), (5, "a string")]
)
def test_ids_of_entities_are_checked(entity_id: Any, fault: str) -> None:
    machine = StateMachine.from_dict(DOOR)
    with pytest.raises(ValueError, match=fault):
        machine.create(entity_id=entity_id)
    with pytest.raises(ValueError, match=fault):
        EntitySession.from_snapshot(machine, {"current_state": "shut", "entity_id": entity_id})
    assert machine.create(entity_id=" door.1 ").entity_id == "door.1"


def test_metadata_of_machines_is_handed_out_as_a_copy() -> None:
    machine = StateMachine.from_dict(DOOR)
    machine.meta["machine_name"] = "gate"
    assert (machine.meta["machine_name"], machine.name) == ("door", "door")


def test_automatic_steps_leave_what_effects_have_made_of_a_payload() -> None:
    machine = StateMachine.from_dict(
        {
            "states": [{"name": "a", "type": "initial"}, {"name": "b"}, {"name": "c"}],
            "transitions": [
                {"trigger": "t", "source": "a", "dest": "b", "actions": [{"increment": "n"}]},
                {
                    "auto": True,
                    "source": "b",
                    "dest": "c",
                    "guards": [{"check": {"field": "n", "op": "gt", "value": 2}}],
                },
            ],
        }
    )
    session = machine.create(execute_actions=True)
    session.send("t", n=2)
    assert (session.current_state, session.context["n"]) == ("c", 3)


def test_a_trigger_may_be_given_by_name() -> None:
    machine = StateMachine.from_dict(
        {
            "states": [{"name": "a", "type": "initial"}, {"name": "b"}],
            "transitions": [{"trigger": "t", "source": ["a", "b"], "dest": "b"}],
        }
    )
    session = machine.create()
    assert session.send(trigger="t", n=2).target_state == "b"
    assert asyncio.run(session.asend(trigger="t")).success
