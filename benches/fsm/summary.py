"""What all rounds together say, as a table."""

import statistics
from dataclasses import dataclass
from typing import Any

BEGIN = "<!-- fsm: begin -->"
END = "<!-- fsm: end -->"

# The case, what it is, and what ours may take at most, in microseconds; None where nothing is asked for.
CASES: dict[str, tuple[str, float | None]] = {
    "flat": ("flat machine, one event", 1.0),
    "send": ("flat, stateful `send`", 2.0),
    "check": ("guard `check:`", 1.5),
    "expression": ("guard `expr:`", 2.0),
    "nested": ("3-level hierarchy, leave to root", 1.2),
    "parallel": ("3 parallel regions, all move", 3.0),
    "session": ("create session + 2 sends", 6.0),
    "build": ("build from dict (3 states)", 40.0),
    "orchestrated": ("orchestrated event, memory store", 8.0),
    "acted": ("the same, every second event with two actions", None),
    "batch": ("`process_many`, 1,000 events, for each", None),
}
SESSION_BYTES = 500
LARGE_BUILD = 1.0


@dataclass(frozen=True, slots=True)
class Figure:
    """Microseconds of one case of one library."""

    median: float
    low: float

    def __str__(self) -> str:
        digits = 2 if self.median < 10 else 1
        return f"{self.median:.{digits}f} ({self.low:.{digits}f})"


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures by library and case."""

    figures: dict[str, dict[str, Figure]]
    versions: dict[str, str]
    machine: dict[str, str]
    rounds: int
    session_bytes: float
    large_build: float

    title = "Machines: µs of processor time for an event"

    @classmethod
    def of(cls, runs: list[dict[str, Any]], machine: dict[str, str]) -> "Summary":
        """The summary of what processes have said."""
        first = runs[0]["figures"]
        figures = {
            name: {case: _figure([took for run in runs for took in run["figures"][name][case]]) for case in first[name]}
            for name in first
        }
        rounds = sum(len(run["figures"]["spikard"]["flat"]) for run in runs)
        extra = [run["extra"] for run in runs]
        return cls(
            figures,
            runs[0]["versions"],
            machine,
            rounds,
            statistics.median(one["session_bytes"] for one in extra),
            statistics.median(one["large_build"] for one in extra),
        )

    def markdown(self) -> str:
        """The table with what it must be read with."""
        machine, names = self.machine, list(self.figures)
        heads = " | ".join(f"{'**spikard**' if name == 'spikard' else name} {self.versions[name]}" for name in names)
        lines = [
            f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, load {machine['load']}.",
            f"Microseconds of the processor, median of {self.rounds} rounds (lowest in brackets).",
            "",
            f"| | gate | {heads} |",
            f"|---|---|{'---|' * len(names)}",
        ]
        for case, (text, gate) in CASES.items():
            cells = [str(self.figures[name].get(case, "")) for name in names]
            lines.append(f"| {text} | {'' if gate is None else f'{gate:g}'} | {' | '.join(cells)} |")
        lines += [
            "",
            f"A session of ours at rest takes {self.session_bytes:.0f} bytes (gate {SESSION_BYTES}).",
            f"10,000 states are built in {self.large_build:.2f} s (gate {LARGE_BUILD:g}).",
        ]
        return "\n".join(lines)

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "machine": self.machine,
            "versions": self.versions,
            "rounds": self.rounds,
            "microseconds": {
                name: {case: {"median": figure.median, "low": figure.low} for case, figure in cases.items()}
                for name, cases in self.figures.items()
            },
            "session_bytes": self.session_bytes,
            "large_build_seconds": self.large_build,
        }


def _figure(values: list[float]) -> Figure:
    return Figure(round(statistics.median(values), 3), round(min(values), 3))
