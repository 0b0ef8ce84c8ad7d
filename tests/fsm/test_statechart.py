"""Charts from the outside: what is refused, sessions, time, children, snapshots."""

import asyncio
import logging
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest

from spikard.fsm import (
    AsyncioScheduler,
    ChartSession,
    ConfigurationError,
    FSMError,
    InMemoryStateStore,
    Orchestrator,
    SimulatedClock,
    Statechart,
    StateMachine,
    UndefinedStateError,
    to_mermaid,
)

HEAD = '<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" name="t"'

LAMP = f"""{HEAD}>
  <datamodel><data id="n" expr="0"/></datamodel>
  <state id="Off"><transition event="press" target="On"/></state>
  <state id="On">
    <onentry><assign location="n" expr="n + 1"/><send event="tired" id="t" delay="10s"/></onentry>
    <onexit><cancel sendid="t"/></onexit>
    <transition event="press tired" target="Off"/>
    <transition event="smash" target="Broken"/>
  </state>
  <final id="Broken"/>
</scxml>"""


def _chart(text: str) -> Statechart:
    machine = StateMachine.from_scxml(text)
    assert isinstance(machine, Statechart)
    return machine


def _fault(text: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        StateMachine.from_scxml(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("<scxml><a></scxml>", 1, 11, "XML"),
        ("<a/>", 1, 1, "not an <scxml>"),
        ('<!DOCTYPE x [<!ENTITY e "e">]><scxml/>', 1, 1, "XML"),
        (f"{HEAD}/>", 1, 1, "no states"),
        (f'{HEAD}>\n<state id="a">\n<transition event="e" target="b"/></state></scxml>', 3, 23, "no state 'b'"),
        (f'{HEAD}>\n<state id="a"/><state id="a"/></scxml>', 2, 23, "two states with the id 'a'"),
        (f'{HEAD}>\n<state id="a" initial="b"><state id="c"/></state><state id="b"/></scxml>', 2, 15, "not inside"),
        (f'{HEAD}>\n <final id="a"><transition target="a"/></final></scxml>', 2, 16, "no place"),
        (f'{HEAD}>\n <state id="a"><onentry><jump/></onentry></state></scxml>', 2, 25, "<jump>"),
        (f'{HEAD}>\n <state id="a"><onentry><raise/></onentry></state></scxml>', 2, 25, "needs 'event'"),
        (
            f'{HEAD}>\n <state id="a"><onentry><send event="x" eventexpr="y"/></onentry></state></scxml>',
            2,
            41,
            "exclude",
        ),
        (f'{HEAD} datamodel="xpath"><state id="a"/></scxml>', 1, 71, "xpath"),
        (f'{HEAD}>\n<state id="a" initial="b c"><state id="b"/><state id="c"/></state></scxml>', 2, 15, "never"),
        (f'{HEAD}>\n<script src="x.js"/><state id="a"/></scxml>', 2, 9, "x.js"),
    ],
)
def test_what_is_wrong_has_a_place(text: str, line: int, column: int, words: str) -> None:
    fault = _fault(text)
    assert words in fault.message
    assert (fault.context["line"], fault.context["column"]) == (line, column)


def test_depth_is_limited() -> None:
    deep = "".join(f'<state id="s{n}">' for n in range(150)) + "</state>" * 150
    assert "nested more than 100" in _fault(f"{HEAD}>{deep}</scxml>").message


def test_strict_reading_refuses_expressions_that_are_none() -> None:
    text = f'{HEAD}>\n<state id="a"><transition cond="1 +" target="a"/></state></scxml>'
    assert _chart(text).chart.broken
    with pytest.raises(ConfigurationError, match=r"'cond' of <transition>.*line 2"):
        StateMachine.from_scxml(text, strict=True)


