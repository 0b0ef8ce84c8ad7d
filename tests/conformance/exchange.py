"""The request of a case, sent to its application over a socket, in each way of running."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from spikard.testing import TestClient, freeze_time
from tests.conformance.case import Case
from tests.conformance.echo import WARM_UP, Arguments, EchoApp
from tests.conformance.model import Style
from tests.served import Mode

BOUNDARY = "the-boundary-of-a-case"
REPEATED = re.compile(r"{{ repeat '(.)' (\d+) times }}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back, and what the handler got; `arguments` is None when it was not reached."""

    status: int
    headers: httpx.Headers
    content: bytes
    arguments: Arguments | None

    @property
    def document(self) -> Any:
        """The body as JSON, None when it is none."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None


def send(case: Case, mode: Mode, style: Style = Style.BARE) -> Outcome:
    """Serve the case's application and send the case's request."""
    echo = EchoApp(case, style)
    # A limit would let more in while a slow machine sends what comes before.
    with freeze_time() if "rate_limit" in case.config else nullcontext():
        response = _inline(case, echo) if mode is Mode.INLINE else asyncio.run(_embedded(case, echo))
    arguments = echo.calls[-1] if echo.calls else None
    return Outcome(response.status_code, response.headers, response.content, arguments)


def _inline(case: Case, echo: EchoApp) -> httpx.Response:
    with TestClient(echo.app) as client:
        for _ in range(_warm_up(case)):
            client.sync.request(case.method, case.path)
        echo.calls.clear()
        return client.sync.request(case.request["method"], target(case), **_options(case))


async def _embedded(case: Case, echo: EchoApp) -> httpx.Response:
    async with TestClient(echo.app) as client:
        for _ in range(_warm_up(case)):
            await client.request(case.method, case.path)
        echo.calls.clear()
        return await client.request(case.request["method"], target(case), **_options(case))


def _warm_up(case: Case) -> int:
    count: int = case.config.get("rate_limit", {}).get(WARM_UP, 0)
    return count


def target(case: Case) -> str:
    """Path and query, as they go out."""
    request = case.request
    query = request.get("query_string") or urlencode([tuple(pair) for pair in request.get("query", ())])
    path = quote(request["path"], safe="/%:@!$&'()*+,;=~-._")
    return f"{path}?{query}" if query else path


def _options(case: Case) -> dict[str, Any]:
    headers = request_headers(case)
    body = case.request.get("body") or {"kind": None}
    names = {name.lower() for name, _ in headers}
    options: dict[str, Any] = {}
    match body["kind"]:
        case "json":
            options["content"] = json.dumps(body["value"], ensure_ascii=False).encode()
            if "content-type" not in names:
                headers.append(("content-type", "application/json"))
        case "raw":
            options["content"] = body["text"].encode()
        case "bytes":
            options["content"] = bytes.fromhex(body["hex"])
        case "chunks":
            options["content"] = _chunks(body["texts"])
        case "form":
            options["content"] = urlencode(body["fields"], doseq=True).encode()
            if "content-type" not in names:
                headers.append(("content-type", "application/x-www-form-urlencoded"))
        case "multipart":
            options["content"] = _multipart(body)
            if "content-type" not in names:
                headers.append(("content-type", f"multipart/form-data; boundary={BOUNDARY}"))
    return {**options, "headers": headers}


def _multipart(body: dict[str, Any]) -> bytes:
    parts = []
    for name, values in body.get("fields", {}).items():
        for value in values if isinstance(values, list) else [values]:
            is_text = isinstance(value, str)
            kind = "" if is_text else "\r\nContent-Type: application/json"
            content = value if is_text else json.dumps(value)
            parts.append(f'form-data; name="{name}"{kind}\r\n\r\n{content}\r\n'.encode())
    for file in body.get("files", ()):
        kind = f"\r\nContent-Type: {file['content_type']}" if file.get("content_type") else ""
        head = f'form-data; name="{file["field_name"]}"; filename="{file["filename"]}"{kind}\r\n\r\n'
        parts.append(head.encode() + file_content(file) + b"\r\n")
    opening = f"--{BOUNDARY}\r\nContent-Disposition: ".encode()
    return b"".join(opening + part for part in parts) + f"--{BOUNDARY}--\r\n".encode()


def file_content(file: dict[str, Any]) -> bytes:
    """The bytes of a file of a case."""
    text = file.get("content", "") * file.get("repeat", 1)
    match file.get("content_encoding", "text"):
        case "base64":
            content = base64.b64decode(text)
        case "hex":
            content = bytes.fromhex(text)
        case _:
            content = text.encode()
    return bytes.fromhex(file.get("magic_bytes", "")) + content


async def _chunks(texts: list[str]) -> AsyncIterator[bytes]:
    for text in texts:
        yield text.encode()


def request_headers(case: Case) -> list[tuple[str, str]]:
    """All headers of the request; a list of values repeats the header."""
    headers = []
    for name, values in case.request.get("headers", {}).items():
        for value in values if isinstance(values, list) else [values]:
            repeated = REPEATED.fullmatch(value)
            headers.append((name, repeated[1] * int(repeated[2]) if repeated else value))
    cookies = case.request.get("cookies") or {}
    if cookies:
        headers.append(("cookie", "; ".join(f"{name}={value}" for name, value in cookies.items())))
    return headers
