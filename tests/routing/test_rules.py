"""Where arguments come from: the rules and their order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypedDict

import attrs
import msgspec
import pydantic
import pytest

from spikard import BackgroundTasks, Body, Cookie, Header, Path, Query, Request, Spikard
from spikard._spikard import Headers, QueryParams
from spikard.datastructures import State
from tests.routing.compiled import compiled, parameter, sources


class Struct(msgspec.Struct):
    a: int


class Model(pydantic.BaseModel):
    a: int


@dataclass
class Data:
    a: int


class Dict(TypedDict):
    a: int


class Tuple(NamedTuple):
    a: int


@attrs.define
class Attrs:
    a: int


STRUCTURED = [Struct, Model, Data, Dict, Tuple, Attrs]
structured = pytest.mark.parametrize("annotation", STRUCTURED, ids=lambda cls: cls.__name__)


def handler_of(annotation: Any, name: str = "value") -> Callable[..., Any]:
    namespace: dict[str, Any] = {"annotation": annotation}
    exec(f"def handler({name}: annotation): ...", namespace)
    return namespace["handler"]  # type: ignore[no-any-return]


# Rule 1


def test_markers_as_default_in_annotated_and_as_annotation() -> None:
    def handler(
        a: int = Query(1),
        b: Annotated[str, Header()] = "",
        c: Cookie[str] = "",
        d: Annotated[int, Query(alias="dd")] = 0,
        e: Annotated[int, Query] = 0,
    ) -> None: ...

    assert sources(compiled(handler)) == {
        "a": ("query", "a"),
        "b": ("header", "b"),
        "c": ("cookie", "c"),
        "d": ("query", "dd"),
        "e": ("query", "e"),
    }


def test_a_marker_beats_the_path_and_the_name_body() -> None:
    def handler(id: str = Query(), body: str = Header()) -> None: ...  # noqa: A002

    plan = compiled(
        handler, "POST", "/{id}", parameter_schema={"properties": {"key": {"source": "path", "alias": "id"}}}
    )
    assert sources(plan) == {"id": ("query", "id"), "body": ("header", "body"), "key": ("path", "id")}
    assert plan.body is None


def test_a_path_marker_may_have_an_alias() -> None:
    def handler(number: int = Path(alias="id", ge=1)) -> None: ...

    plan = compiled(handler, path="/{id}")
    assert sources(plan) == {"number": ("path", "id")}
    assert plan.parameters[0].schema == {"type": "integer", "minimum": 1}


def test_a_body_marker_works_in_get() -> None:
    def handler(value: Struct = Body()) -> None: ...

    plan = compiled(handler, "GET")
    assert plan.arguments == (("body", None),)


# Rule 2


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (Request, "request"),
        (Request | None, "request"),
        (BackgroundTasks, "background_tasks"),
        (State, "state"),
        (Headers, "headers"),
        (QueryParams, "query_params"),
        (Spikard, "app"),
    ],
)
def test_objects_by_annotation(annotation: Any, kind: str) -> None:
    assert compiled(handler_of(annotation)).arguments == (("object", kind),)
    # Also where the name says something else.
    assert compiled(handler_of(annotation, "body"), "POST").arguments == (("object", kind),)
    with_path = compiled(handler_of(annotation, "id"), "GET", "/{x}" if kind == "request" else "/")
    assert with_path.arguments == (("object", kind),)


# Rules 3 and 4


@pytest.mark.parametrize("name", ["id", "_id", "id_", "__id__"])
def test_names_in_the_path(name: str) -> None:
    plan = compiled(handler_of(int, name), path="/items/{id}")
    assert sources(plan) == {name: ("path", "id")}
    assert plan.parameters[0].required


def test_an_exact_name_in_the_path_wins_over_the_stripped_one() -> None:
    def handler(id_: int) -> None: ...

    assert sources(compiled(handler, path="/{id_}")) == {"id_": ("path", "id_")}


def test_the_path_beats_the_schema() -> None:
    def handler(id: str) -> None: ...  # noqa: A002

    schema = {"properties": {"id": {"type": "string", "source": "query"}}}
    plan = compiled(handler, path="/{id}", parameter_schema=schema)
    assert plan.arguments == (("parameter", 0),)
    assert plan.parameters[0].source == "path"


def test_structured_types_in_the_path_or_schema_are_no_body() -> None:
    def handler(id: str, filter: Data) -> None: ...  # noqa: A002

    schema = {"properties": {"filter": {"type": "object", "source": "query"}}}
    plan = compiled(handler, "POST", "/{id}", parameter_schema=schema)
    assert plan.body is None
    assert parameter(plan, "filter").source == "query"


# Rule 5


def test_providers_come_before_the_body() -> None:
    def handler(body: Struct, other: Data) -> None: ...

    plan = compiled(handler, "POST", provided=lambda name, annotation: annotation is Data)
    (_, injected) = plan.arguments
    assert plan.arguments[0] == ("body", None)
    assert (injected[0], injected[1].name, injected[1].annotation) == ("inject", "other", Data)
    by_name = compiled(handler, "POST", provided=lambda name, annotation: name == "body")
    assert [kind for kind, _ in by_name.arguments] == ["inject", "body"]


# Rules 6 and 8


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "HEAD", "OPTIONS", "TRACE", "PUT", "PATCH"])
@pytest.mark.parametrize("name", ["body", "_body"])
def test_the_name_body_means_the_body(method: str, name: str) -> None:
    plan = compiled(handler_of(Any, name), method)
    assert plan.arguments == (("body", None),)
    assert plan.body is not None
    assert plan.body.name == name


@structured
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_structured_types_are_the_body(annotation: Any, method: str) -> None:
    for wanted in (annotation, annotation | None if annotation is not Dict else annotation, list[annotation]):
        plan = compiled(handler_of(wanted), method)
        assert plan.arguments == (("body", None),), wanted


@pytest.mark.parametrize(
    "annotation", [dict, dict[str, Any], dict[str, int] | None, list[dict[str, int]], Struct | Data]
)
def test_dicts_lists_of_structured_and_unions_are_the_body(annotation: Any) -> None:
    assert compiled(handler_of(annotation), "POST").arguments == (("body", None),)


@pytest.mark.parametrize("annotation", [list[int], int, str, list, tuple[int, ...], Struct | int])
def test_other_types_are_not_the_body(annotation: Any) -> None:
    plan = compiled(handler_of(annotation), "POST")
    assert plan.body is None
    assert plan.parameters[0].source == "query"


@structured
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"])
def test_structured_types_elsewhere_are_query_models(annotation: Any, method: str) -> None:
    plan = compiled(handler_of(annotation), method)
    assert plan.body is None
    (kind, (constructor, indices, names)), *rest = plan.arguments
    assert not rest
    assert (kind, indices, names) == ("model", (0,), ("a",))
    assert sources(plan) == {"a": ("query", "a")}
    made = constructor(a=3)
    assert (made["a"] if annotation is Dict else made.a) == 3


@structured
def test_a_body_schema_asks_for_a_body_in_any_method(annotation: Any) -> None:
    plan = compiled(handler_of(annotation), "DELETE", body_schema={"type": "object"})
    assert plan.arguments == (("body", None),)


# Rule 9


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("request", "object"),
        ("headers", "plain"),
        ("cookies", "object"),
        ("query_params", "plain"),
        ("path_params", "object"),
        ("method", "object"),
        ("path", "object"),
        ("raw_body", "object"),
    ],
)
def test_objects_by_name(name: str, kind: str) -> None:
    assert compiled(handler_of(Any, name)).arguments == ((kind, name),)
    schema = {"properties": {name: {"type": "string", "source": "query"}}}
    assert compiled(handler_of(str, name), parameter_schema=schema).arguments == (("parameter", 0),)


@pytest.mark.parametrize("name", ["headers", "cookies", "query_params", "path_params"])
def test_a_dict_of_that_name_is_no_body(name: str) -> None:
    plan = compiled(handler_of(dict[str, str], name), "POST")
    ((kind, taken),) = plan.arguments
    assert (kind in ("object", "plain"), taken) == (True, name)
    assert plan.body is None


def test_a_structured_type_of_that_name_is_the_body() -> None:
    assert compiled(handler_of(Struct, "request"), "POST").arguments == (("body", None),)


# Rule 10


def test_everything_else_is_the_query() -> None:
    def handler(q, limit: int = 10, _from: str | None = None, class_: str = "") -> None: ...  # type: ignore[no-untyped-def]

    plan = compiled(handler)
    assert sources(plan) == {
        "q": ("query", "q"),
        "limit": ("query", "limit"),
        "_from": ("query", "from"),
        "class_": ("query", "class"),
    }
    assert plan.arguments == tuple(("parameter", index) for index in range(4))


def test_a_name_of_underscores_stays() -> None:
    assert sources(compiled(handler_of(str, "_"))) == {"_": ("query", "_")}


# The rest of the signature


def test_keyword_only_parameters_come_last() -> None:
    def handler(a: int, *, b: int, c: Request) -> None: ...

    plan = compiled(handler)
    assert plan.arguments == (("parameter", 0), ("parameter", 1), ("object", "request"))
    assert plan.keyword_names == ("b", "c")


def test_var_keyword_takes_what_nobody_names() -> None:
    def handler(a: int, **rest: Any) -> None: ...

    schema = {"properties": {"x_key": {"type": "string", "source": "header"}}}
    plan = compiled(handler, path="/{id:int}/{other}", parameter_schema=schema)
    assert plan.var_keyword
    assert plan.arguments == (("parameter", 0),)
    assert sources(plan) == {
        "a": ("query", "a"),
        "x_key": ("header", "x-key"),
        "id": ("path", "id"),
        "other": ("path", "other"),
    }


def test_the_path_is_checked_for_a_handler_that_only_takes_the_request() -> None:
    def handler(request: Request) -> None: ...

    plan = compiled(handler, path="/{id:uuid}")
    assert plan.parameters[0].schema == {"type": "string", "format": "uuid"}
    assert plan.parameters[0].typed


# Query models


def test_query_model_fields() -> None:
    class Filter(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
        page_size: Annotated[int, msgspec.Meta(ge=1)]
        sort_by: str = "name"
        tags: list[str] = []
        owner: int | None = None

    def handler(filter: Filter, q: str) -> None: ...  # noqa: A002

    plan = compiled(handler)
    assert sources(plan) == {
        "page_size": ("query", "pageSize"),
        "sort_by": ("query", "sortBy"),
        "tags": ("query", "tags"),
        "owner": ("query", "owner"),
        "q": ("query", "q"),
    }
    assert [parameter.required for parameter in plan.parameters] == [True, False, False, False, True]
    assert parameter(plan, "page_size").schema == {"type": "integer", "minimum": 1}
    (_, (constructor, indices, names)), last = plan.arguments
    assert (indices, names, last) == ((0, 1, 2, 3), ("page_size", "sort_by", "tags", "owner"), ("parameter", 4))
    assert constructor(page_size=2) == Filter(2)
    assert plan.closed_query


def test_an_absent_nullable_field_is_none() -> None:
    @dataclass
    class Filter:
        owner: int | None

    plan = compiled(handler_of(Filter))
    ((_, (constructor, _, _)),) = plan.arguments
    assert not plan.parameters[0].required
    assert constructor() == Filter(None)
    assert constructor(owner=1) == Filter(1)
    assert not plan.closed_query


def test_pydantic_query_models_use_their_aliases_and_answer_422() -> None:
    from spikard.errors import ValidationException

    class Filter(pydantic.BaseModel):
        model_config = {"extra": "forbid"}
        size: int = pydantic.Field(5, alias="page-size", ge=1)

        @pydantic.field_validator("size")
        @classmethod
        def odd(cls, value: int) -> int:
            if value % 2 == 0:
                raise ValueError("must be odd")
            return value

    plan = compiled(handler_of(Filter))
    assert sources(plan) == {"size": ("query", "page-size")}
    assert plan.closed_query
    ((_, (constructor, _, names)),) = plan.arguments
    assert names == ("page-size",)
    assert constructor(**{"page-size": 3}).size == 3
    with pytest.raises(ValidationException) as caught:
        constructor(**{"page-size": 4})
    (fault,) = caught.value.errors
    assert (fault["type"], fault["loc"]) == ("value_error", ["query", "page-size"])


def test_header_models() -> None:
    @dataclass
    class Common:
        x_token: str
        x_trace: str | None = None

    def handler(common: Annotated[Common, Header()]) -> None: ...

    assert sources(compiled(handler)) == {"x_token": ("header", "x-token"), "x_trace": ("header", "x-trace")}
