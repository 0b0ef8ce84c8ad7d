"""Answers that are files, streams, coded, or have work behind them, in every way of running."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from spikard.testing import TestClient
from tests.conformance.answer_case import CATEGORIES, AnswerCase, answer_cases, chunk_of
from tests.served import Mode

CASES = answer_cases()


def wanted_content(case: AnswerCase) -> bytes | None:
    """The bytes of the answer, where the case fixes them."""
    if case.category == "streaming":
        return b"".join(chunk.encode() if isinstance(chunk, str) else chunk for chunk in map(chunk_of, case.chunks))
    body = case.expect.get("body")
    return body.encode() if case.category == "static_files" and isinstance(body, str) else None


async def exchange(case: AnswerCase, folder: Path) -> tuple[httpx.Response, Any]:
    """The answer, and the state that work has left."""
    app, request = case.application(folder), case.request
    body = request.get("body")
    async with TestClient(app) as client:
        answer = await client.request(
            request.get("method", case.route["method"]),
            request["path"],
            json=body["value"] if body else None,
            headers={
                "accept-encoding": "identity",
                **{name.lower(): text for name, text in request["headers"].items()},
            },
        )
        for more in case.background.get("more", ()):
            await client.post(request["path"], json=more)
        state = (await client.get(case.background["state_path"])).json() if case.background else None
    return answer, state


@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_answer(case: AnswerCase, mode: Mode, tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=mode.new_loop) as runner:
        answer, state = runner.run(exchange(case, tmp_path))
    assert answer.status_code == case.expect["status"], answer.text
    for name, value in case.expect.get("headers", {}).items():
        given = answer.headers.get(name)
        assert (given is None) if value == "<<absent>>" else given is not None, (name, given)
        if not value.startswith("<<"):
            assert given == value, name
    content = wanted_content(case)
    if content is not None:
        assert answer.content == content
    elif case.category == "compression" and case.request.get("method") != "HEAD":
        assert answer.json() == case.payload
    if case.background:
        assert state == {case.background["state_key"]: case.background["expected_state"]}


def test_every_category_has_cases() -> None:
    assert {case.category for case in CASES} == set(CATEGORIES)
