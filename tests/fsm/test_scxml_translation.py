"""Charts in the format of other machines."""

import json
from pathlib import Path
from typing import Any

import pytest

from spikard.cli import main
from spikard.fsm import ConfigurationError, StateMachine, check_config
from spikard.fsm.charts.translation import scxml_to_config

HEAD = '<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" name="My Order"'
ORDER = f"""{HEAD} initial="New">
  <datamodel><data id="n" expr="1 + 1"/><data id="m"/></datamodel>
  <state id="New">
    <onentry><script>greet; m = 'hello'</script><send event="order.late" delay="5s" id="t"/></onentry>
    <onexit><cancel sendid="t"/><log label="bye"/></onexit>
    <transition event="order.late" target="Lost"/>
    <transition event="pay" cond="n &gt; 1" target="Work"><assign location="n" expr="n + 1"/></transition>
    <transition event="touch"><if cond="n == 2"><raise event="a.b"/><elseif cond="n == 3"/>
      <send event="x" delay="1s"/><else/><cancel sendid="t"/></if></transition>
  </state>
  <state id="Work" initial="Pick">
    <history id="h" type="deep"/>
    <transition event="pause" target="Held"/>
    <transition event="done.state.Work" target="Both"/>
    <state id="Pick"><transition event="picked" target="Packed"/></state>
    <final id="Packed"/>
  </state>
  <state id="Held"><transition event="resume" target="h"/></state>
  <parallel id="Both">
    <state id="Left"><state id="l1"><transition event="go" target="l2"/></state><final id="l2"/></state>
    <state id="Right"><state id="r1"><transition event="go" cond="In('l1')" target="r2"/></state>
      <final id="r2"/></state>
    <transition event="done.state.Both" target="Done"/>
  </parallel>
  <final id="Done"/><final id="Lost"/>
</scxml>"""


def test_a_chart_becomes_a_configuration() -> None:
    config = scxml_to_config(ORDER)
    assert [issue for issue in check_config(config) if issue.severity == "error"] == []
    states = {state["name"]: state for state in config["states"]}
    assert config["meta"]["machine_name"] == "my_order"
    assert config["state_variables"] == [{"key": "n", "default": 2}, {"key": "m"}]
    assert states["new"] == {
        "name": "new",
        "type": "initial",
        "on_enter": ["greet", {"compute": {"m": "'hello'"}}],
        "on_exit": [{"name": "log", "params": {"message": "bye"}}],
    }
    assert states["done"]["type"] == "terminal"
    rules = config["transitions"]
    assert {"trigger": "order_late", "after": "5s", "source": "new", "dest": "lost"} in rules
    assert {"source": "packed", "dest": "both", "auto": True} in rules
    assert {"trigger": "resume", "source": "held", "dest": "H*(work)"} in rules
    assert {"trigger": "_join_both", "source": "both", "dest": "done"} in rules
    touch = next(rule for rule in rules if rule.get("trigger") == "touch")
    assert touch["internal"]
    assert touch["actions"] == [
        {
            "branch": {
                "when": "n == 2",
                "then": [{"raise": "a_b"}],
                "else": [
                    {
                        "branch": {
                            "when": "n == 3",
                            "then": [{"send": {"event": "x", "delay": "1s"}}],
                            "else": [{"cancel": "t"}],
                        }
                    }
                ],
            }
        }
    ]


def test_it_runs_as_the_chart_does() -> None:
    machine = StateMachine.from_dict(scxml_to_config(ORDER))
    session = machine.create(context={"n": 2, "m": None}, execute_actions=True, track_regions=True)
    session.send("pay")
    assert (session.current_state, session.context["n"]) == ("pick", 3)
    session.send("pause")
    session.send("resume")
    assert session.current_state == "pick"
    session.send("picked")
    assert session.current_state == "both"
    session.send("go")
    assert session.current_state == "done"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<state id="a"><invoke src="x"/></state>', "<invoke>"),
        ('<state id="a"><onentry><foreach array="[]" item="x"/></onentry></state>', "<foreach>"),
        ('<state id="a"><transition event="*" target="a"/></state>', "any event"),
        ('<state id="a"><onentry><script>f(x)</script></onentry></state>', "f"),
        ('<state id="a"><onentry><assign location="x.y" expr="1"/></onentry></state>', "x.y"),
        ('<parallel id="p"><state id="a"/><state id="b"/></parallel>', "begins"),
    ],
)
def test_what_there_are_no_words_for_is_named(body: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        scxml_to_config(f"{HEAD}>{body}</scxml>")
    assert words in caught.value.message


def test_the_command_converts_both_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("order.scxml").write_text(ORDER, encoding="utf-8")
    assert main(["fsm", "convert", "order.scxml", "-o", "order.yaml"]) == 0
    assert StateMachine.from_file("order.yaml").to_dict() == StateMachine.from_dict(scxml_to_config(ORDER)).to_dict()
    assert main(["fsm", "convert", "order.scxml", "--to", "json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document == scxml_to_config(ORDER)
    assert main(["fsm", "convert", "order.yaml", "--to", "scxml", "-o", "again.scxml"]) == 0
    assert main(["fsm", "draw", "order.scxml"]) == 0
    assert "New --> Work : pay" in capsys.readouterr().out
    session = StateMachine.from_file("again.scxml").create(context={"n": 2, "m": None})
    session.send("pay")
    assert session.is_pick
    Path("bad.scxml").write_text(f'{HEAD}><state id="a"><invoke src="x"/></state></scxml>', encoding="utf-8")
    assert main(["fsm", "convert", "bad.scxml"]) == 1
    assert "<invoke>" in capsys.readouterr().err
