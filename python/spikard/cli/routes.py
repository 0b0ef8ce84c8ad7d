"""The table of an application's routes."""

import argparse
from typing import TYPE_CHECKING

from spikard.cli import document, table

if TYPE_CHECKING:
    from spikard.routing.route import Route

HEADINGS = ("Method", "Path", "Handler")


def run(arguments: list[str]) -> int:
    """Print the routes of the application that the arguments name."""
    parser = argparse.ArgumentParser(prog="spikard routes", description="List the routes of an application.")
    document.add_target(parser)
    parser.add_argument("--openapi", action="store_true", help="print the OpenAPI document in place of the table")
    options = parser.parse_args(arguments)
    app = document.loaded(options.target, options.app_dir)
    if isinstance(app, int):
        return app
    if options.openapi:
        document.write(app.openapi())
    else:
        sockets = [("WEBSOCKET", route.path, route.handler_name) for route in app._sockets]
        table.show(HEADINGS, [*(row(route) for route in app.get_routes()), *sockets])
    return 0


def row(route: "Route") -> tuple[str, str, str]:
    """What is shown of a route; a stream of events is told from what GET gives otherwise."""
    method = str(route.method) if route.event_source is None else f"{route.method} (SSE)"
    return method, route.path, route.handler_name
