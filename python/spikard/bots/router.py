"""Routers: handlers of all kinds of events, and routers below them."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from spikard.bots.injection import call
from spikard.bots.observer import EventObserver
from spikard.bots.outcomes import UNHANDLED, CancelHandler
from spikard.bots.plan import Table, compile_own, compile_plan

if TYPE_CHECKING:
    from spikard.bots.dialogue.dialogue import Dialogue

OBSERVERS = (
    "message",
    "edited_message",
    "deleted_message",
    "pinned_message",
    "unpinned_message",
    "new_chat_members",
    "left_chat_members",
    "changed_chat_info",
    "callback_query",
    "error",
    "unknown_event",
)


class Router:
    """Takes handlers by kind of event; its own are asked first, then those of routers below, as they were included."""

    def __init__(self, name: str | None = None) -> None:
        self.name = name or type(self).__name__
        self.sub_routers: list[Router] = []
        self.parent_router: Router | None = None
        self._plans: dict[str, Table] = {}
        self._error_plan: Table | None = None
        # Of the root: whether handlers may be registered.
        self.is_open = True
        self._on_startup: list[Callable[..., Any]] = []
        self._on_shutdown: list[Callable[..., Any]] = []
        self.message = EventObserver(self, "message")
        self.edited_message = EventObserver(self, "edited_message")
        self.deleted_message = EventObserver(self, "deleted_message")
        self.pinned_message = EventObserver(self, "pinned_message")
        self.unpinned_message = EventObserver(self, "unpinned_message")
        self.new_chat_members = EventObserver(self, "new_chat_members")
        self.left_chat_members = EventObserver(self, "left_chat_members")
        self.changed_chat_info = EventObserver(self, "changed_chat_info")
        self.callback_query = EventObserver(self, "callback_query")
        self.error = EventObserver(self, "error")
        self.unknown_event = EventObserver(self, "unknown_event")
        self.observers: dict[str, EventObserver] = {name: getattr(self, name) for name in OBSERVERS}

    # --- the tree

    def include_router(self, router: "Router") -> "Router":
        """Puts a router below this one, behind those that are there, and gives it back.

        Raises:
            TypeError: It is no router.
            RuntimeError: It is in a tree already, or above this one.
        """
        if not isinstance(router, Router):
            raise TypeError(f"a router is expected, not {type(router).__name__}")
        if router.parent_router is not None:
            raise RuntimeError(f"Router '{router.name}' is already included in router '{router.parent_router.name}'")
        above: Router | None = self
        while above is not None:
            if above is router:
                raise RuntimeError(f"Router '{router.name}' cannot be included in router '{self.name}': it is above it")
            above = above.parent_router
        self.changed()
        router.parent_router = self
        self.sub_routers.append(router)
        return router

    def include_routers(self, *routers: "Router") -> None:
        """Puts several routers below this one."""
        for router in routers:
            self.include_router(router)

    def include_dialogue(self, dialogue: "Dialogue", start: Any = None, cancel: Any = None) -> "Router":
        """Puts a declared dialogue below this router, and gives the router that it was put into.

        Args:
            dialogue: The dialogue.
            start: A filter of the messages that begin it.
            cancel: A filter of the messages that end it: by the machine's trigger `cancel`, if it has one.
        """
        return self.include_router(dialogue.router(start, cancel))

    def walk(self) -> Iterator["Router"]:
        """This router and all below it, in the order in which they are asked."""
        yield self
        for child in self.sub_routers:
            yield from child.walk()

    def changed(self) -> None:
        """To be called before the tree changes: what was compiled is made anew at the next event, here and above.

        Raises:
            RuntimeError: The dispatcher polls, and `invalidate` was not called.
        """
        above = list(self._above())
        if not above[-1].is_open:
            raise RuntimeError(
                f"{above[-1]!r} polls already: what is registered now may come too late; call invalidate() before"
            )
        for router in above:
            router._plans.clear()
            router._error_plan = None

    def invalidate(self) -> None:
        """Lets handlers be registered while the dispatcher polls, until it ends; the plan is made anew."""
        *_, root = self._above()
        root.is_open = True
        self.changed()

    def _above(self) -> Iterator["Router"]:
        """This router and those above it."""
        router: Router | None = self
        while router is not None:
            yield router
            router = router.parent_router

    # --- events

    def table(self, event_name: str) -> Table:
        """The compiled plan for a kind of event."""
        plan = self._plans.get(event_name)
        if plan is None:
            plan = self._plans[event_name] = compile_plan(self, event_name)
        return plan

    def error_table(self) -> Table:
        """The handlers of errors of this router alone."""
        if self._error_plan is None:
            self._error_plan = compile_own(self, "error")
        return self._error_plan

    async def propagate_event(self, update_type: str, event: Any, **kwargs: Any) -> Any:
        """Shows an event to the handlers of this router and of those below; UNHANDLED if nobody takes it."""
        if update_type not in self.observers:
            return UNHANDLED
        try:
            return await self.table(update_type).offer(event, kwargs)
        except CancelHandler:
            return None

    # --- beginning and end

    def on_startup(self, callback: Callable[..., Any] | None = None) -> Any:
        """Runs before the first poll; a decorator with or without a call."""
        return self._kept(self._on_startup, callback)

    def on_shutdown(self, callback: Callable[..., Any] | None = None) -> Any:
        """Runs when polling has ended; a decorator with or without a call."""
        return self._kept(self._on_shutdown, callback)

    @staticmethod
    def _kept(callbacks: list[Callable[..., Any]], callback: Callable[..., Any] | None) -> Any:
        def keep(function: Callable[..., Any]) -> Callable[..., Any]:
            callbacks.append(function)
            return function

        return keep if callback is None else keep(callback)

    @property
    def startup_hooks(self) -> tuple[Callable[..., Any], ...]:
        """What runs at the start, of this router alone."""
        return tuple(self._on_startup)

    @property
    def shutdown_hooks(self) -> tuple[Callable[..., Any], ...]:
        """What runs at the end, of this router alone."""
        return tuple(self._on_shutdown)

    async def emit_startup(self, **data: Any) -> None:
        """Runs what is to run at the start, this router's first."""
        for router in self.walk():
            for callback in router._on_startup:
                await call(callback, {**data, "router": router})

    async def emit_shutdown(self, **data: Any) -> None:
        """Runs what is to run at the end, the innermost routers' first."""
        for router in reversed(list(self.walk())):
            for callback in router._on_shutdown:
                await call(callback, {**data, "router": router})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self.name}'>"


__all__ = ["OBSERVERS", "Router"]
