"""The document and the pages that show it, ready to be served.

Scripts and styles lie in `assets/`, compressed; nothing is loaded from anywhere else.
"""

import hashlib
import html
import json
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from spikard.config import ApiKeyConfig, JwtConfig, OpenApiConfig
from spikard.openapi.yaml_text import to_yaml

ASSETS = Path(__file__).parent / "assets"
JSON = "application/json"
HTML = "text/html; charset=utf-8"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": HTML,
    ".js": "text/javascript; charset=utf-8",
}
REVALIDATED = "no-cache"
UNSHARED = "private, no-cache"
# The address of an asset has the hash of its content.
FOREVER = "public, max-age=31536000, immutable"
# Where a page finds the document when it has no address of its own.
BESIDE = "openapi.json"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
{styles}
</head>
<body>
<div id="page" data-document="{document}"></div>
{scripts}
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: its path, and what is sent."""

    path: str
    media_type: str
    content: bytes
    is_gzip: bool = False
    cache_control: str = REVALIDATED
    headers: Mapping[str, str] = field(default_factory=dict)
    # Whether it is for those only whom the server's schemes, or this one, let in.
    protection: bool | JwtConfig | ApiKeyConfig = False

    @property
    def etag(self) -> str:
        """Changes with the content, and stays while it stays."""
        return f'W/"{fingerprint(self.content)}"'


@dataclass(frozen=True, slots=True)
class Viewer:
    """A program that shows a document: its files, in the order they are loaded, and what its page may do."""

    scripts: tuple[str, ...]
    styles: tuple[str, ...] = ()
    # Files that the page loads by itself.
    others: tuple[str, ...] = ()
    policy: Mapping[str, str] = field(default_factory=dict)


SWAGGER_UI = Viewer(("swagger-ui-bundle.js", "start-swagger-ui.js"), ("swagger-ui.css",))
REDOC = Viewer(("redoc.standalone.js", "start-redoc.js"), policy={"worker-src": "blob:"})
SCALAR = Viewer(("scalar.js", "start-scalar.js"), policy={"font-src": "'self' data:"})


def pages_of(document: Mapping[str, Any], described: OpenApiConfig) -> Iterator[Page]:
    """Everything that is served for an OpenAPI document."""
    if described.openapi_json_path is not None:
        for page in (
            document_page(described.openapi_json_path, document),
            Page(_yaml_path(described.openapi_json_path), "application/yaml", to_yaml(document).encode()),
        ):
            yield protected(page, described.protect_docs)
    viewers = {
        described.swagger_ui_path: SWAGGER_UI,
        described.redoc_path: REDOC,
        described.scalar_path: SCALAR,
    }
    for path, viewer in viewers.items():
        if path is not None:
            yield from _viewer_pages(path, viewer, document, described)


def protected(page: Page, protection: bool | JwtConfig | ApiKeyConfig) -> Page:
    """The page for those only who are let in."""
    if protection is False:
        return page
    return replace(page, protection=protection, cache_control=UNSHARED)


def document_page(path: str, document: Mapping[str, Any]) -> Page:
    """A document as it is served."""
    return Page(path, JSON, json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def _viewer_pages(path: str, viewer: Viewer, document: Mapping[str, Any], described: OpenApiConfig) -> Iterator[Page]:
    folder = path.rstrip("/")
    target = described.openapi_json_path
    if target is None:
        target = f"{folder}/{BESIDE}"
        yield protected(document_page(target, document), described.protect_docs)
    address = posixpath.relpath(target, posixpath.dirname(path))
    loaded = {name: f"{posixpath.basename(path)}/{name}".lstrip("/") for name in (*viewer.styles, *viewer.scripts)}
    styles = "\n".join(f'<link rel="stylesheet" href="{_versioned(loaded[name], name)}">' for name in viewer.styles)
    scripts = "\n".join(f'<script src="{_versioned(loaded[name], name)}"></script>' for name in viewer.scripts)
    content = PAGE.format(
        title=html.escape(described.title), document=html.escape(address), styles=styles, scripts=scripts
    )
    headers = {
        "content-security-policy": content_security_policy(viewer, document),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }
    yield protected(Page(path, HTML, content.encode(), headers=headers), described.protect_docs)
    # The programs are everybody's: they tell nothing of the application.
    for name in (*viewer.styles, *viewer.scripts, *viewer.others):
        file, is_gzip = asset(name)
        media_type = MEDIA_TYPES[Path(name).suffix]
        kept = REVALIDATED if name in viewer.others else FOREVER
        yield Page(f"{folder}/{name}", media_type, file, is_gzip, kept, {"x-content-type-options": "nosniff"})


def content_security_policy(viewer: Viewer, document: Mapping[str, Any]) -> str:
    """What the page may load: its own files, and answers of the servers that the document names."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        # All of them write styles into the page.
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self' data:",
        "connect-src": " ".join(["'self'", *origins(document)]),
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'self'",
        **viewer.policy,
    }
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def origins(document: Mapping[str, Any]) -> list[str]:
    """The other places that requests tried out in a page go to: servers, and those that give tokens."""
    schemes = document.get("components", {}).get("securitySchemes", {}).values()
    flows = [flow for scheme in schemes for flow in scheme.get("flows", {}).values() if isinstance(flow, dict)]
    addresses = [str(server.get("url", "")) for server in document.get("servers", ())]
    addresses += [str(flow[name]) for flow in flows for name in ("tokenUrl", "refreshUrl") if name in flow]
    found = []
    for address in addresses:
        parts = urlsplit(address)
        # An address with a variable in its host could be anywhere.
        if parts.scheme in ("http", "https") and parts.netloc and not set(parts.netloc) & set("{}; ,'"):
            found.append(f"{parts.scheme}://{parts.netloc}")
    return list(dict.fromkeys(found))


@cache
def asset(name: str) -> tuple[bytes, bool]:
    """A file of the package, and whether it is compressed."""
    packed = ASSETS / f"{name}.gz"
    if packed.is_file():
        return packed.read_bytes(), True
    return (ASSETS / name).read_bytes(), False


@lru_cache(32)
def fingerprint(content: bytes) -> str:
    """A short text that another content does not have."""
    return hashlib.sha256(content).hexdigest()[:16]


def _versioned(address: str, name: str) -> str:
    return f"{address}?{fingerprint(asset(name)[0])}"


def _yaml_path(path: str) -> str:
    return path.removesuffix(".json") + ".yaml"


__all__ = ["Page", "document_page", "pages_of", "protected"]
