"""The AsyncAPI document of an application, printed."""

from spikard.cli import document


def run(arguments: list[str]) -> int:
    """Print it."""
    return document.run(arguments, "asyncapi", lambda app: app.asyncapi())
