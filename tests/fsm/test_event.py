"""Events: frozen, lazy, in order."""

import copy
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from uuid import UUID

import pytest

from spikard.fsm import Event


def test_what_an_event_holds() -> None:
    event = Event("go", {"a": 1}, source="test")
    assert event["a"] == 1
    assert "a" in event
    assert event.get("b", 3) == 3
    assert event.with_payload(b=2).payload == {"a": 1, "b": 2}
    assert event.with_payload(b=2).event_id == event.event_id
    assert event.with_metadata(who="me").metadata == {"who": "me"}
    assert Event.simple("go", a=1).payload == {"a": 1}
    with pytest.raises(ValueError, match="Event trigger cannot be empty"):
        Event("")
    with pytest.raises(AttributeError, match="cannot assign to field 'trigger'"):
        event.trigger = "stop"


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e)), lambda e: Event.from_dict(e.to_dict())]
)
def test_copies_are_equal(again) -> None:
    event = Event("go", {"a": 1}, metadata={"x": [1]})
    assert again(event) == event


def test_ids_sort_as_events_happened() -> None:
    first = Event("go")
    born = time.time_ns()
    while time.time_ns() // 1_000_000 == born // 1_000_000:
        pass
    second = Event("go")
    later = second.event_id  # asked for first, made second
    assert first.event_id < later
    assert later.version == 7
    assert isinstance(later, UUID)
    assert first.timestamp.tzinfo is UTC
    assert first.timestamp < second.timestamp


def test_threads_that_ask_at_once_are_told_the_same_id() -> None:
    start = threading.Barrier(8)

    def ask(event: Event) -> UUID:
        start.wait(20)
        return event.event_id

    with ThreadPoolExecutor(8) as threads:
        for _ in range(200):
            assert len(set(threads.map(ask, [Event("go")] * 8))) == 1
