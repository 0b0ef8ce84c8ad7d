"""Bots for VK Teams: a client, a dispatcher, and what conversations need.

Names are imported when they are first used, so that a program loads what it needs and nothing else.
"""

from typing import TYPE_CHECKING

from spikard.bots.former_paths import install
from spikard.late_names import late_names

if TYPE_CHECKING:
    from spikard.bots.bot import Bot as Bot
    from spikard.bots.dialogue.dialogue import Dialogue as Dialogue
    from spikard.bots.dispatcher.dispatcher import Dispatcher as Dispatcher
    from spikard.bots.dispatcher.error_event import ErrorEvent as ErrorEvent
    from spikard.bots.errors import APIError as APIError
    from spikard.bots.errors import BotError as BotError
    from spikard.bots.errors import VKTeamsAPIError as VKTeamsAPIError
    from spikard.bots.errors import VKWorkspaceError as VKWorkspaceError
    from spikard.bots.fsm.context import FSMContext as FSMContext
    from spikard.bots.handler import MessageHandler as MessageHandler
    from spikard.bots.http import mount_bot as mount_bot
    from spikard.bots.limits import RateLimiter as RateLimiter
    from spikard.bots.limits import RedisRateLimiter as RedisRateLimiter
    from spikard.bots.magic import F as F
    from spikard.bots.magic import MagicFilter as MagicFilter
    from spikard.bots.middleware import BaseMiddleware as BaseMiddleware
    from spikard.bots.middlewares.container import ContainerMiddleware as ContainerMiddleware
    from spikard.bots.middlewares.i18n import I18nMiddleware as I18nMiddleware
    from spikard.bots.middlewares.logging import LoggingMiddleware as LoggingMiddleware
    from spikard.bots.middlewares.metrics import MetricsMiddleware as MetricsMiddleware
    from spikard.bots.middlewares.throttling import ThrottlingMiddleware as ThrottlingMiddleware
    from spikard.bots.outcomes import UNHANDLED as UNHANDLED
    from spikard.bots.outcomes import CancelHandler as CancelHandler
    from spikard.bots.outcomes import SkipHandler as SkipHandler
    from spikard.bots.retry import Retry as Retry
    from spikard.bots.router import Router as Router
    from spikard.bots.running import run as run
    from spikard.bots.scheduler import Scheduler as Scheduler
    from spikard.bots.sync import run_sync as run_sync
    from spikard.bots.sync import sync_to_async as sync_to_async
    from spikard.bots.unset import UNSET as UNSET

install()

_MODULES = {
    "APIError": "errors",
    "BaseMiddleware": "middleware",
    "Bot": "bot",
    "BotError": "errors",
    "CancelHandler": "outcomes",
    "ContainerMiddleware": "middlewares.container",
    "Dialogue": "dialogue.dialogue",
    "Dispatcher": "dispatcher.dispatcher",
    "ErrorEvent": "dispatcher.error_event",
    "F": "magic",
    "FSMContext": "fsm.context",
    "I18nMiddleware": "middlewares.i18n",
    "LoggingMiddleware": "middlewares.logging",
    "MagicFilter": "magic",
    "MessageHandler": "handler",
    "MetricsMiddleware": "middlewares.metrics",
    "RateLimiter": "limits",
    "RedisRateLimiter": "limits",
    "Retry": "retry",
    "Router": "router",
    "Scheduler": "scheduler",
    "SkipHandler": "outcomes",
    "ThrottlingMiddleware": "middlewares.throttling",
    "UNHANDLED": "outcomes",
    "UNSET": "unset",
    "VKTeamsAPIError": "errors",
    "VKWorkspaceError": "errors",
    "run": "running",
    "mount_bot": "http",
    "run_sync": "sync",
    "sync_to_async": "sync",
}

__all__ = sorted(_MODULES)  # noqa: PLE0605 - one list of names, not two


if not TYPE_CHECKING:  # to a type checker every misspelt name would be an Any
    __getattr__ = late_names(__name__, _MODULES)


def __dir__() -> list[str]:
    return [*__all__]
