"""An exchange: requests and answers over one kept connection, for checks, warm-up and the smoke run."""

import http.client
import json
from dataclasses import dataclass
from typing import Any, Self

from spikard_bench.case import JSON_TYPE, Case


class ExchangeError(Exception):
    """The connection broke, or what came back is no HTTP."""


class WrongAnswerError(Exception):
    """A server answers a case otherwise than it should."""


@dataclass(frozen=True)
class Answer:
    status: int
    media_type: str
    body: bytes


class Exchange:
    """One connection to a local server."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def send(self, method: str, target: str, body: bytes | None = None) -> Answer:
        headers = {} if body is None else {"content-type": JSON_TYPE}
        try:
            self._connection.request(method, target, body, headers)
            response = self._connection.getresponse()
            content = response.read()
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            raise ExchangeError(f"{type(error).__name__}: {error}") from error
        return Answer(response.status, response.getheader("content-type") or "", content)

    def check(self, case: Case, strict: bool = False) -> None:
        """Send a case once and compare. Strict is what ours must do beyond the others: a problem with all faults."""
        answer = self.send(case.method, case.target, case.body)
        if answer.status not in case.statuses:
            raise WrongAnswerError(f"status {answer.status}: {answer.body[:200]!r}")
        if case.answer is not None and parse(answer.body) != case.answer:
            raise WrongAnswerError(f"body {answer.body[:200]!r}")
        if strict and case.name == "invalid":
            check_problem(answer)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check_problem(answer: Answer) -> None:
    content = parse(answer.body)
    faults = [error.get("loc") for error in content.get("errors", [])] if isinstance(content, dict) else []
    expected = [["body", "amount"], ["body", "quantity"], ["body", "status"]]
    if answer.status != 422 or answer.media_type != "application/problem+json" or faults != expected:
        raise WrongAnswerError(f"{answer.status} {answer.media_type} {answer.body[:300]!r}")


def parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
