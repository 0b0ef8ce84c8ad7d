"""Properties of machines, proved or refuted."""

from typing import TYPE_CHECKING, Any

from spikard.cli.fsm import machine_file, options
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_FINDINGS, EXIT_USAGE, Failure, print_json

if TYPE_CHECKING:
    from spikard.fsm.testing.verification import Verification


def run(arguments: list[str]) -> int:
    """Verify: 3 where a property is violated, and with `--fail-on unknown` also where nothing is known."""
    parser = options.command_parser(
        "verify",
        "Look at everything that can happen to a new entity of a machine: does it fulfil properties? "
        "Without --property: that it has no deadlock, and its contracts and invariants.",
    )
    options.add_file(parser)
    options.add_variables(parser)
    parser.add_argument(
        "--property", "-p", metavar="TEXT", action="append", default=[], dest="properties",
        help="never X, always X, eventually X, X leads_to Y, deadlock, contracts, invariants; may be repeated",
    )  # fmt: skip
    parser.add_argument("--fair", action="store_true", help="nothing goes round for ever where a way leads out")
    parser.add_argument("--max-places", metavar="N", type=int, help="give up after so many (10000)")
    parser.add_argument(
        "--fail-on", choices=("violated", "unknown"), default="violated", help="what ends with 3 (violated)"
    )
    given = parser.parse_args(arguments)
    machine = machine_file.build(given.file, options.variables(given.var))
    from spikard.fsm.testing import verify
    from spikard.fsm.testing.properties import Property
    from spikard.fsm.testing.verification import Verdict

    try:
        claims = [Property.read(text) for text in given.properties or ("deadlock", "contracts", "invariants")]
    except ValueError as error:
        raise Failure(str(error), EXIT_USAGE) from None
    limits: dict[str, Any] = {} if given.max_places is None else {"max_places": given.max_places}
    try:
        found = [verify(machine, claim, fair=given.fair, **limits) for claim in claims]
    except ValueError as error:
        # A condition that cannot be read, or names what the machine does not know.
        raise Failure(str(error), EXIT_USAGE) from None
    if given.json:
        print_json({"file": str(given.file), "properties": [one.to_dict() for one in found]})
    else:
        tell(found)
    grave = {Verdict.VIOLATED} | ({Verdict.UNKNOWN} if given.fail_on == "unknown" else set())
    return EXIT_FINDINGS if any(one.verdict in grave for one in found) else EXIT_DONE


def tell(found: "list[Verification]") -> None:
    """Print what is known of each property, with the way to where it is violated."""
    for one in found:
        print(one)
