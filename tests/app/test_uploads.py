"""Uploads through a server: where files are kept, and what is refused before it is read."""

import asyncio
import contextlib
import tempfile
from pathlib import Path
from typing import Annotated, Any

import pytest

from spikard import File, Spikard, UploadFile
from spikard.config import RouteConfig, ServerConfig
from spikard.errors import RouteError
from tests.conftest import Serve

THRESHOLD = 10_000


def test_large_files_go_to_disk(serve: Serve, tmp_path: Path) -> None:
    app = Spikard(config=ServerConfig(spool_threshold=THRESHOLD))

    @app.post("/")
    async def store(file: UploadFile) -> Any:
        start = await file.aread(4)
        await file.aseek(0)
        size = await file.asave(tmp_path / "copy")
        pieces = [len(piece) async for piece in file.iter(4096)]
        return [file.rolled_to_disk, start.decode(), size, file.size, sum(pieces)]

    client = serve(app).client
    small, large = b"small" * 10, b"large" * 200_000
    assert client.post("/", files={"file": ("s", small)}).json() == [False, "smal", 50, 50, 50]
    assert client.post("/", files={"file": ("l", large)}).json() == [True, "larg", len(large), len(large), len(large)]
    assert (tmp_path / "copy").read_bytes() == large


def test_files_on_disk_can_be_changed(serve: Serve) -> None:
    app = Spikard(config=ServerConfig(spool_threshold=0))

    @app.post("/")
    async def change(file: UploadFile) -> Any:
        await file.aseek(0, 2)
        await file.awrite(b"!")
        assert isinstance(file.file, tempfile.SpooledTemporaryFile)
        return [file["content"], file.size, file.rolled_to_disk]

    assert serve(app).client.post("/", files={"file": ("f", b"hello")}).json() == ["hello!", 6, True]


def test_files_are_closed_with_their_request(serve: Serve) -> None:
    app = Spikard(config=ServerConfig(spool_threshold=0))
    descriptors: list[int] = []

    @app.post("/")
    async def store(file: UploadFile) -> Any:
        descriptors.append(file.file.fileno())

    client = serve(app).client
    for _ in range(20):
        assert client.post("/", files={"file": ("f", b"hello")}).status_code == 200
    # Numbers that are free again are taken again.
    assert len(set(descriptors)) < 20


def test_many_files(serve: Serve) -> None:
    app = Spikard()

    @app.post("/")
    async def store(files: list[UploadFile], other: UploadFile | None = None) -> Any:
        return [[file.filename for file in files], other]

    client = serve(app).client
    sent = [("files", (f"{n}.txt", b"x")) for n in range(3)]
    assert client.post("/", files=sent).json() == [["0.txt", "1.txt", "2.txt"], None]
    assert client.post("/", files=sent[:1]).json() == [["0.txt"], None]
    assert client.post("/").status_code == 422


def test_limits_of_a_route(serve: Serve) -> None:
    app = Spikard(config=ServerConfig(max_file_size=100))

    @app.post("/wide", config=RouteConfig(max_file_size=None, max_files=1))
    async def wide(files: list[UploadFile]) -> int:
        return len(files)

    @app.post("/own")
    async def own(file: Annotated[UploadFile, File(max_size=10, content_types=["text/*"])]) -> int:
        return file.size

    client = serve(app).client
    assert client.post("/wide", files={"files": ("a", b"x" * 1000)}).json() == 1
    two = [("files", ("a", b"1")), ("files", ("b", b"2"))]
    assert client.post("/wide", files=two).json()["detail"] == "Form exceeds maximum allowed number of 1 files"
    refused = client.post("/own", files={"file": ("a", b"x" * 11, "text/plain")})
    assert (refused.status_code, refused.headers["connection"]) == (413, "close")
    assert client.post("/own", files={"file": ("a", b"x" * 10, "text/plain")}).json() == 10
    assert client.post("/own", files={"file": ("a", b"x", "image/png")}).status_code == 422


def test_a_file_that_is_too_large_is_refused_while_it_comes(serve: Serve) -> None:
    app = Spikard(config=ServerConfig(max_body_size=None, max_file_size=1000))

    @app.post("/")
    async def store(file: UploadFile) -> int:
        return file.size

    head = (
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\n"
        b"content-length: 1000000000\r\n\r\n"
        b'--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n'
    )
    # The rest never comes: the answer does not wait for it.
    answer = serve(app).exchange(head + b"x" * 2000)
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_form_that_ends_early(serve: Serve) -> None:
    app = Spikard()

    @app.post("/")
    async def store(file: UploadFile) -> int:
        return file.size

    served = serve(app)
    with served.connect() as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\n"
            b'content-length: 1000\r\n\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\nx'
        )
    assert served.client.post("/", files={"file": ("f", b"1")}).json() == 1


def test_the_body_limit_holds_for_forms(serve: Serve) -> None:
    app = Spikard(config=ServerConfig(max_body_size=1000))

    @app.post("/")
    async def store(file: UploadFile) -> int:
        return file.size

    client = serve(app).client
    assert client.post("/", files={"file": ("f", b"x" * 2000)}).status_code == 413

    def pieces() -> Any:
        yield b'--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n'
        yield b"x" * 2000

    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert client.post("/", content=pieces(), headers=headers).status_code == 413


def test_upload_outside_a_server(tmp_path: Path) -> None:
    file = UploadFile("a.txt", b"hello", "text/plain", headers={"x": "y"})
    assert (file["filename"], file["content"], file["content_type"], file["size"]) == (
        "a.txt",
        "hello",
        "text/plain",
        5,
    )
    assert dict(file) == {"filename": "a.txt", "content": "hello", "content_type": "text/plain", "size": 5}
    assert UploadFile("b", b"\xff")["content"] == b"\xff"
    assert (UploadFile("b").content_type, UploadFile("b").size) == ("application/octet-stream", 0)
    with pytest.raises(KeyError):
        file["other"]
    assert (file.read(2), file.read(), file.read()) == (b"he", b"llo", b"")
    assert file.seek(0) == 0
    assert file.write(b"HELLO!") == 6
    assert file.size == 6
    assert file.as_bytes_io().read() == b"HELLO!"
    assert file.save(tmp_path / "a") == 6
    assert (tmp_path / "a").read_bytes() == b"HELLO!"
    with file:
        assert not file.closed
    assert file.closed


def test_upload_grows_to_disk() -> None:
    async def main() -> None:
        async with UploadFile("a", max_spool_size=10) as file:
            assert not file.rolled_to_disk
            await file.awrite(b"x" * 11)
            assert file.rolled_to_disk
            await file.aseek(0)
            assert [piece async for piece in file.iter(6)] == [b"x" * 6, b"x" * 5]
            # As other frameworks spell it.
            await file.seek(0)  # type: ignore[misc]
            assert await file.read(1) == b"x"  # type: ignore[misc]
        assert file.closed

    asyncio.run(main())


def test_what_cannot_become_a_file_is_refused_at_the_decorator() -> None:
    app = Spikard()
    with pytest.raises(RouteError, match="a file cannot become"):

        @app.post("/")
        async def store(file: Annotated[int, File()]) -> None: ...

    with contextlib.suppress(AttributeError):
        assert "file" not in app.get_routes()
