"""Where the regions of a parallel state are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class ParallelStateConfig:
    """A parallel state and the active state of each of its regions."""

    parallel_state: str
    region_states: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "region_states", MappingProxyType(dict(self.region_states)))

    def __hash__(self) -> int:
        return hash((self.parallel_state, frozenset(self.region_states.items())))

    def __reduce__(self) -> tuple[type["ParallelStateConfig"], tuple[str, dict[str, str]]]:
        return type(self), (self.parallel_state, dict(self.region_states))

    def get_region_state(self, region_name: str) -> str | None:
        """The active state of a region."""
        return self.region_states.get(region_name)

    def is_in_state(self, state_name: str) -> bool:
        """Whether a state is active in any region."""
        return state_name in self.region_states.values()

    def get_all_active(self) -> list[str]:
        """The active states of all regions."""
        return list(self.region_states.values())

    def with_region_state(self, region_name: str, new_state: str) -> "ParallelStateConfig":
        """The same with one region elsewhere."""
        return ParallelStateConfig(self.parallel_state, {**self.region_states, region_name: new_state})

    def at(self, region_states: dict[str, str]) -> "ParallelStateConfig":
        """The same parallel state with all regions at other states; the mapping is the new one's own from now on."""
        config = object.__new__(ParallelStateConfig)
        _set_parallel_state(config, self.parallel_state)
        _set_region_states(config, MappingProxyType(region_states))
        return config

    def contains(self, state_name: str) -> bool:
        """Whether a state is the parallel state itself or active in any region."""
        return state_name == self.parallel_state or self.is_in_state(state_name)

    def to_string(self) -> str:
        """`p:r1=s1,r2=s2`, as stores keep it."""
        if not self.region_states:
            return self.parallel_state
        regions = ",".join(f"{name}={state}" for name, state in sorted(self.region_states.items()))
        return f"{self.parallel_state}:{regions}"

    @classmethod
    def from_string(cls, value: str) -> "ParallelStateConfig":
        """Reads what `to_string` wrote."""
        name, _, rest = value.partition(":")
        regions = {}
        for item in rest.split(","):
            region, equals, state = item.partition("=")
            if equals:
                regions[region.strip()] = state.strip()
        return cls(name, regions)


# Setting through the slots goes around the refusal of frozen instances, and around the copy for what needs none.
_set_parallel_state = ParallelStateConfig.__dict__["parallel_state"].__set__
_set_region_states = ParallelStateConfig.__dict__["region_states"].__set__
