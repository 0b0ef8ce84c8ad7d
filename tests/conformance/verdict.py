"""Whether an outcome is what its case demands."""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from tests.conformance import application
from tests.conformance.case import Case
from tests.conformance.echo import python_name
from tests.conformance.exchange import Outcome
from tests.conformance.reference import reference_arguments
from tests.conformance.vocabulary import text_is_firm, types_meant

PROBLEM = "application/problem+json"
# Headers the framework answers for; the others of an example are its application's.
CORS_HEADERS = re.compile(r"vary|access-control-.+")
FRAMEWORK_HEADERS = frozenset(
    {
        "x-request-id", "allow", "connection", "retry-after", "www-authenticate", "x-api-key-deprecated",
        "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit", "ratelimit-policy",
    }
)  # fmt: skip
# Statuses whose titles are fixed, too.
TITLED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
PROBLEM_TYPES = "https://spikard.dev/errors/"


def faults(case: Case, outcome: Outcome) -> list[str]:
    """What is wrong, a line each."""
    if case.hooks:
        return list(_hook_faults(case, outcome))
    if is_refusal(case):
        return list(_refusal_faults(case, outcome))
    if is_preflight(case):
        return list(_preflight_faults(case, outcome))
    return list(_success_faults(case, outcome))


def _hook_faults(case: Case, outcome: Outcome) -> Iterator[str]:
    """Hooks are the application's, so their headers are demanded, and their answers to the letter."""
    is_answered = case.expect.get("answered_by_hook", case.status >= HTTPStatus.BAD_REQUEST)
    if (outcome.arguments is None) is not is_answered:
        yield f"the handler was {'' if is_answered else 'not '}reached"
    if outcome.status != case.status:
        yield f"status {outcome.status}, not {case.status}: {outcome.content[:300]!r}"
        return
    for name, pattern in case.expect.get("headers", {}).items():
        given = outcome.headers.get(name)
        if given is None or re.fullmatch(pattern, given) is None:
            yield f"header {name}: {given!r}, not {pattern!r}"
    document = outcome.document
    for name, value in (case.expect.get("body") or {}).items():
        # The handler echoes what hooks left for it; its example greets in words of its own.
        if (is_answered or name != "message") and not same(document.get(name), value):
            yield f"{name}: {document.get(name)!r}, not {value!r}"


def is_refusal(case: Case) -> bool:
    """Whether the framework itself has to refuse the request."""
    client_error = HTTPStatus.BAD_REQUEST <= case.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return client_error and case.id not in application.REFUSALS


def is_preflight(case: Case) -> bool:
    """Whether the framework itself has to answer a browser that asks for leave."""
    asks = {name.lower() for name in case.request.get("headers", {})} >= {"origin", "access-control-request-method"}
    return "cors" in case.config and case.request["method"] == "OPTIONS" and asks


def _preflight_faults(case: Case, outcome: Outcome) -> Iterator[str]:
    if outcome.arguments is not None:
        yield f"the handler was reached with {outcome.arguments}"
    if outcome.status != case.status or outcome.content:
        yield f"status {outcome.status}, not {case.status}: {outcome.content[:300]!r}"
    yield from _header_faults(case, outcome)


def _refusal_faults(case: Case, outcome: Outcome) -> Iterator[str]:
    if outcome.arguments is not None:
        yield f"the handler was reached with {outcome.arguments}"
    if outcome.status != case.status:
        yield f"status {outcome.status}, not {case.status}: {outcome.content[:300]!r}"
        return
    yield from _header_faults(case, outcome)
    if case.request["method"] == "HEAD":
        return
    yield from _problem_faults(case, outcome)
    if case.expect.get("errors"):
        yield from _error_faults(case, outcome)


def _problem_faults(case: Case, outcome: Outcome) -> Iterator[str]:
    if outcome.headers.get("content-type") != PROBLEM:
        yield f"content type {outcome.headers.get('content-type')!r}"
    document = outcome.document
    if not isinstance(document, Mapping):
        yield f"no problem: {outcome.content[:300]!r}"
        return
    if document.get("status") != case.status:
        yield f"the problem's status is {document.get('status')!r}"
    wanted = case.expect.get("problem")
    if wanted is not None and document.get("type") != PROBLEM_TYPES + wanted:
        yield f"the problem's type is {document.get('type')!r}, not {wanted!r}"
    body = case.expect.get("body")
    if isinstance(body, Mapping) and isinstance(body.get("detail"), str) and body["detail"] != document.get("detail"):
        yield f"detail {document.get('detail')!r}, not {body['detail']!r}"
    if (
        case.status in TITLED
        and isinstance(body, Mapping)
        and document.get("title") != body.get("title", document["title"])
    ):
        yield f"title {document.get('title')!r}, not {body['title']!r}"


