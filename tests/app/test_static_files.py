"""Directories served below a path."""

import gzip
import pathlib

import pytest

from spikard import Request, Response, ServerConfig, Spikard, StaticFilesConfig
from spikard.errors import ConfigError
from spikard.testing import TestClient
from tests.conftest import Serve
from tests.served import Served

PROBLEM = "application/problem+json"


@pytest.fixture
def site(tmp_path: pathlib.Path) -> pathlib.Path:
    root = tmp_path / "site"
    (root / "docs").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / ".hidden").mkdir()
    for name, content in {
        "hello.txt": "Hello from static storage\n",
        "index.html": "<p>home</p>\n",
        "docs/index.html": "<p>docs</p>\n",
        "a b.css": "p {}",
        "data": "raw",
        ".env": "SECRET=1",
        ".hidden/x.txt": "hidden",
    }.items():
        (root / name).write_text(content)
    (tmp_path / "outside.txt").write_text("outside")
    return root


def serving(site: pathlib.Path, prefix: str = "/public", **options: object) -> Spikard:
    app = Spikard(ServerConfig(compression=None))
    app.static(prefix, site, **options)
    return app


@pytest.fixture
def served(serve: Serve, site: pathlib.Path) -> Served:
    return serve(serving(site, cache_control="public, max-age=60"))


def status(served: Served, target: str) -> int:
    """The status of a path that no client would send like that."""
    raw = served.exchange(f"GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    return int(raw.split(b" ", 2)[1])


def test_a_file_is_served_by_its_path(served: Served) -> None:
    response = served.client.get("/public/hello.txt")
    assert (response.status_code, response.text) == (200, "Hello from static storage\n")
    assert response.headers["content-type"] == "text/plain"
    assert response.headers["cache-control"] == "public, max-age=60"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["etag"].startswith('W/"')
    assert "last-modified" in response.headers
    assert "x-request-id" in response.headers


def test_types_go_by_the_name(served: Served) -> None:
    types = {
        path: served.client.get(f"/public/{path}").headers["content-type"] for path in ("a%20b.css", "data", "docs/")
    }
    assert types == {"a%20b.css": "text/css", "data": "application/octet-stream", "docs/": "text/html"}


def test_a_directory_answers_with_its_index(served: Served) -> None:
    assert served.client.get("/public/").text == "<p>home</p>\n"
    assert served.client.get("/public/docs/").text == "<p>docs</p>\n"
    for path, target in (
        ("/public", "/public/"),
        ("/public/docs", "/public/docs/"),
        ("/public/docs?a=1&b", "/public/docs/?a=1&b"),
    ):
        response = served.client.get(path)
        assert (response.status_code, response.headers["location"]) == (308, target)


def test_what_is_not_there_is_not_found(served: Served) -> None:
    for path in ("/public/nope", "/public/empty/", "/public/empty", "/public/hello.txt/", "/public/hello.txt/x"):
        response = served.client.get(path)
        assert (response.status_code, response.headers["content-type"]) == (404, PROBLEM), path
        assert response.json()["detail"] == f"No route matches GET {path}"
    assert served.client.get("/publication").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../outside.txt",
        "/docs/../../outside.txt",
        "/%2e%2e/outside.txt",
        "/..%2foutside.txt",
        "/%2e%2e%2foutside.txt",
        "/docs%2f..%2f..%2foutside.txt",
        "/..%5coutside.txt",
        "/..\\outside.txt",
        "//hello.txt",
        "/docs//index.html",
        "/./hello.txt",
        "/c:/hello.txt",
        "/.env",
        "/%2eenv",
        "/.hidden/x.txt",
    ],
)
def test_no_path_leads_out(served: Served, path: str) -> None:
    assert status(served, f"/public{path}") == 404


def test_a_null_byte_is_refused(served: Served) -> None:
    assert status(served, "/public/hello.txt%00") in (400, 404)


def test_only_get_and_head(served: Served) -> None:
    head = served.client.head("/public/hello.txt")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "26")
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
        response = served.client.request(method, "/public/hello.txt")
        assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS"), method
    options = served.client.options("/public/hello.txt")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


