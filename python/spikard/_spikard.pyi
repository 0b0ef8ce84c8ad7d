"""The native module: what `crates/py-bindings` exposes. Internal; packages above it re-export the public names."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal, Self, TypeAlias, final

from spikard.datastructures import Cookies

__all__ = [
    "AnswerBody",
    "Application",
    "BodyReader",
    "Chart",
    "ChartRun",
    "CompiledMachine",
    "ConfigSource",
    "Driver",
    "Exchange",
    "Expression",
    "FileResponse",
    "Headers",
    "JsonSchema",
    "KeyedBuckets",
    "MemoryStream",
    "PartParser",
    "QueryParams",
    "Request",
    "Response",
    "Server",
    "SessionCore",
    "SocketLink",
    "StreamSink",
    "TokenBucket",
    "TransitionResult",
    "__profile__",
    "__version__",
    "build_request",
    "canonical_json",
    "change_context",
    "check_holds",
    "check_machine",
    "check_schema",
    "compare_configs",
    "draw_machine",
    "encode_json",
    "expand_submachines",
    "fill_template",
    "hold_clock",
    "lint_machine",
    "machine_schema",
    "machine_statistics",
    "read_config",
    "read_delay",
    "render_response",
    "share_memory",
    "validate_json",
]

__version__: Final[str]
__profile__: Final[Literal["dev", "release"]]

@final
class Headers:
    """Case-insensitive multi-mapping of header names to values, in wire order."""

    def __new__(cls, items: Mapping[str, str] | Iterable[tuple[str, str]] | None = None) -> Headers: ...
    def __getitem__(self, name: str, /) -> str: ...
    def __setitem__(self, name: str, value: str, /) -> None: ...
    def __delitem__(self, name: str, /) -> None: ...
    def __contains__(self, name: object, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def get(self, name: str, default: Any = None) -> Any: ...
    def getlist(self, name: str) -> list[str]: ...
    def add(self, name: str, value: str) -> None: ...
    def setdefault(self, name: str, value: str) -> str: ...
    def update(self, items: Mapping[str, str]) -> None: ...
    def keys(self) -> list[str]: ...
    def values(self) -> list[str]: ...
    def items(self) -> list[tuple[str, str]]: ...

@final
class QueryParams:
    """Multi-mapping of decoded query parameters; the last value wins."""

    def __new__(cls, query_string: str = "") -> QueryParams: ...
    def __getitem__(self, name: str, /) -> str: ...
    def __contains__(self, name: object, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def get(self, name: str, default: Any = None) -> Any: ...
    def getlist(self, name: str) -> list[str]: ...
    def keys(self) -> list[str]: ...
    def values(self) -> list[str]: ...
    def items(self) -> list[tuple[str, str]]: ...
    def __setitem__(self, name: str, value: str, /) -> None: ...
    def __delitem__(self, name: str, /) -> None: ...
    def add(self, name: str, value: str) -> None: ...
    def multi_items(self) -> list[tuple[str, str]]: ...

class Request:
    """One HTTP request; every property is parsed on first access."""

    @property
    def context(self) -> Context | None: ...
    @context.setter
    def context(self, value: Context) -> None: ...
    @property
    def method(self) -> str: ...
    @method.setter
    def method(self, value: str) -> None: ...
    @property
    def path(self) -> str: ...
    @path.setter
    def path(self, value: str) -> None: ...
    @property
    def raw_path(self) -> bytes: ...
    @property
    def query_string(self) -> str: ...
    @property
    def headers(self) -> Headers: ...
    @headers.setter
    def headers(self, value: Mapping[str, str] | Headers) -> None: ...
    @property
    def query_params(self) -> QueryParams: ...
    @query_params.setter
    def query_params(self, value: str | Mapping[str, str] | QueryParams) -> None: ...
    @property
    def path_params(self) -> dict[str, Any]: ...
    @property
    def cookies(self) -> Cookies: ...
    @cookies.setter
    def cookies(self, value: Mapping[str, str]) -> None: ...
    @property
    def client(self) -> tuple[str, int] | None: ...
    @property
    def scheme(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def root_path(self) -> str: ...
    @property
    def http_version(self) -> str: ...
    @property
    def request_id(self) -> str | None: ...
    @property
    def content_type(self) -> str | None: ...
    @property
    def content_length(self) -> int | None: ...
    @property
    def route(self) -> Any: ...
    @property
    def app(self) -> Any: ...
    @property
    def state(self) -> Any: ...
    @state.setter
    def state(self, value: Any) -> None: ...
    @property
    def user(self) -> Any: ...
    @user.setter
    def user(self, value: Any) -> None: ...
    @property
    def auth(self) -> Any: ...
    @auth.setter
    def auth(self, value: Any) -> None: ...
    def body(self) -> Any: ...
    def json(self) -> Any: ...
    def text(self) -> Any: ...
    def form(self) -> Any:
        """A `FormData`; works plainly and with `await`."""
    def stream(self) -> AsyncIterator[bytes]:
        """The body as it comes. After this has begun it cannot be had in another way: `StreamConsumed`."""
    def stream_parts(self) -> AsyncIterator[Any]:
        """The parts of a multipart form as they come, each a `spikard.datastructures.Part`."""
    def cancel_on_disconnect(self) -> AbstractAsyncContextManager[None]: ...
    def _keep(self, body: bytes) -> None: ...
    def _keep_form(self, form: Any) -> None: ...
    def is_disconnected(self) -> bool: ...
    def url_for(self, name: str, /, **path_params: Any) -> str: ...
    def accepts(self, *types: str) -> str | None: ...

class Response:
    """An answer under construction: content, status, headers and cookies."""

    content: Any
    status_code: int
    headers: Headers
    background: Any
    def __new__(
        cls,
        content: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | Headers | None = None,
        *,
        media_type: str | None = None,
        background: Any = None,
    ) -> Self: ...
    @property
    def media_type(self) -> str | None: ...
    @property
    def body(self) -> bytes: ...
    @property
    def cookies(self) -> list[str]: ...
    def set_cookie(
        self,
        key: str,
        value: str = "",
        *,
        max_age: int | None = None,
        expires: Any = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = "lax",
        partitioned: bool = False,
    ) -> None: ...
    def delete_cookie(self, key: str, path: str = "/", domain: str | None = None) -> None: ...

class FileResponse(Response):
    """A file, opened and sent without Python: as a whole, or as much of it as the request asks for.

    With a `filename` the client is told to keep it under that name; `inline` lets it be shown instead.
    """

    @property
    def path(self) -> Path: ...
    def __new__(
        cls,
        path: str | PathLike[str],
        *,
        filename: str | None = None,
        media_type: str | None = None,
        headers: Mapping[str, str] | Headers | None = None,
        inline: bool = False,
        background: Any = None,
    ) -> Self: ...

@final
class Application:
    """Routes and their compiled plans. Frozen once a server starts."""

    def __new__(cls, owner: Any) -> Application: ...
    def add_route(self, method: str, path: str, plan: Any, route: Any, /) -> None:
        """Compile `plan` (a `spikard.routing.plan.HandlerPlan`) and insert it.

        Raises `spikard.errors.RouteConflict` or `spikard.errors.RouteError`.
        """
    def set_front(self, plan: Any, /) -> None:
        """Middleware that stands before everything; None for none."""
    def set_mounts(self, mounts: list[tuple[str, Any, Any]], /) -> None:
        """What answers below these paths where no route matches: plans for requests, and for WebSockets."""
    def replace_plan(self, index: int, plan: Any, route: Any, /) -> None:
        """Put another plan in the place of one."""
    def set_entry(self, hooks: Callable[[Request], Any] | None, /) -> None:
        """Hooks that every request passes before its route is looked for."""
    def respond(self, index: int, value: Any, event_loop: asyncio.AbstractEventLoop, /) -> Response:
        """What a route's handler gave, as a `Response`."""
    def add_static(self, config: Any, /) -> None:
        """Take a directory, a `spikard.config.StaticFilesConfig`; servers look for it when they are made."""
    def remove_routes(self) -> None: ...

