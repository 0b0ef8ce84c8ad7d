"""Routes: how they are declared, grouped and found again.

- `route`: `Route`, one method and path with its handler; `RouteOptions`, what was declared about it
- `router`: `Router`, registration, prefixes, nesting
- `plan`: `HandlerPlan`, how a request becomes a call
- `decorators`: `get`, `post`, … on the current application
- `url`: building addresses from patterns
"""

from spikard.routing.route import HttpMethod, Route, RouteOptions
from spikard.routing.router import Router

__all__ = ["HttpMethod", "Route", "RouteOptions", "Router"]
