"""How fast a machine is, on this computer."""

import time
from collections.abc import Callable

from spikard.cli.fsm import machine_file, options
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_USAGE, Failure, print_rows

ROUNDS = 5


def run(arguments: list[str]) -> int:
    """Print microseconds for each kind of work: the best of some rounds, as the least disturbed."""
    parser = options.command_parser("bench", "Measure a machine: building it, events, sessions.")
    options.add_file(parser)
    options.add_variables(parser)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long to measure in all (2)")
    given = parser.parse_args(arguments)
    if given.seconds <= 0:
        raise Failure("--seconds must be above 0", EXIT_USAGE)
    from spikard.fsm.state_machine import StateMachine
    from spikard.fsm.testing.simulation import Simulation

    config = machine_file.load(given.file, options.variables(given.var))
    simulation = Simulation(StateMachine.from_dict(config))
    # Of guards that nobody has registered only the asking is measured.
    simulation.answers.update(dict.fromkeys(simulation.unregistered, True))
    machine = simulation.machine
    work: dict[str, Callable[[], object]] = {
        "build from a mapping": lambda: StateMachine.from_dict(config),
        "session": machine.create,
    }
    for state in machine.state_names:
        for trigger in machine.get_available_triggers(state):
            if not machine.is_terminal(state) and not trigger.startswith("_") and not machine.states[state].is_choice:
                work[f"{trigger} in {state}"] = lambda state=state, trigger=trigger: machine.process(state, trigger, {})  # type: ignore[misc]
    share = given.seconds / len(work) / ROUNDS
    rows = [{"work": name, "microseconds": round(timed(call, share), 3)} for name, call in work.items()]
    print_rows(rows, ("work", "microseconds"), as_json=given.json, name="measured", nothing="nothing to measure")
    return EXIT_DONE


def timed(call: Callable[[], object], seconds: float) -> float:
    """Microseconds of one call, the best of some rounds of so many seconds."""
    call()
    count = 1
    while True:
        took = measured(call, count)
        if took >= seconds / 4 or count > 1 << 24:
            break
        count *= 4
    count = max(1, int(count * seconds / max(took, 1e-9)))
    return min(measured(call, count) for _ in range(ROUNDS)) / count * 1e6


def measured(call: Callable[[], object], count: int) -> float:
    """Seconds of so many calls."""
    begun = time.perf_counter()
    for _ in range(count):
        call()
    return time.perf_counter() - begun
