"""Files as answers: whole, in parts, or not at all when the client has them."""

import os
import pathlib
import re
import threading

import pytest

from spikard import FileResponse, Request, Response, ServerConfig, Spikard
from spikard.background import BackgroundTasks
from tests.conftest import Serve
from tests.served import Served

STAMP = 1_704_164_645
DATE = "Tue, 02 Jan 2024 03:04:05 GMT"
LATER = "Tue, 02 Jan 2024 03:04:06 GMT"
TEXT = b"0123456789abcdef"


def stamped(path: pathlib.Path, content: bytes) -> pathlib.Path:
    path.write_bytes(content)
    os.utime(path, (STAMP, STAMP))
    return path


@pytest.fixture
def text(tmp_path: pathlib.Path) -> pathlib.Path:
    return stamped(tmp_path / "text.txt", TEXT)


def answering(path: pathlib.Path, **options: object) -> Spikard:
    app = Spikard(ServerConfig(compression=None))

    @app.get("/")
    async def handler() -> FileResponse:
        return FileResponse(path, **options)

    return app


@pytest.fixture
def served(serve: Serve, text: pathlib.Path) -> Served:
    return serve(answering(text))


def test_a_file_is_sent_with_what_marks_its_state(served: Served) -> None:
    response = served.client.get("/")
    assert (response.status_code, response.content) == (200, TEXT)
    assert response.headers["content-type"] == "text/plain"
    assert response.headers["content-length"] == "16"
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["last-modified"] == DATE
    assert re.fullmatch(r'W/"[0-9a-f]+-[0-9a-f]+"', response.headers["etag"])
    assert "content-disposition" not in response.headers


def test_head_says_the_same_without_the_content(served: Served) -> None:
    whole, head = served.client.get("/"), served.client.head("/")
    assert (head.status_code, head.content) == (200, b"")
    drop = {"date", "x-request-id"}
    assert {k: v for k, v in head.headers.items() if k not in drop} == {
        k: v for k, v in whole.headers.items() if k not in drop
    }


@pytest.mark.parametrize(
    ("asked", "content", "shown"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/16"),
        ("bytes=10-", b"abcdef", "bytes 10-15/16"),
        ("bytes=-2", b"ef", "bytes 14-15/16"),
        ("bytes=12-99", b"cdef", "bytes 12-15/16"),
        ("bytes=0-0, 99-100", b"0", "bytes 0-0/16"),
    ],
)
def test_a_range_is_a_part(served: Served, asked: str, content: bytes, shown: str) -> None:
    response = served.client.get("/", headers={"range": asked})
    assert (response.status_code, response.content) == (206, content)
    assert response.headers["content-range"] == shown
    assert response.headers["content-length"] == str(len(content))
    assert response.headers["content-type"] == "text/plain"


def test_several_ranges_are_parts_of_one_body(served: Served) -> None:
    response = served.client.get("/", headers={"range": "bytes=0-1,4-5,-1"})
    assert response.status_code == 206
    assert "content-range" not in response.headers
    boundary = response.headers["content-type"].removeprefix("multipart/byteranges; boundary=")
    head = "content-type: text/plain\r\ncontent-range: bytes"
    assert response.text == (
        f"--{boundary}\r\n{head} 0-1/16\r\n\r\n01\r\n"
        f"--{boundary}\r\n{head} 4-5/16\r\n\r\n45\r\n"
        f"--{boundary}\r\n{head} 15-15/16\r\n\r\nf\r\n"
        f"--{boundary}--\r\n"
    )
    assert response.headers["content-length"] == str(len(response.content))