def test_conditions_and_ranges(served: Served) -> None:
    first = served.client.get("/public/hello.txt")
    again = served.client.get("/public/hello.txt", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "public, max-age=60"
    since = {"if-modified-since": first.headers["last-modified"]}
    assert served.client.get("/public/hello.txt", headers=since).status_code == 304
    part = served.client.get("/public/hello.txt", headers={"range": "bytes=0-4"})
    assert (part.status_code, part.text) == (206, "Hello")
    assert served.client.get("/public/hello.txt", headers={"range": "bytes=99-"}).status_code == 416


def test_links_inside_are_followed_and_links_out_only_when_allowed(serve: Serve, site: pathlib.Path) -> None:
    (site / "inside.txt").symlink_to(site / "hello.txt")
    (site / "out.txt").symlink_to(site.parent / "outside.txt")
    (site / "up").symlink_to(site.parent)
    closed = serve(serving(site)).client
    assert closed.get("/public/inside.txt").status_code == 200
    assert closed.get("/public/out.txt").status_code == 404
    assert closed.get("/public/up/outside.txt").status_code == 404
    opened = serve(serving(site, follow_symlinks=True)).client
    assert opened.get("/public/out.txt").text == "outside"
    assert opened.get("/public/up/outside.txt").text == "outside"


def test_dotfiles_when_asked_for(serve: Serve, site: pathlib.Path) -> None:
    client = serve(serving(site, dotfiles=True)).client
    assert client.get("/public/.hidden/x.txt").text == "hidden"


def test_without_index_files_directories_are_not_found(serve: Serve, site: pathlib.Path) -> None:
    client = serve(serving(site, index_file=False)).client
    assert [client.get(path).status_code for path in ("/public", "/public/", "/public/docs/")] == [404, 404, 404]
    assert client.get("/public/index.html").status_code == 200


def test_a_page_of_scripts_answers_for_unknown_paths(serve: Serve, site: pathlib.Path) -> None:
    served = serve(serving(site, "/", html=True))
    for path in ("/some/view", "/orders/17", "/empty/"):
        response = served.client.get(path)
        assert (response.status_code, response.text) == (200, "<p>home</p>\n"), path
    assert served.client.get("/hello.txt").text == "Hello from static storage\n"
    assert status(served, "/../outside.txt") == 404
    assert status(served, "/.env") == 404


def test_compressed_siblings_stand_in(serve: Serve, site: pathlib.Path) -> None:
    packed = gzip.compress(b"p {}")
    (site / "a b.css.gz").write_bytes(packed)
    (site / "a b.css.br").write_bytes(b"as if brotli")
    served = serve(serving(site))

    def get(accept: str, **headers: str) -> tuple[str | None, str | None, bytes]:
        with served.client.stream(
            "GET", "/public/a%20b.css", headers={"accept-encoding": accept, **headers}
        ) as response:
            assert response.headers["content-type"] == "text/css"
            content = b"".join(response.iter_raw())
        return response.headers.get("content-encoding"), response.headers.get("vary"), content

    assert get("gzip") == ("gzip", "Accept-Encoding", packed)
    assert get("gzip, br") == ("br", "Accept-Encoding", b"as if brotli")
    assert get("gzip, br;q=0.5") == ("gzip", "Accept-Encoding", packed)
    assert get("zstd") == (None, "Accept-Encoding", b"p {}")
    assert get("identity") == (None, "Accept-Encoding", b"p {}")
    assert get("gzip", range="bytes=0-1") == ("gzip", "Accept-Encoding", packed[:2])
    alone = served.client.get("/public/hello.txt", headers={"accept-encoding": "gzip"})
    assert "vary" not in alone.headers
    plain = serve(serving(site, precompressed=False)).client
    assert "content-encoding" not in plain.get("/public/a%20b.css", headers={"accept-encoding": "gzip"}).headers


def test_max_age_is_short_for_a_header(serve: Serve, site: pathlib.Path) -> None:
    client = serve(serving(site, max_age=3600)).client
    assert client.get("/public/hello.txt").headers["cache-control"] == "public, max-age=3600"


def test_routes_go_first_and_long_prefixes_before_short_ones(
    serve: Serve, site: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "index.html").write_text("other")
    app = Spikard(ServerConfig(static_files=[StaticFilesConfig(site, "/")]))
    app.static("/docs", other)

    @app.get("/hello.txt")
    async def hello() -> str:
        return "the route"

    client = serve(app).client
    assert client.get("/hello.txt").json() == "the route"
    assert client.get("/docs/").text == "other"
    assert client.get("/docs/hello.txt").status_code == 404
    assert client.get("/a%20b.css").text == "p {}"
    assert client.get("/").text == "<p>home</p>\n"


def test_the_application_may_answer_for_what_is_missing(serve: Serve, site: pathlib.Path) -> None:
    app = serving(site)

    @app.exception_handler(404)
    async def missing(request: Request, fault: Exception) -> Response:
        return Response(f"no {request.path}", 404, media_type="text/plain")

    client = serve(app).client
    assert client.get("/public/nope").text == "no /public/nope"
    assert client.get("/public/hello.txt").text == "Hello from static storage\n"


def test_a_file_that_cannot_be_read_is_a_fault_of_ours(
    serve: Serve, site: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Root reads everything, so the fault is a loop of links.
    (site / "loop").symlink_to(site / "loop")
    response = serve(serving(site)).client.get("/public/loop")
    assert response.status_code in (404, 500)
    assert str(site) not in response.text


@pytest.mark.parametrize("kind", ["absent", "file"])
def test_a_directory_that_is_not_there_is_named_at_the_start(site: pathlib.Path, kind: str) -> None:
    directory = site / ("absent" if kind == "absent" else "hello.txt")
    with pytest.raises(ConfigError, match=rf"/public.*{directory.name}"), TestClient(serving(directory)):
        raise AssertionError("the server has started")


def test_options_are_checked() -> None:
    app = Spikard()
    with pytest.raises(ValueError, match="route_prefix"):
        app.static("public", ".")
    with pytest.raises(TypeError, match="cache"):
        app.static("/public", ".", cache="no")


def test_a_new_file_is_served_at_once(served: Served, site: pathlib.Path) -> None:
    (site / "new.txt").write_text("one")
    assert served.client.get("/public/new.txt").text == "one"
    (site / "new.txt").write_text("two and more")
    assert served.client.get("/public/new.txt").text == "two and more"
    (site / "new.txt").unlink()
    assert served.client.get("/public/new.txt").status_code == 404
