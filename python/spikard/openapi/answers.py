"""What an operation answers: from the return annotation, and from what the route itself says."""

import collections.abc
import pathlib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Union, get_args

from spikard.errors import ProblemDetails, phrase
from spikard.openapi.components import Components
from spikard.openapi.request_body import BINARY, OCTETS
from spikard.openapi.signature import Signature
from spikard.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from spikard.responses.problem import MEDIA_TYPE as PROBLEM_JSON
from spikard.routing.route import Route
from spikard.schema.annotation import NONE_TYPE, is_union, peel
from spikard.schema.build import Schema
from spikard.schema.returns import content_type_of

JSON = "application/json"
EVENTS = "text/event-stream"
NO_CONTENT = frozenset({204, 205, 304})
TEXT: Schema = {"type": "string"}
# Kinds of responses with the one media type they have.
KINDS: Mapping[type, tuple[str, Schema]] = {
    HTMLResponse: ("text/html", TEXT),
    PlainTextResponse: ("text/plain", TEXT),
    JSONResponse: (JSON, {}),
}
STREAMS = (
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncGenerator,
    collections.abc.Iterator,
    collections.abc.Generator,
)
# A path stands for the file it leads to.
OF_BYTES = (bytes, bytearray, memoryview, pathlib.PurePath)
LOCATION: Schema = {"description": "Where to go instead.", "schema": {"type": "string", "format": "uri-reference"}}


@dataclass(frozen=True, slots=True)
class Answer:
    """One kind of answer: its media type, None for no body, and either a type or a finished schema."""

    status: int
    media_type: str | None
    annotation: Any = Any
    schema: Schema | None = None


def successes_of(route: Route, signature: Signature, components: Components, operation: str) -> dict[str, Schema]:
    """The response objects for what the handler returns, by status."""
    usual = route.status_code or 200
    explicit = route.options.response_schema
    if route.event_source is not None:
        # What each event carries.
        schema = components.component(explicit, f"{operation}_event") if explicit is not None else {}
        return _responses([Answer(200, EVENTS, schema=schema)], components)
    produced = tuple(route.options.produces) or (JSON,)
    if explicit is not None:
        schema = components.of_schema(explicit, f"{operation}_response")
        return _responses([Answer(usual, media_type, schema=schema) for media_type in produced], components)
    fixed = KINDS.get(route.options.response_class) if route.options.response_class is not None else None
    answers = list(_answers(signature.returns if signature.has_return else Any, usual))
    if fixed is not None:
        media_type, schema = fixed
        answers = [
            Answer(one.status, media_type, one.annotation, None if media_type == JSON else schema) for one in answers
        ]
    answers = [
        replace(one, media_type=media_type)
        for one in answers
        for media_type in (produced if one.media_type == JSON else (one.media_type,))
    ]
    return _responses(answers, components)


def declared_of(route: Route, components: Components, operation: str) -> dict[str, Schema]:
    """The response objects that `responses=` gives."""
    declared = route.responses or {}
    return {str(status): _declared(status, value, components, operation) for status, value in declared.items()}


def _answers(returns: Any, status: int) -> Iterator[Answer]:
    """The kinds of answers a return annotation names."""
    core = _unwrapped(returns)
    peeled = peel(core)
    members = get_args(peeled.core) if is_union(peeled.core) else (core,)
    if is_union(peeled.core) and peeled.nullable:
        members = (*members, NONE_TYPE)
    if any(_is_response(member) or _is_answer_tuple(member) for member in members):
        for member in members:
            yield from _one(member, status)
    elif peeled.nullable and not is_union(peeled.core) and _is_response(peeled.core):
        yield from _one(peeled.core, status)
    else:
        yield from _one(core, status)


def _one(member: Any, status: int) -> Iterator[Answer]:
    if _is_answer_tuple(member):
        content, codes = get_args(peel(member).core)[:2]
        for code in _statuses(codes, status):
            yield from _one(content, code)
        return
    core = peel(member).core
    origin = typing.get_origin(core) or core
    if isinstance(origin, type) and issubclass(origin, Response):
        yield _response_class(origin, status)
    elif isinstance(origin, type) and issubclass(origin, ProblemDetails):
        yield Answer(500, PROBLEM_JSON, core)
    elif status in NO_CONTENT:
        yield Answer(status, None)
    elif (isinstance(core, type) and issubclass(core, OF_BYTES)) or origin in STREAMS:
        yield Answer(status, OCTETS, schema=BINARY)
    else:
        yield Answer(status, JSON, member)