@pytest.mark.parametrize(
    "asked", ["bytes=16-", "bytes=-0", "bytes=x-y", "bytes=5-2", "bytes=" + ",".join(f"{n}-{n}" for n in range(9))]
)
def test_a_bad_range_is_refused(served: Served, asked: str) -> None:
    response = served.client.get("/", headers={"range": asked})
    assert response.status_code == 416
    assert response.headers["content-range"] == "bytes */16"
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["title"] == "Range Not Satisfiable"
    assert response.json()["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize("asked", ["lines=1-2", "bytes", "bytes=0-,0-,0-"])
def test_other_ranges_get_the_whole_file(served: Served, asked: str) -> None:
    response = served.client.get("/", headers={"range": asked})
    assert (response.status_code, response.content) == (200, TEXT)


def test_ranges_are_for_get_alone(served: Served) -> None:
    response = served.client.head("/", headers={"range": "bytes=0-3"})
    assert (response.status_code, response.headers["content-length"]) == (200, "16")


def test_a_known_state_is_not_sent_again(served: Served) -> None:
    tag = served.client.get("/").headers["etag"]
    for known in (
        {"if-none-match": tag},
        {"if-none-match": tag.removeprefix("W/")},
        {"if-none-match": f'"other", {tag}'},
        {"if-none-match": "*"},
        {"if-modified-since": DATE},
        {"if-modified-since": LATER},
    ):
        for method in ("GET", "HEAD"):
            response = served.client.request(method, "/", headers=known)
            assert (response.status_code, response.content) == (304, b""), known
            assert response.headers["etag"] == tag
            assert response.headers["last-modified"] == DATE
            assert "content-type" not in response.headers


def test_another_state_is_sent(served: Served) -> None:
    for other in (
        {"if-none-match": '"other"'},
        {"if-none-match": '"other"', "if-modified-since": LATER},
        {"if-modified-since": "Tue, 02 Jan 2024 03:04:04 GMT"},
        {"if-modified-since": "nonsense"},
        {"if-unmodified-since": DATE},
        {"if-match": "*"},
    ):
        assert served.client.get("/", headers=other).status_code == 200, other


def test_what_must_not_have_changed_is_refused_when_it_has(served: Served) -> None:
    for other in ({"if-match": '"other"'}, {"if-unmodified-since": "Tue, 02 Jan 2024 03:04:04 GMT"}):
        response = served.client.get("/", headers=other)
        assert response.status_code == 412, other
        assert response.headers["content-type"] == "application/problem+json"


def test_a_range_of_a_state_needs_that_state(served: Served) -> None:
    def status(known: str) -> int:
        return served.client.get("/", headers={"range": "bytes=0-3", "if-range": known}).status_code

    assert status(DATE) == 206
    assert status(LATER) == 200
    assert status('"other"') == 200
    # A weak tag says nothing about single bytes.
    assert status(served.client.get("/").headers["etag"]) == 200


def test_a_tag_of_the_handlers_own_counts(serve: Serve, text: pathlib.Path) -> None:
    client = serve(answering(text, headers={"ETag": '"v1"', "Cache-Control": "max-age=5"})).client
    assert client.get("/").headers["etag"] == '"v1"'
    known = client.get("/", headers={"if-none-match": '"v1"'})
    assert (known.status_code, known.headers["cache-control"]) == (304, "max-age=5")
    assert client.get("/", headers={"range": "bytes=0-3", "if-range": '"v1"'}).content == b"0123"
    assert client.get("/", headers={"if-match": '"v1"'}).status_code == 200


@pytest.mark.parametrize(
    ("options", "content_type", "disposition"),
    [
        ({"filename": "a b.pdf"}, "application/pdf", 'attachment; filename="a b.pdf"'),
        ({"filename": "x.txt", "inline": True}, "text/plain", 'inline; filename="x.txt"'),
        ({"inline": True}, "text/plain", "inline"),
        ({"media_type": "text/x"}, "text/x", None),
        ({"filename": "é.txt"}, "text/plain", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt"),
        ({"headers": {"Content-Disposition": "own"}, "filename": "x.txt"}, "text/plain", "own"),
    ],
)
def test_type_and_name(
    serve: Serve, text: pathlib.Path, options: dict, content_type: str, disposition: str | None
) -> None:
    response = serve(answering(text, **options)).client.get("/")
    assert (response.headers["content-type"], response.headers.get("content-disposition")) == (
        content_type,
        disposition,
    )
    assert response.content == TEXT


def test_a_path_returned_is_its_file(serve: Serve, text: pathlib.Path) -> None:
    app = Spikard()

    @app.get("/async")
    async def coroutine() -> pathlib.Path:
        return text

    @app.get("/sync")
    def threaded():
        return text

    @app.get("/waiting")
    async def waiting(request: Request) -> FileResponse:
        import asyncio

        await asyncio.sleep(0)
        return text

    @app.post("/posted")
    async def posted() -> pathlib.Path:
        return text

    client = serve(app).client
    for path in ("/async", "/sync", "/waiting"):
        response = client.get(path, headers={"range": "bytes=0-3"})
        assert (response.status_code, response.content) == (206, b"0123"), path
    response = client.post("/posted", headers={"range": "bytes=0-3", "if-modified-since": LATER})
    assert (response.status_code, response.content) == (200, TEXT)


@pytest.mark.parametrize("name", ["absent", "directory", "text.txt/below", "pipe"])
def test_what_is_no_file_is_not_found(serve: Serve, text: pathlib.Path, name: str) -> None:
    (text.parent / "directory").mkdir()
    os.mkfifo(text.parent / "pipe")
    response = serve(answering(text.parent / name)).client.get("/")
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert str(text.parent) not in response.text


def test_an_empty_file(serve: Serve, tmp_path: pathlib.Path) -> None:
    client = serve(answering(stamped(tmp_path / "empty", b""))).client
    response = client.get("/")
    assert (response.status_code, response.content, response.headers["content-length"]) == (200, b"", "0")
    assert response.headers["content-type"] == "application/octet-stream"
    assert client.get("/", headers={"range": "bytes=0-"}).status_code == 416


def test_a_large_file_comes_whole_and_in_parts(serve: Serve, tmp_path: pathlib.Path) -> None:
    content = os.urandom(3_000_000)
    client = serve(answering(stamped(tmp_path / "large", content))).client
    assert client.get("/").content == content
    assert client.get("/", headers={"range": "bytes=500000-2500000"}).content == content[500_000:2_500_001]
    several = client.get("/", headers={"range": "bytes=0-999999,2000000-2999999"})
    assert content[:1_000_000] in several.content
    assert content[2_000_000:] in several.content
    assert client.head("/").headers["content-length"] == "3000000"


def test_another_status_is_sent_as_it_is(serve: Serve, text: pathlib.Path) -> None:
    app = Spikard()

    @app.exception_handler(404)
    async def missing(request: Request, fault: Exception) -> Response:
        response = FileResponse(text)
        response.status_code = 404
        return response

    response = serve(app).client.get("/nowhere", headers={"range": "bytes=0-1", "if-none-match": "*"})
    assert (response.status_code, response.content) == (404, TEXT)


def test_hooks_see_a_file_and_may_change_its_headers(serve: Serve, text: pathlib.Path) -> None:
    app = answering(text)

    @app.on_response
    async def mark(response: Response) -> Response:
        assert isinstance(response, FileResponse)
        assert response.path == text
        response.headers["x-seen"] = "yes"
        return response

    response = serve(app).client.get("/", headers={"range": "bytes=0-3"})
    assert (response.status_code, response.content, response.headers["x-seen"]) == (206, b"0123", "yes")


def test_work_after_a_file(serve: Serve, text: pathlib.Path) -> None:
    app, done = Spikard(), threading.Event()

    @app.get("/")
    async def handler() -> FileResponse:
        tasks = BackgroundTasks()
        tasks.add_task(done.set)
        return FileResponse(text, background=tasks)

    assert serve(app).client.get("/").content == TEXT
    assert done.wait(20)


def test_a_file_that_gets_shorter_ends_the_connection(serve: Serve, tmp_path: pathlib.Path) -> None:
    path = stamped(tmp_path / "shrinking", b"x" * 20_000_000)
    served = serve(answering(path))
    with served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        got = len(connection.recv(1000))
        os.truncate(path, 1000)
        while chunk := connection.recv(1_000_000):
            got += len(chunk)
    assert got < 20_000_000


def test_a_path_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(TypeError):
        FileResponse(None)
    with pytest.raises(ValueError, match="header"):
        FileResponse("a", media_type="text/plain\r\nx: y")
