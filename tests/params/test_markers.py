"""Markers: defaults, refusals, the schema they add."""

import itertools
from typing import Annotated, Any, get_args

import pytest

from spikard.params import MISSING, Body, Cookie, File, Form, Header, Marker, Path, Query

MARKERS = [Path, Query, Header, Cookie, Body, Form, File]
every_marker = pytest.mark.parametrize("marker", MARKERS, ids=lambda marker: marker.__name__)


@every_marker
def test_default(marker: type[Marker]) -> None:
    given = marker(10)
    assert given.has_default()
    assert given.get_default() == 10
    assert given() == 10


@every_marker
@pytest.mark.parametrize("default", [..., MISSING])
def test_no_default(marker: type[Marker], default: Any) -> None:
    given = marker(default)
    assert not given.has_default()
    with pytest.raises(TypeError, match=f"{marker.__name__} parameter is required"):
        given()


@every_marker
def test_none_is_a_default(marker: type[Marker]) -> None:
    assert marker(None).has_default()
    assert marker(None).get_default() is None


@every_marker
def test_factory_runs_every_time(marker: type[Marker]) -> None:
    counter = itertools.count()
    given = marker(default_factory=lambda: next(counter))
    assert given.has_default()
    assert [given(), given(), given.get_default()] == [0, 1, 2]


@every_marker
def test_default_and_factory_exclude_each_other(marker: type[Marker]) -> None:
    with pytest.raises(ValueError, match="either default or default_factory"):
        marker(1, default_factory=list)
    with pytest.raises(TypeError, match="default_factory must be callable"):
        marker(default_factory=3)  # type: ignore[arg-type]
    # `...` is no default.
    assert marker(..., default_factory=list)() == []


@every_marker
def test_unknown_keywords_are_refused(marker: type[Marker]) -> None:
    with pytest.raises(TypeError, match=f"{marker.__name__}.*colour"):
        marker(1, colour="red")  # type: ignore[call-arg]


@every_marker
def test_generic_annotation(marker: type[Marker]) -> None:
    annotation = marker[int]  # type: ignore[valid-type, misc, type-arg]
    assert annotation.__origin__ is int
    inner, made = get_args(annotation)
    assert inner is int
    assert type(made) is marker
    assert not made.has_default()


@every_marker
def test_alias_and_secret(marker: type[Marker]) -> None:
    assert marker(alias="other-name", secret=True).alias == "other-name"
    assert marker(secret=True).is_secret
    assert marker().alias is None
    assert not marker().is_secret


@pytest.mark.parametrize(
    ("kind", "keywords", "schema"),
    [
        (
            "integer",
            {"gt": 1, "ge": 2, "lt": 9, "le": 8},
            {
                "exclusiveMinimum": 1,
                "minimum": 2,
                "exclusiveMaximum": 9,
                "maximum": 8,
            },
        ),
        ("number", {"multiple_of": 0.5, "gt": 0}, {"multipleOf": 0.5, "exclusiveMinimum": 0}),
        (
            "string",
            {"min_length": 1, "max_length": 3, "pattern": "^a"},
            {
                "minLength": 1,
                "maxLength": 3,
                "pattern": "^a",
            },
        ),
        ("string", {"format": "email", "enum": ("a", "b")}, {"format": "email", "enum": ["a", "b"]}),
        ("array", {"min_length": 1, "max_length": 3}, {"minItems": 1, "maxItems": 3}),
        (["array", "null"], {"min_length": 1}, {"minItems": 1}),
        (
            "array",
            {"min_items": 1, "max_items": 2, "unique_items": True},
            {
                "minItems": 1,
                "maxItems": 2,
                "uniqueItems": True,
            },
        ),
        ("object", {"min_length": 1}, {"minProperties": 1}),
        (
            "string",
            {"title": "T", "description": "D", "example": "e", "deprecated": True},
            {
                "title": "T",
                "description": "D",
                "examples": ["e"],
                "deprecated": True,
            },
        ),
        ("integer", {"ge": 1, "schema": {"minimum": 5, "x-note": 1}}, {"minimum": 5, "x-note": 1}),
        ("string", {"alias": "a", "secret": True, "include_in_schema": False}, {}),
    ],
)
def test_schema(kind: Any, keywords: dict[str, Any], schema: dict[str, Any]) -> None:
    assert Query(**keywords).constrain(kind) == schema


@pytest.mark.parametrize(
    ("given", "separator"),
    [({}, None), ({"separator": ","}, ","), ({"style": "pipeDelimited"}, "|"), ({"style": "spaceDelimited"}, " ")],
)
def test_query_separators(given: dict[str, str], separator: str | None) -> None:
    assert Query(**given).separator == separator


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Query(separator="--"), "separator must be one of"),
        (lambda: Query(style="matrix"), "style must be one of"),
        (lambda: File(max_size=0), "max_size must be at least 1"),
    ],
)
def test_own_keywords_are_checked(make: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()


def test_file_demands() -> None:
    assert File().demands() == {}
    assert File(content_types="image/png", max_size=5, validate_magic_numbers=True).demands() == {
        "content_type": ["image/png"],
        "max_size": 5,
        "validate_magic_numbers": True,
    }


def test_body_and_header_options() -> None:
    body = Body(embed=True, media_type="text/csv", coerce=True)
    assert (body.embed, body.media_type, body.coerce) == (True, "text/csv", True)
    assert Header().convert_underscores is True
    assert Header(convert_underscores=False).convert_underscores is False


def test_repr_shows_what_was_given() -> None:
    assert repr(Query(1, ge=0)) == "Query(1, ge=0)"
    assert repr(Path()) == "Path()"


def test_a_handler_can_be_called_with_its_markers_resolved() -> None:
    def handler(limit: Annotated[int, Query(ge=1)] = 5, page: int = Query(2)) -> tuple[int, int]:
        return limit, page

    assert handler(page=Query(2)()) == (5, 2)
    assert repr(MISSING) == "MISSING"
    assert not MISSING