@final
class Driver:
    """The tokio side of the inline loop: a current-thread runtime that stands in for the selector's wait."""

    def __new__(cls, selector_fd: int) -> Driver: ...
    def attach(self, loop: asyncio.AbstractEventLoop) -> None: ...
    def drive(self, timeout: float | None) -> bool: ...
    def rearm(self) -> None: ...
    def close(self) -> None: ...

@final
class BodyReader:
    """The way to a body that is still coming."""

    def read(self, done: Callable[[bytes | BaseException | None], None]) -> bool:
        """Ask for the next piece: `done` gets bytes, None at the end, or what went wrong. False after the end."""

@final
class PartParser:
    """The parser of multipart bodies."""

    def feed(self, data: bytes) -> None: ...
    def next(self) -> Any:
        """A dict where a part begins, bytes of its content, None at its end; False when more bytes are needed."""
    def finish(self) -> None: ...

@final
class TokenBucket:
    """A bucket that calls to others take tokens from; times are in seconds. Safe for threads, without a lock."""

    def __new__(cls, rate: float, burst: float = 1.0) -> Self: ...
    def reserve(self, n: float = 1.0) -> float:
        """Takes n tokens at once, on credit if need be, and says how long to wait for them."""
    def take(self, n: float = 1.0) -> float:
        """Takes n tokens if they are there and says 0; else takes none and says how long they will not be."""
    def cancel(self, n: float = 1.0) -> None:
        """Gives n tokens back."""
    def pause(self, seconds: float) -> None:
        """Nobody starts for that long."""
    @property
    def level(self) -> float:
        """How many tokens there are; below zero when callers wait."""

