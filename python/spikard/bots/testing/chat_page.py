"""A fake platform as an application: the API for bots, and a page on which people chat with them."""

from collections.abc import AsyncIterator
from functools import partial
from importlib.resources import files
from typing import Any

import msgspec

from spikard._spikard import Request
from spikard.app import Spikard
from spikard.bots.testing.fake_platform import FakePlatform
from spikard.bots.testing.fake_wire import FakeAnswer, read_request
from spikard.bots.testing.people import Notice
from spikard.bots.text import Text, html
from spikard.config import RouteConfig
from spikard.exceptions import HTTPException
from spikard.responses import HTMLResponse, Response

# Files of any size, and polls as long as the bot likes.
OPEN = RouteConfig(max_body_size=None, request_timeout=None)
POLICY = (
    "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
)


class Said(msgspec.Struct):
    """A text that somebody writes."""

    text: str


class Pressed(msgspec.Struct):
    """A button that somebody presses."""

    message: str
    data: str


def chat_app(platform: FakePlatform) -> Spikard:
    """An application that serves `platform` at `/bot/v1`, and the page at `/`, `/?as=ann@corp.example`."""
    app = Spikard()
    page = (files("spikard.bots.testing") / "chat_page.html").read_text(encoding="utf-8")

    @app.get("/")
    async def show() -> HTMLResponse:
        return HTMLResponse(page, headers={"content-security-policy": POLICY})

    _serve_bots(app, platform)
    _serve_people(app, platform)
    return app


def _serve_bots(app: Spikard, platform: FakePlatform) -> None:
    async def answered(request: Request) -> Response:
        target = request.raw_path + (f"?{request.query_string}".encode() if request.query_string else b"")
        kind = (request.content_type or "").encode()
        return _response(
            await platform.answer(read_request(request.method.encode(), target, kind, await request.body()))
        )

    async def call(request: Request, method: str) -> Response:
        del method  # it is in the path
        return await answered(request)

    async def download(request: Request, file_id: str) -> Response:
        del file_id
        return await answered(request)

    app.get("/bot/v1/{method:path}", config=OPEN)(call)
    app.post("/bot/v1/{method:path}", config=OPEN)(call)
    app.get("/files/{file_id}", config=OPEN)(download)


def _serve_people(app: Spikard, platform: FakePlatform) -> None:
    @app.sse("/chat/{user}")
    async def follow(user: str) -> AsyncIterator[dict[str, Any]]:
        platform.user(user)
        shown = None
        while True:
            seen, found = platform.revision, view(platform, user)
            if found != shown:
                shown = found
                yield found
            await platform.until(partial(_has_changed, platform, seen), None)

    @app.post("/chat/{user}/say", status_code=204)
    async def say(user: str, body: Said) -> None:
        await platform.user(user).send(body.text)

    @app.post("/chat/{user}/press", status_code=204)
    async def press(user: str, body: Pressed) -> None:
        message = platform.api.messages.get(body.message)
        if message is None or message.chat_id != user:
            raise HTTPException(404, "There is no such message here")
        platform.push_callback(body.data, message, user)

    @app.post("/chat/{user}/file", status_code=204, config=OPEN)
    async def send_file(request: Request, user: str, name: str, caption: str = "") -> None:
        content = await request.body()
        kind = request.content_type
        await platform.user(user).send_file(content, name, caption=caption or None, content_type=kind)

    @app.get("/chat/{user}/file/{file_id}")
    async def file(user: str, file_id: str) -> Response:
        found = platform.api.files.get(file_id)
        if found is None or not any(
            one.file is found and one.chat_id == user for one in platform.api.messages.values()
        ):
            raise HTTPException(404, "There is no such file here")
        # Never shown: a page of somebody else's making is not ours.
        headers = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
        return Response(found.content, headers=headers, media_type="application/octet-stream")


def _has_changed(platform: FakePlatform, seen: int) -> bool:
    return platform.revision != seen


def view(platform: FakePlatform, user: str) -> dict[str, Any]:
    """What somebody sees of the private chat with the bot."""
    api = platform.api
    messages = [message for message in api.messages.values() if message.chat_id == user and not message.is_deleted]
    notices: list[Notice] = platform.user(user).notices
    return {
        "bot": api.bot.nick or api.bot.user_id,
        "notice": notices[-1].text if notices else "",
        "messages": [
            {
                "id": message.msg_id,
                "is_own": message.user_id == user,
                "html": _markup(message.text if message.text is not None else message.caption, message.parse_mode),
                "is_edited": bool(message.edited),
                "file": None
                if message.file_id is None
                else {"id": message.file_id, "name": message.file.filename if message.file else message.file_id},
                "quoted": " ".join(
                    quoted.text or quoted.caption or "…"
                    for msg_id in message.reply_to
                    if (quoted := api.messages.get(msg_id)) is not None
                ),
                "buttons": message.keyboard or [],
            }
            for message in messages
        ],
    }


def _markup(text: str | None, parse_mode: str | None) -> str:
    """The text as HTML that we have written ourselves; markup that is none shows as it is."""
    if parse_mode == "HTML" and text is not None:
        try:
            return Text.from_html(text).as_html()
        except ValueError:
            pass
    return html.escape(text or "")


def _response(answer: FakeAnswer) -> Response:
    if answer.dropped:
        raise HTTPException(502, "The connection is dropped")
    return Response(answer.body, answer.status, dict(answer.headers), media_type=answer.content_type)


__all__ = ["chat_app", "view"]