def _response_class(cls: type, status: int) -> Answer:
    if issubclass(cls, RedirectResponse):
        return Answer(307 if status == 200 else status, None)
    if status in NO_CONTENT:
        return Answer(status, None)
    for kind, (media_type, schema) in KINDS.items():
        if issubclass(cls, kind):
            return Answer(status, media_type, schema=schema)
    # Of any other only the handler knows what it sends.
    return Answer(status, None if cls is Response else OCTETS, schema=BINARY)


def _unwrapped(returns: Any) -> Any:
    """What is awaited; iterators stay."""
    while True:
        peeled = peel(returns)
        if peeled.origin is collections.abc.Coroutine and len(peeled.arguments) == 3:
            returns = peeled.arguments[2]
        elif peeled.origin is collections.abc.Awaitable and peeled.arguments:
            returns = peeled.arguments[0]
        else:
            return returns


def _is_response(annotation: Any) -> bool:
    core = peel(annotation).core
    origin = typing.get_origin(core) or core
    return isinstance(origin, type) and issubclass(origin, Response | ProblemDetails)


def _is_answer_tuple(annotation: Any) -> bool:
    peeled = peel(annotation)
    return peeled.origin is tuple and content_type_of(annotation) is not annotation


def _statuses(annotation: Any, usual: int) -> tuple[int, ...]:
    return get_args(annotation) if typing.get_origin(annotation) is typing.Literal else (usual,)


def _responses(answers: list[Answer], components: Components) -> dict[str, Schema]:
    by_place: dict[int, dict[str | None, list[Answer]]] = {}
    for answer in answers:
        by_place.setdefault(answer.status, {}).setdefault(answer.media_type, []).append(answer)
    responses = {}
    for status, by_type in by_place.items():
        response: Schema = {"description": phrase(status)}
        if 300 <= status < 400 and status not in NO_CONTENT:
            response["headers"] = {"Location": LOCATION}
        content = {
            media_type: _content(group, components) for media_type, group in by_type.items() if media_type is not None
        }
        responses[str(status)] = {**response, "content": content} if content else response
    return responses


def _content(answers: list[Answer], components: Components) -> Schema:
    for answer in answers:
        if answer.schema is not None:
            return {"schema": answer.schema} if answer.schema else {}
    annotations = tuple(answer.annotation for answer in answers)
    schema = components.of_type(annotations[0] if len(annotations) == 1 else Union[annotations])  # noqa: UP007
    return {"schema": schema}


def _declared(status: int | str, value: Any, components: Components, operation: str) -> Schema:
    """One entry of `responses=`: a text, a type, or a response object that may name a type as `model`."""
    described = phrase(int(status)) if str(status).isdecimal() else "Any other answer"
    if value is None:
        return {"description": described}
    if isinstance(value, str):
        return {"description": value}
    if not isinstance(value, Mapping):
        return {"description": described, "content": _typed(status, value, components)}
    response = {"description": described, **value}
    if (typed := response.pop("model", None)) is not None:
        response["content"] = {**_typed(status, typed, components), **response.get("content", {})}
    if isinstance(response.get("content"), Mapping):
        response["content"] = {
            media_type: _media(entry, components, f"{operation}_{status}")
            for media_type, entry in response["content"].items()
        }
    return response


def _typed(status: int | str, annotation: Any, components: Components) -> Schema:
    if annotation is ProblemDetails:
        return {PROBLEM_JSON: {"schema": components.of_type(annotation)}}
    content = _responses([*_answers(annotation, 200)], components)["200"].get("content", {})
    return {} if str(status) in {str(code) for code in NO_CONTENT} else content


def _media(entry: Any, components: Components, name: str) -> Any:
    if not isinstance(entry, Mapping) or "schema" not in entry:
        return entry
    schema = entry["schema"]
    if isinstance(schema, Mapping):
        # What was made from a type leads to components already.
        ready = "components" in str(schema.get("$ref", "")) or "#/components/" in str(schema)
        return entry if ready else {**entry, "schema": components.of_schema(schema, name)}
    return {**entry, "schema": components.of_type(schema)}


__all__ = ["declared_of", "successes_of"]
