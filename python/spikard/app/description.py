"""What an application says about itself to other programs."""

from collections.abc import Callable
from typing import Any

from spikard.config import ServerConfig
from spikard.openapi import build_openapi
from spikard.openapi.pages import Page, pages_of
from spikard.routing.route import Route

Build = Callable[[list[Route], ServerConfig], dict[str, Any]]

# The settings that are told to clients, besides those of routes.
TOLD = ("openapi", "asyncapi", "jwt_auth", "api_key_auth", "cors", "rate_limit", "max_body_size", "allowed_hosts")


class SelfDescription:
    """The part of an application that writes its documents."""

    config: ServerConfig
    debug: bool
    _routes: list[Route]

    def __init__(self) -> None:
        # By builder: what the document was made from, and the document.
        self._documents: dict[Build, tuple[tuple[Any, ...], dict[str, Any]]] = {}

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of the routes registered so far.

        Until a route is added it is always the same object: what is changed in it is also in what is served.

            app.openapi()["info"]["x-logo"] = {"url": "/static/logo.svg"}
        """
        return self._document(build_openapi, self.config)

    def _document(self, build: Build, config: ServerConfig) -> dict[str, Any]:
        made_from = (len(self._routes), *(getattr(config, name) for name in TOLD))
        known = self._documents.get(build)
        if known is None or known[0] != made_from:
            known = self._documents[build] = (made_from, build(self._routes, config))
        return known[1]

    def _pages(self, config: ServerConfig) -> list[Page]:
        """What a server of this application answers beside its routes; native code asks when it starts."""
        pages: list[Page] = []
        if not config.docs_in_production and not self.debug:
            return pages
        if config.openapi is not None and config.openapi.enabled:
            pages += pages_of(self._document(build_openapi, config), config.openapi)
        return pages


__all__ = ["SelfDescription"]
