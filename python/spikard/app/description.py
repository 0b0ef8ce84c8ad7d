"""What an application says about itself to other programs."""

from collections.abc import Callable
from typing import Any

from spikard.config import ServerConfig
from spikard.openapi import build_asyncapi, build_openapi
from spikard.openapi.channels import described_as
from spikard.openapi.pages import Page, document_page, pages_of, protected
from spikard.routing.route import Route
from spikard.routing.socket_route import SocketRoute

Document = dict[str, Any]

# The settings that are told to clients, besides those of routes.
TOLD = ("openapi", "asyncapi", "jwt_auth", "api_key_auth", "cors", "rate_limit", "max_body_size", "allowed_hosts")


class SelfDescription:
    """The part of an application that writes its documents."""

    config: ServerConfig
    debug: bool
    _routes: list[Route]
    _sockets: list[SocketRoute]

    def __init__(self) -> None:
        # By kind: what the document was made from, and the document.
        self._documents: dict[str, tuple[tuple[Any, ...], Document]] = {}

    def openapi(self) -> Document:
        """The OpenAPI document of the routes registered so far.

        Until a route is added it is always the same object: what is changed in it is also in what is served.

            app.openapi()["info"]["x-logo"] = {"url": "/static/logo.svg"}
        """
        return self._openapi(self.config)

    def asyncapi(self) -> Document:
        """The AsyncAPI document of the WebSockets and event streams registered so far; kept like that of `openapi`."""
        return self._asyncapi(self.config)

    def _openapi(self, config: ServerConfig) -> Document:
        return self._document("openapi", config, lambda: build_openapi(self._routes, config))

    def _asyncapi(self, config: ServerConfig) -> Document:
        return self._document("asyncapi", config, lambda: build_asyncapi(self._sockets, self._routes, config))

    def _document(self, kind: str, config: ServerConfig, make: Callable[[], Document]) -> Document:
        made_from = (len(self._routes), len(self._sockets), *(getattr(config, name) for name in TOLD))
        known = self._documents.get(kind)
        if known is None or known[0] != made_from:
            known = self._documents[kind] = (made_from, make())
        return known[1]

    def _pages(self, config: ServerConfig) -> list[Page]:
        """What a server of this application answers beside its routes; native code asks when it starts."""
        pages: list[Page] = []
        if not config.docs_in_production and not self.debug:
            return pages
        if config.openapi is not None and config.openapi.enabled:
            pages += pages_of(self._openapi(config), config.openapi)
        channels = described_as(config)
        if channels.enabled and channels.asyncapi_json_path is not None:
            document = self._asyncapi(config)
            # Nobody asked for it in so many words: it is there when it has something to tell.
            if config.asyncapi is not None or document["channels"]:
                page = document_page(channels.asyncapi_json_path, document)
                pages.append(protected(page, channels.protect_docs))
        return pages


__all__ = ["SelfDescription"]
