"""Calls whose parameters come from the container, compiled: no names are looked up when they happen."""

import asyncio
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from spikard import background
from spikard.di.closing import close_after, close_failed, close_soon
from spikard.di.compiler import FreshText
from spikard.di.exits import close_now, close_shielded, wait_needed
from spikard.di.key import described, inject_marker
from spikard.di.layer import Layer, refuse_scoped
from spikard.di.need import Constant, FactoryOf, Members, Need, Surroundings, Value
from spikard.di.node import Node, waits_now, walk
from spikard.di.provider import Kind
from spikard.di.registration import Lifetime
from spikard.di.scope import Scope
from spikard.di.signature import MISSING, Parameter, read_parameters, underlying
from spikard.di.suspension import step_aside
from spikard.di.waiting import obtain, obtain_all
from spikard.errors import AsyncDependency, ScopeError, UnknownDependency

if TYPE_CHECKING:
    from spikard.di.container import Container

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Target:
    """A function to be called with values of the container.

    `call` is the text of its arguments with `{name}` where an injected one goes; `parameters` are those of the
    compiled call itself. `required` are keys that are resolved first and not passed. `runs` says how: "async",
    "sync" on the loop, "thread", "stream" for async generators. `offers` are the keys whose values the caller
    brings: the text that gives one, or None for a parameter of its own. With `answers` the scope ends after the
    answer, whose background tasks are the parameter `tasks`; without, when the call does.
    """

    function: Callable[..., Any]
    injected: tuple[Parameter, ...]
    parameters: tuple[str, ...]
    call: str
    runs: str
    answers: bool = False
    required: tuple[Any, ...] = ()
    offers: Mapping[Any, str | None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The function as it is shown to people."""
        return described(self.function)


class Injection:
    """The compiled call of a target. `entry` is the function to call; it stays the same when overrides come and go.

    `given` are the keys whose values the caller passes after the target's own parameters, then `tasks` if it is to.
    """

    def __init__(self, container: "Container", target: Target) -> None:
        self.container = container
        self.target = target
        self.layer = container.layer
        graph = Graph(self.layer, target)
        self.waits = graph.waits
        self.given = [key for key in graph.given if target.offers[key] is None]
        self.takes_tasks = target.answers and graph.cleans
        self.is_plain = graph.is_plain and target.runs != "sync"
        self.entry = cast("FunctionType", self._compiled(graph, "entry"))
        # The entry holds on to what keeps it up to date.
        self.entry.__globals__["injection"] = self
        self._code = self.entry.__code__
        container.listeners.add(self)

    def refresh(self) -> None:
        """Follow the container, whose overrides have changed."""
        if self.container.layer is self.layer:
            self.entry.__code__ = self._code
            return
        self.entry.__globals__["overridden"] = self._for_override
        self.entry.__code__ = self._detour()

    def _detour(self) -> CodeType:
        """Code with the entry's own signature that goes to whatever is in force."""
        names = self._parameters()
        call = f"overridden()({', '.join(names)})"
        # Of the same kind as the code it stands for: Python lets a function change its code, but not what it is.
        flags = self._code.co_flags
        if flags & inspect.CO_COROUTINE:
            kind, body = "async def", f"made = {call}\n    return await made if hasattr(made, '__await__') else made"
        elif flags & inspect.CO_ASYNC_GENERATOR:
            kind, body = "async def", f"async for item in {call}:\n        yield item"
        elif flags & inspect.CO_GENERATOR:
            kind, body = "def", f"yield from {call}"
        else:
            kind, body = "def", f"return {call}"
        text = f"{kind} entry({', '.join(names)}):\n    {body}\n"
        space: dict[str, Any] = {}
        exec(compile(text, "<spikard.di override>", "exec"), space)  # noqa: S102
        made: FunctionType = space["entry"]
        return made.__code__

    def _for_override(self) -> Callable[..., Any]:
        layer = self.container.layer
        known = self.entry.__globals__.get("overriding")
        if known is None or known[0] is not layer:
            graph = Graph(layer, self.target)
            missing = [key for key in graph.given if self.target.offers[key] is None and key not in self.given]
            if missing:
                names = ", ".join(described(key) for key in missing)
                raise UnknownDependency(f"{self.target.name}: an override needs {names}, which is not passed to it")
            known = (layer, self._compiled(graph, "overridden"))
            self.entry.__globals__["overriding"] = known
        made: Callable[..., Any] = known[1]
        return made

    def _parameters(self) -> list[str]:
        own = list(self.target.parameters)
        extra = [f"given{index}" for index in range(len(self.given))]
        if self.takes_tasks and "tasks" not in own:
            extra.append("tasks")
        stars = [name for name in own if name.startswith("*")]
        return [*(name for name in own if not name.startswith("*")), *extra, *stars]

    def _compiled(self, graph: "Graph", name: str) -> Callable[..., Any]:
        text = FreshText(scope=graph.captures)
        text.given.update({key: place for key, place in self.target.offers.items() if place is not None})
        for index, key in enumerate(self.given):
            text.given[key] = f"given{index}"
        writer = _Writer(self, graph, text)
        return writer.write(name)


class Graph:
    """What a target's injected parameters come to in a layer."""

    def __init__(self, layer: Layer, target: Target) -> None:
        self.layer = layer
        self.target = target
        path = (target.function,)
        self.needs: dict[str, Need] = {
            parameter.name: layer.argument(parameter, path, asked=_is_asked(parameter)) for parameter in target.injected
        }
        self.required: list[Node] = [layer.node(key) for key in target.required]
        needed = [node for need in self.needs.values() for node in _nodes(need)]
        self.nodes = [*self.required, *needed]
        for node in self.nodes:
            refuse_scoped(node, in_scope=True)
        needs = self.needs.values()
        own = [node for node in self.nodes if node.lifetime is not Lifetime.SINGLETON]
        self.captures = any(isinstance(need, FactoryOf | Surroundings) for need in needs) or any(
            node.captures for node in own
        )
        self.cleans = self.captures or any(node.cleans for node in own)
        self.waits = any(waits_now(node) for node in self.nodes)
        self.is_parallel = self.waits and _has_independent(needed)
        self.given = self._given()
        self.is_plain = not own and not self.captures and not self.waits

    def _given(self) -> list[Any]:
        """The keys that the caller has to bring."""
        keys: dict[Any, None] = {}
        for node in self._reached():
            if node.registration.provider.kind is Kind.GIVEN:
                keys[node.key] = None
        lacking = [key for key in keys if key not in self.target.offers]
        if lacking:
            names = ", ".join(described(key) for key in lacking)
            raise ScopeError(f"{self.target.name} needs {names}, which nobody brings to it")
        return list(keys)

    def _reached(self) -> list[Node]:
        """All nodes, those that factories may ask for too."""
        seen: dict[int, Node] = {}
        waiting = list(self.nodes)
        needs: list[Need] = list(self.needs.values())
        while waiting or needs:
            for need in needs:
                if isinstance(need, FactoryOf):
                    waiting.append(self.layer.node(need.key))
                elif isinstance(need, Surroundings):
                    # Whoever holds the scope may ask it for anything that is there.
                    waiting += [self.layer.node(key) for key in self.target.offers if self.layer.find(key) is not None]
            needs = []
            for node in walk(waiting):
                if id(node) not in seen:
                    seen[id(node)] = node
                    if node.lifetime is not Lifetime.SINGLETON:
                        needs += [argument.need for argument in node.arguments]
            waiting = []
        return list(seen.values())


class _Writer:
    """Writes the function of one injection."""

    def __init__(self, injection: Injection, graph: Graph, text: FreshText) -> None:
        self._injection = injection
        self._target = injection.target
        self._graph = graph
        self._text = text
        self._line = text.line

    def write(self, name: str) -> Callable[..., Any]:
        target, graph, text = self._target, self._graph, self._text
        parameters = self._injection._parameters()
        if target.runs == "thread" and graph.waits:
            return self._threaded(name, parameters)
        is_async = target.runs in {"async", "stream"} or graph.waits or (target.answers and target.runs == "sync")
        if graph.is_plain and not (target.answers and target.runs == "sync") and target.runs != "stream":
            # Nothing of this call is made: the function itself goes on from here.
            return text.function(name, parameters, self._call())
        if graph.waits and not self._injection.waits:
            # Compiled as never waiting: what waits now asks for a task first.
            self._line(f"await {text.bind(step_aside)}()")
        if graph.cleans:
            self._guarded()
            return text.compiled(name, parameters, is_async=is_async)
        self._resolve()
        self._finish()
        return text.compiled(name, parameters, is_async=is_async)

    def _guarded(self) -> None:
        """The call between the opening of a scope and its end."""
        text, target = self._text, self._target
        self._open()
        self._line("try:")
        text.depth += 1
        self._resolve()
        if target.runs == "stream":
            self._line(f"async for item in {self._call()}:")
            self._line("    yield item")
        else:
            self._line(f"result = {self._awaited()}")
        text.depth -= 1
        self._line("except BaseException as fault:")
        if target.answers:
            self._line(f"    {text.bind(close_failed)}(exits, fault{self._in_thread()})")
        else:
            self._line(f"    {self._close('fault')}")
        self._line("    raise")
        if not target.answers:
            self._line(self._close("None"))
        elif self._injection.takes_tasks:
            self._line(f"{text.bind(close_after)}(tasks, exits{self._in_thread()})")
        else:
            self._line(f"{text.bind(close_soon)}(exits{self._in_thread()})")
        if target.runs != "stream":
            self._line("return result")

    def _open(self) -> None:
        if not self._graph.captures and not self._graph.is_parallel:
            self._line("exits = []")
            return
        text = self._text
        self._line(f"scope = {text.bind(Scope)}({text.bind(self._injection.container)})")
        self._line("exits = scope.exits")
        for key, name in text.given.items():
            self._line(f"scope.values[{text.bind(key, 'k')}] = {name}")

    def _resolve(self) -> None:
        """Lines that make every value, and leave them in names."""
        self._values: dict[str, str] = {}
        if self._graph.is_parallel:
            self._resolve_together()
            return
        for node in self._graph.required:
            self._text.get(node)
        for name, need in self._graph.needs.items():
            self._values[name] = self._text.need(need)

    def _resolve_together(self) -> None:
        text, graph = self._text, self._graph
        if not graph.cleans:
            self._open()
        for node in graph.required:
            self._line(f"await {text.bind(obtain)}(scope, {text.bind(node, 'n')}, in_scope=True)")
        needs = text.bind(tuple(graph.needs.values()))
        values = text.local()
        self._line(f"{values} = await {text.bind(obtain_all)}(scope, {needs}, in_scope=True)")
        self._values = {name: f"{values}[{index}]" for index, name in enumerate(graph.needs)}

    def _call(self) -> str:
        if not hasattr(self, "_values"):
            self._resolve()
        function = self._text.bind(self._target.function, "f")
        return f"{function}({self._target.call.format(**self._values)})"

    def _awaited(self) -> str:
        return f"await {self._call()}" if self._target.runs == "async" else self._call()

    def _finish(self) -> None:
        if self._target.runs == "stream":
            self._line(f"async for item in {self._call()}:")
            self._line("    yield item")
        else:
            self._line(f"return {self._awaited()}")

    def _close(self, fault: str) -> str:
        text = self._text
        if self._target.runs in {"async", "stream"} or self._graph.waits:
            return f"await {text.bind(close_shielded)}(exits, {fault})"
        return f"{text.bind(_close_plainly)}(exits, {fault})"

    def _in_thread(self) -> str:
        return ", True" if self._target.runs == "thread" else ""

    def _threaded(self, name: str, parameters: list[str]) -> Callable[..., Any]:
        """A function for a thread, whose values are awaited on the loop."""
        given = [parameter for parameter in parameters if parameter.startswith("given")]
        prepare = self._prepared()
        text = FreshText(scope=False)
        self._text, self._line = text, text.line
        self._line(f"scope = {text.bind(Scope)}({text.bind(self._injection.container)})")
        self._line("exits = scope.exits")
        self._line("try:")
        passed = ", ".join(["scope", *given])
        self._line(f"    values = {text.bind(_on_loop)}({text.bind(prepare)}({passed}))")
        self._values = {name: f"values[{index}]" for index, name in enumerate(self._graph.needs)}
        self._line(f"    result = {self._call()}")
        self._line("except BaseException as fault:")
        self._line(f"    {text.bind(close_failed)}(exits, fault, True)")
        self._line("    raise")
        closer = "close_after(tasks, exits, True)" if self._injection.takes_tasks else "close_soon(exits, True)"
        text.names.update(close_after=close_after, close_soon=close_soon)
        self._line(closer)
        return text.function(name, parameters, "result")

    def _prepared(self) -> Callable[..., Any]:
        graph, keys = self._graph, list(self._injection.given)
        required, needs = list(graph.required), tuple(graph.needs.values())

        async def prepare(scope: Scope, *values: Any) -> list[Any]:
            scope.values.update(zip(keys, values, strict=False))
            for node in required:
                await obtain(scope, node, in_scope=True)
            return await obtain_all(scope, needs, in_scope=True)

        return prepare


def injected(
    function: F,
    container: "Container",
    *,
    given: int = 0,
    required: Sequence[Any] = (),
    brings: Mapping[Any, int] | None = None,
) -> F:
    """The function without the parameters that the container fills; the same function if there are none.

    Its scope is opened by each call and ends with it; that of an async generator ends with the generator. The first
    `given` parameters are the caller's in any case. Whoever calls it passes the rest as if they were the only ones.
    `brings` tells which positional arguments providers may ask for: `{Request: 0}`.
    """
    parameters = read_parameters(function, described(function))[given:]
    wanted = [
        parameter
        for parameter in parameters
        if container.provides(parameter.name, parameter.annotation) and not container.expects(parameter.annotation)
    ]
    if not wanted and not required:
        return function
    call = ", ".join(["*args", *(f"{parameter.name}={{{parameter.name}}}" for parameter in wanted), "**kwargs"])
    runs = _runs(function)
    offers = {key: f"args[{index}]" for key, index in (brings or {}).items()}
    target = Target(function, tuple(wanted), ("*args", "**kwargs"), call, runs, required=tuple(required), offers=offers)
    lazy = _Lazy(container, target)
    return cast("F", lazy.function())


class _Lazy:
    """Compiles a call when it is first made: by then everything has been registered."""

    def __init__(self, container: "Container", target: Target) -> None:
        self._container = container
        self._target = target
        self._generation: object = None
        self._entry: Callable[..., Any] | None = None

    @property
    def entry(self) -> Callable[..., Any]:
        if self._entry is None or self._generation is not self._container.generation:
            self._entry = Injection(self._container, self._target).entry
            self._generation = self._container.generation
        return self._entry

    def function(self) -> Callable[..., Any]:
        """A function of the kind of the target's."""
        target, lazy = self._target, self
        function = target.function

        async def call_async(*args: Any, **kwargs: Any) -> Any:
            return await lazy.entry(*args, **kwargs)

        async def stream(*args: Any, **kwargs: Any) -> Any:
            async for item in lazy.entry(*args, **kwargs):
                yield item

        def call(*args: Any, **kwargs: Any) -> Any:
            result = lazy.entry(*args, **kwargs)
            if inspect.iscoroutine(result) and target.runs == "sync":
                result.close()
                raise AsyncDependency(f"{target.name} is a plain function, and what it needs has to be awaited")
            return result

        made = {"async": call_async, "stream": stream}.get(target.runs, call)
        functools.update_wrapper(made, function)
        del made.__wrapped__  # type: ignore[attr-defined]
        hidden = {parameter.name for parameter in target.injected}
        signature = inspect.signature(function)
        left = [parameter for name, parameter in signature.parameters.items() if name not in hidden]
        made.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        made.__annotations__ = {n: a for n, a in made.__annotations__.items() if n not in hidden}
        return made


def _runs(function: Callable[..., Any]) -> str:
    inner = underlying(function)
    if inspect.isasyncgenfunction(inner):
        return "stream"
    return "async" if inspect.iscoroutinefunction(inner) else "sync"


def _is_asked(parameter: Parameter) -> bool:
    return parameter.annotation is not MISSING and inject_marker(parameter.annotation) is not None


def _nodes(need: Need) -> Sequence[Node]:
    match need:
        case Value(node):
            return [node]
        case Members(nodes):
            return nodes
        case Constant() | FactoryOf() | Surroundings():
            return []


def _has_independent(nodes: Sequence[Node]) -> bool:
    """Whether two of the values that have to be awaited need nothing of each other."""
    waiting = [node for node in walk(list(nodes)) if waits_now(node) and node.is_async]
    below = {id(node): {id(other) for other in walk([node])} for node in waiting}
    return any(
        id(one) not in below[id(other)] and id(other) not in below[id(one)]
        for index, one in enumerate(waiting)
        for other in waiting[:index]
    )


def _close_plainly(exits: list[Any], fault: BaseException | None) -> None:
    if wait_needed(exits):
        raise AsyncDependency("a plain function cannot wait for the cleanup of what it was given")
    close_now(exits, fault)


def _on_loop(work: Any) -> Any:
    """The result of a coroutine on the worker's loop, for a thread."""
    loop = background.worker_loop.get()
    if loop is None:
        work.close()
        raise AsyncDependency("values that have to be awaited need the loop of a server")
    return asyncio.run_coroutine_threadsafe(work, loop).result()


__all__ = ["Injection", "Target", "injected"]
