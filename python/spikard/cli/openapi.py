"""The OpenAPI document of an application, printed."""

from spikard.cli import document


def run(arguments: list[str]) -> int:
    """Print it."""
    return document.run(arguments, "openapi", lambda app: app.openapi())
