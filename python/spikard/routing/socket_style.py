"""How a function, class or object handles a WebSocket: message by message, as a connection, or by methods."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spikard.errors import RouteError, WebSocketDisconnect
from spikard.params import MISSING
from spikard.routing.annotations import resolve
from spikard.routing.callee import Callee, inspect_handler
from spikard.routing.converters import path_names
from spikard.routing.decoder import Decoder, decoder_for
from spikard.routing.slot import Slot, slot_of
from spikard.routing.websocket import WebSocket
from spikard.schema.annotation import peel
from spikard.schema.kind import kind_of

HANDLE = "handle_message"
MESSAGE_NAMES = ("message", "_message", "msg")
SOCKET_NAMES = frozenset({"websocket", "ws"})

Provided = Callable[[str, Any], bool]


@dataclass(frozen=True, slots=True)
class SocketStyle:
    """What is called for a socket. With `message` it is called with each one, else once.

    `received` is the annotation of the messages, `replied` that of the replies; Any where nothing is known.
    """

    entry: Callable[..., Any]
    message: str | None
    received: Any
    replied: Any
    # Its methods get the messages, which are checked though its entry takes none.
    is_object: bool = False


def style_of(handler: Any, path: str, provided: Provided | None) -> SocketStyle:
    """Find the style; RouteError when it has none."""
    if not isinstance(handler, type) and hasattr(handler, HANDLE) and not inspect.isfunction(handler):
        return _of_object(lambda: handler, type(handler), handler)
    if isinstance(handler, type) and hasattr(handler, HANDLE):
        return _of_object(handler, handler, handler)
    callee = inspect_handler(handler)
    slots = [slot_of(parameter, callee.described) for parameter in callee.parameters if _is_named(parameter)]
    sockets = [slot for slot in slots if _is_socket(slot)]
    message = _message(slots, path, callee, provided, has_socket=bool(sockets))
    if message is not None:
        return SocketStyle(handler, message.name, message.declared, callee.returns)
    if sockets:
        if callee.mode not in {"task", "direct"}:
            raise RouteError(f"{callee.described}: a handler that talks with a WebSocket is an `async def`")
        return SocketStyle(handler, None, Any, Any)
    made = peel(callee.returns).core
    if callee.mode in {"task", "direct"} or inspect.isgeneratorfunction(handler):
        raise RouteError(
            f"{callee.described}: it takes neither a message nor a WebSocket; name a parameter `message`, annotate one "
            "with WebSocket, or return an object with handle_message()"
        )
    return _of_object(handler, made if isinstance(made, type) else object, handler)


def _is_named(parameter: inspect.Parameter) -> bool:
    return parameter.kind not in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}


def _is_socket(slot: Slot) -> bool:
    core = slot.annotation.core
    if slot.annotation.is_any:
        return slot.name in SOCKET_NAMES and slot.marker is None
    return isinstance(core, type) and issubclass(core, WebSocket)


def _message(
    slots: list[Slot], path: str, callee: Callee, provided: Provided | None, *, has_socket: bool
) -> Slot | None:
    """The parameter that takes the message: by its name, else the first one that nothing else can fill."""
    in_path = path_names(path, callee.described)
    free = [
        slot
        for slot in slots
        if slot.marker is None
        and not _is_socket(slot)
        and slot.name not in in_path
        and not (provided is not None and provided(slot.name, slot.declared))
    ]
    for slot in free:
        if slot.name in MESSAGE_NAMES:
            return slot
    if not free or free[0] is not slots[0]:
        return None
    first = free[0]
    # Beside a WebSocket a plain value is a query parameter.
    if has_socket and kind_of(first.annotation.core) is None and first.annotation.origin is not dict:
        return None
    return first if first.default is MISSING and first.default_factory is None else None


def _of_object(factory: Callable[..., Any], cls: type, declared: Any) -> SocketStyle:
    handle = getattr(cls, HANDLE, None)
    received, replied = (Any, Any) if handle is None else _annotations(handle)
    decoder = None if received is Any else decoder_for(received)
    is_factory = callable(declared)

    async def run(ws: WebSocket, *args: Any, **kwargs: Any) -> None:
        target = factory(*args, **kwargs)
        if inspect.isawaitable(target):
            target = await target
        if not hasattr(target, HANDLE):
            name = getattr(declared, "__qualname__", repr(declared))
            msg = f"{name} gave {target!r} for a WebSocket, which has no handle_message()"
            raise TypeError(msg)
        await _run_object(ws, target, decoder)

    own = inspect.Parameter("ws", inspect.Parameter.POSITIONAL_ONLY, annotation=WebSocket)
    parameters = _parameters(declared) if is_factory else []
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [own.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD), *parameters]
    )
    named = declared if is_factory else cls
    run.__qualname__ = getattr(named, "__qualname__", cls.__qualname__)
    run.__module__ = getattr(named, "__module__", cls.__module__)
    return SocketStyle(run, None, received, replied, is_object=True)


def _parameters(factory: Callable[..., Any]) -> list[inspect.Parameter]:
    callee = inspect_handler(factory)
    return list(callee.parameters)


def _annotations(handle: Any) -> tuple[Any, Any]:
    """What `handle_message` takes, and gives."""
    function = inspect.unwrap(getattr(handle, "__func__", handle))
    given = dict(getattr(function, "__annotations__", {}))
    resolved = resolve(function, given, getattr(function, "__qualname__", HANDLE))
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    received = resolved.get(names[0], Any) if names else Any
    return received, resolved.get("return", Any)


async def _run_object(ws: WebSocket, target: Any, decoder: Decoder | None) -> None:
    await _called(target, "on_connect", ws)
    if not ws.is_open and ws.close_code is None:
        await ws.accept()
    decode = None if decoder is None else decoder.decode
    code = 1000
    try:
        while True:
            received = await ws.receive_bytes()
            message = PLAIN_DECODE(received) if decode is None else decode(received)
            reply = target.handle_message(message)
            if inspect.isawaitable(reply):
                reply = await reply
            await _send(ws, reply)
    except WebSocketDisconnect as gone:
        code = gone.code
    except BaseException:
        code = 1011
        raise
    finally:
        await _called(target, "on_disconnect", code)


async def _send(ws: WebSocket, reply: Any) -> None:
    if reply is None:
        return
    if hasattr(reply, "__aiter__"):
        async for item in reply:
            await _send(ws, item)
    elif hasattr(reply, "__next__"):
        for item in reply:
            await _send(ws, item)
    elif isinstance(reply, bytes | bytearray | memoryview):
        await ws.send_bytes(reply)
    else:
        await ws.send_json(reply)


async def _called(target: Any, name: str, argument: Any) -> None:
    method = getattr(target, name, None)
    if method is None:
        return
    takes = inspect.signature(method).parameters
    result = method(argument) if takes else method()
    if inspect.isawaitable(result):
        await result


PLAIN_DECODE = decoder_for(Any).decode

__all__ = ["SocketStyle", "style_of"]
