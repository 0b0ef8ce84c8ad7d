"""Applications as programs write them: forms and uploaded files."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spikard import Spikard, UploadFile
from spikard.testing import TestClient


def application(handler: Callable[..., Any], body_schema: Any = None, file_params: Any = None) -> Spikard:
    app = Spikard()
    app.register_route("POST", "/form", body_schema=body_schema, parameter_schema=None, file_params=file_params)(
        handler
    )
    return app


def schema(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


async def echo(body: dict[str, Any]) -> Any:
    return body


@dataclass
class Upload:
    title: str
    document: UploadFile


async def take_upload(body: Upload) -> Any:
    return {"title": body.title, "name": body.document.filename, "size": body.document.size}


async def take_file(document: UploadFile) -> Any:
    return {"name": document.filename, "type": document.content_type, "text": (await document.aread()).decode()}


async def take_anything(body: dict[str, Any]) -> Any:
    return {name: getattr(value, "filename", value) for name, value in body.items()}


async def test_fields_of_a_form() -> None:
    fields = schema(["user"], user={"type": "string"}, age={"type": "integer"}, active={"type": "boolean"})
    async with TestClient(application(echo, fields)) as client:
        response = await client.post("/form", data={"user": "ada", "age": "36", "active": "on"})
        assert (response.status_code, response.json()) == (200, {"user": "ada", "age": 36, "active": True})
        missing = await client.post("/form", data={"age": "1"})
        assert (missing.status_code, missing.json()["errors"][0]["loc"]) == (422, ["body", "user"])


async def test_lists_in_a_form() -> None:
    fields = schema([], tags={"type": "array", "items": {"type": "string"}})
    async with TestClient(application(echo, fields)) as client:
        assert (await client.post("/form", data={"tags": ["a", "b"]})).json() == {"tags": ["a", "b"]}
        assert (await client.post("/form", data={"tags[]": ["a"]})).json() == {"tags": ["a"]}


async def test_nested_names_in_a_form() -> None:
    fields = schema([], profile={"type": "object", "properties": {"email": {"type": "string"}}})
    async with TestClient(application(echo, fields)) as client:
        assert (await client.post("/form", data={"profile[email]": "a@b.example"})).json() == {
            "profile": {"email": "a@b.example"}
        }


async def test_a_file_beside_a_field() -> None:
    fields = schema(["title", "document"], title={"type": "string"}, document={"type": "string", "format": "binary"})
    files = {"document": ("tea.txt", b"leaves", "text/plain")}
    async with TestClient(application(take_upload, fields)) as client:
        response = await client.post("/form", data={"title": "Tea"}, files=files)
        assert response.json() == {"title": "Tea", "name": "tea.txt", "size": 6}
        assert (await client.post("/form", data={"title": "Tea"}, files={})).status_code == 422


async def test_a_file_alone() -> None:
    async with TestClient(application(take_file)) as client:
        response = await client.post("/form", files={"document": ("tea.txt", b"leaves", "text/plain")})
        assert response.json() == {"name": "tea.txt", "type": "text/plain", "text": "leaves"}


async def test_demands_on_files() -> None:
    demands = {"picture": {"required": True, "content_type": ["image/png"], "validate_magic_numbers": True}}
    png = b"\x89PNG\r\n\x1a\n" + b"0" * 8
    async with TestClient(application(take_anything, None, demands)) as client:
        good = await client.post("/form", files=[("picture", ("a.png", png, "image/png"))])
        assert (good.status_code, good.json()) == (200, {"picture": "a.png"})
        other = await client.post("/form", files={"picture": ("a.gif", b"GIF89a", "image/gif")})
        assert other.json()["errors"][0]["type"] == "file_content_type"
        false = await client.post("/form", files={"picture": ("a.png", b"GIF89a..", "image/png")})
        assert false.json()["errors"][0]["type"] == "file_type_mismatch"
        none = await client.post("/form", files={"other": ("a.png", png, "image/png")})
        assert (none.status_code, none.json()["errors"][0]["loc"]) == (422, ["files", "picture"])


async def test_many_files_of_one_field() -> None:
    async def take(files: list[UploadFile]) -> Any:
        return [file.filename for file in files]

    async with TestClient(application(take)) as client:
        sent = [("files", (name, b"x", "text/plain")) for name in ("a", "b", "c")]
        assert (await client.post("/form", files=sent)).json() == ["a", "b", "c"]


@dataclass
class TextDocument:
    document: str


async def test_a_file_that_is_no_text_for_a_field_of_text() -> None:
    async def take(body: TextDocument) -> Any:
        return {"type": type(body.document).__name__}

    async with TestClient(
        application(take, schema(["document"], document={"type": "string", "format": "binary"}))
    ) as client:
        text = await client.post("/form", files={"document": ("tea.txt", b"leaves", "text/plain")})
        assert text.json() == {"type": "str"}
        picture = await client.post("/form", files={"document": ("tea.png", b"\x89PNG\xff", "image/png")})
        assert (picture.status_code, picture.json()) == (200, {"type": "UploadFile"})
