"""Keeps tokens out of every text that leaves the client: errors, logs, representations."""

import logging
import re
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

MASK = "***"
_PARAMETER = re.compile(r"""(\btoken(?:=|%3D|["']?\s*:\s*["']?))[^&\s"'<>]*[^&\s"'<>:;,.)]""", re.IGNORECASE)
# What tokens of the platform look like, also those that no bot of this process has any more.
_SHAPE = re.compile(r"\b\d{3}\.\d{6,}\.\d{6,}(?::|%3A)\d+")
# A shorter one is a placeholder, and part of too many words.
_SHORTEST = 8
# A token lives in several bots at once in tests and in programs that make a bot for each job.
_tokens: Counter[str] = Counter()


def guard(owner: object, token: str) -> None:
    """Masks the token in all texts as long as its owner lives."""
    if len(token) < _SHORTEST:
        return
    for form in {token, quote(token, safe="")}:
        _tokens[form] += 1
        weakref.finalize(owner, _forget, form).atexit = False


def _forget(token: str) -> None:
    _tokens[token] -= 1
    if _tokens[token] <= 0:
        del _tokens[token]


def redact(text: str) -> str:
    """The text with known tokens, what looks like one, and values of parameters called `token` masked."""
    for token in sorted(_tokens, key=len, reverse=True):
        if token in text:
            text = text.replace(token, MASK)
    return _PARAMETER.sub(rf"\g<1>{MASK}", _SHAPE.sub(MASK, text))


class RedactingFilter(logging.Filter):
    """Masks tokens in records of a logger that is not ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = ()
        return True


_FILTER = RedactingFilter()
_watchers: list[None] = []
_LOGGERS = ("httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.proxy")


def watch_logs() -> None:
    """Puts the filter on the loggers of the HTTP client, for one client more."""
    _watchers.append(None)
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)


def unwatch_logs() -> None:
    """Takes the filter off again, when no other client is open."""
    _watchers.pop()
    if not _watchers:
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(_FILTER)


@contextmanager
def redacted_logs() -> Iterator[None]:
    """Keeps the filter on the loggers for a while."""
    watch_logs()
    try:
        yield
    finally:
        unwatch_logs()


__all__ = ["MASK", "RedactingFilter", "guard", "redact", "redacted_logs", "unwatch_logs", "watch_logs"]