def _error_faults(case: Case, outcome: Outcome) -> Iterator[str]:
    given = outcome.document.get("errors", []) if isinstance(outcome.document, Mapping) else []
    wanted = case.expect["errors"]
    if [error["loc"] for error in given] != sorted((error["loc"] for error in wanted), key=_order):
        yield f"locations {[error['loc'] for error in given]}, not {[error['loc'] for error in wanted]}"
        return
    rest = list(given)
    for error in wanted:
        fitting = [one for one in rest if one["loc"] == error["loc"] and one["type"] in types_meant(error)]
        if not fitting:
            yield f"no error of type {sorted(types_meant(error))} at {error['loc']}: {given}"
            continue
        rest.remove(fitting[0])
        if text_is_firm(error) and fitting[0]["msg"] != error["msg"]:
            yield f"message {fitting[0]['msg']!r}, not {error['msg']!r}"
        context = error.get("ctx", {})
        if text_is_firm(error) and not context.items() <= fitting[0].get("ctx", {}).items():
            yield f"context {fitting[0].get('ctx')}, not {context}"
        if "exact_input" in error and not same(fitting[0].get("input"), error["exact_input"]):
            yield f"input {fitting[0].get('input')!r}, not {error['exact_input']!r}"


def _order(location: list[str]) -> tuple[int, list[tuple[int, int, str]]]:
    places = ["path", "query", "headers", "cookie", "body", "files"]
    return places.index(location[0]), [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in location[1:]]


def _success_faults(case: Case, outcome: Outcome) -> Iterator[str]:
    if outcome.arguments is None:
        yield f"the handler was not reached: {outcome.status} {outcome.content[:500]!r}"
        return
    if outcome.status != HTTPStatus.OK:
        yield f"status {outcome.status}: {outcome.content[:300]!r}"
        return
    if case.status < HTTPStatus.BAD_REQUEST:
        yield from _header_faults(case, outcome)
    if case.request["method"] == "HEAD":
        if outcome.content:
            yield "HEAD has a body"
        return
    given = outcome.document
    for name, value in _wanted_arguments(case).items():
        if not same(held(given.get(name), value), value):
            yield f"argument {name}: {given.get(name)!r}, not {value!r}"
    yield from _shown_faults(case, given)


def _wanted_arguments(case: Case) -> dict[str, Any]:
    names = {parameter.name: python_name(parameter) for parameter in case.parameters}
    values = case.arguments if case.arguments is not None else reference_arguments(case)
    wanted = {names.get(name, name): value for name, value in values.items()}
    body = case.request.get("body")
    if case.arguments is None and case.body_schema is not None and body is not None and body["kind"] == "json":
        wanted["body"] = body["value"]
    return wanted


def _shown_faults(case: Case, given: Mapping[str, Any]) -> Iterator[str]:
    """Values that the example shows under the names of arguments."""
    shown = case.expect.get("body")
    if not isinstance(shown, Mapping):
        return
    body = given.get("body")
    held = {**(body if isinstance(body, Mapping) else {}), **given}
    for name in shown.keys() & held.keys():
        if (case.id, name) in application.SHOWN_OTHERWISE:
            continue
        candidates = [source[name] for source in (given, body) if isinstance(source, Mapping) and name in source]
        if not any(same(candidate, shown[name]) for candidate in candidates):
            yield f"{name}: {candidates}, the example shows {shown[name]!r}"


def held(given: Any, wanted: Any) -> Any:
    """What was given without the members that a model adds for absent ones."""
    if isinstance(given, Mapping) and isinstance(wanted, Mapping):
        return {
            name: held(item, wanted.get(name)) for name, item in given.items() if item is not None or name in wanted
        }
    if isinstance(given, list) and isinstance(wanted, list) and len(given) == len(wanted):
        return list(map(held, given, wanted))
    return given


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: numbers by value, but no number is a boolean, and no integer arrives with a fraction."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return one == other


def _is_of_framework(case: Case, name: str) -> bool:
    if (case.id, name) in application.SET_BY_HANDLER:
        return False
    return name in FRAMEWORK_HEADERS or ("cors" in case.config and CORS_HEADERS.fullmatch(name) is not None)


def _header_faults(case: Case, outcome: Outcome) -> Iterator[str]:
    for name, value in case.expect.get("headers", {}).items():
        if not _is_of_framework(case, name):
            continue
        given = outcome.headers.get(name)
        match value:
            case "<<present>>":
                fits = given is not None
            case "<<absent>>":
                fits = given is None
            case "<<uuid>>":
                fits = given is not None and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", given)
            case _:
                fits = given == value
        if not fits:
            yield f"header {name}: {given!r}, not {value!r}"
