"""The document and its pages as they are served."""

import gzip
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
import yaml

from spikard import Response, Spikard
from spikard.config import ApiKeyConfig, JwtConfig, OpenApiConfig, SecuritySchemeInfo, ServerConfig, ServerInfo
from spikard.exceptions import ConfigError
from spikard.openapi.pages import ASSETS
from tests.conftest import Serve

VIEWERS = ["/docs", "/redoc", "/scalar"]


def made(debug: bool = False, production: bool = True, **described: Any) -> Spikard:
    config = ServerConfig(
        openapi=OpenApiConfig(**{"enabled": True, "scalar_path": "/scalar", **described}),
        docs_in_production=production,
    )
    app = Spikard(config, debug=debug)

    @app.get("/teas/{name}")
    async def read(name: str) -> str:
        return name

    return app


class Addresses(HTMLParser):
    """What a page loads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.document = ""
        self.inline: list[str] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._inside = tag
        self.found += [values[name] or "" for name in ("src", "href") if name in values]
        self.document = values.get("data-document") or self.document

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style") and data.strip():
            self.inline.append(data)


def test_the_document_is_served_as_json_and_yaml(serve: Serve) -> None:
    app = made()
    client = serve(app).client
    answer = client.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == app.openapi()
    text = client.get("/openapi.yaml")
    assert (text.status_code, text.headers["content-type"]) == (200, "application/yaml")
    assert yaml.safe_load(text.text) == app.openapi()


def test_what_the_application_changes_is_served(serve: Serve) -> None:
    app = made()
    app.openapi()["info"]["x-logo"] = "logo.svg"
    assert serve(app).client.get("/openapi.json").json()["info"]["x-logo"] == "logo.svg"


@pytest.mark.parametrize("path", VIEWERS)
def test_a_page_loads_nothing_from_elsewhere(serve: Serve, path: str) -> None:
    client = serve(made()).client
    page = client.get(path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    found = Addresses(page.text)
    assert found.inline == []
    assert urljoin(path, found.document) == "/openapi.json"
    loaded = [address for address in found.found if not address.startswith("data:")]
    assert loaded
    for address in loaded:
        assert not urlsplit(address).netloc
        file = client.get(urljoin(path, address))
        assert file.status_code == 200, address
        assert "immutable" in file.headers["cache-control"]
        expected = "text/css" if ".css" in address else "text/javascript"
        assert file.headers["content-type"] == f"{expected}; charset=utf-8"
        assert file.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", VIEWERS)
def test_a_page_runs_no_script_of_others(serve: Serve, path: str) -> None:
    policy = serve(made()).client.get(path).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self'"
    assert rules["connect-src"] == "'self'"


def test_pages_may_reach_the_servers_that_the_document_names(serve: Serve) -> None:
    flows = {"clientCredentials": {"tokenUrl": "https://id.example/token", "scopes": {}}}
    app = made(
        servers=[ServerInfo("https://a.example/v1"), ServerInfo("/v2"), ServerInfo("https://{x}.b.example")],
        security_schemes={"login": SecuritySchemeInfo("oauth2", flows=flows)},
    )
    policy = serve(app).client.get("/docs").headers["content-security-policy"]
    assert "connect-src 'self' https://a.example https://id.example;" in policy


def test_titles_are_escaped(serve: Serve) -> None:
    text = serve(made(title="<script>alert(1)</script>")).client.get("/docs").text
    assert "<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>" in text


def test_files_go_out_compressed_unless_that_is_not_accepted(serve: Serve) -> None:
    client = serve(made()).client
    packed = client.get("/docs/swagger-ui-bundle.js", headers={"accept-encoding": "gzip"})
    plain = client.get("/docs/swagger-ui-bundle.js", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert "accept-encoding" in plain.headers["vary"].lower()


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/docs/swagger-ui.css"])
def test_what_a_browser_has_is_not_sent_again(serve: Serve, path: str) -> None:
    client = serve(made()).client
    etag = client.get(path).headers["etag"]
    again = client.get(path, headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405


def test_paths_are_free_to_choose(serve: Serve) -> None:
    app = made(swagger_ui_path="/internal/ui/", redoc_path=None, scalar_path=None, openapi_json_path="/internal/api")
    client = serve(app).client
    found = Addresses(client.get("/internal/ui/").text)
    assert urljoin("/internal/ui/", found.document) == "/internal/api"
    for address in found.found[1:]:
        assert client.get(urljoin("/internal/ui/", address)).status_code == 200
    assert client.get("/internal/api.yaml").status_code == 200
    assert client.get("/redoc").status_code == 404


def test_a_page_without_a_public_document_has_its_own(serve: Serve) -> None:
    client = serve(made(openapi_json_path=None)).client
    assert client.get("/openapi.json").status_code == 404
    found = Addresses(client.get("/docs").text)
    assert client.get(urljoin("/docs", found.document)).json()["openapi"] == "3.1.0"


def test_the_root_can_be_the_page(serve: Serve) -> None:
    client = serve(made(swagger_ui_path="/")).client
    found = Addresses(client.get("/").text)
    assert client.get(urljoin("/", found.document)).status_code == 200
    for address in found.found[1:]:
        assert client.get(urljoin("/", address)).status_code == 200


@pytest.mark.parametrize(
    ("app", "status"),
    [
        (made(enabled=False), 404),
        (Spikard(), 404),
        (made(production=False), 404),
        (made(production=False, debug=True), 200),
    ],
    ids=["disabled", "absent", "in production", "debugging"],
)
def test_documents_are_served_when_asked_for(serve: Serve, app: Spikard, status: int) -> None:
    client = serve(app).client
    for path in ("/openapi.json", "/openapi.yaml", "/docs", "/redoc"):
        assert client.get(path).status_code == status


def test_routes_of_the_application_win(serve: Serve) -> None:
    app = made()
    app.get("/docs")(lambda: Response("mine", media_type="text/plain"))
    assert serve(app).client.get("/docs").text == "mine"


def test_documents_are_open_where_routes_are_not(serve: Serve) -> None:
    app = made()
    app.config = app.config.copy(api_key_auth=ApiKeyConfig(["key"]))
    client: httpx.Client = serve(app).client
    assert client.get("/openapi.json").status_code == 200
    assert client.get("/docs").status_code == 200


CLOSED = ["/openapi.json", "/openapi.yaml", "/docs", "/redoc", "/scalar", "/asyncapi.json"]


def closed(protection: Any, **settings: Any) -> Spikard:
    app = made(protect_docs=protection)
    app.config = app.config.copy(**settings)

    @app.websocket("/taste")
    async def taste(message: str) -> str:
        return message

    return app


@pytest.mark.parametrize(
    ("app", "key"),
    [
        (closed(True, api_key_auth=ApiKeyConfig(["kitchen"])), "kitchen"),
        (closed(True, api_key_auth=ApiKeyConfig(["kitchen"], exempt=["/{rest:path}"])), "kitchen"),
        (closed(ApiKeyConfig(["office"])), "office"),
        (closed(ApiKeyConfig(["office"]), api_key_auth=ApiKeyConfig(["kitchen"])), "office"),
    ],
    ids=["as the server", "exempt", "own", "own before the server's"],
)
def test_closed_documents_are_for_those_who_are_let_in(serve: Serve, app: Spikard, key: str) -> None:
    client = serve(app).client
    for path in CLOSED:
        refused = client.get(path)
        assert (refused.status_code, refused.json()["title"]) == (401, "Missing API key"), path
        assert client.head(path).status_code == 401
        assert client.get(path, headers={"x-api-key": "guess"}).status_code == 401
        shown = client.get(path, headers={"x-api-key": key})
        assert (shown.status_code, shown.headers["cache-control"]) == (200, "private, no-cache"), path
        known = {"if-none-match": shown.headers["etag"]}
        assert client.get(path, headers=known).status_code == 401
        assert client.get(path, headers={**known, "x-api-key": key}).status_code == 304
    program = client.get("/docs/swagger-ui.css")
    assert (program.status_code, "immutable" in program.headers["cache-control"]) == (200, True)


def test_a_token_that_is_optional_elsewhere_is_none_of_closed_documents(serve: Serve) -> None:
    client = serve(closed(JwtConfig("secret", optional=True))).client
    assert client.get("/docs").status_code == 401
    assert client.get("/teas/x").status_code == 200


def test_documents_that_nobody_could_open_end_the_start(serve: Serve) -> None:
    with pytest.raises(ConfigError, match=r"protect_docs closes /openapi\.json, but nothing is configured"):
        serve(made(protect_docs=True))


def test_every_compressed_file_is_whole() -> None:
    packed = sorted(ASSETS.glob("*.gz"))
    assert packed
    for path in packed:
        assert gzip.decompress(path.read_bytes()), path.name


def test_no_file_of_a_page_names_a_server_it_would_ask() -> None:
    # Images and fonts that the programs would fetch from their makers.
    foreign = re.compile(rb"https?://(?:cdn|fonts|proxy|api)\.(?:redoc\.ly|scalar\.com|googleapis\.com)")
    found = {
        path.name: sorted({match.decode() for match in foreign.findall(gzip.decompress(path.read_bytes()))})
        for path in ASSETS.glob("redoc*.gz")
    }
    assert found == {"redoc.standalone.js.gz": []}


def test_licences_lie_beside_the_files() -> None:
    licences = {path.name for path in ASSETS.glob("*.LICENSE")}
    assert licences == {"redoc.LICENSE", "scalar-api-reference.LICENSE", "swagger-ui-dist.LICENSE"}
