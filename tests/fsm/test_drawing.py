"""Drawings of machines."""

import json
import xml.etree.ElementTree as ET
from types import SimpleNamespace
from typing import Any

import pytest

from spikard.fsm import (
    get_statistics,
    to_asl,
    to_dot,
    to_mermaid,
    to_mermaid_flowchart,
    to_plantuml,
    to_scxml,
    to_svg,
    to_xstate,
)

ORDER: dict[str, Any] = {
    "meta": {"machine_name": "order"},
    "states": [
        {"name": "new", "type": "initial", "description": "Just placed"},
        {"name": "paid", "timeout": {"seconds": 30, "destination": "lost"}},
        {"name": "lost", "type": "terminal"},
    ],
    "transitions": [
        {
            "trigger": "pay",
            "source": "new",
            "dest": "paid",
            "guards": ["solvent", {"check": {"field": "total", "op": "gt", "value": 0}}, {"expr": "qty < 9"}],
            "actions": ["receipt", {"timestamp": "paid_at"}],
        },
        {"trigger": "drop", "source": ["new", "paid"], "dest": "lost"},
        {"after": "5s", "source": "paid", "dest": "new"},
    ],
}

NESTED: dict[str, Any] = {
    "states": [
        {"name": "idle", "type": "initial"},
        {"name": "on", "initial_child": "low"},
        {"name": "low", "parent": "on"},
        {"name": "high", "parent": "on"},
        {
            "name": "both",
            "type": "parallel",
            "regions": [
                {"name": "left", "initial": "l1", "states": ["l1", "l2"]},
                {"name": "right", "initial": "r1", "states": ["r1"]},
            ],
        },
        {"name": "l1"},
        {"name": "l2"},
        {"name": "r1"},
    ],
    "transitions": [
        {"trigger": "start", "source": "idle", "dest": "on"},
        {"trigger": "up", "source": "low", "dest": "high"},
        {"trigger": "split", "source": "high", "dest": "both"},
        {"trigger": "move", "source": "l1", "dest": "l2", "region": "left"},
        {"trigger": "back", "source": "both", "dest": "H(on)"},
    ],
}


def test_legacy_02_machines_with_guards_and_actions_are_drawn() -> None:
    assert to_mermaid(ORDER, title="Orders", show_actions=True).splitlines() == [
        "---",
        "title: Orders",
        "---",
        "stateDiagram-v2",
        "    direction TB",
        "    [*] --> new",
        "    new : Just placed",
        "    note right of paid",
        "        timeout: 30.0s -> lost",
        "    end note",
        "    lost --> [*]",
        "    new --> paid : pay [solvent, total > 0, qty < 9] / receipt, timestamp paid_at",
        "    new --> lost : drop",
        "    paid --> lost : drop",
        "    paid --> new : after 5s",
        "    paid --> lost : timeout",
    ]
    assert '    new -> paid [label="pay [solvent, total > 0, qty < 9]"];' in to_dot(ORDER).splitlines()
    assert '    new -->|"pay [solvent, total > 0, qty < 9]"| paid' in to_mermaid_flowchart(ORDER).splitlines()


def test_parts_can_be_left_out() -> None:
    text = to_mermaid(ORDER, show_guards=False, show_timeouts=False, direction="LR")
    assert "solvent" not in text
    assert "timeout" not in text
    assert "direction LR" in text


def test_states_stand_in_states_and_regions_side_by_side() -> None:
    lines = [line.strip() for line in to_mermaid(NESTED).splitlines()]
    inside = lines[lines.index("state both {") : lines.index("}", lines.index("state both {"))]
    assert inside == ["state both {", "[*] --> l1", "l1", "l2", "--", "[*] --> r1", "r1"]
    assert "[*] --> low" in lines
    assert "both --> on : back (H)" in lines


def test_states_and_steps_are_marked() -> None:
    step = SimpleNamespace(source_state="new", target_state="paid")
    text = to_mermaid(ORDER, highlight="paid", trace=[step])  # type: ignore[list-item]
    assert "    class paid active" in text.splitlines()
    assert "    class new visited" in text.splitlines()
    svg = to_svg(ORDER, highlight=["paid"], trace=[step])  # type: ignore[list-item]
    assert 'class="state active"' in svg
    assert 'class="arrow taken"' in svg


@pytest.mark.parametrize("config", [ORDER, NESTED], ids=["order", "nested"])
def test_documents_are_well_formed(config: dict[str, Any]) -> None:
    names = {state["name"] for state in config["states"]}
    scxml = ET.fromstring(to_scxml(config))
    ids = {element.get("id") for element in scxml.iter()}
    assert names <= ids
    svg = ET.fromstring(to_svg(config, title="<&>"))
    drawn = {element.get("id") for element in svg.iter()}
    assert {f"state-{name}" for name in names} <= drawn
    assert json.loads(to_xstate(config))["initial"] == config["states"][0]["name"]
    asl = json.loads(to_asl(config))
    assert names <= set(asl["States"])
    assert to_plantuml(config).startswith("@startuml\n")
    assert to_plantuml(config).endswith("@enduml")


def boxes(svg: str) -> dict[str, tuple[float, float, float, float]]:
    space = "{http://www.w3.org/2000/svg}"
    found = {}
    for group in ET.fromstring(svg).iter(f"{space}g"):
        rect = group.find(f"{space}rect")
        if rect is not None:
            name = group.get("id", "").removeprefix("state-")
            x, y, width, height = (float(rect.get(key, "0")) for key in ("x", "y", "width", "height"))
            found[name] = (x, y, x + width, y + height)
    return found


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_states_stand_inside_their_parents_and_apart_from_their_siblings(direction: str) -> None:
    places = boxes(to_svg(NESTED, direction=direction))
    for outer, inner in [("on", "low"), ("on", "high"), ("both", "l1"), ("both", "r1")]:
        left, top, right, bottom = places[outer]
        x, y, x2, y2 = places[inner]
        assert left <= x < x2 <= right
        assert top <= y < y2 <= bottom
    siblings = [("idle", "on"), ("on", "both"), ("low", "high"), ("l1", "l2"), ("l1", "r1")]
    for one, other in siblings:
        a, b = places[one], places[other]
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_statistics_count() -> None:
    assert get_statistics(ORDER) == {
        "total_states": 3, "initial_states": 1, "terminal_states": 1, "stable_states": 1, "total_transitions": 3,
        "guarded_transitions": 1, "actioned_transitions": 1, "unique_triggers": 2, "triggers": ["drop", "pay"],
        "states_with_timeouts": 1, "max_fan_out": 2, "fan_out_by_state": {"new": 2, "paid": 2, "lost": 0},
    }  # fmt: skip


def test_a_title_names_the_graph() -> None:
    assert to_dot(ORDER, title="My orders").startswith("digraph My_orders {")
    assert to_dot(ORDER, title="1").startswith('digraph "1" {')
    assert 'label="My orders";' in to_dot(ORDER, title="My orders")


def test_states_of_errors_have_the_shape_of_others_in_flowcharts() -> None:
    states = [{"name": "a", "type": "initial"}, {"name": "lost", "type": "error"}]
    config = {"states": states, "transitions": [{"trigger": "fail", "source": "a", "dest": "lost"}]}
    assert "    lost[lost]" in to_mermaid_flowchart(config).splitlines()
