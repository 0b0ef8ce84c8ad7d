"""A case whose subject is the answer: files of a directory, coded or streamed bodies, work behind the answer."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikard import Spikard, StreamingResponse, background
from spikard.config import CompressionConfig, ServerConfig, StaticFilesConfig
from tests.conformance.case import open_documents, own_documents

CATEGORIES = ("static_files", "compression", "streaming", "background")
OWN_ANSWERS = Path(__file__).parents[1] / "data" / "answers"


@dataclass(frozen=True, slots=True)
class AnswerCase:
    """One case, in the words of its document."""

    category: str
    name: str
    route: dict[str, Any]
    request: dict[str, Any]
    expect: dict[str, Any]
    chunks: tuple[dict[str, str], ...]
    content_type: str
    background: dict[str, Any]
    # What the handler of a coded answer gives.
    payload: Any

    @property
    def id(self) -> str:
        """Category and name."""
        return f"{self.category}/{self.name}"

    def application(self, folder: Path) -> Spikard:
        """The application of the case; its files go below `folder`."""
        config = self.route.get("config", {})
        app = Spikard(
            ServerConfig(
                static_files=[
                    _directory(entry, folder / str(i)) for i, entry in enumerate(config.get("static_files", ()))
                ],
                compression=CompressionConfig(**config["compression"]) if "compression" in config else None,
            )
        )
        if self.category != "static_files":
            self._register(app)
        return app

    def _register(self, app: Spikard) -> None:
        method, path = self.route["method"], self.route["path"]
        if self.category == "streaming":

            async def produce() -> AsyncIterator[str | bytes]:
                for chunk in self.chunks:
                    yield chunk_of(chunk)

            async def stream() -> StreamingResponse:
                return StreamingResponse(produce(), headers={"content-type": self.content_type})

            app.register_route(method, path)(stream)
        elif self.category == "compression":

            async def answer() -> Any:
                return self.payload

            app.register_route(method, path)(answer)
        else:
            self._register_background(app, method, path)

    def _register_background(self, app: Spikard, method: str, path: str) -> None:
        seen: list[Any] = []
        key, field = self.background["state_key"], self.background["value_field"]

        async def note(value: Any) -> None:
            seen.append(value)

        async def accept(body: dict[str, Any]) -> tuple[dict[str, str], int]:
            background.run(note(body[field]))
            return {"status": "accepted"}, 202

        async def state() -> dict[str, Any]:
            return {key: seen}

        app.register_route(method, path, body_schema=self.route.get("body_schema"))(accept)
        app.register_route("GET", self.background["state_path"])(state)


def chunk_of(chunk: dict[str, str]) -> str | bytes:
    """A chunk of a stream: text, or bytes written in hex."""
    return bytes.fromhex(chunk["value"]) if chunk["type"] == "hex" else chunk["value"]


def _directory(entry: dict[str, Any], folder: Path) -> StaticFilesConfig:
    folder.mkdir(parents=True)
    for file in entry["files"]:
        path = folder / file["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file["content"], encoding="utf-8")
    options = {name: value for name, value in entry.items() if name != "files"}
    return StaticFilesConfig(folder, **options)


def read_answer_case(category: str, name: str, document: dict[str, Any]) -> AnswerCase:
    """A case from its document."""
    streaming = document.get("streaming", {})
    return AnswerCase(
        category=category,
        name=name,
        route=document["route"],
        request=document["request"],
        expect=document["expect"],
        chunks=tuple(streaming.get("chunks", ())),
        content_type=streaming.get("content_type", "text/plain"),
        background=document.get("background", {}),
        payload=document.get("payload", document["expect"].get("body")),
    )


def answer_cases() -> list[AnswerCase]:
    """Our own, and those of the open data."""
    opened = (found for found in open_documents("http") if found[0] in CATEGORIES)
    return [read_answer_case(*found) for found in (*own_documents(OWN_ANSWERS), *opened)]
