"""Charts nobody has drawn: whatever happens, what is active is what can be active."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from spikard.fsm import ChartSession, FSMError, SimulatedClock, StateMachine

EVENTS = ["a", "b", "c.d"]


@st.composite
def charts(draw: st.DrawFn) -> str:
    """A chart of up to four levels with transitions between any two of its states, histories and final states."""
    ids: list[str] = []

    def state(depth: int, *, final: bool) -> str:
        name = f"s{len(ids)}"
        ids.append(name)
        kinds = ["atomic"] if depth > 2 else ["atomic", "compound", "parallel"]
        kind = draw(st.sampled_from([*kinds, "final"] if final else kinds))
        if kind == "final":
            return f'<final id="{name}"/>'
        inner = ""
        if kind != "atomic":
            inner = "".join(state(depth + 1, final=kind == "compound") for _ in range(draw(st.integers(1, 3))))
            if draw(st.booleans()):
                ids.append(f"h{name}")
                inner += f'<history id="h{name}" type="{draw(st.sampled_from(["deep", "shallow"]))}"/>'
        tag = "parallel" if kind == "parallel" else "state"
        return f'<{tag} id="{name}">@{name}@{inner}</{tag}>'

    body = "".join(state(0, final=False) for _ in range(draw(st.integers(1, 3))))
    for name in ids:
        rules = draw(
            st.lists(
                st.tuples(
                    st.sampled_from(["", *EVENTS, "*"]), st.sampled_from(["", *ids]), st.booleans(), st.booleans()
                ),
                max_size=3,
            )
        )
        written = ""
        for event, target, internal, counts in rules:
            attributes = f' event="{event}"' if event else f" cond=\"n &lt; 9 and In('{draw(st.sampled_from(ids))}')\""
            attributes += f' target="{target}"' if target else ""
            attributes += ' type="internal"' if internal else ""
            done = '<assign location="n" expr="n + 1"/>' if counts or not event else '<raise event="c.d"/>'
            written += f"<transition{attributes}>{done}</transition>"
        body = body.replace(f"@{name}@", written)
    return f'<scxml version="1.0"><datamodel><data id="n" expr="0"/></datamodel>{body}</scxml>'


def _outcome(act: Callable[[], Any]) -> str | None:
    try:
        act()
    except FSMError as error:
        return str(error)
    return None


@settings(deadline=None, max_examples=50)
@given(charts(), st.lists(st.sampled_from(["a", "b", "c.d", "c", "x"]), max_size=6))
def test_the_active_states_fit_together(text: str, events: list[str]) -> None:
    # Many of them go round in circles, which a low limit makes short.
    machine = StateMachine.from_dict({"meta": {"semantics": "scxml", "auto_depth": 50}, "scxml": text})
    clock = SimulatedClock()
    first: list[Any] = []
    if _outcome(lambda: first.append(machine.create(entity_id="e", clock=clock))) is not None:
        return
    (session,) = first
    assert isinstance(session, ChartSession)
    twin = machine.create(entity_id="e", clock=clock)
    for event in events:
        # A session that is made of a snapshot goes on as the one that it was taken from; one that cannot be is refused.
        again = ChartSession.from_snapshot(machine, session.snapshot(), clock=clock)
        outcomes = {_outcome(lambda one=one, event=event: one.send(event)) for one in (session, twin, again)}
        assert len(outcomes) == 1
        assert session.active_states == twin.active_states == again.active_states
        assert session.context == twin.context == again.context
        assert session.is_final == twin.is_final == again.is_final
