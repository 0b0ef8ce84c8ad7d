"""Built-in guards and actions, sinks, the bus of changes."""

import asyncio
import logging
from pathlib import Path

import pytest

from spikard.fsm import (
    ActionRegistry,
    ActionSpec,
    ChangeBus,
    ChangeEvent,
    EventSink,
    MetricSink,
    builtin_registries,
    configure_event_sink,
    configure_metric_sink,
    copy_key,
    get_builtin_catalog,
    register_builtins,
    snapshot,
    validate_keys,
    write_local_file,
)  # fmt: skip
from spikard.fsm.builtin_actions import log, trace
from spikard.fsm.builtin_guards import key_missing, key_present

ACTIONS = "noop log trace set_context snapshot copy_key validate_keys write_local_file publish emit_metric".split()


def test_registries_get_what_is_missing() -> None:
    guards, actions = builtin_registries()
    assert guards.list_guards() == ["always", "never", "key_present", "key_missing"]
    assert actions.list_actions() == ACTIONS
    own = ActionRegistry()
    own.register("log", print)
    _, filled = register_builtins(None, own)
    assert filled is own
    assert own.get("log") is print
    catalog = get_builtin_catalog()
    assert [entry["name"] for entry in catalog["actions"]] == ACTIONS
    assert all(entry["summary"] for kind in ("guards", "actions", "effects") for entry in catalog[kind])


def test_guards() -> None:
    assert key_present({"a": 0}, key="a")
    assert not key_present({"a": None}, key="a")
    assert key_missing({}, key="a")


def test_actions_on_the_context(caplog: pytest.LogCaptureFixture) -> None:
    context = {"a": [1], "_p": 1}
    snapshot(context, label="before")
    copy_key(context, key_from="a", key_to="b")
    copy_key(context, **{"from": "a", "to": "c"})
    context["a"].append(2)
    assert context["_snapshots"][0]["data"] == {"a": [1]}
    assert context["c"] is context["b"]
    validate_keys(context, required=["a", "z"])
    assert context["_validation_errors"] == ["z"]
    trace(context)
    assert context["_trace"][0]["action"] == "trace"
    with caplog.at_level(logging.INFO):
        log({"trigger": "go", "current_state": "a", "dest": "b"})
        log({}, message="hello", level="warning")
    assert caplog.messages[-2:] == ["go: a -> b", "hello"]


def test_files_stay_below_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    context = {"artifact_id": "X1", "v": {1}}
    assert write_local_file(context, directory="d") == "d/artifact_X1.txt"
    assert '"v": "{1}"' in (tmp_path / "d/artifact_X1.txt").read_text()
    assert context["_artifacts"] == [context["artifact_path"]]
    path = write_local_file(context, filename="f.txt", content="{artifact_id} {unknown} {v.__class__}")
    assert (tmp_path / path).read_text() == "X1 {unknown} {v.__class__}"
    context["artifact_id"] = "../x"
    for refused in (
        {"directory": "/abs"},
        {"filename": "../x"},
        {"directory": "a/../../b"},
        {"filename": "{artifact_id}"},
    ):
        with pytest.raises(ValueError, match="must be a relative path without"):
            write_local_file(context, **refused)


class Sink:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[object, ...]] = []

    def send(self, topic, payload, metadata) -> None:
        self.sent.append((topic, payload, metadata["state"]))

    def emit(self, name, value, tags) -> None:
        self.sent.append((name, value, tags))


def test_sinks(caplog: pytest.LogCaptureFixture) -> None:
    from spikard.fsm import ActionExecutor

    actions, sink = ActionRegistry(), Sink()
    assert isinstance(sink, EventSink)
    assert isinstance(sink, MetricSink)
    configure_event_sink(actions, sink)
    configure_metric_sink(actions, sink)
    executor, context = ActionExecutor(actions), {"a": 1, "_b": 2, "state": "s"}
    for name, params in (
        ("publish", {"topic": "x"}),
        ("publish", {"topic": "y", "include": ["a"]}),
        ("emit_metric", {"name": "n", "value": 3, "type": "gauge", "tags": {"k": "v"}}),
        ("publish", {}),
    ):
        assert executor.execute_action_spec(ActionSpec(name, params=params), context).success
    assert sink.sent == [
        ("x", {"a": 1, "state": "s"}, "s"),
        ("y", {"a": 1}, "s"),
        ("n", 3.0, {"k": "v", "metric_type": "gauge", "state": "s"}),
    ]
    assert "publish: missing 'topic' param" in caplog.text


async def test_changes_reach_other_loops(caplog: pytest.LogCaptureFixture) -> None:
    bus, first, other = ChangeBus(), ChangeEvent("machines", "saved", "m1"), ChangeEvent("other", "saved", "o")
    queue, all_news = bus.subscribe("machines"), bus.subscribe()
    await asyncio.to_thread(bus.publish, first)
    bus.publish(other)
    assert await asyncio.wait_for(queue.get(), 5) == first
    assert {(await asyncio.wait_for(all_news.get(), 5)).resource_id for _ in range(2)} == {"m1", "o"}
    bus.unsubscribe(queue, "machines")
    for number in range(300):
        bus.publish(ChangeEvent("machines", "saved", str(number)))
    assert queue.empty()
    assert all_news.qsize() == 200
    # Whoever does not keep up loses what came while the queue was full.
    assert [(await all_news.get()).resource_id for _ in range(200)][-1] == "199"
    assert caplog.text.count("Change event queue full for topic machines") == 100
    assert len(bus.recent) == 100