@final
class KeyedBuckets:
    """A bucket for each of many keys; those that are full, or will be soonest, are forgotten first."""

    def __new__(cls, rate: float, burst: float = 1.0, max_keys: int = 100_000) -> Self: ...
    def reserve(self, key: str, n: float = 1.0) -> float: ...
    def take(self, key: str, n: float = 1.0) -> float: ...
    def cancel(self, key: str, n: float = 1.0) -> None: ...
    def __len__(self) -> int: ...

@final
class MemoryStream:
    """One end of an in-process connection; results arrive through `done(result)` on the loop's thread."""

    def read(self, max_bytes: int, done: Callable[[bytes | None], None]) -> None: ...
    def write(self, data: bytes, done: Callable[[bool], None]) -> None: ...
    def close(self) -> None: ...

@final
class SocketLink:
    """What a WebSocket's handler shares with its connection. Queues are bounded: whoever finds no room waits."""

    def accept(self, subprotocol: str | None = None, headers: Mapping[str, str] | Headers | None = None) -> None: ...
    def take(self) -> str | bytes | None:
        """The next message, None if none has come. Raises `WebSocketDisconnect` after the last."""
    def wait(self, future: asyncio.Future[None]) -> bool:
        """Have a future told when there is a message, or none will come. False if that is so already."""
    def send(self, data: str | bytes | bytearray | memoryview) -> bool:
        """Queue a message. False if there is no room; raises `WebSocketDisconnect` if nobody listens any more."""
    def send_json(self, value: Any) -> bool:
        """As `send`, of a value as JSON text."""
    def wait_for_room(self, future: asyncio.Future[None]) -> bool:
        """Have a future told when there is room. False if there is already."""
    def close(self, code: int, reason: str) -> None:
        """Close after what is queued; refuse where nothing was accepted."""
    def give_up(self) -> None:
        """Close with 1013 in place of what is queued, for a client that does not read fast enough."""
    @property
    def subprotocol(self) -> str | None: ...
    @property
    def closure(self) -> tuple[int, str] | None:
        """Code and reason, once it is closed."""
    @property
    def is_open(self) -> bool: ...

@final
class Exchange:
    """A request under way within the process."""

    def abort(self) -> None: ...

@final
class AnswerBody:
    """The body of an answer within the process, read piece by piece."""

    def read(self, done: Callable[[Any], None]) -> bool:
        """Ask for the next piece: bytes, None at the end, or an exception; False when there is none."""

@final
class StreamSink:
    """The producer's end of a streamed body; takes one chunk at a time."""

    def started(self, task: asyncio.Task[None]) -> bool: ...
    def offer(self, chunk: Any, room: asyncio.Future[None]) -> bool | None: ...
    def finish(self) -> None: ...
    def fail(self, reason: str) -> None: ...