def test_a_session_follows_events_and_time() -> None:
    clock = SimulatedClock()
    session = _chart(LAMP).create(entity_id="lamp", clock=clock)
    assert (session.current_state, session.is_final) == ("Off", False)
    result = session.send("press")
    assert (result.success, result.source_state, result.target_state) == (True, "Off", "On")
    assert (result.metadata["left"], result.metadata["entered"]) == (["Off"], ["On"])
    assert session.allowed_triggers == ["press", "smash", "tired"]
    clock.advance(9.999)
    assert session.fire_due() == []
    clock.advance(0.001)
    assert [step.target_state for step in session.fire_due()] == ["Off"]
    assert session.next_due is None
    session.send("press")
    assert session.send("nothing").metadata["reason"] == "no_matching_transition"
    session.send("smash")
    assert (session.is_final, session.workflow_status, session.next_due) == (True, "complete", None)
    assert session.send("press").metadata["no_op"]
    assert [step.trigger for step in session.history] == ["press", "_after_", "press", "smash"]
    assert session.context == {"n": 2}


def test_what_is_due_comes_before_what_is_new() -> None:
    clock = SimulatedClock()
    session = _chart(LAMP).create(clock=clock)
    session.send("press")
    clock.advance(60)
    session.send("press")
    assert session.current_state == "On"


async def test_run_waits_for_what_is_on_its_way() -> None:
    clock = SimulatedClock()
    session = _chart(LAMP).create(clock=clock)
    await session.asend("press")
    running = asyncio.create_task(session.run())
    # Once around the loop, and it waits.
    await asyncio.sleep(0)
    assert clock.sleeping == 1
    clock.advance(10)
    await asyncio.wait_for(running, 10)
    assert session.current_state == "Off"


def test_a_session_goes_on_from_its_snapshot() -> None:
    clock = SimulatedClock()
    machine = _chart(LAMP)
    session = machine.create(entity_id="lamp", clock=clock)
    session.send("press")
    snapshot = pickle.loads(pickle.dumps(session.snapshot()))
    again = ChartSession.from_snapshot(machine, snapshot, clock=clock)
    assert (again.entity_id, again.current_state, again.context) == ("lamp", "On", {"n": 1})
    clock.advance(10)
    again.fire_due()
    assert (again.current_state, session.current_state) == ("Off", "On")


def test_histories_are_part_of_a_snapshot() -> None:
    machine = _chart(f"""{HEAD}>
      <state id="in"><history id="h" type="deep"/>
        <state id="a"><transition event="on" target="b"/></state><state id="b"/>
        <transition event="leave" target="out"/></state>
      <state id="out"><transition event="back" target="h"/></state></scxml>""")
    session = machine.create()
    session.send("on")
    session.send("leave")
    again = ChartSession.from_snapshot(machine, session.snapshot())
    again.send("back")
    assert again.leaves == ["b"]


def test_a_snapshot_of_another_chart_is_refused() -> None:
    snapshot = _chart(LAMP).create().snapshot()
    with pytest.raises(FSMError, match="Off"):
        ChartSession.from_snapshot(_chart(f'{HEAD}><state id="a"/></scxml>'), snapshot)


def test_a_circle_is_an_error_and_changes_nothing() -> None:
    machine = _chart(f"""{HEAD}>
      <datamodel><data id="n" expr="0"/></datamodel>
      <state id="a"><transition event="go" target="b"/></state>
      <state id="b"><onentry><assign location="n" expr="n + 1"/></onentry><transition target="c"/></state>
      <state id="c"><transition target="b"/></state></scxml>""")
    session = machine.create()
    with pytest.raises(FSMError, match="10000 microsteps"):
        session.send("go")
    assert (session.current_state, session.context) == ("a", {"n": 0})
    # The event is gone with it.
    assert session.send("other").metadata["no_op"]


def test_loops_over_long_lists_end() -> None:
    machine = _chart(f"""{HEAD}>
      <datamodel><data id="l" expr="[0] * 2000"/><data id="n" expr="0"/></datamodel>
      <state id="a"><transition event="go"><foreach array="l" item="x"><foreach array="l" item="y">
        <assign location="n" expr="n + 1"/></foreach></foreach></transition></state></scxml>""")
    session = machine.create()
    with pytest.raises(FSMError, match="1000000 actions"):
        session.send("go")
    assert session.context["n"] == 0


