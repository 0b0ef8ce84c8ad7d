"""A log against a machine: the same as `discovery conform`."""

from spikard.cli.fsm import discovery


def run(arguments: list[str]) -> int:
    """Say how well the log fits."""
    return discovery.run(["conform", *arguments])
