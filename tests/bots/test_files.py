"""Files on their way in and out."""

import asyncio
import io
from pathlib import Path
from typing import Any

import httpx
import pytest

from spikard.bots import Bot, Retry
from spikard.bots.errors import FileDownloadError
from spikard.bots.files import is_akin, safe_name, sign, to_ogg_opus
from spikard.bots.testing import FakeVKTeams
from spikard.bots.types import FilePayload, InputFile, Message, filename_from_url

SWIFT = Retry(base=0.0)
CONTENT = bytes(range(256)) * 1000


class OneWay(io.RawIOBase):
    """A file that cannot go back."""

    def __init__(self, content: bytes) -> None:
        self._inner = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def readinto(self, buffer: Any) -> int:
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class OnlyRead:
    """What has nothing of a file but `read`."""

    def __init__(self, content: bytes) -> None:
        self.read = io.BytesIO(content).read


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*")]


def test_input_files(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"x")
    for source in (path, str(path)):
        name, fp = InputFile(source).read()
        assert (name, fp.read()) == ("notes.txt", b"x")
        fp.close()
    name, fp = InputFile(path, filename="other.txt").read()
    assert name == "other.txt"
    fp.close()
    assert InputFile(b"x").read()[0] is None
    buffer = io.BytesIO(b"x")
    assert InputFile(buffer).read() == (None, buffer)
    with pytest.raises(FileNotFoundError):
        InputFile(tmp_path / "none").read()
    assert InputFile.from_base64("aGk=", "a.txt").read()[1].read() == b"hi"
    assert InputFile.from_base64("data:text/plain;base64,aGk\n=").read()[1].read() == b"hi"
    with pytest.raises(ValueError, match="base64"):
        InputFile.from_base64("%%%")
    assert InputFile.from_buffer(bytearray(b"hi")).read()[1].read() == b"hi"
    assert "2 bytes" in repr(InputFile(b"hi"))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://h/photo.jpg", "photo.jpg"),
        ("https://h/a/b/logo.png?v=2#x", "logo.png"),
        ("https://h/%D1%84.jpg", "ф.jpg"),
        ("https://h/download", None),
        ("https://h/", None),
        ("https://h/..", None),
    ],
)
def test_names_in_addresses(url: str, name: str | None) -> None:
    assert filename_from_url(url) == name


async def test_files_from_elsewhere(server: FakeVKTeams) -> None:
    file_id = server.add_file(CONTENT, "a.png", "image/png")
    url = f"{server.base_url}/files/{file_id}?token={server.token}"
    file = await InputFile.from_url(url)
    assert file.read()[1].read() == CONTENT
    assert file.filename is None
    assert (await InputFile.from_url(url, name_from_type=True)).filename == "file.png"
    with pytest.raises(ValueError, match="larger than 1000"):
        await InputFile.from_url(url, max_size=1000)
    with pytest.raises(httpx.HTTPStatusError):
        await InputFile.from_url(f"{server.base_url}/files/none")


async def test_uploads_of_all_kinds(server: FakeVKTeams, tmp_path: Path) -> None:
    bot = server.bot()
    path = tmp_path / "имя.bin"
    path.write_bytes(CONTENT)
    named = path.open("rb")
    for source in (path, CONTENT, named, io.BytesIO(CONTENT), OneWay(CONTENT), InputFile(path), InputFile(str(path))):
        answer = await bot.send_file("c", file=source, caption="look")
        assert answer.file_id is not None
        sent = server.calls[-1].file
        assert sent is not None
        assert sent.content == CONTENT
    assert [call.file.filename for call in server.calls if call.file] == [
        "имя.bin",
        "file",
        "имя.bin",
        "file",
        "file",
        "имя.bin",
        "имя.bin",
    ]
    assert not named.closed, "whoever opens it closes it"
    named.close()
    await bot.send_file("c", file=OnlyRead(CONTENT))
    assert server.sent[-1].file_id is not None
    await bot.send_voice("c", file=InputFile(b"ogg", "v.ogg"))
    assert server.sent[-1].file_type == "voice"
    await bot.set_chat_avatar("c", b"png")
    assert server.api.chat("c").avatar is not None


async def test_row_19_what_is_opened_is_closed(server: FakeVKTeams, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x")
    opened = []

    class Watching(InputFile):
        def read(self) -> Any:
            found = super().read()
            opened.append(found[1])
            return found

    server.fail_next("messages/sendFile", 503, times=2)
    await server.bot(retry=SWIFT).send_file("c", file=Watching(path))
    assert len(opened) == 3
    assert all(fp.closed for fp in opened)


@pytest.mark.parametrize(("make", "expected"), [(io.BytesIO, b"before" + CONTENT), (OneWay, CONTENT)])
@pytest.mark.parametrize("fault", [503, "lost"])
async def test_files_go_back_to_their_beginning_between_attempts(
    server: FakeVKTeams, make: Any, expected: bytes, fault: Any
) -> None:
    bot = server.bot(retry=SWIFT)
    server.fail_next("messages/sendFile", fault, times=2)
    source = make(b"before" + CONTENT)
    source.read(6)
    await bot.send_file("c", file=source)
    assert [call.file.content == expected for call in server.calls if call.file] == [True] * 3
    assert len(server.sent) == 1


async def test_uploads_tell_how_far_they_are(server: FakeVKTeams) -> None:
    told: list[tuple[int, int]] = []
    await server.bot().send_file("c", file=CONTENT, progress=lambda sent, total: told.append((sent, total)))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)


