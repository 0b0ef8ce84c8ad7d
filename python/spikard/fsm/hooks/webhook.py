"""A hook that tells other services. Needs the extra `http`."""

import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from spikard.fsm.event import new_id
from spikard.fsm.hooks.delivery import Delivery
from spikard.fsm.hooks.webhook_outbox import WebhookOutbox, is_in_a_loop
from spikard.fsm.plan import Plan

logger = logging.getLogger("spikard.fsm.hooks")

SIGNATURE = "X-Spikard-Signature"
TIMEOUT = 10.0

Loader = Callable[[], Iterable[Mapping[str, Any]]]


class WebhookHook:
    """Sends a POST to webhooks that want to know: of failed transitions by itself, of anything else by `fire`.

    `webhook_loader` gives mappings with `url`, `events_json` (kinds of events), and optionally `headers_json`,
    `enabled` and `secret`, by which the body is signed: the header `X-Spikard-Signature` is `sha256=` and the
    HMAC-SHA256 in hex.
    `X-Spikard-Delivery` is the same whenever the same thing is told again. A few threads send; answers 429 and 5xx and
    broken connections are tried again, `retries` times. Only public addresses are called, as by `http` actions.
    With `outbox`, a store, messages wait in its outbox rather than in memory, so that none is lost with the process.
    """

    def __init__(
        self,
        webhook_loader: Loader,
        cache_ttl_seconds: float = 60.0,
        *,
        workers: int = 4,
        max_waiting: int = 1000,
        retries: int = 5,
        pause_seconds: float = 1.0,
        outbox: Any = None,
    ) -> None:
        self._load = webhook_loader
        self._ttl = cache_ttl_seconds
        self._known: list[Mapping[str, Any]] = []
        self._known_until = float("-inf")
        self._lock = threading.Lock()
        self._delivery = Delivery(
            workers=workers, max_waiting=max_waiting, retries=retries, pause_seconds=pause_seconds
        )
        self._outbox: WebhookOutbox | None = None
        if outbox is not None:
            self._outbox = WebhookOutbox(
                outbox, self._send, workers=workers, retries=retries, pause_seconds=pause_seconds
            )
            self._outbox.start()

    def fire(self, event_type: str, payload: Mapping[str, Any]) -> None:
        """Tell the webhooks that want to know of this kind of event."""
        body = json.dumps(dict(payload), default=str).encode()
        for webhook in self._webhooks():
            if webhook.get("enabled", True) and event_type in (webhook.get("events_json") or ()):
                url = str(webhook["url"])
                if self._outbox is not None:
                    self._keep(self._outbox, str(payload.get("entity_id") or ""), url, event_type, body)
                    continue
                headers = signed_headers(body, webhook)
                self._delivery.submit(f"Webhook {url}", lambda url=url, headers=headers: _post(url, headers, body))  # type: ignore[misc]

    def _keep(self, outbox: WebhookOutbox, entity_id: str, url: str, event_type: str, body: bytes) -> None:
        # Neither headers nor the secret: both are looked up again, and never kept.
        message = {"url": url, "event": event_type, "body": body.decode(), "delivery": new_id()}
        if is_in_a_loop():
            self._delivery.submit(f"Webhook {url}", lambda: outbox.put(entity_id, message))
        else:
            outbox.put(entity_id, message)

    def _send(self, message: Mapping[str, Any]) -> None:
        """Send what was kept, to a webhook that is still known."""
        url, body = str(message["url"]), str(message["body"]).encode()
        for webhook in self._webhooks():
            if webhook["url"] == url and webhook.get("enabled", True):
                headers = {**signed_headers(body, webhook), "X-Spikard-Delivery": str(message["delivery"])}
                _post(url, headers, body)
                return
        logger.info("Webhook %s is not known any more, and is not told", url)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything was told or given up; whether it was within `timeout` seconds.

        With an outbox, until nothing is due: what waits for its next attempt stays there.
        """
        return self._delivery.flush(timeout) and (self._outbox is None or self._outbox.flush(timeout))

    def close(self) -> None:
        """Stop the threads; what has not been told is not told, or stays in the outbox."""
        self._delivery.close()
        if self._outbox is not None:
            self._outbox.close()

    def on_before_process(self, entity_id: str, current_state: str, trigger: str, context: dict[str, Any]) -> None:
        """Tells nobody."""

    def on_transition_start(self, current_state: str, trigger: str, context: dict[str, Any]) -> None:
        """Tells nobody."""

    def on_transition_complete(self, result: Plan, duration_ms: float, context: dict[str, Any]) -> None:  # noqa: ARG002
        """Tells of transitions that were refused."""
        if not result.success:
            error = None if result.error is None else str(result.error)
            self._failed(context, result.source_state, result.trigger, error=error)

    def on_transition_error(self, error: Exception, current_state: str, trigger: str, context: dict[str, Any]) -> None:
        """Tells of transitions that raised."""
        self._failed(context, current_state, trigger, error=str(error), error_type=type(error).__name__)

    def _failed(self, context: Mapping[str, Any], state: str, trigger: str, **about: str | None) -> None:
        self.fire(
            "transition_failed",
            {
                "event_type": "transition_failed",
                "entity_id": context.get("_entity_id", ""),
                "source_state": state,
                "trigger": trigger,
                **about,
                "timestamp": datetime.now(UTC).isoformat(),
            },
        )

    def _webhooks(self) -> list[Mapping[str, Any]]:
        with self._lock:
            now = time.monotonic()
            if now >= self._known_until:
                self._known_until = now + self._ttl
                try:
                    self._known = list(self._load())
                except Exception as error:  # noqa: BLE001 - those that are known are better than none
                    logger.warning("Webhooks cannot be loaded, those known before are told: %s", error)
            return self._known


def signed_headers(body: bytes, webhook: Mapping[str, Any]) -> dict[str, str]:
    """The headers of a message to a webhook."""
    own = {str(name): str(value) for name, value in (webhook.get("headers_json") or {}).items()}
    headers = {"Content-Type": "application/json", "X-Spikard-Delivery": new_id(), **own}
    if webhook.get("secret"):
        digest = hmac.new(str(webhook["secret"]).encode(), body, hashlib.sha256).hexdigest()
        headers[SIGNATURE] = f"sha256={digest}"
    return headers


def _post(url: str, headers: Mapping[str, str], body: bytes) -> None:
    from spikard.fsm.http_call import call

    status = call("POST", url, headers, body, TIMEOUT).status
    if status == 429 or status >= 500:
        raise ConnectionError(f"it answers {status}")
    if status >= 400:
        logger.warning("Webhook %s refuses what it is told: %s", url, status)
