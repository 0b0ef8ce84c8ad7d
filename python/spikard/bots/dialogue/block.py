"""What a state of a dialogue says, and what it takes for an answer."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

Input = Literal["text", "choice", "file", "any"]


class Choice(msgspec.Struct, forbid_unknown_fields=True):
    """A button.

    Attributes:
        text: What it says.
        value: What the answer is when it is pressed, or its text is written.
        trigger: Of the machine, in place of an answer.
        url: A page that it opens.
        style: base, primary or attention.
    """

    text: str
    value: Any = UNSET
    trigger: str | None = None
    url: str | None = None
    style: str = "primary"

    def __post_init__(self) -> None:
        given = [self.value is not UNSET, self.trigger is not None, self.url is not None]
        if sum(given) != 1:
            raise ValueError(f"the button {self.text!r} needs exactly one of value, trigger and url")


class Block(msgspec.Struct, forbid_unknown_fields=True):
    """The `bot:` of a state.

    Attributes:
        prompt: What is said when the state is entered; `{name}` is what was gathered under that name.
        input: What counts as an answer: `text`, a `choice` of the keyboard, a `file`, `any` message. By default a
            choice where the keyboard has values, else text where something is to be saved or validated.
        save_as: The name under which the answer is kept.
        validate: The name of a function that gives the answer to keep, or raises ValueError.
        retry: What is said to what is no answer here.
        keyboard: Rows of buttons.
        trigger: What an answer is to the machine.
        parse_mode: Of the prompt; what was gathered is escaped for it. By default the bot's.
        fallthrough: Whether what is no answer goes on to handlers outside, also where `retry` has been said.
    """

    prompt: str | None = None
    input: Input | None = None
    save_as: str | None = None
    validate: str | None = None
    retry: str | None = None
    keyboard: list[list[Choice]] = []
    trigger: str = "answered"
    parse_mode: str | UnsetType | None = UNSET
    fallthrough: bool | None = None

    @property
    def takes(self) -> Input | None:
        """What counts as an answer; None where only buttons lead on."""
        if self.input is not None:
            return self.input
        if any(choice.value is not UNSET for choice in self.choices()):
            return "choice"
        return "text" if self.save_as is not None or self.validate is not None else None

    def choices(self) -> Iterator[Choice]:
        """All buttons, row by row."""
        for row in self.keyboard:
            yield from row


__all__ = ["Block", "Choice", "Input"]
