"""One update of a dialogue: what it means to the machine, and what the bot says to that."""

import html
from collections.abc import Callable
from contextvars import ContextVar
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from spikard.bots.arguments import signature_of
from spikard.bots.dialogue.block import Block, Choice
from spikard.bots.enums import ParseMode
from spikard.bots.errors import FSMError
from spikard.bots.injection import arguments_for
from spikard.bots.request_ids import current_run
from spikard.bots.text.markup import md
from spikard.bots.types.callback_query import CallbackQuery
from spikard.bots.types.message import Message
from spikard.fsm.entity_session import EntitySession

if TYPE_CHECKING:
    from spikard.bots.dialogue.dialogue import Dialogue

# Where the machine's memory of states that were left is kept, among the data.
HISTORY = "_history"
# What the engine leaves in a context, and nobody has gathered.
_ENGINES = frozenset({"new_status"})
_REFUSED = object()

# The conversation whose step is being taken: the machine's actions belong to it.
current: ContextVar["Conversation | None"] = ContextVar("spikard_bots_conversation", default=None)


class Conversation:
    """A dialogue with somebody, for as long as one update is handled."""

    def __init__(self, dialogue: "Dialogue", event: Any, name: str | None, data: dict[str, Any]) -> None:
        self.dialogue = dialogue
        self.event = event
        self.fault: Exception | None = None
        self.is_dropped = self.has_moved = self.has_spoken = False
        self.session = EntitySession.from_snapshot(
            dialogue.machine,
            {
                "current_state": name or dialogue.machine.initial_leaf,
                "context": {key: value for key, value in data.items() if key != HISTORY},
                "history": data.get(HISTORY) or {},
                "execute_actions": True,
            },
        )

    @property
    def data(self) -> dict[str, Any]:
        """What was gathered, as it is to be kept."""
        history = self.session.snapshot()["history"]
        return {**self.session.context, HISTORY: history} if history else dict(self.session.context)

    @property
    def block(self) -> Block:
        """What the state that it is in says and takes."""
        return self.dialogue.blocks[self.session.current_state]

    async def call(self, function: Callable[..., Any], first: Any, context: dict[str, Any] | None = None) -> Any:
        """Calls a function of the program with what it asks for, as handlers are; `data` is what was gathered."""
        signature = signature_of(function)
        given = self._given(self.session.context if context is None else context)
        found = function(*((first,) if signature.takes_event else ()), **await arguments_for(signature, given))
        return await found if isawaitable(found) else found

    def _given(self, context: dict[str, Any]) -> dict[str, Any]:
        run = current_run.get()
        known = {} if run is None else run.data
        event = self.event
        who = {name: getattr(event, name, None) for name in ("bot", "chat", "from_user")}
        return {**who, **known, "data": context, "dialogue": self.dialogue}

    async def send(self, trigger: str, **payload: Any) -> bool:
        """Takes a step; False if nothing leads on from here. Raises what an action has raised."""
        token = current.set(self)
        known = set(self.session.context)
        try:
            result = await self.session.asend(trigger, **payload)
        finally:
            current.reset(token)
        for name in _ENGINES - known:
            self.session.context.pop(name, None)
        if self.fault is not None:
            raise self.fault
        self.has_moved = self.has_moved or bool(result.success)
        return bool(result.success)

    async def act(self, function: Callable[..., Any], context: dict[str, Any]) -> None:
        """An action of the machine. What it raises ends the step when the engine has come to its end."""
        if self.fault is not None:
            return
        try:
            await self.call(function, self.event, context)
        except Exception as fault:  # noqa: BLE001 - raised again by `send`
            self.fault = fault

    async def answer(self, value: Any) -> bool:
        """Takes an answer, if it is one here; else says so. Gives whether it was."""
        block = self.block
        if block.validate is not None:
            value = await self._validated(block, value)
            if value is _REFUSED:
                return False
        kept = {} if block.save_as is None else {block.save_as: value}
        if await self.send(block.trigger, **{**kept, "answer": value}):
            self.session.context.pop("answer", None)
            self.session.context.update({key: value for key in kept if key not in self.session.context})
            return True
        await self.refuse(None)
        return False

    async def _validated(self, block: Block, value: Any) -> Any:
        validator = self.dialogue.validator(block.validate or "")
        try:
            found = await self.call(validator, value)
        except ValueError as fault:
            await self.refuse(str(fault))
            return _REFUSED
        if found is False:
            await self.refuse(None)
            return _REFUSED
        return value if found is None or found is True else found

    async def refuse(self, reason: str | None) -> None:
        """Says that this is no answer: in the words of the state, else with the reason."""
        text = self.block.retry or reason
        if text:
            await self.say(text, ())

    async def enter(self) -> None:
        """Says what belongs to the state that was entered."""
        for hook in self.dialogue.entering(self.session.current_state):
            await self.call(hook, self.event)
        block = self.block
        if block.prompt is not None:
            await self.say(block.prompt, self._rows(block))

    def _rows(self, block: Block) -> list[list[dict[str, Any]]]:
        numbers = iter(range(1_000))
        return [[self._button(choice, next(numbers)) for choice in row] for row in block.keyboard]

    def _button(self, choice: Choice, number: int) -> dict[str, Any]:
        if choice.url is not None:
            return {"text": choice.text, "url": choice.url, "style": choice.style}
        name = f"{self.dialogue.name}|{self.session.current_state}|{number}"
        return {"text": choice.text, "callbackData": name, "style": choice.style}

    async def say(self, template: str, rows: Any) -> None:
        """Sends a text with what was gathered in it, and buttons under it."""
        self.has_spoken = True
        bot = self.event.bot
        mode = self.block.parse_mode
        resolve = getattr(bot, "resolve_parse_mode", None)
        kind = None if resolve is None else resolve(mode)
        gathered = {key: _escaped(value, kind) for key, value in self.session.context.items()}
        try:
            text = template.format_map(gathered)
        except (KeyError, IndexError, ValueError, AttributeError) as fault:
            raise FSMError(
                f"{self.dialogue.name}: the text of {self.session.current_state!r} cannot be filled in: {fault!r}; "
                f"there are: {', '.join(sorted(gathered)) or 'none'}"
            ) from fault
        message = self.event.message if hasattr(self.event, "callback_data") else self.event
        options: dict[str, Any] = {"parse_mode": mode, "inline_keyboard_markup": rows or None}
        if message is not None:
            await message.answer(text, **options)
        elif self.event.chat is not None:
            await bot.send_text(chat_id=self.event.chat.chat_id, text=text, **options)
        else:
            raise FSMError(f"{self.dialogue.name}: the event does not say in which chat it has happened")


