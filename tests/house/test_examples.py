"""Every example runs and answers as its page says."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

import spikard
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


# Applications with tests of their own.
FOLDERS = ["orders"]


def test_every_application_has_its_tests() -> None:
    assert sorted(path.parent.name for path in EXAMPLES.glob("*/test_*.py")) == FOLDERS


def test_every_example_has_its_cases() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == CASES.keys()


def test_every_example_is_in_the_index() -> None:
    index = (EXAMPLES / "README.md").read_text()
    assert [name for name in (*CASES, *FOLDERS) if f"({name})" not in index] == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("folder", FOLDERS)
def test_tests_of_an_application_pass(folder: str) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--timeout",
        "50",
        str(EXAMPLES / folder),
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(spikard.__file__).parents[1])}
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=55, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


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
