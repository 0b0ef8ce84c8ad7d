"""Every example runs and answers as its page says."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from spikard.testing import TestClient

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

# File: requests as (method, path, options), each with the status and a text or JSON that the answer contains.
CASES: dict[str, list[tuple[str, str, dict[str, Any], int, Any]]] = {
    "hello.py": [
        ("GET", "/", {}, 200, "Spikard"),
        ("GET", "/items/7", {"params": {"q": "tea"}}, 200, {"id": 7, "q": "tea"}),
        ("GET", "/items/seven", {}, 422, {"status": 422}),
        ("POST", "/orders", {"json": {"tea": "Assam", "grams": 100}}, 201, {"tea": "Assam", "cents": 400}),
        ("POST", "/orders", {"json": {"tea": "Assam", "grams": 1}}, 422, {"status": 422}),
    ],
}


def test_every_example_has_its_cases() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == CASES.keys()


def test_every_example_is_in_the_index() -> None:
    index = (EXAMPLES / "README.md").read_text()
    assert [name for name in CASES if f"({name})" not in index] == []


@pytest.mark.parametrize("name", CASES)
async def test_example_answers(name: str) -> None:
    async with TestClient(load(name).app) as client:
        for method, path, options, status, expected in CASES[name]:
            answer = await client.request(method, path, **options)
            assert answer.status_code == status, (method, path, answer.text)
            assert contains(answer, expected), (method, path, answer.text)


def contains(answer: httpx.Response, expected: Any) -> bool:
    if isinstance(expected, str):
        return expected in answer.text
    return bool(answer.json().items() >= expected.items())


def load(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"example_{Path(name).stem}", EXAMPLES / name)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