def _escaped(value: Any, kind: str | None) -> str:
    text = "" if value is None else str(value)
    if kind == ParseMode.HTML:
        return html.escape(text)
    return md.escape(text) if kind == ParseMode.MARKDOWNV2 else text


def pressed(dialogue: "Dialogue", query: CallbackQuery) -> tuple[str, Choice] | None:
    """The state whose button was pressed, and the button; None if it is none of the dialogue's."""
    name, _, rest = query.callback_data.partition("|")
    state, _, number = rest.rpartition("|")
    if name != dialogue.name or state not in dialogue.blocks or not number.isdecimal():
        return None
    choices = list(dialogue.blocks[state].choices())
    return (state, choices[int(number)]) if int(number) < len(choices) else None


def said(block: Block, message: Message) -> Any:
    """The answer that a message is to a state; UNSET if it is none."""
    text = message.content
    if block.takes == "file" or (block.takes == "any" and not text):
        return next((part.file_id for part in message.attachments), UNSET)
    if not text:
        return UNSET
    # Commands are for handlers.
    if text.startswith("/"):
        return UNSET
    if block.takes == "choice":
        wanted = text.strip().casefold()
        chosen = (one for one in block.choices() if one.value is not UNSET and one.text.casefold() == wanted)
        return next((one.value for one in chosen), UNSET)
    return text if block.takes is not None else UNSET


__all__ = ["HISTORY", "Conversation", "current", "pressed", "said"]