def test_guards_and_actions_of_the_machine() -> None:
    machine = _chart(f"""{HEAD}>
      <datamodel><data id="seen" expr="[]"/></datamodel>
      <state id="a">
        <transition event="go" cond="allowed and not never" target="b"><script>note</script></transition></state>
      <state id="b"/></scxml>""")

    @machine.guard("allowed")
    def allowed(context: dict[str, Any]) -> bool:
        return "seen" in context

    @machine.action("note")
    def note(context: dict[str, Any]) -> None:
        context["seen"].append("noted")
        context["more"] = 1

    left: list[str] = []
    machine.on_exit("a")(lambda _: left.append("a"))
    session = machine.create(execute_actions=True)
    result = session.send("go")
    assert result.all_actions == ("note",)
    assert session.context == {"seen": ["noted"], "more": 1}
    assert left == ["a"]


async def test_actions_may_be_asynchronous() -> None:
    machine = _chart(f"""{HEAD}>
      <state id="a"><transition event="go" target="b"><script>later</script></transition></state>
      <state id="b"/></scxml>""")

    @machine.action("later")
    async def later(context: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        context["done"] = True

    session = machine.create(execute_actions=True)
    await session.asend("go")
    assert session.context == {"done": True}


def test_data_alone_move_a_chart() -> None:
    machine = _chart(f"""{HEAD}><datamodel><data id="n" expr="0"/></datamodel>
      <state id="a"><transition cond="n &gt; 3" target="b"/></state><state id="b"/></scxml>""")
    session = machine.create()
    assert session.apply_data(n=2) == []
    assert [step.target_state for step in session.apply_data(n=4)] == ["b"]


def test_a_context_takes_the_place_of_the_documents_values() -> None:
    session = _chart(LAMP).create(context={"n": 41, "extra": "x"})
    session.send("press")
    assert session.context == {"n": 42, "extra": "x"}


def test_senders_and_invokers_are_other_programs() -> None:
    machine = _chart(f"""{HEAD}><state id="a">
      <onentry><send type="mail" event="hello" target="ann"><param name="n" expr="1"/></send></onentry>
      <invoke type="job" id="j" src="work"><param name="k" expr="2"/></invoke>
      <transition event="error.communication" target="failed"/>
      <transition event="bad"><send type="mail" event="broken"/></transition></state><state id="failed"/></scxml>""")
    mails: list[Any] = []
    jobs: list[Any] = []

    def mail(name: str, data: Any, target: str | None) -> None:
        if name == "broken":
            raise OSError("no post today")
        mails.append((name, data, target))

    class Jobs:
        def start(self, spec: Any, state: str, data: dict[str, Any]) -> None:
            jobs.append((spec.id, spec.src, data))

    session = machine.create(senders={"mail": mail}, invokers={"job": Jobs()})
    assert mails == [("hello", {"n": 1}, "ann")]
    assert jobs == [("j", "work", {"k": 2})]
    session.send("bad")
    assert session.current_state == "failed"


def test_children_are_sessions() -> None:
    machine = _chart(f"""{HEAD}><state id="a">
      <invoke id="kid" type="scxml"><content>{HEAD}><state id="k"><transition event="grow" target="l"/></state>
        <state id="l"/></scxml></content></invoke>
      <transition event="grow"><send event="grow" target="#_kid"/></transition>
      <transition event="leave" target="b"/></state><state id="b"/></scxml>""")
    session = machine.create()
    kid = session.children["kid"]
    session.send("grow")
    assert kid.current_state == "l"
    with pytest.raises(FSMError, match="kid"):
        session.snapshot()
    session.send("leave")
    assert session.children == {}
    assert kid.is_final
    session.stop()
    assert session.is_final


def test_a_child_that_cannot_be_read_is_an_event() -> None:
    machine = _chart(f"""{HEAD}><state id="a"><invoke type="scxml" src="file:../secret.scxml"/>
      <transition event="error.communication" target="b"/></state><state id="b"/></scxml>""")
    assert machine.create().current_state == "b"


def test_files_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("1")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "a.scxml").write_text(
        f'{HEAD}><datamodel><data id="n" src="file:../secret.txt"/></datamodel><state id="a"/></scxml>'
    )
    session = StateMachine.from_file(inner / "a.scxml").create()
    assert session.context == {"n": None}
    with pytest.raises(ConfigurationError, match="not found"):
        StateMachine.from_file(inner / "b.scxml")


