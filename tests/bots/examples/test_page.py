"""The guide shows the examples as they are."""

import pytest

from tests.bots.examples.program import EXAMPLES, ROOT
from tests.house.document import Document


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_the_page_has_the_whole_program(path) -> None:
    page = Document(ROOT / "docs" / "bots-examples.md")
    assert path.read_text() in [block.code for block in page.blocks("python")]


async def test_the_bot_of_the_readme_answers() -> None:
    from spikard.bots.testing import BotTester

    ann = BotTester(Document(ROOT / "README.md").run()["dp"]).user("ann@corp.example")
    await ann.send("/start")
    await ann.send("tea")
    assert ann.texts == ["Hello!", "tea"]
