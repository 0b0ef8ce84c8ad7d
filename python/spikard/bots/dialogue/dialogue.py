"""A dialogue as programs use it: loaded, given its functions, included in a router."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar

from msgspec import UNSET

from spikard.bots.dialogue.conversation import Conversation, current, pressed, said
from spikard.bots.dialogue.definition import action_names, check_names, read_definition, read_source
from spikard.bots.errors import FSMError
from spikard.bots.filters.base import BuiltinFilter, Verdict
from spikard.bots.filters.state import StateFilter
from spikard.bots.fsm.context import FSMContext, Transaction
from spikard.bots.fsm.state import State, StatesGroupMeta
from spikard.bots.magic import F
from spikard.bots.outcomes import UNHANDLED
from spikard.bots.router import Router
from spikard.bots.types.callback_query import CallbackQuery
from spikard.bots.types.message import Message

logger = logging.getLogger("spikard.bots.dialogue")

H = TypeVar("H", bound=Callable[..., Any])
Unknown = Literal["reset", "keep"] | Mapping[str, str]

_VALIDATORS: Mapping[str, Callable[[Any], Any]] = {"int": int, "float": float}


class Dialogue:
    """A machine of `spikard.fsm` whose states have a `bot:` block.

    A class below this one has its `definition` as an attribute and its functions as methods: actions and validators by
    their names, `enter_<state>` and `done`.

    Args:
        definition: What `load` takes. A class has its own.
        actions: Functions by the names under which the machine asks for them. The first parameter is the event; others
            as for handlers, and `data`, what was gathered.
        validators: Functions of the answer that give what is to be kept, or raise ValueError. `int` and `float` are
            there.
        on_unknown_state: What happens to somebody who is in a state that there is no more: `reset` forgets it, `keep`
            leaves it to other handlers, a mapping says which state is meant.
        fallthrough: Whether what is no answer goes on to handlers outside, also where `retry` has been said.

    Raises:
        FSMError: It does not fit together; all faults are listed.
    """

    definition: ClassVar[str | Path | Mapping[str, Any] | None] = None

    def __init__(
        self,
        definition: str | Path | Mapping[str, Any] | None = None,
        *,
        actions: Mapping[str, Callable[..., Any]] | None = None,
        validators: Mapping[str, Callable[..., Any]] | None = None,
        on_unknown_state: Unknown | None = None,
        fallthrough: bool | None = None,
    ) -> None:
        source = self.definition if definition is None else definition
        if source is None:
            raise FSMError(f"{type(self).__name__} has no definition")
        found = read_definition(read_source(source))
        self.machine = found.machine
        self.blocks = found.blocks
        self.name = found.machine.name
        self._actions = dict(actions or {})
        self._validators = {**_VALIDATORS, **(validators or {})}
        self.on_unknown_state: Unknown = on_unknown_state or found.options.get("on_unknown_state") or "reset"
        self._falls = bool(found.options.get("fallthrough") if fallthrough is None else fallthrough)
        self._on_enter: dict[str, list[Callable[..., Any]]] = {}
        self._on_done: list[Callable[..., Any]] = []
        check_names(found, self._validator, self._action)
        self._check_unknown()
        for name in action_names(self.machine):
            action = self._action(name)
            if action is not None:
                self.machine.action_registry.register(name, _carried_out(action))

    @classmethod
    def load(cls, source: str | Path | Mapping[str, Any], **options: Any) -> Self:
        """A dialogue of a file (YAML or JSON), of the text of a YAML file, or of a mapping."""
        return cls(source, **options)

    @classmethod
    def from_states(
        cls,
        group: StatesGroupMeta,
        order: Literal["linear"] = "linear",
        prompts: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Self:
        """The dialogue that asks for a text in each state of a group, one after another, and then is `done`."""
        if order != "linear":
            raise ValueError(f"states follow each other in the order 'linear', not {order!r}")
        names = [state.state.rpartition(":")[2] for state in group.__states__]
        if not names:
            raise FSMError(f"{group.__name__} has no states of its own")
        texts = prompts or {}
        blocks: dict[str, Any] = {
            name: {"bot": {"input": "text", "save_as": name, **({"prompt": texts[name]} if name in texts else {})}}
            for name in names
        }
        blocks["done"] = {"type": "terminal", "bot": {"prompt": texts["done"]} if "done" in texts else {}}
        steps = zip(names, [*names[1:], "done"], strict=True)
        definition = {
            "name": group.__full_group_name__,
            "initial": names[0],
            "states": blocks,
            "transitions": [{"trigger": "answered", "source": one, "dest": other} for one, other in steps],
        }
        return cls(definition, **options)

    # --- what programs add

    def on_enter(self, state: str) -> Callable[[H], H]:
        """Calls the decorated function when a state is entered, before its prompt."""
        if state not in self.blocks:
            raise FSMError(f"{self.name} has no state {state!r}; there are: {', '.join(self.blocks)}")

        def keep(function: H) -> H:
            self._on_enter.setdefault(state, []).append(function)
            return function

        return keep

    def on_done(self, function: H) -> H:
        """Calls the decorated function when the dialogue has come to its end: with the event, and what it names."""
        self._on_done.append(function)
        return function

    def state(self, name: str) -> State:
        """A state, as a filter. Also an attribute of its name, where nothing else is called so."""
        if name not in self.blocks:
            raise FSMError(f"{self.name} has no state {name!r}; there are: {', '.join(self.blocks)}")
        return State(name, self.name)

    def __getattr__(self, name: str) -> State:
        if name.startswith("_") or name not in self.__dict__.get("blocks", ()):
            raise AttributeError(f"{type(self).__name__!r} has no attribute and no state {name!r}")
        return self.state(name)

    def to_dict(self) -> dict[str, Any]:
        """The machine as plain data; `spikard.fsm` draws it: `to_mermaid(dialogue)`."""
        return self.machine.to_dict()

    # --- what runs

    async def start(self, state: FSMContext, event: Message | CallbackQuery, /, **data: Any) -> None:
        """Begins with somebody; what was going on before is forgotten."""
        async with state.transaction() as change:
            conversation = Conversation(self, event, None, data)
            await conversation.enter()
            await self._keep(conversation, change)

    def router(self, start: Any = None, cancel: Any = None) -> Router:
        """A router with the dialogue. See `Router.include_dialogue`."""
        router = Router(self.name)
        inside = StateFilter(*(self.text_of(name) for name in self.blocks))
        for observer in (router.message, router.callback_query):
            observer.register(self._recovered, _Unknown(self), name=f"{self.name}: unknown state")
        if cancel is not None:
            router.message.register(self._cancelled, inside, cancel, name=f"{self.name}: cancel")
        if start is not None:
            router.message.register(self._started, start, name=f"{self.name}: start")
        router.message.register(self._told, inside, name=f"{self.name}: answer")
        router.callback_query.register(self._pressed, inside, name=f"{self.name}: button")
        stale = F.callback_data.startswith(f"{self.name}|")
        router.callback_query.register(_passed_over, stale, name=f"{self.name}: old button")
        return router

    def text_of(self, name: str) -> str:
        """A state as storages keep it."""
        return f"{self.name}:{name}"

    async def _started(self, message: Message, state: FSMContext) -> None:
        await self.start(state, message)

    async def _told(self, message: Message, state: FSMContext) -> Any:
        async def step(conversation: Conversation) -> bool:
            value = said(conversation.block, message)
            if value is not UNSET:
                return await conversation.answer(value)
            if not (message.text or "").startswith("/"):
                await conversation.refuse(None)
            return False

        return await self._stepped(message, state, step)

    async def _pressed(self, query: CallbackQuery, state: FSMContext) -> Any:
        found = pressed(self, query)
        if found is None:
            return UNHANDLED
        name, choice = found

        async def step(conversation: Conversation) -> bool:
            if conversation.session.current_state != name:
                return True  # a button of a question that was answered
            if choice.trigger is None:
                return await conversation.answer(choice.value)
            return await conversation.send(choice.trigger)

        return await self._stepped(query, state, step)

    async def _cancelled(self, message: Message, state: FSMContext) -> Any:
        async def step(conversation: Conversation) -> bool:
            if not await conversation.send("cancel"):
                conversation.is_dropped = True
            return True

        return await self._stepped(message, state, step)

    async def _stepped(self, event: Any, state: FSMContext, step: Callable[[Conversation], Any]) -> Any:
        async with state.transaction() as change:
            name = (change.state or "").partition(":")[2]
            if name not in self.blocks:
                return UNHANDLED
            conversation = Conversation(self, event, name, change.data)
            block = conversation.block
            taken = await step(conversation)
            if conversation.is_dropped:
                change.state, change.data = None, {}
            elif conversation.has_moved:
                await conversation.enter()
                await self._keep(conversation, change)
            falls = self._falls if block.fallthrough is None else block.fallthrough
            return None if taken or (conversation.has_spoken and not falls) else UNHANDLED

    async def _keep(self, conversation: Conversation, change: Transaction) -> None:
        session = conversation.session
        if not session.is_final:
            change.state, change.data = self.text_of(session.current_state), conversation.data
            return
        hooks = [*self._on_done, *filter(None, [self._method("done")])]
        for hook in hooks:
            await conversation.call(hook, conversation.event)
        change.state, change.data = None, {}

    async def _recovered(self, event: Any, state: FSMContext) -> Any:
        """Somebody is in a state that there is no more."""
        async with state.transaction() as change:
            name = (change.state or "").partition(":")[2]
            if isinstance(self.on_unknown_state, Mapping):
                meant = self.on_unknown_state.get(name)
                if meant is not None:
                    change.state = self.text_of(meant)
            elif self.on_unknown_state == "reset":
                change.state, change.data = None, {}
            became = change.state
        logger.warning("%s: somebody was in the state %r, which is gone; it is %r now", self.name, name, became)
        if became is None or became.partition(":")[2] not in self.blocks:
            return UNHANDLED
        return await (self._pressed(event, state) if hasattr(event, "callback_data") else self._told(event, state))

    # --- functions by name

    def entering(self, state: str) -> list[Callable[..., Any]]:
        """What is called when a state is entered."""
        return [*self._on_enter.get(state, ()), *filter(None, [self._method(f"enter_{state}")])]

    def validator(self, name: str) -> Callable[..., Any]:
        """A validator. Raises FSMError if there is none of this name."""
        found = self._validator(name)
        if found is None:
            raise FSMError(f"{self.name} has no validator {name!r}")
        return found

    def _validator(self, name: str) -> Callable[..., Any] | None:
        return self._validators.get(name) or self._method(name)

    def _action(self, name: str) -> Callable[..., Any] | None:
        return self._actions.get(name) or self._method(name)

    def _method(self, name: str) -> Callable[..., Any] | None:
        # Only what a subclass has written, never what every dialogue has.
        if hasattr(Dialogue, name) or not hasattr(type(self), name):
            return None
        found: Callable[..., Any] = getattr(self, name)
        return found

    def _check_unknown(self) -> None:
        way = self.on_unknown_state
        if isinstance(way, Mapping):
            lost = [name for name in way.values() if name not in self.blocks]
            if lost:
                raise FSMError(f"{self.name}: on_unknown_state leads to {', '.join(lost)}, which there is not")
        elif way not in ("reset", "keep"):
            raise FSMError(f"{self.name}: on_unknown_state is reset, keep or a mapping of states, not {way!r}")

    def __repr__(self) -> str:
        return f"<Dialogue '{self.name}': {len(self.blocks)} states>"


class _Unknown(BuiltinFilter):
    """Passes in states that look like the dialogue's and are not."""

    reads_state = True

    def __init__(self, dialogue: Dialogue) -> None:
        self._prefix = f"{dialogue.name}:"
        self._known = frozenset(dialogue.text_of(name) for name in dialogue.blocks)

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges by the state that the dispatcher has read."""
        del event
        state = data.get("current_state")
        return state is not None and state.startswith(self._prefix) and state not in self._known


def _carried_out(action: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
    async def carry_out(context: dict[str, Any]) -> None:
        conversation = current.get()
        if conversation is not None:
            await conversation.act(action, context)

    return carry_out


async def _passed_over(query: CallbackQuery) -> None:
    """A button of a dialogue that is over: the press ends, and nothing else happens."""


__all__ = ["Dialogue"]