@final
class Server:
    """A running server of one application in one event loop.

    With a `driver` the requests run inline on the loop's thread; without one a thread of its own does the
    network work and hands the calls to `loop`.
    """

    def __new__(
        cls,
        application: Application,
        config: Any,
        loop: asyncio.AbstractEventLoop,
        driver: Driver | None = None,
    ) -> Server: ...
    def listen_tcp(self, host: str, port: int, *, reuse_port: bool = False) -> list[tuple[str, int]]:
        """Bind every address `host` resolves to; gives the bound addresses. Raises `OSError`."""
    def listen_unix(self, path: str) -> None: ...
    def listen_fd(self, fd: int) -> str: ...
    def start(self) -> None:
        """Begin to accept on all listeners."""
    def connect_memory(
        self,
        *,
        secure: bool = False,
        client: tuple[str, int] | None = None,
        server: tuple[str, int] | None = None,
    ) -> MemoryStream:
        """A connection within the process, from nowhere or as another server tells it."""
    def exchange(
        self,
        request: Request,
        body: AsyncIterator[bytes] | None,
        loop: asyncio.AbstractEventLoop,
        done: Callable[[Any], None],
        is_led_on: bool,
    ) -> Exchange:
        """Hand over a request as if it had come over a connection; what middleware leads on goes in behind it.

        `done` gets the `Response`, or an exception. A body that is still being made is read from its `body_reader`.
        """
    def stop(self, timeout: float, linger: float, done: Callable[[], None]) -> None:
        """Stop accepting and drain; `done` runs on the loop's thread when every connection has ended.

        `linger` seconds idle keep-alive connections may still send one more request (answered with
        `Connection: close`); after `timeout` seconds what still runs is cancelled.
        """
    def abort(self) -> None:
        """Cut every connection now."""
    def close(self) -> None: ...
    @property
    def connections(self) -> int: ...
    @property
    def requests(self) -> int: ...

@final
class JsonSchema:
    """A compiled JSON Schema, for what is sent; raises `ValueError` naming the JSON pointer."""

    def __new__(cls, schema: Mapping[str, Any]) -> JsonSchema: ...

def check_schema(schema: Mapping[str, Any]) -> None:
    """Compile a JSON Schema and throw it away; raises `ValueError` naming the JSON pointer."""

def validate_json(schema: Mapping[str, Any], data: bytes) -> list[dict[str, Any]]:
    """The faults of a JSON document against a schema, in the shape of a 422's `errors`."""

def hold_clock(at: int | None, /) -> int | None:
    """Hold the clock of limits and tokens at a moment, nanoseconds since 1970, or let it run.

    Gives the moment it was held at before.
    """

def share_memory(fd: int, /) -> None:
    """Share limits and figures with other processes through a file; the module has the descriptor from here on."""

def render_response(
    response: Response, loop: asyncio.AbstractEventLoop, /
) -> tuple[int, list[tuple[bytes, bytes]], bytes | None]:
    """Status, headers and body as they go out; None for a streamed body."""

def build_request(
    method: str,
    target: str,
    headers: list[tuple[bytes, bytes]],
    *,
    http_version: str = "1.1",
    secure: bool = False,
    client: tuple[str, int] | None = None,
    server: tuple[str, int] | None = None,
) -> Request:
    """A request that another server has taken; `target` is path and query as they were sent."""

def encode_json(value: Any, /) -> bytes:
    """Encode a handler's result the way an answer does."""

