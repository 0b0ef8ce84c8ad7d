"""What is probably not meant in machines."""

from spikard.cli.fsm import validate


def run(arguments: list[str]) -> int:
    """Print what is found: 0 if nothing is grave, 1 if a file is no machine, 3 for what is as grave as `--fail-on`."""
    description = (
        "Look for faults of machines in files, and for what is probably not meant. "
        "`metadata: {lint_ignore: [code]}` on a state or a transition silences a finding there."
    )
    return validate.inspect("lint", description, arguments, lint=True)
