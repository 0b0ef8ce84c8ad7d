"""What cannot be served is refused when it is registered, with a message that helps."""

import dataclasses
import re
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import pytest

from spikard.errors import RouteError
from spikard.params import Header, Marker, Path, Query
from tests.routing.compiled import compiled


class Session:
    """A class nothing knows how to make."""


class Looped(NamedTuple):
    inner: "list[Looped]"


@dataclasses.dataclass
class WithSession:
    session: Session


@dataclasses.dataclass
class Unresolved:
    value: "Nowhere"  # type: ignore[name-defined] # noqa: F821


class Strange(Marker):
    source = "elsewhere"


def positional_only(a: int, /) -> None: ...
def star(*args: int) -> None: ...
def nothing() -> None: ...
def session(session: Session) -> None: ...
def body_session(body: Session) -> None: ...
def body_with_session(body: WithSession) -> None: ...
def body_complex(body: complex) -> None: ...
def looped(body: Looped) -> None: ...
def unresolved(body: Unresolved) -> None: ...
def unresolved_query(filter: Unresolved) -> None: ...  # noqa: A002
def callback(a: Callable[[], int]) -> None: ...
def two_markers(a: Annotated[int, Query()] = Header()) -> None: ...
def not_in_path(key: int = Path()) -> None: ...
def strange(a: int = Strange()) -> None: ...
def one(a: Any = None) -> None: ...


# Handler, method, path, options, what the message says, what it advises.
REFUSED: list[tuple[Any, str, str, dict[str, Any], str, str]] = [
    (3, "GET", "/", {}, "3 cannot be called", "a handler is a function"),
    (positional_only, "GET", "/", {}, "parameter 'a': it is positional-only", "remove the `/`"),
    (star, "GET", "/", {}, "parameter '*args': arguments are bound by name", "take **kwargs"),
    (nothing, "GET", "/{id}", {}, "parameter 'id': the path '/{id}' has {id}", "add a parameter named 'id'"),
    (nothing, "GET", "/{id:integer}", {}, "unknown converter 'integer' for 'id'", "use one of str, int, float"),
    (nothing, "GET", "/{id}/{id}", {}, "has {id} twice", "rename one of them"),
    (session, "GET", "/", {}, "parameter 'session': nothing can fill", "register a provider"),
    (session, "POST", "/", {}, "parameter 'session': nothing can fill", "register a provider"),
    (callback, "GET", "/", {}, "parameter 'a': nothing can fill", "annotate it with a type"),
    (body_session, "POST", "/", {}, "parameter 'body': no body can become", "annotate it with a Struct"),
    (body_with_session, "POST", "/", {}, "parameter 'body': no body can become", "annotate it with a Struct"),
    (body_complex, "POST", "/", {}, "parameter 'body': no body can become", "annotate it with a Struct"),
    (looped, "POST", "/", {}, "holds itself beside a NamedTuple", "annotate it with a Struct"),
    (unresolved, "POST", "/", {}, "name 'Nowhere' is not defined", "annotate it with a Struct"),
    (unresolved_query, "GET", "/", {}, "name 'Nowhere' is not defined", "import the name at module level"),
    (two_markers, "GET", "/", {}, "parameter 'a' has 2 markers", "keep the one"),
    (not_in_path, "GET", "/", {}, "parameter 'key': it is marked Path, but the path '/' has no {key}", "add {key}"),
    (strange, "GET", "/", {}, "parameter 'a': the marker Strange() names no source", "use one of spikard.params"),
    (nothing, "GET", "/", {"status_code": 99}, "status_code must be from 100 to 599, not 99", ""),
    (one, "GET", "/", {"parameter_schema": {"properties": []}}, "must be an object schema with `properties`", ""),
    (one, "GET", "/", {"parameter_schema": {"properties": {"a": 3}}}, "property 'a' must be a schema, not 3", ""),
    (one, "GET", "/", {"parameter_schema": {"properties": {"a": {"source": "body"}}}}, "unknown source 'body'",
     "use path, query, header or cookie"),
    (one, "GET", "/", {"parameter_schema": {"properties": {"a": {"source": "path"}}}}, "but the path has no {a}",
     "add it to the path"),
    (one, "POST", "/", {"body_schema": {"items": [{"$ref": "https://x/y"}]}}, "'https://x/y' at /items/0 leaves",
     "put what it names under $defs"),
    (one, "GET", "/", {"parameter_schema": {"properties": {"a": {"$ref": "other.json"}}}}, "leaves the schema",
     "under $defs"),
    (one, "GET", "/", {"response_schema": {"$ref": "other.json#/a"}}, "response_schema: the reference", "$defs"),
]  # fmt: skip


@pytest.mark.parametrize(("handler", "method", "path", "options", "reason", "advice"), REFUSED)
def test_refused(handler: Any, method: str, path: str, options: dict[str, Any], reason: str, advice: str) -> None:
    with pytest.raises(RouteError) as caught:
        compiled(handler, method, path, **options)
    message = str(caught.value)
    assert reason in message
    assert advice in message
    assert "\n" not in message
    if callable(handler):
        line = handler.__code__.co_firstlineno
        assert message.startswith(f"{__name__}.{handler.__name__} (test_route_errors.py:{line}): ")


def test_local_references_are_fine() -> None:
    schema = {"$defs": {"a": {"type": "string"}}, "properties": {"x": {"$ref": "#/$defs/a"}}}
    assert compiled(one, "POST", body_schema=schema).body is not None


def test_a_handler_without_a_signature() -> None:
    with pytest.raises(RouteError, match="its signature cannot be read"):
        compiled(min)


@pytest.mark.parametrize("name", ["q", "limit"])
def test_messages_name_only_what_is_wrong(name: str) -> None:
    namespace: dict[str, Any] = {"Session": Session}
    exec(f"def handler(fine: int, {name}: Session): ...", namespace)
    with pytest.raises(RouteError) as caught:
        compiled(namespace["handler"])
    assert re.findall(r"parameter '(\w+)'", str(caught.value)) == [name]
