"""Middlewares that are ready: each stands in its own module, by the name of what it does."""

from spikard.bots.middlewares.container import ContainerMiddleware
from spikard.bots.middlewares.i18n import I18nMiddleware
from spikard.bots.middlewares.logging import LoggingMiddleware
from spikard.bots.middlewares.metrics import MetricsMiddleware
from spikard.bots.middlewares.throttling import ThrottlingMiddleware

__all__ = [
    "ContainerMiddleware",
    "I18nMiddleware",
    "LoggingMiddleware",
    "MetricsMiddleware",
    "ThrottlingMiddleware",
]
