"""Texts in the language of whoever reads them."""

import json
from collections.abc import Callable, Mapping
from inspect import isawaitable
from pathlib import Path
from typing import Any

from spikard.bots.arguments import signature_of
from spikard.bots.injection import arguments_for
from spikard.bots.middleware import BaseMiddleware, Handler
from spikard.errors import ConfigError

Texts = Mapping[str, Mapping[str, str]]


class Translator:
    """Texts of one language: `_("hello", name="Ann")`.

    Attributes:
        locale: The language.
    """

    def __init__(self, texts: Texts, locale: str, default: str) -> None:
        self._texts = texts
        self.locale = locale
        self._order = (locale, locale.partition("-")[0].partition("_")[0], default)

    def __call__(self, key: str, /, **values: Any) -> str:
        """A text with its values; of the default language if this one lacks it, at last the key itself."""
        for locale in self._order:
            text = self._texts.get(locale, {}).get(key)
            if text is not None:
                return text.format(**values) if values else text
        return key


class I18nMiddleware(BaseMiddleware):
    """Gives `_` and `locale`. An outer middleware, if filters are to know the language.

    Args:
        texts: Texts by language and key, or a folder with a file of JSON for each language: `ru.json`.
        resolver: Says which language it is, plain or async; called with the event, and with what it names.
        default: The language of those of whom nothing is known.

    Raises:
        ConfigError: The folder cannot be read, or it has no text of the default language.
    """

    injects = ("_", "locale")

    def __init__(self, texts: Texts | str | Path, resolver: Callable[..., Any], default: str = "en") -> None:
        self._texts = texts if isinstance(texts, Mapping) else _read(Path(texts))
        if default not in self._texts:
            known = ", ".join(sorted(self._texts)) or "none"
            raise ConfigError(f"there are no texts of the default language {default!r}; there are: {known}")
        self._resolver = resolver
        self._signature = signature_of(resolver)
        self._default = default

    async def __call__(self, handler: Handler, event: Any, data: dict[str, Any]) -> Any:
        """Goes on with the texts of a language."""
        arguments = await arguments_for(self._signature, data)
        found = self._resolver(*((event,) if self._signature.takes_event else ()), **arguments)
        locale = await found if isawaitable(found) else found
        data["_"] = Translator(self._texts, locale or self._default, self._default)
        data["locale"] = locale or self._default
        return await handler(event, data)


def _read(folder: Path) -> Texts:
    found: dict[str, dict[str, str]] = {}
    try:
        for file in sorted(folder.glob("*.json")):
            texts = json.loads(file.read_text("utf-8"))
            if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
                raise ConfigError(f"{file} is to hold texts by their keys")
            found[file.stem] = texts
    except (OSError, ValueError) as fault:
        raise ConfigError(f"texts in {folder} cannot be read: {fault}") from fault
    return found


__all__ = ["I18nMiddleware", "Translator"]
