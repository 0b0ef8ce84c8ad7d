"""The machines of the benchmark, as plain data."""

FLAT = {
    "meta": {"machine_name": "flat"},
    "states": [
        {"name": "idle", "type": "initial"},
        {"name": "active", "on_enter": ["notify"]},
        {"name": "done", "type": "terminal"},
    ],
    "transitions": [
        {"trigger": "start", "source": "idle", "dest": "active", "actions": ["log_it"]},
        {"trigger": "stop", "source": "active", "dest": "idle"},
        {"trigger": "finish", "source": "active", "dest": "done"},
    ],
}
# Without actions: all that is left of an event is the step.
BARE = {
    "states": [{"name": "idle", "type": "initial"}, {"name": "active"}],
    "transitions": [
        {"trigger": "start", "source": "idle", "dest": "active"},
        {"trigger": "stop", "source": "active", "dest": "idle"},
    ],
}
CHECK = {
    **FLAT,
    "transitions": [
        {
            "trigger": "start",
            "source": "idle",
            "dest": "active",
            "guards": [{"check": {"field": "qty", "op": "gt", "value": 10}}],
        }
    ],
}
EXPRESSION = {
    **FLAT,
    "transitions": [
        {
            "trigger": "start",
            "source": "idle",
            "dest": "active",
            "guards": [{"expr": "qty > 10 and price * qty < 1000"}],
        }
    ],
}
CONTEXT = {"qty": 12, "price": 3.5, "side": "buy"}
NESTED = {
    "states": [
        {"name": "outside", "type": "initial", "on_enter": ["e0"]},
        {"name": "top", "initial_child": "middle", "on_exit": ["x1"]},
        {"name": "middle", "parent": "top", "initial_child": "leaf", "on_exit": ["x2"]},
        {"name": "leaf", "parent": "middle", "on_exit": ["x3"]},
    ],
    "transitions": [
        {"trigger": "enter", "source": "outside", "dest": "top"},
        {"trigger": "leave", "source": "top", "dest": "outside"},
    ],
}
PARALLEL = {
    "states": [
        {"name": "start", "type": "initial"},
        {
            "name": "work",
            "type": "parallel",
            "regions": [
                {"name": f"r{number}", "initial": f"a{number}", "states": [f"a{number}", f"b{number}"]}
                for number in range(3)
            ],
        },
        *({"name": f"{letter}{number}", "parent": "work"} for number in range(3) for letter in "ab"),
    ],
    "transitions": [
        {"trigger": "go", "source": "start", "dest": "work"},
        *(
            {"trigger": "next", "source": f"a{number}", "dest": f"b{number}", "region": f"r{number}"}
            for number in range(3)
        ),
    ],
}
