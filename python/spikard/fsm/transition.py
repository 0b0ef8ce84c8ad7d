"""Transitions."""

from dataclasses import field
from typing import Any

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.frozen import frozen
from spikard.fsm.guard_spec import GuardSpec
from spikard.fsm.history_type import parse_history_dest


@frozen
class Transition:
    """A rule: on `trigger`, from any of `source`, go to `dest` if all `guards` pass."""

    trigger: str
    source: frozenset[str]
    dest: str
    region: str | None = None
    guards: tuple[GuardSpec, ...] = ()
    actions: tuple[ActionSpec, ...] = ()
    after: int | None = None
    internal: bool = False
    auto: bool = False
    priority: int | None = None
    description: str = ""
    refs: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.trigger:
            raise ValueError("Transition trigger cannot be empty")
        if not self.source:
            raise ValueError("Transition must have at least one source state")
        if not self.dest:
            raise ValueError("Transition destination cannot be empty")
        for name in (self.trigger, self.dest, *self.source):
            if not isinstance(name, str):
                raise ValueError(
                    f"Names in transitions are texts, not {name!r}; put it in quotes (YAML takes on, off, yes and no "
                    "for booleans, and digits for numbers)"
                )
        if self.after is not None and self.after < 0:
            raise ValueError("Transition delay must be non-negative")

    @property
    def is_region_transition(self) -> bool:
        """Whether it moves one region of a parallel state."""
        return self.region is not None

    @property
    def is_delayed(self) -> bool:
        """Whether time fires it."""
        return self.after is not None and self.after > 0

    @property
    def is_history_target(self) -> bool:
        """Whether it goes back to where a compound state was left."""
        return parse_history_dest(self.dest) is not None

    @property
    def guard_names(self) -> tuple[str, ...]:
        """The names of its named guards."""
        return tuple(guard.name for guard in self.guards if guard.name is not None)

    @property
    def action_names(self) -> tuple[str, ...]:
        """The names of its actions."""
        return tuple(action.name for action in self.actions)

    @classmethod
    def from_single_source(
        cls,
        trigger: str,
        source: str,
        dest: str,
        *,
        region: str | None = None,
        guards: tuple[GuardSpec, ...] = (),
        actions: tuple[ActionSpec, ...] = (),
        after: int | None = None,
        internal: bool = False,
        auto: bool = False,
        description: str = "",
        metadata: dict[str, Any] | None = None,
    ) -> "Transition":
        """A transition from one state."""
        return cls(
            trigger=trigger,
            source=frozenset((source,)),
            dest=dest,
            region=region,
            guards=guards,
            actions=actions,
            after=after,
            internal=internal,
            auto=auto,
            description=description,
            metadata=metadata or {},
        )

    def matches_source(self, state: str) -> bool:
        """Whether a state is one of its sources."""
        return state in self.source

    def has_guards(self) -> bool:
        """Whether it has conditions."""
        return bool(self.guards)

    def has_expression_guards(self) -> bool:
        """Whether one of its conditions is an expression."""
        return any(guard.is_expression for guard in self.guards)

    def to_config(self) -> dict[str, Any]:
        """The transition as configurations write it, without what is the default."""
        sources = sorted(self.source)
        config: dict[str, Any] = {
            "trigger": self.trigger,
            "source": sources[0] if len(sources) == 1 else sources,
            "dest": self.dest,
        }
        for key in ("region", "after", "priority"):
            value = getattr(self, key)
            if value is not None:
                config[key] = value
        for key in ("guards", "actions"):
            items = getattr(self, key)
            if items:
                config[key] = [item.to_config() for item in items]
        for key in ("internal", "auto", "description"):
            value = getattr(self, key)
            if value:
                config[key] = value
        if self.refs:
            config["refs"] = list(self.refs)
        if self.metadata:
            config["metadata"] = dict(self.metadata)
        return config
