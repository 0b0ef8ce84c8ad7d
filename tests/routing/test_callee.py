"""Handlers of every shape: how they are named, run and called."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from spikard import HTMLResponse, PlainTextResponse, Request, Response
from spikard.config import RouteConfig
from spikard.errors import RouteError
from spikard.routing.annotations import resolve
from spikard.routing.callee import inspect_handler
from tests.routing.compiled import compiled, parameter

if TYPE_CHECKING:
    from decimal import Decimal


async def plain_async(a: int) -> dict[str, int]:
    return {"a": a}


async def awaits() -> None:
    await asyncio.sleep(0)


async def iterates(source: Any = None) -> list[int]:
    return [item async for item in source]


async def loops(source: Any = None) -> None:
    async for _ in source:
        pass


async def enters(lock: Any = None) -> None:
    async with lock:
        pass


async def asks_for_its_task() -> str:
    return str(asyncio.current_task())


async def asks_in_a_lambda() -> Any:
    return (lambda: asyncio.current_task())()  # noqa: PLC3002, PLW0108


async def asks_in_a_comprehension() -> Any:
    return [asyncio.current_task() for _ in range(1)]


async def uses_plain_with(path: Any = None) -> Any:
    with path as opened:
        try:
            return [line for line in opened]  # noqa: C416
        finally:
            path.close()


async def defines_a_coroutine() -> Any:
    async def inner() -> None:
        await asyncio.sleep(0)

    return inner


async def raises() -> None:
    raise ValueError


async def generates() -> AsyncIterator[int]:
    yield 1


def generates_plainly() -> Iterator[int]:
    yield 1


def plain(a: int) -> int:
    return a


def wrapping(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return wrapper


def wrapping_plainly(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


class Controller:
    async def method(self, a: int) -> int:
        return a

    @classmethod
    async def of_class(cls, a: int) -> int:
        return a

    @staticmethod
    def static(a: int) -> int:
        return a

    def __call__(self, a: int) -> int:
        return a


class AsyncCallable:
    async def __call__(self, a: int) -> int:
        await asyncio.sleep(0)
        return a


@pytest.mark.parametrize(
    ("handler", "mode"),
    [
        (plain_async, "direct"),
        (uses_plain_with, "direct"),
        (defines_a_coroutine, "direct"),
        (raises, "direct"),
        (awaits, "task"),
        (iterates, "task"),
        (loops, "task"),
        (enters, "task"),
        (asks_for_its_task, "task"),
        (asks_in_a_lambda, "task"),
        (asks_in_a_comprehension, "task"),
        (generates, "inline"),
        (generates_plainly, "inline"),
        (plain, "thread"),
        (wrapping(plain_async), "task"),
        (wrapping_plainly(plain_async), "task"),
        (wrapping_plainly(plain), "thread"),
        (Controller().method, "direct"),
        (Controller.of_class, "direct"),
        (Controller.static, "thread"),
        (Controller(), "thread"),
        (AsyncCallable(), "task"),
        (functools.partial(plain_async), "direct"),
        (functools.partial(plain, 3), "thread"),
        (functools.partial(Controller().method), "direct"),
    ],
)
def test_modes(handler: Callable[..., Any], mode: str) -> None:
    assert inspect_handler(handler).mode == mode


def test_inline_is_for_plain_functions() -> None:
    assert inspect_handler(plain, inline=True).mode == "inline"
    assert inspect_handler(awaits, inline=True).mode == "task"
    assert compiled(plain, inline=True).mode == "inline"


@pytest.mark.parametrize(
    "handler",
    [Controller().method, Controller.of_class, Controller.static, Controller(), AsyncCallable(), plain, plain_async],
)
def test_one_parameter_however_it_is_called(handler: Callable[..., Any]) -> None:
    plan = compiled(handler)
    assert plan.arguments == (("parameter", 0),)
    assert plan.keyword_names == ()
    assert plan.parameters[0].schema == {"type": "integer"}
    assert plan.handler is handler


def test_names_and_places() -> None:
    callee = inspect_handler(Controller().method)
    assert callee.name == f"{__name__}.Controller.method"
    assert callee.location == f"test_callee.py:{Controller.method.__code__.co_firstlineno}"
    assert inspect_handler(wrapping(plain_async)).name == f"{__name__}.plain_async"
    assert inspect_handler(AsyncCallable()).name == f"{__name__}.AsyncCallable.__call__"
    assert inspect_handler(functools.partial(plain, 1)).name == f"{__name__}.plain"


def test_partials_keep_what_they_bind() -> None:
    def handler(service: object, a: int, b: int = 1, *, c: int) -> None: ...

    plan = compiled(functools.partial(handler, object(), b=2))
    assert [made.name for made in plan.parameters] == ["a", "c"]
    assert plan.arguments == (("parameter", 0), ("parameter", 1))
    assert plan.keyword_names == ("c",)


def test_wrapped_functions_are_called_by_keyword() -> None:
    plan = compiled(wrapping(plain_async))
    assert plan.keyword_names == ("a",)
    assert parameter(plan, "a").required


# Annotations


def test_text_annotations_of_module_and_closure() -> None:
    class Local:
        pass

    def handler(request: "Request", local: "Local", number: "int | None" = None) -> "list[Local]":
        return [Local()]

    annotations = resolve(handler, handler.__annotations__, "handler")
    assert annotations == {"request": Request, "local": Local, "number": int | None, "return": list[Local]}


def test_local_classes_that_are_not_captured() -> None:
    class Local:
        pass

    namespace: dict[str, Any] = {"__name__": __name__}
    exec("def handler(local: 'Local'): ...", globals(), namespace)
    assert resolve(namespace["handler"], {"local": "Local"}, "handler") == {"local": Local}


def test_what_only_type_checkers_see_is_refused() -> None:
    def handler(price: "Decimal") -> None: ...

    with pytest.raises(RouteError, match=r"parameter 'price': the annotation 'Decimal' cannot be resolved") as caught:
        compiled(handler)
    assert "outside `if TYPE_CHECKING`" in str(caught.value)


def test_broken_annotations_are_refused() -> None:
    def handler(a: "1 +") -> None: ...  # type: ignore[syntax] # noqa: F722

    with pytest.raises(RouteError, match="cannot be resolved"):
        compiled(handler)


# Answers


@pytest.mark.parametrize(
    ("annotation", "response_class", "schema"),
    [
        (PlainTextResponse, PlainTextResponse, None),
        (HTMLResponse | None, HTMLResponse, None),
        (Awaitable[HTMLResponse], HTMLResponse, None),
        (Response, None, None),
        (int, None, {"type": "integer"}),
        (Response | int, None, None),
        (None, None, None),
    ],
)
def test_return_annotations(annotation: Any, response_class: Any, schema: Any) -> None:
    def handler() -> None: ...

    handler.__annotations__["return"] = annotation
    plan = compiled(handler)
    assert plan.response_class is response_class
    assert plan.response_schema == schema


def test_the_route_overrides_the_return_annotation() -> None:
    plan = compiled(
        plain, response_class=HTMLResponse, response_schema={"type": "string"}, status_code=201, config=None
    )
    assert plan.response_class is HTMLResponse
    assert plan.response_schema == {"type": "string"}
    assert plan.status_code == 201
    assert compiled(plain).status_code is None


def test_route_options_are_those_that_are_set() -> None:
    assert compiled(plain).route_options == {}
    config = RouteConfig(max_body_size=None, request_timeout=1.5, stream_body=True)
    assert compiled(raises, config=config).route_options == {
        "max_body_size": None,
        "request_timeout": 1.5,
        "stream_body": True,
    }