async def test_downloads(server: FakeVKTeams, tmp_path: Path) -> None:
    bot = server.bot()
    file_id = server.add_file(CONTENT, "report.pdf")
    assert await bot.download_file(file_id) == CONTENT
    assert await bot.download_file(file_id, tmp_path) == tmp_path / "report.pdf"
    assert await bot.download_file(file_id, tmp_path, filename="other.pdf") == tmp_path / "other.pdf"
    deep = tmp_path / "a" / "b.bin"
    assert await bot.download_file(file_id, str(deep), chunk_size=1000) == deep
    assert deep.read_bytes() == CONTENT
    assert await bot.download(FilePayload(file_id=file_id)) == CONTENT
    assert await bot.download(await bot.get_file_info(file_id)) == CONTENT
    part = {"type": "file", "payload": {"fileId": file_id}}
    message = Message(parts=[part, part]).bound(bot)
    assert await message.download() == CONTENT
    assert await message.files[1].download() == CONTENT
    assert await message.download_all(tmp_path / "all") == [
        tmp_path / "all" / name for name in ("report.pdf", "report (2).pdf")
    ]
    assert (tmp_path / "all" / "report (2).pdf").read_bytes() == CONTENT
    assert await bot.download(message) == CONTENT
    with pytest.raises(ValueError, match="no downloadable"):
        await Message().bound(bot).download()
    with pytest.raises(ValueError, match="no file"):
        await bot.download(object())
    assert "part" not in {name.rpartition(".")[2] for name in names_in(tmp_path)}


async def test_downloads_that_fail_leave_nothing(server: FakeVKTeams, tmp_path: Path) -> None:
    bot = server.bot(retry=SWIFT)
    file_id = server.add_file(CONTENT)
    server.fail_next("files", 500, times=3)
    assert await bot.download_file(file_id) == CONTENT
    server.fail_next("files", 500, times=4)
    with pytest.raises(FileDownloadError, match="HTTP 500") as caught:
        await bot.download_file(file_id, tmp_path / "x")
    assert server.token not in str(caught.value) + caught.value.url
    with pytest.raises(FileDownloadError, match="larger than 10"):
        await bot.download_file(file_id, tmp_path / "x", max_size=10)
    with pytest.raises(FileDownloadError, match="404"):
        await bot.download_file_by_url(f"{server.base_url}/files/none")
    with pytest.raises(FileDownloadError, match="neither http"):
        await bot.download_file_by_url("file:///etc/passwd")
    assert names_in(tmp_path) == []


async def test_a_file_without_address(server: FakeVKTeams) -> None:
    server.fail_next("files/getInfo", {"ok": True, "filename": "x", "url": None})
    with pytest.raises(FileDownloadError, match="no address"):
        await server.bot().download_file("F")


def test_the_token_goes_verbatim_and_only_to_the_owner() -> None:
    token, api = "001.1.2:3", "https://api.teams.corp.ru/bot/v1"
    assert sign("https://files.corp.ru/x", token, api) == "https://files.corp.ru/x?token=001.1.2:3"
    assert sign("https://files.corp.ru/x?a=1#f", token, api) == "https://files.corp.ru/x?a=1&token=001.1.2:3"
    assert sign("https://files.corp.ru/x?token=other", token, api) == "https://files.corp.ru/x?token=other"
    for stranger in (
        "https://corp.ru.evil.com/x",
        "http://files.corp.ru/x",
        "https://evilcorp.ru/x",
        "https://other.ru",
    ):
        assert sign(stranger, token, api) == stranger
    assert not is_akin("https://a.co.uk", "https://b.co.uk")
    assert is_akin("https://files.a.co.uk", "https://api.a.co.uk")
    assert not is_akin("https://10.0.0.1", "https://11.0.0.1")
    assert is_akin("http://10.0.0.1:5/x", "http://10.0.0.1:6")
    assert not is_akin("https://files.intranet", "https://intranet")


async def test_a_signed_address_is_sent_as_it_is() -> None:
    seen = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.query)
        return httpx.Response(200, content=b"x")

    client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    async with Bot("001.1.2:3000000001", "https://api.corp.ru", http=client) as bot:
        await bot.download_file_by_url("https://ub.corp.ru/get/x.dll")
        await bot.download_file_by_url("https://ub.corp.ru/get/x.dll", append_token=False)
    assert seen == [b"token=001.1.2:3000000001", b""]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.txt", "a.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\dir\\a.txt", "a.txt"),
        ("..", "_"),
        ("", "_"),
        (None, "_"),
        ("a\x00b", "a_b"),
        ("con.txt", "_con.txt"),
        ("имя.txt", "имя.txt"),
    ],
)
def test_names_of_strangers(name: str | None, safe: str) -> None:
    assert safe_name(name) == safe


async def test_a_download_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    started = asyncio.Event()

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            yield b"x" * 100_000
            started.set()
            await asyncio.Event().wait()

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Endless())

    client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    async with Bot("t", "https://h", http=client) as bot:
        task = asyncio.create_task(bot.download_file_by_url("https://h/x", tmp_path / "x"))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert names_in(tmp_path) == []


def test_sounds_need_a_library(tmp_path: Path) -> None:
    with pytest.raises((ImportError, FileNotFoundError)):
        to_ogg_opus(tmp_path / "none.mp3")
