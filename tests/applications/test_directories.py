"""Applications as programs write them: directories of files beside the program."""

from pathlib import Path
from typing import Any

import pytest

from spikard import Spikard
from spikard.config import ServerConfig, StaticFilesConfig
from spikard.testing import TestClient


async def answer() -> Any:
    return {"from": "a handler"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files as a program's own folder has them."""
    for name, text in {
        "app/index.html": "<!doctype html><h1>Welcome</h1>\n",
        "app/deep/index.html": "deep\n",
        "assets/hello.txt": "Hello from static storage\n",
        "assets/.secret": "no\n",
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "outside.txt").write_text("no\n")
    return tmp_path


def serving(*directories: StaticFilesConfig) -> Spikard:
    app = Spikard(config=ServerConfig(static_files=list(directories)))
    app.register_route("GET", "/assets/made", body_schema=None, parameter_schema=None, file_params=None)(answer)
    return app


async def test_a_file_with_what_is_said_about_it(folder: Path) -> None:
    config = StaticFilesConfig(
        directory=str(folder / "assets"), route_prefix="/assets", cache_control="public, max-age=60"
    )
    async with TestClient(serving(config)) as client:
        response = await client.get("/assets/hello.txt")
        assert (response.status_code, response.text) == (200, "Hello from static storage\n")
        assert response.headers["content-type"] == "text/plain"
        assert response.headers["cache-control"] == "public, max-age=60"
        assert response.headers["x-content-type-options"] == "nosniff"
        again = await client.get("/assets/hello.txt", headers={"If-None-Match": response.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        part = await client.get("/assets/hello.txt", headers={"Range": "bytes=6-9"})
        assert (part.status_code, part.text, part.headers["content-range"]) == (206, "from", "bytes 6-9/26")
        heading = await client.head("/assets/hello.txt")
        assert (heading.headers["content-length"], heading.content) == ("26", b"")


async def test_the_page_of_a_directory(folder: Path) -> None:
    config = StaticFilesConfig(directory=str(folder / "app"), route_prefix="/app", index_file=True)
    async with TestClient(serving(config)) as client:
        response = await client.get("/app/")
        assert (response.status_code, response.text) == (200, "<!doctype html><h1>Welcome</h1>\n")
        assert response.headers["content-type"] == "text/html"
        moved = await client.get("/app/deep")
        assert (moved.status_code, moved.headers["location"], moved.is_redirect) == (308, "/app/deep/", True)
        assert (await client.get("/app/deep/")).text == "deep\n"


@pytest.mark.parametrize(
    "path", ["nothing.txt", "../outside.txt", "%2e%2e/outside.txt", "..%2foutside.txt", ".secret", "hello.txt/"]
)
async def test_what_is_not_there(folder: Path, path: str) -> None:
    config = StaticFilesConfig(directory=str(folder / "assets"), route_prefix="/assets")
    async with TestClient(serving(config)) as client:
        response = await client.get(f"/assets/{path}")
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
        assert "no\n" not in response.text


async def test_routes_come_before_files_and_longer_prefixes_before_shorter(folder: Path) -> None:
    (folder / "assets" / "made").write_text("a file\n")
    config = [
        StaticFilesConfig(directory=str(folder / "app"), route_prefix="/"),
        StaticFilesConfig(directory=str(folder / "assets"), route_prefix="/assets"),
    ]
    async with TestClient(serving(*config)) as client:
        assert (await client.get("/assets/made")).json() == {"from": "a handler"}
        assert (await client.get("/assets/hello.txt")).text == "Hello from static storage\n"
        assert (await client.get("/")).text == "<!doctype html><h1>Welcome</h1>\n"
        refused = await client.post("/assets/hello.txt")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