@final
class Chart:
    """A chart that was read from SCXML."""

    @staticmethod
    def read(text: str, load: Callable[[str], str], /) -> Chart: ...
    @property
    def name(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def broken(self) -> list[tuple[str, int, int]]: ...
    @property
    def initial(self) -> list[str]: ...
    def states(self) -> list[tuple[str, str, str | None, list[str]]]: ...
    def transitions(self) -> list[tuple[str, list[str], str | None, list[str], bool]]: ...

_Ask: TypeAlias = Callable[[str, dict[str, Any]], bool | None] | None
_ChartEvent: TypeAlias = tuple[str, str, str | None, str | None, str | None, str | None, Any]

@final
class ChartRun:
    """One run of a chart. What the world has to do comes out as tuples, whose first item says what."""

    def __new__(
        cls,
        chart: Chart,
        session_id: str,
        data: dict[str, Any],
        *,
        declares: bool = True,
        kinds: Sequence[str] = ...,
        invoke_id: str | None = None,
        microsteps: int = 10_000,
        memory: dict[str, Any] | None = None,
    ) -> ChartRun: ...
    def start(self, ask: _Ask = None, now: int | None = None) -> list[tuple[Any, ...]]: ...
    def advance(self, ask: _Ask = None, now: int | None = None) -> list[tuple[Any, ...]] | None: ...
    def settle(self, ask: _Ask = None, now: int | None = None) -> list[tuple[Any, ...]]: ...
    def cancel(self, ask: _Ask = None, now: int | None = None) -> list[tuple[Any, ...]]: ...
    def post(self, event: _ChartEvent, /) -> None: ...
    def report(self, name: str, message: str, send_id: str | None = None) -> None: ...
    def set(self, name: str, value: Any, /) -> None: ...
    def unset(self, name: str, /) -> None: ...
    @property
    def running(self) -> bool: ...
    @property
    def configuration(self) -> list[str]: ...
    @property
    def leaves(self) -> list[str]: ...
    @property
    def resting(self) -> str | None: ...
    @property
    def descriptors(self) -> list[str]: ...
    def values(self) -> dict[str, Any]: ...
    def remember(self) -> dict[str, Any]: ...

class CompiledMachine:
    """What `spikard.fsm.StateMachine` is made of. It is compiled once, by `_compile`."""

    def __new__(cls, *_arguments: Any, **_options: Any) -> Self: ...
    @property
    def initial_leaf(self) -> str: ...
    def process(
        self,
        current_state: str,
        event: Any,
        context: Mapping[str, Any] | None = None,
        *,
        history: Mapping[str, str] | None = None,
    ) -> TransitionResult: ...
    @property
    def _moves_alone(self) -> bool: ...
    def _watch(self) -> None: ...
    def _compile(
        self,
        states: dict[str, Any],
        transitions: list[Any],
        /,
        *,
        normalizer: str | None,
        rejects: bool,
        auto_route: bool,
        reenter: bool,
    ) -> None: ...
    def process_many(
        self, states: Iterable[str], events: Iterable[Any], contexts: Iterable[Mapping[str, Any] | None]
    ) -> list[TransitionResult]: ...
    def _process_asking(
        self,
        answer: Callable[[Any, dict[str, Any]], bool],
        current_state: str,
        event: Any,
        context: Mapping[str, Any] | None,
        history: Mapping[str, str] | None,
        /,
    ) -> TransitionResult: ...
    def _automatic(
        self,
        answer: Callable[[Any, dict[str, Any]], bool] | None,
        current_state: str,
        context: Mapping[str, Any] | None,
        history: Mapping[str, str] | None,
        /,
    ) -> TransitionResult | None: ...
    def _process_regions(
        self,
        answer: Callable[[Any, dict[str, Any]], bool] | None,
        parallel_state: str,
        region_states: Mapping[str, str],
        event: Any,
        context: Mapping[str, Any] | None,
        /,
    ) -> tuple[dict[str, str] | None, list[TransitionResult]]: ...

class SessionCore:
    """What `spikard.fsm.EntitySession` is made of: where an entity is, and the step that an event means for it."""

    execute_actions: bool
    defer_unhandled: bool
    _memory: dict[str, str] | None
    _entity_id: str | None
    _deferred: list[tuple[str, dict[str, Any]]] | None
    _tracked: Any
    def __new__(cls, *_arguments: Any, **_options: Any) -> Self: ...
    def __init__(
        self,
        machine: CompiledMachine,
        *,
        entity_id: str | None = None,
        context: Mapping[str, Any] | None = None,
        initial_state: str | None = None,
        defer_unhandled: bool = False,
        execute_actions: bool = False,
        track_regions: bool = False,
        settle: bool = False,
    ) -> None: ...
    @property
    def machine(self) -> CompiledMachine: ...
    @property
    def current_state(self) -> str: ...
    @property
    def context(self) -> dict[str, Any]: ...
    @context.setter
    def context(self, value: dict[str, Any]) -> None: ...
    @property
    def history(self) -> list[TransitionResult]: ...
    @property
    def _tracks_regions(self) -> bool: ...
    @property
    def _waiting(self) -> list[Any]: ...
    def send(self, trigger: str, *, _merge: bool = False, **payload: Any) -> TransitionResult: ...
    def _step(self, trigger: str, payload: dict[str, Any], /) -> TransitionResult: ...
    def _queue(self, trigger: str, payload: dict[str, Any] | None = None, /) -> TransitionResult: ...
    def _next(self) -> tuple[str, dict[str, Any]] | None: ...
    def _rest(self, result: TransitionResult, state: str | None = None, /) -> None: ...
    def _try_take(self) -> bool: ...
    def _take_turn(self) -> bool: ...
    def _give(self) -> None: ...

@final
class TransitionResult:
    """What an event does, or why it does nothing. The error and the metadata are made when somebody looks at them."""

    def __new__(
        cls,
        success: bool,
        source_state: str,
        target_state: str | None,
        trigger: str,
        actions_to_execute: Iterable[Any] | None = None,
        on_exit_actions: Iterable[Any] | None = None,
        on_enter_actions: Iterable[Any] | None = None,
        error: Any = None,
        metadata: dict[str, Any] | None = None,
    ) -> Self: ...
    @classmethod
    def success_result(
        cls,
        source_state: str,
        target_state: str,
        trigger: str,
        actions: Iterable[Any] | None = None,
        on_exit: Iterable[Any] | None = None,
        on_enter: Iterable[Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Self: ...
    @classmethod
    def failure_result(
        cls, source_state: str, trigger: str, error: Any, metadata: dict[str, Any] | None = None
    ) -> Self: ...
    @classmethod
    def no_op_result(cls, current_state: str, trigger: str, metadata: dict[str, Any] | None = None) -> Self: ...
    @property
    def success(self) -> bool: ...
    @property
    def source_state(self) -> str: ...
    @property
    def target_state(self) -> str | None: ...
    @property
    def trigger(self) -> str: ...
    @property
    def actions_to_execute(self) -> tuple[Any, ...]: ...
    @property
    def on_exit_actions(self) -> tuple[Any, ...]: ...
    @property
    def on_enter_actions(self) -> tuple[Any, ...]: ...
    @property
    def error(self) -> Any: ...
    @property
    def metadata(self) -> dict[str, Any]: ...
    @property
    def all_action_specs(self) -> tuple[Any, ...]: ...
    @property
    def all_actions(self) -> tuple[str, ...]: ...
    @property
    def is_self_transition(self) -> bool: ...
    @property
    def state_changed(self) -> bool: ...
    def __setattr__(self, name: str, _value: Any, /) -> None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[type[TransitionResult], tuple[Any, ...]]: ...

@final
class Expression:
    """An expression of a state machine, compiled once."""

    def __new__(cls, source: str, /) -> Self: ...
    @property
    def source(self) -> str:
        """The text it was compiled from."""
    @property
    def names(self) -> list[str]:
        """The names it looks up, each once."""
    def evaluate(self, namespace: dict[str, Any], /, *, allow_random: bool = False, now: int | None = None) -> Any:
        """Its value; `now` is the time of `now()` in microseconds since 1970."""
    def holds(self, namespace: dict[str, Any], /, *, allow_random: bool = False, now: int | None = None) -> bool:
        """Whether its value counts as true."""

def check_holds(
    field: str,
    op: str,
    value: Any,
    values: tuple[Any, ...],
    allow_backtracking: bool,
    context: dict[str, Any],
    /,
) -> bool:
    """Whether a check holds in a context."""

def fill_template(text: str, namespace: dict[str, Any], /, *, strict: bool = False) -> str:
    """A text with each `{{ expression }}` replaced by its value."""

def change_context(effect: str, params: dict[str, Any], context: dict[str, Any], /, *, now: int | None = None) -> None:
    """Changes a context as an effect says; `now` is in microseconds since 1970."""

def read_delay(text: str, /) -> int:
    """A delay in milliseconds."""

@final
class ConfigSource:
    """A configuration that was read from a text, and where its parts stand."""

    def value(self) -> Any: ...
    def position(self, path: Sequence[str | int], /) -> tuple[int, int]: ...

def read_config(text: str, form: str, variables: Callable[[str], str | None] | None = None) -> ConfigSource: ...
def check_machine(config: Any, /) -> list[tuple[str, str, tuple[str | int, ...], str, str, str | None]]: ...
def expand_submachines(
    config: dict[str, Any], base: str, load: Callable[[str, str], tuple[dict[str, Any], str]], /
) -> dict[str, Any]: ...
def lint_machine(
    config: dict[str, Any], guards: list[str] | None = None, actions: list[str] | None = None
) -> list[tuple[str, str, str, dict[str, Any], tuple[str | int, ...]]]: ...
def draw_machine(
    config: dict[str, Any],
    form: str,
    *,
    title: str | None = None,
    guards: bool = True,
    actions: bool = False,
    timeouts: bool = True,
    direction: str = "TB",
    highlight: list[str] = ...,
    trace: list[tuple[str, str]] = ...,
) -> str: ...
def machine_schema() -> str: ...
def canonical_json(config: Any, /) -> str: ...
def machine_statistics(config: dict[str, Any], /) -> dict[str, Any]: ...
def compare_configs(old: dict[str, Any], new: dict[str, Any], /) -> list[tuple[str, str, str, str]]: ...
