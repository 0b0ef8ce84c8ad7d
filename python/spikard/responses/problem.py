"""Faults as RFC 9457 problem documents."""

from http import HTTPStatus
from typing import Any

from spikard._spikard import Response
from spikard.errors import (
    CyclicDependency,
    DependencyTypeError,
    DIError,
    HTTPException,
    ProblemDetails,
    ValidationException,
)

MEDIA_TYPE = "application/problem+json"

# Where the name of a problem is not just the status phrase in lower case.
NAMES = {
    413: ("payload-too-large", "Payload Too Large"),
    414: ("uri-too-long", "URI Too Long"),
    416: ("range-not-satisfiable", "Range Not Satisfiable"),
    422: ("validation-error", "Request Validation Failed"),
    429: ("rate-limited", "Too Many Requests"),
    431: ("header-fields-too-large", "Request Header Fields Too Large"),
}
MISSING_DEPENDENCY = ("missing_dependency", "A dependency cannot be resolved")
DEPENDENCY_FAULTS = (
    (CyclicDependency, ("circular_dependency", "A dependency needs itself")),
    (DependencyTypeError, ("type_mismatch", "A dependency is not of the type it should be")),
)
NO_STORE = frozenset({401, 403, 429})


def problem_name(status: int) -> tuple[str, str]:
    """The last part of the type address and the title for a status."""
    if status in NAMES:
        return NAMES[status]
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown Status"
    return phrase.lower().replace(" ", "-").replace("'", ""), phrase


def problem_response(problem: ProblemDetails) -> Response:
    """The answer a `ProblemDetails` stands for."""
    return _response(problem.to_dict(), problem.status)


def http_problem(exc: HTTPException, base_url: str) -> Response:
    """The answer to an `HTTPException`; a mapping as detail becomes members of the document."""
    name, title = problem_name(exc.status_code)
    # Raised by hand, a 422 is no list of faults.
    if exc.status_code == 422 and exc.title is None:
        name, title = "unprocessable-content", "Unprocessable Content"
    document: dict[str, Any] = {
        "type": exc.type or base_url + name,
        "title": exc.title or title,
        "status": exc.status_code,
    }
    if isinstance(exc.detail, dict):
        document.update(exc.detail)
    elif exc.detail is not None:
        document["detail"] = exc.detail
    document.update(exc.extra or {})
    return _response(document, exc.status_code, exc.headers)


def validation_problem(exc: ValidationException, base_url: str) -> Response:
    """The 422 of a `ValidationException`."""
    name, title = NAMES[422]
    count = len(exc.errors)
    document = {
        "type": base_url + name,
        "title": title,
        "status": 422,
        "detail": f"{count} validation error{'' if count == 1 else 's'} in request",
        "errors": list(exc.errors),
    }
    return _response(document, 422)


def dependency_problem(exc: DIError, base_url: str, request_id: str | None, *, debug: bool) -> Response:
    """The 500 of a dependency that cannot be had; what it is called is told only when debugging."""
    kind, text = next((told for cls, told in DEPENDENCY_FAULTS if isinstance(exc, cls)), MISSING_DEPENDENCY)
    document: dict[str, Any] = {
        "type": base_url + "dependency-error",
        "title": "Dependency Resolution Failed",
        "status": 500,
        "detail": str(exc) if debug else text,
        "errors": [{"type": kind, "msg": str(exc) if debug else text}],
    }
    if request_id is not None:
        document["request_id"] = request_id
    return _response(document, 500)


def _response(document: dict[str, Any], status: int, headers: Any = None) -> Response:
    response = Response(document, status, headers, media_type=MEDIA_TYPE)
    if status in NO_STORE or status >= 500:
        response.headers.setdefault("cache-control", "no-store")
    return response