def test_a_step_is_computed_without_a_session() -> None:
    machine = _chart(LAMP)
    result = machine.process("Off", "press", {"n": 1})
    assert (result.target_state, result.metadata["context"]) == ("On", {"n": 2})
    assert result.metadata["orders"][0][0] == "send"
    plan = [(spec.name, spec.params) for spec in result.actions_to_execute]
    assert plan == [("_effect.set", {"n": 2}), ("_send", {"event": "tired", "delay": 10000, "id": "t"})]
    assert machine.process("Off", "nothing").metadata["no_op"]
    with pytest.raises(UndefinedStateError):
        machine.process("Nowhere", "press")


async def test_an_entity_in_a_store_goes_through_a_chart() -> None:
    clock = SimulatedClock()
    store = InMemoryStateStore()
    scheduler = AsyncioScheduler(clock=clock)
    orchestrator = Orchestrator(_chart(LAMP), store, scheduler=scheduler, clock=clock)
    waiting = []
    for _ in range(3):
        assert (await orchestrator.async_process_event("lamp", "press")).success
        waiting.append(scheduler.pending_count)
    assert waiting == [1, 0, 1]
    assert (store.get_state("lamp"), store.get_context("lamp")["n"]) == ("On", 2)
    await scheduler.close()


def test_a_chart_is_a_machine_to_look_at() -> None:
    machine = _chart(LAMP)
    assert machine.name == "t"
    assert machine.state_names == ["Off", "On", "Broken"]
    assert machine.trigger_names == ["press", "smash", "tired"]
    assert machine.terminal_states == ["Broken"]
    assert machine.initial_leaf == "Off"
    assert machine.get_available_triggers("On") == ["press", "smash", "tired"]
    assert "Off --> On : press" in to_mermaid(machine)
    again = StateMachine.from_dict(machine.to_dict())
    assert again.fingerprint == machine.fingerprint == pickle.loads(pickle.dumps(machine)).fingerprint


def test_ids_may_be_any() -> None:
    machine = _chart(f"""{HEAD}>
      <parallel id="A-Z"><state id="Über.1"><state id="x:y"/></state><state id="Zwei"/></parallel></scxml>""")
    assert machine.create().leaves == ["x:y", "Zwei"]
    assert [region.name for region in machine.get_state("A-Z").regions] == ["Über.1", "Zwei"]


def test_errors_and_logs_are_told(caplog: pytest.LogCaptureFixture) -> None:
    machine = _chart(f"""{HEAD}><state id="a"><onentry>
      <log label="hello" expr="[1, 'x']"/><assign location="nowhere" expr="1"/></onentry></state></scxml>""")
    with caplog.at_level(logging.DEBUG, "spikard.fsm.charts"):
        machine.create()
    assert "hello: [1, 'x']" in caplog.text
    assert "'nowhere' is not declared" in caplog.text


def test_threads_take_turns() -> None:
    machine = _chart(f"""{HEAD}><datamodel><data id="n" expr="0"/></datamodel>
      <state id="a"><transition event="add"><assign location="n" expr="n + 1"/></transition></state></scxml>""")
    session = machine.create()
    threads = [threading.Thread(target=lambda: [session.send("add") for _ in range(100)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert session.context == {"n": 400}
