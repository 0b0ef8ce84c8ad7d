"""The exceptions and the catalogue of fault types."""

import pytest

from spikard import errors, exceptions
from spikard.errors import HTTPException, ProblemDetails, RouteConflict, RouteError, SpikardError, ValidationException
from spikard.exceptions import ErrorType


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name != "SpikardError"])
def test_one_tree(name: str) -> None:
    cls = getattr(errors, name)
    assert issubclass(cls, SpikardError)
    assert getattr(exceptions, name) is cls


def test_a_conflict_is_a_route_error() -> None:
    assert issubclass(RouteConflict, RouteError)


def test_http_exception_keeps_what_it_is_given() -> None:
    fault = HTTPException(409, {"order": 1}, headers={"x-a": "b"}, type="t", title="T", extra={"more": 2})
    assert (fault.status_code, fault.detail, fault.headers) == (409, {"order": 1}, {"x-a": "b"})
    assert (fault.type, fault.title, fault.extra) == ("t", "T", {"more": 2})
    assert str(HTTPException(404, "gone")) == "404 Not Found: gone"
    assert str(HTTPException(404)) == "404 Not Found"


@pytest.mark.parametrize("status", [0, 99, 600, -1])
def test_statuses_are_checked(status: int) -> None:
    with pytest.raises(ValueError, match="from 100 to 599"):
        HTTPException(status)
    with pytest.raises(ValueError, match="from 100 to 599"):
        ProblemDetails(status=status)


def test_problem_details_as_value() -> None:
    problem = ProblemDetails("https://x/e", "Out", 409, "none left", "/orders/1", {"left": 0, "status": 1})
    assert problem.to_dict() == {
        "type": "https://x/e",
        "title": "Out",
        "status": 409,
        "detail": "none left",
        "instance": "/orders/1",
        "left": 0,
    }
    assert problem == ProblemDetails("https://x/e", "Out", 409, "none left", "/orders/1", {"left": 0, "status": 1})
    assert problem != ProblemDetails()
    assert ProblemDetails().to_dict() == {"type": "about:blank", "title": "Internal Server Error", "status": 500}


def test_problem_details_as_exception() -> None:
    with pytest.raises(ProblemDetails, match="409 Conflict: twice"):
        raise ProblemDetails(status=409, detail="twice")


def test_validation_exception_copies_its_errors() -> None:
    given = [{"type": "missing", "loc": ["body", "a"], "msg": "Field required"}]
    fault = ValidationException(given)
    given[0]["type"] = "changed"
    assert fault.errors[0]["type"] == "missing"
    assert str(fault) == "1 validation error at body.a"
    assert str(ValidationException([])) == "0 validation errors"


def test_error_types_are_their_names() -> None:
    assert ErrorType.MISSING == "missing"
    assert all(member.value == member.name.lower() for member in ErrorType)
    assert len(ErrorType) == 49
