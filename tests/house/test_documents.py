"""The README and the guide: their programs run, their commands are the real ones."""

import linecache
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from spikard import Spikard
from spikard.testing import TestClient
from tests.house.document import Document
from tests.house.repository import Repository

ROOT = Path(__file__).resolve().parents[2]
GUIDE = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    # A page builds applications; the one built last must not leak into other tests.
    before = Spikard.current_instance
    yield
    Spikard.current_instance = before
    linecache.clearcache()


@pytest.mark.parametrize("page", GUIDE)
def test_guide_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        Document(ROOT / page).run()
    finally:
        logging.disable(logging.NOTSET)  # a page may be quiet about faults that it makes on purpose


def test_every_guide_page_is_in_the_index(repository: Repository) -> None:
    index = repository.text("docs/README.md")
    assert [page for page in GUIDE if page != "docs/README.md" and f"({Path(page).name})" not in index] == []


async def test_readme_application_answers() -> None:
    app = Document(ROOT / "README.md").run()["app"]
    async with TestClient(app) as client:
        made = await client.post("/orders", json={"tea": "Assam", "grams": 100})
        assert (made.status_code, made.json()) == (201, {"number": 1})
        shown = await client.get("/orders/1")
        assert (shown.status_code, shown.json()) == (200, {"tea": "Assam", "grams": 100})
        listed = await client.get("/orders", params={"tea": "Assam"})
        assert listed.json() == [{"tea": "Assam", "grams": 100}]
        assert (await client.get("/orders/2")).status_code == 404
        refused = await client.get("/orders", params={"limit": "many"})
        assert refused.status_code == 422
        assert refused.headers["content-type"] == "application/problem+json"


async def test_readme_refusal_is_the_one_sent() -> None:
    page = Document(ROOT / "README.md")
    (shown,) = (block.code for block in page.blocks("json"))
    async with TestClient(page.run()["app"]) as client:
        sent = await client.get("/orders", params={"limit": "many"})
    import json

    assert sent.json().items() >= json.loads(shown).items()


def test_readme_has_exactly_two_commands(repository: Repository) -> None:
    commands = [block.code.strip() for block in Document(ROOT / "README.md").blocks("sh")]
    assert len(commands) == 2
    run, test = commands
    assert run.endswith("spikard serve examples/hello.py")
    # The check on a clean clone is that very command.
    assert re.search(rf'^{re.escape(test)} "\$@"$', repository.text(".ci/run"), re.MULTILINE)
