"""Files from the file host, which is not the API: it wants the token in the address."""

import asyncio
import logging
import os
import re
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qs, urlsplit

import httpx

from spikard.bots.errors import FileDownloadError, NetworkError
from spikard.bots.redaction import redact
from spikard.bots.retry import REPEATED_STATUSES, read_retry_after
from spikard.bots.session import raise_network_error, status_error
from spikard.bots.types.input_file import InputFile, filename_from_url

if TYPE_CHECKING:
    from spikard.bots.bot import Bot

logger = logging.getLogger("spikard.bots")

# Below a country's domain these are no names of owners.
_PUBLIC = frozenset("ac co com edu gob gov gv ltd mil msk ne net nom or org pp sch spb".split())
# Windows opens devices by these.
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
_TOO_MANY = 429


async def fetch(
    bot: "Bot",
    url: str,
    destination: str | Path | None,
    name: str | None,
    append_token: bool,
    chunk_size: int,
    max_size: int | None,
) -> bytes | Path:
    """The file's bytes, or where it was put. See `Bot.download_file`."""
    if append_token:
        url = sign(url, bot.token, bot.api_url)
    target = None
    if destination is not None:
        target = await asyncio.to_thread(_target, Path(destination), name or filename_from_url(url))
    attempt = 0
    waited = 0.0
    while True:
        attempt += 1
        try:
            return await _attempt(bot, url, target, chunk_size, max_size)
        except (_Refused, NetworkError) as fault:
            wait = bot.retry.delay(attempt)
            if isinstance(fault, _Refused):
                wait = max(wait, fault.retry_after or 0.0)
            is_passing = not isinstance(fault, _Refused) or fault.status in (*REPEATED_STATUSES, _TOO_MANY)
            if not is_passing or attempt >= bot.retry.attempts or waited + wait > bot.retry.budget:
                raise FileDownloadError(url, str(fault)) from fault.__cause__
            logger.warning("A download failed, the next attempt in %.1f s: %s", wait, fault)
        waited += wait
        await asyncio.sleep(wait)


def sign(url: str, token: str, api_url: str) -> str:
    """The address with the token, if it has none and belongs to the API's owner.

    The token goes in as it is: the host does not understand an escaped colon.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise FileDownloadError(url, "the address is neither http nor https")
    if "token" in parse_qs(parts.query, keep_blank_values=True) or not is_akin(url, api_url):
        return url
    joint = "&" if parts.query else "?"
    plain, _, _ = url.partition("#")
    return f"{plain}{joint}token={token}"


def is_akin(url: str, api_url: str) -> bool:
    """Whether an address belongs to the owner of the API, and is no less safe."""
    one, other = urlsplit(url), urlsplit(api_url)
    if other.scheme == "https" and one.scheme != "https":
        return False
    host, api_host = one.hostname or "", other.hostname or ""
    return bool(host) and (host == api_host or _owner(host) == _owner(api_host) is not None)


def _owner(host: str) -> str | None:
    """The part of a name that is registered: `corp.ru`, `corp.co.uk`; None for addresses and single words."""
    try:
        ip_address(host)
    except ValueError:
        labels = host.rstrip(".").split(".")
    else:
        return None
    if len(labels) < 2:
        return None
    is_deep = len(labels[-1]) == 2 and labels[-2] in _PUBLIC
    wanted = 3 if is_deep else 2
    return ".".join(labels[-wanted:]) if len(labels) >= wanted else None


class _Refused(Exception):  # noqa: N818 - never leaves this module
    """The host answered with a fault."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"HTTP {answer.status_code} {answer.reason_phrase}")
        self.status = answer.status_code
        self.retry_after = read_retry_after(answer.headers.get("retry-after"))
        self.__cause__ = status_error(answer)


async def _attempt(bot: "Bot", url: str, target: Path | None, chunk_size: int, max_size: int | None) -> bytes | Path:
    try:
        timeout = bot.session.timeout()
        async with bot.http.stream("GET", url, timeout=timeout, follow_redirects=False) as answer:
            if not answer.is_success:
                raise _Refused(answer)
            chunks = _limited(answer.aiter_bytes(chunk_size), url, max_size)
            if target is None:
                return b"".join([chunk async for chunk in chunks])
            return await _write(target, chunks)
    except httpx.HTTPError as fault:
        raise_network_error(fault, redact(url))


async def _limited(chunks: AsyncIterator[bytes], url: str, max_size: int | None) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if max_size is not None and size > max_size:
            raise FileDownloadError(url, f"the file is larger than {max_size} bytes")
        yield chunk


async def _write(target: Path, chunks: AsyncIterator[bytes]) -> Path:
    """Writes beside the target and renames, so that no half of a file is ever there under its name."""
    part = target.with_name(f"{target.name}.part")
    fp: BinaryIO = await asyncio.to_thread(_create, part)
    try:
        try:
            async for chunk in chunks:
                await asyncio.to_thread(fp.write, chunk)
        finally:
            await asyncio.to_thread(fp.close)
        await asyncio.to_thread(os.replace, part, target)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(part.unlink, missing_ok=True))
        raise
    return target


def _create(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("wb")


def _target(destination: Path, name: str | None) -> Path:
    return destination / safe_name(name) if destination.is_dir() else destination


def safe_name(name: str | None) -> str:
    """A name from a stranger as the name of a file in a directory of ours, nowhere else."""
    base = re.split(r"[/\\]", name or "")[-1]
    base = re.sub(r"[\x00-\x1f\x7f<>:\"|?*]", "_", base).strip(" .")
    return f"_{base}" if not base or _RESERVED.match(base) else base


def to_ogg_opus(path: str | Path) -> InputFile:
    """A sound file as a voice message: Opus in OGG, mono. Needs PyAV; raises ImportError without it."""
    import io

    import av

    out = io.BytesIO()
    with av.open(str(path)) as source, av.open(out, "w", format="ogg") as sink:
        stream = sink.add_stream("libopus", rate=48_000, layout="mono")
        for frame in source.decode(audio=0):
            _mux(sink, stream, frame)
        _mux(sink, stream, None)
    return InputFile(out.getvalue(), f"{Path(path).stem}.ogg")


def _mux(sink: Any, stream: Any, frame: Any) -> None:
    for packet in stream.encode(frame):
        sink.mux(packet)


__all__ = ["fetch", "is_akin", "safe_name", "sign", "to_ogg_opus"]
