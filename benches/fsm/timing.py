"""One process in which all libraries take turns, case by case, so that they share its luck. Prints JSON."""

import json
import sys
import time
import tracemalloc
from importlib.metadata import version

import spikard
from machines import FLAT
from spikard import fsm
from spikard._spikard import __profile__
from subjects import Subject, subjects

SECONDS = 0.06


def timed(subject: Subject, count: int) -> tuple[float, int]:
    """Microseconds of the processor for one event, the mean of as many calls as fit in; how many these were."""
    while True:
        began = time.process_time_ns()
        for _ in range(count):
            subject.call()
        took = time.process_time_ns() - began
        if took > SECONDS * 1e9:
            return took / count / subject.events / 1e3, count
        count = max(count * 2, int(count * SECONDS * 1e9 / max(took, 1000)))


def session_bytes() -> float:
    """Memory of one of our sessions at rest."""
    machine = fsm.StateMachine.from_dict(FLAT)
    count = 10_000
    tracemalloc.start()
    kept = [machine.create() for _ in range(count)]
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / len(kept)


def large_build() -> float:
    """Seconds to build a machine of 10,000 states."""
    states = [{"name": f"s{number}", "type": "stable" if number else "initial"} for number in range(10_000)]
    transitions = [
        {"trigger": "next", "source": f"s{number}", "dest": f"s{(number + 1) % 10_000}"} for number in range(10_000)
    ]
    began = time.process_time()
    fsm.StateMachine.from_dict({"states": states, "transitions": transitions})
    return time.process_time() - began


def main() -> None:
    rounds, first = int(sys.argv[1]), int(sys.argv[2])
    libraries = subjects()
    names = list(libraries)
    figures: dict[str, dict[str, list[float]]] = {name: {case: [] for case in libraries[name]} for name in names}
    counts: dict[tuple[str, str], int] = {}
    for number in range(rounds):
        shift = (first + number) % len(names)
        for case in libraries["spikard"]:
            for name in names[shift:] + names[:shift]:
                subject = libraries[name].get(case)
                if subject is not None:
                    took, count = timed(subject, counts.get((name, case), 1))
                    counts[name, case] = count
                    figures[name][case].append(took)
    extra = {"session_bytes": session_bytes(), "large_build": large_build()}
    versions = {name: version(name) for name in names if name != "spikard"} | {"spikard": spikard.__version__}
    json.dump({"figures": figures, "versions": versions, "extra": extra, "profile": __profile__}, sys.stdout)


if __name__ == "__main__":
    main()
