"""`http:` actions: calls that a definition asks for."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spikard.fsm.action_result import ActionResult
from spikard.fsm.templates import render_template, render_template_value

if TYPE_CHECKING:
    from spikard.fsm.http_call import Answer

_NAME = "_http"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class HttpActionConfig:
    """What to call, and what to do with the answer. Texts may hold `{{ expression }}`."""

    url: str
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    timeout: float = 10.0
    on_success: dict[str, str] | None = None
    on_error: str = "log"

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> "HttpActionConfig":
        """Reads the parameters of an action."""
        return cls(
            url=params["url"],
            method=str(params.get("method", "POST")).upper(),
            headers=dict(params.get("headers") or {}),
            body=params.get("body"),
            timeout=float(params.get("timeout", 10.0)),
            on_success=params.get("on_success"),
            on_error=params.get("on_error", "log"),
        )


@dataclass(frozen=True, slots=True)
class _Request:
    config: HttpActionConfig
    url: str
    headers: dict[str, str]
    content: bytes | None

    def send(self) -> "Answer":
        try:
            from spikard.fsm import http_call
        except ImportError as error:
            raise RuntimeError("HTTP actions need the extra: pip install 'spikard[http]'") from error
        answer = http_call.call(self.config.method, self.url, self.headers, self.content, self.config.timeout)
        if answer.status >= 500 or answer.status == 429:
            raise http_call.HttpUnavailableError(f"HTTP status {answer.status}")
        if not 200 <= answer.status < 300:
            raise http_call.HttpStatusError(f"HTTP status {answer.status}")
        return answer


def execute_http_action(
    params: dict[str, Any], context: dict[str, Any], *, idempotency_key: str | None = None
) -> ActionResult:
    """Make the call, and put what came back where `on_success` says.

    Only http and https, and only public addresses unless SPIKARD_FSM_HTTP_ALLOW_PRIVATE is 1.
    """
    request = _prepare(params, context, idempotency_key)
    try:
        answer = request.send()
    except Exception as error:  # noqa: BLE001 - `on_error` says what becomes of it
        return _failed(request, error)
    return _succeeded(request, answer, context)


async def async_execute_http_action(
    params: dict[str, Any], context: dict[str, Any], *, idempotency_key: str | None = None
) -> ActionResult:
    """The same without blocking the loop: the call is made in a thread, over the same connections."""
    request = _prepare(params, context, idempotency_key)
    try:
        answer = await asyncio.to_thread(request.send)
    except Exception as error:  # noqa: BLE001 - `on_error` says what becomes of it
        return _failed(request, error)
    return _succeeded(request, answer, context)


def _prepare(params: Mapping[str, Any], context: dict[str, Any], idempotency_key: str | None) -> _Request:
    config = HttpActionConfig.from_params(params)
    headers = {key: render_template(str(value), context) for key, value in config.headers.items()}
    given = {key.lower() for key in headers}
    if "content-type" not in given:
        headers["Content-Type"] = "application/json"
    if idempotency_key is not None and "idempotency-key" not in given:
        headers["Idempotency-Key"] = idempotency_key
    content: bytes | None = None
    if isinstance(config.body, str):
        content = render_template(config.body, context).encode()
    elif config.body is not None:
        content = json.dumps(render_template_value(config.body, context)).encode()
    return _Request(config, render_template(config.url, context), headers, content)


def _succeeded(request: _Request, answer: "Answer", context: dict[str, Any]) -> ActionResult:
    wanted = request.config.on_success or {}
    if "status_key" in wanted:
        context[wanted["status_key"]] = answer.status
    # An answer without a body leaves the key as it was.
    if "body_key" in wanted and answer.body:
        context[wanted["body_key"]] = _read(answer.body)
    return ActionResult.ok(_NAME, {"status_code": answer.status, "url": request.url})


def _read(body: bytes) -> Any:
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


def _failed(request: _Request, error: Exception) -> ActionResult:
    mode = request.config.on_error
    if mode == "fail":
        return ActionResult.fail(_NAME, error)
    result: dict[str, Any] = {"error": str(error), "url": request.url}
    if mode != "ignore":  # what is no known mode is logged, the default
        logger.warning("HTTP action failed: %s %s: %s", request.config.method, request.url, error)
        result["logged"] = True
    return ActionResult.ok(_NAME, result)
