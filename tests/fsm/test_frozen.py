"""Parts of machines: records that nobody changes, dataclasses to all who look."""

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, fields, is_dataclass, replace
from typing import Any

import pytest

from spikard.fsm import ActionSpec, CheckSpec, GuardSpec, InvokeSpec, Region, State, StateType, Timeout, Transition

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
    assert repr(part) == f"{type(part).__name__}({', '.join(f'{name}={value!r}' for name, value in values.items())})"
    assert list(asdict(part)) == names
    for again in (type(part)(**values), replace(part), copy.deepcopy(part), pickle.loads(pickle.dumps(part))):
        assert again == part
        assert again is not part
    with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{names[0]}'"):
        setattr(part, names[0], "other")
    with pytest.raises(FrozenInstanceError, match=f"cannot delete field '{names[0]}'"):
        delattr(part, names[0])
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
