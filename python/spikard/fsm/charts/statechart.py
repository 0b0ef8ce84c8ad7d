"""Charts as machines."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from spikard._spikard import Chart, TransitionResult
from spikard.fsm.callbacks import Callbacks
from spikard.fsm.charts.computed import compute, first_values
from spikard.fsm.charts.document import read_address, read_chart, read_file
from spikard.fsm.charts.session import ChartSession
from spikard.fsm.charts.views import view_states, view_transitions
from spikard.fsm.definition import read_error_policy
from spikard.fsm.drawing import to_scxml
from spikard.fsm.event import Event
from spikard.fsm.front import front
from spikard.fsm.registries import new_registries
from spikard.fsm.state_machine import StateMachine

_MICROSTEPS = 10_000


class Statechart(StateMachine):
    """A machine that runs by SCXML's algorithm: several states at once, events that are raised and sent, a data model.

    Its sessions are `ChartSession`: they hold the data model, take events to their end and know what comes later.
    """

    chart: Chart
    _config: dict[str, Any] | None = None
    _first_values: dict[str, Any] | None = None

    def __init__(
        self,
        text: str,
        *,
        base: Path | None = None,
        path: str | None = None,
        strict: bool = False,
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        self._text = text
        self._hold(read_chart(text, base, path=path, strict=strict), base, meta or {})

    def _hold(self, chart: Chart, base: Path | None, meta: Mapping[str, Any]) -> None:
        self.chart = chart
        self._base = base
        self._states = view_states(chart)
        self._transitions = view_transitions(chart)
        self._meta = {"machine_name": chart.name, **meta, "semantics": "scxml"}
        self.error_policy = read_error_policy({}, self._meta)
        self._memory = {}
        self._fingerprint = None
        self._guards, self._actions = new_registries(self.error_policy.strict_guard_registry_effective(), True)
        self._callbacks = Callbacks()
        self._auto_depth = int(self._meta.get("auto_depth") or _MICROSTEPS)

    @classmethod
    def from_scxml(cls, text: str, *, strict: bool = False) -> Self:
        """A chart from SCXML."""
        return cls(text, strict=strict)

    @classmethod
    def from_scxml_file(cls, path: str | Path, *, strict: bool = False) -> Self:
        """A chart from a file of SCXML, which may refer to files beside it."""
        place = Path(path)
        return cls(read_file(place), base=place.parent, path=str(path), strict=strict)

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> Self:
        """A chart from plain data: a document under `scxml`, or states and transitions as other machines have them."""
        document = config.get("scxml")
        if document is not None:
            return cls(document, meta=config.get("meta"))
        front().validate_config(dict(config))
        chart = cls(to_scxml(config), meta=config.get("meta"))
        chart._config = dict(config)
        return chart

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self._text, self._base, self._meta, self._config)

    @property
    def max_microsteps(self) -> int:
        """How many microsteps one event may take; `auto_depth` of the metadata."""
        return self._auto_depth

    @property
    def initial_leaf(self) -> str:
        """The first of the leaves that the chart begins in."""
        here = self.chart.initial[0]
        initial = {name: (kind, states) for name, kind, _, states in self.chart.states()}
        while (found := initial[here])[1]:
            here = found[1][0]
        return here

    @property
    def trigger_names(self) -> list[str]:
        """All events that transitions wait for, sorted."""
        return sorted({transition.trigger for transition in self._transitions if not transition.auto})

    @property
    def fingerprint(self) -> str:
        """What tells this document from any other."""
        return hashlib.sha256(self._text.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` makes an equal chart of; with a document come its states and transitions, to draw."""
        if self._config is not None:
            return dict(self._config)
        return {**super().to_dict(), "scxml": self._text}

    def to_scxml(self, **options: Any) -> str:  # noqa: ARG002 - the document has its name already
        """The document itself."""
        return self._text

    def create(
        self,
        *,
        entity_id: str | None = None,
        context: dict[str, Any] | None = None,
        initial_state: str | None = None,
        execute_actions: bool = False,
        **options: Any,
    ) -> ChartSession:
        """A session of one entity; for further options see `ChartSession`."""
        return ChartSession(
            self,
            entity_id=entity_id,
            context=context,
            initial_state=initial_state,
            execute_actions=execute_actions,
            **options,
        )

    def process(
        self,
        current_state: str,
        event: str | Event,
        context: Mapping[str, Any] | None = None,
        *,
        history: Mapping[str, str] | None = None,
    ) -> TransitionResult:
        """What an event does from active leaves (`a`, or `a,b` in regions), computed; sessions carry it out."""
        if self._first_values is None:
            self._first_values = first_values(self.chart)
        return compute(self.chart, current_state, event, {**self._first_values, **(context or {})}, history or {})

    async def aprocess(
        self,
        current_state: str,
        event: str | Event,
        context: Mapping[str, Any] | None = None,
        *,
        history: Mapping[str, str] | None = None,
    ) -> TransitionResult:
        """`process`: a chart asks nothing that would have to be awaited."""
        return self.process(current_state, event, context, history=history)

    def _automatic(self, *_question: Any, **_options: Any) -> None:
        # A step of a chart ends at rest.
        return None

    async def _aautomatic(self, *_question: Any, **_options: Any) -> None:
        return None

    def _child(self, form: str, source: Any) -> "Statechart":
        """The chart of an invocation."""
        if form == "chart":
            child = type(self).__new__(type(self))
            child._text = ""
            child._hold(source, self._base, {})
            return child
        text = read_address(source, self._base) if form == "address" else str(source)
        return type(self)(text, base=self._base)


def _restore(
    cls: type[Statechart], text: str, base: Path | None, meta: dict[str, Any], config: dict[str, Any] | None
) -> Statechart:
    chart = cls(text, base=base, meta=meta)
    chart._config = config
    return chart
