"""Parts of machines: records that nobody changes, dataclasses to all who look."""

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, fields, is_dataclass, replace
from typing import Any

import pytest

from spikard.fsm import (
    ActionSpec,
    CheckSpec,
    GuardSpec,
    InvokeSpec,
    Region,
    State,
    StateMachine,
    StateType,
    Timeout,
    Transition,
)

PARTS = [
    State("open", on_enter=(ActionSpec("ring"),), timeout=Timeout(5, "shut"), metadata={"by": [1]}),
    Transition("go", frozenset({"open"}), "shut", guards=(GuardSpec("may"),)),
    ActionSpec("ring", {"times": 2}, timeout=1.5),
    GuardSpec("may"),
    CheckSpec("size", "gt", 3),
    Region("left", "on", ("on", "off")),
    InvokeSpec("job", "source"),
    Timeout(5, "shut"),
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: type(part).__name__)
def test_parts_are_dataclasses_that_stay_as_they_are(part: Any) -> None:
    assert is_dataclass(part)
    names = [field.name for field in fields(part)]
    values = {name: getattr(part, name) for name in names}
    shown = ", ".join(f"{field.name}={values[field.name]!r}" for field in fields(part) if field.repr)
    assert repr(part) == f"{type(part).__name__}({shown})"
    assert list(asdict(part)) == names
    for again in (type(part)(**values), replace(part), copy.deepcopy(part), pickle.loads(pickle.dumps(part))):
        assert again == part
        assert again is not part
    with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{names[0]}'"):
        setattr(part, names[0], "other")
    with pytest.raises(FrozenInstanceError, match=f"cannot delete field '{names[0]}'"):
        delattr(part, names[0])
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'nothing_of_the_kind'"):
        part.nothing_of_the_kind = 1
    assert getattr(part, names[0]) == values[names[0]]
    with pytest.raises(TypeError):
        type(part)(**values, nothing_of_the_kind=1)


def test_parts_hash_by_their_fields_and_have_defaults_of_their_own() -> None:
    assert hash(Timeout(5, "shut")) == hash(Timeout(5, "shut"))
    assert Timeout(5, "shut") != Timeout(6, "shut")
    with pytest.raises(TypeError, match="unhashable"):
        hash(State("open"))
    assert State("open").metadata is not State("open").metadata


def test_parts_check_themselves() -> None:
    assert State("open", type="initial").type is StateType.INITIAL  # type: ignore[arg-type] # a text is taken, too
    with pytest.raises(ValueError, match="lowercase"):
        State("Open")
    with pytest.raises(TypeError):
        State()  # type: ignore[call-arg] # a name is missing


def test_programs_derive_records_of_their_own() -> None:
    @dataclass(frozen=True)
    class Place(State):
        colour: str = "red"

        def __post_init__(self) -> None:
            super().__post_init__()
            object.__setattr__(self, "description", f"a {self.colour} place")

    class Noted(Timeout):
        note = ""

    place = Place("open", StateType.INITIAL, colour="green")
    assert (place.colour, place.description, place.is_initial, place.metadata) == ("green", "a green place", True, {})
    assert replace(place, colour="blue").description == "a blue place"
    assert place == Place("open", StateType.INITIAL, colour="green")
    assert place != State("open", StateType.INITIAL, "a green place")
    assert StateMachine({"open": place}, []).get_state("open") is place
    with pytest.raises(ValueError, match="lowercase"):
        Place("Open")
    with pytest.raises(FrozenInstanceError, match="colour"):
        place.colour = "grey"  # type: ignore[misc]
    noted = Noted(5, "shut")
    noted.note = "why"
    assert (noted.note, noted) == ("why", Noted(5, "shut"))
    with pytest.raises(FrozenInstanceError, match="seconds"):
        noted.seconds = 6  # type: ignore[misc]


def test_dots_are_in_names_of_submachines_only() -> None:
    assert State("deal.open", parent="deal").name == "deal.open"
    assert State("deal.done", parent="deal.open").name == "deal.done"
    assert Region("deal.left", "deal.on").name == "deal.left"
    for make in (
        lambda: State("deal.open"), lambda: State("deal.open", parent="other"), lambda: Region("deal.left", "on"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="must contain only lowercase letters"):
            make()
