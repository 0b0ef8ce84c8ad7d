"""What methods need of a bot."""

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType

from spikard.bots.retry import Retry
from spikard.bots.types.base import VKObject, to_wire
from spikard.bots.types.response import APIResponse
from spikard.bots.types.tolerance import convert

Model = TypeVar("Model", bound=VKObject)
Mode = str | None | UnsetType


class Methods:
    """The one way to the server, which `Bot` has."""

    async def request(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        *,
        retry: Retry | int | UnsetType | None = UNSET,
        timeout: float | UnsetType = UNSET,  # noqa: ASYNC109 - a setting of the HTTP client
    ) -> dict[str, Any]:
        """Calls a method and gives the server's answer."""
        raise NotImplementedError

    async def _ask(
        self,
        model: type[Model],
        method: str,
        params: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
    ) -> Model:
        """Calls a method and reads the answer into a model, bound to this bot."""
        answer = await self.request(method, params, files)
        found, _ = convert(model, to_wire(model, answer))
        return self._bind(found)

    async def _do(self, method: str, params: Mapping[str, Any], files: Mapping[str, Any] | None = None) -> APIResponse:
        return await self._ask(APIResponse, method, params, files)

    def _bind(self, found: Model) -> Model:
        found.set_bot(self)  # type: ignore[arg-type] # whoever has methods is a Bot
        return found

    def _read_list(self, model: type[Model], items: Any) -> list[Model]:
        return [self._bind(convert(model, to_wire(model, item))[0]) for item in items or []]


__all__ = ["Methods", "Mode", "Model"]
