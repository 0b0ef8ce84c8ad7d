"""Messages to webhooks that wait in the outbox of a store, so that they outlive the process."""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from spikard.fsm.errors import LeaseLostError
from spikard.fsm.event import new_id
from spikard.fsm.retry_policy import RetryPolicy, compute_delay
from spikard.fsm.stores.row import EntityChange, HeldAction, OutboxRow, Settlement

logger = logging.getLogger("spikard.fsm.hooks")

# Stands for a machine: nobody else takes these actions out of the outbox.
OWNER = "spikard:webhooks"
LEASE_SECONDS = 60.0

# Sends what an action says; an OSError where that is to be tried again.
Send = Callable[[Mapping[str, Any]], None]


class WebhookOutbox:
    """Takes messages into the outbox of a store and sends them from there, on a few threads of any process.

    A message is tried `retries` times more, with growing pauses, and is then given up: it stays in the outbox as
    `dead`.
    """

    def __init__(self, store: Any, send: Send, *, workers: int, retries: int, pause_seconds: float) -> None:
        if "outbox" not in getattr(store, "capabilities", ()):
            raise TypeError(f"{type(store).__name__} has no outbox for webhooks")
        self._store = store
        self._send = send
        self._workers = workers
        self._retries = retries
        self._policy = RetryPolicy(base_delay_seconds=pause_seconds)
        self._look_again = min(1.0, pause_seconds)
        self._name = f"{socket.gethostname()}-{os.getpid()}-webhooks"
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._is_closed = False
        # Threads that have found nothing to do since the last message was taken in, which has this number.
        self._idle: set[int] = set()
        self._taken_in = 0

    def put(self, entity_id: str, message: Mapping[str, Any]) -> None:
        """Keep a message; it is sent soon, by this process or by another."""
        message_id = new_id()
        row = OutboxRow(message_id, message_id, 0, {"name": "_webhook", "params": dict(message)})
        self._store.commit(EntityChange(entity_id or OWNER, metadata={"machine_name": OWNER}, outbox=(row,)))
        self.start()
        with self._changed:
            self._taken_in += 1
            self._idle.clear()
            self._changed.notify_all()

    def start(self) -> None:
        """Send what waits, from now on until `close`."""
        with self._changed:
            while not self._is_closed and len(self._threads) < self._workers:
                # One looks again now and then: pauses end, and others put messages in. The rest wait for news.
                look_again = None if self._threads else self._look_again
                thread = threading.Thread(
                    target=self._work, args=(look_again,), name="spikard-fsm-webhooks", daemon=True
                )
                self._threads.append(thread)
                thread.start()

    def flush(self, timeout: float | None) -> bool:
        """Wait until nothing is due; whether it came to that within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._idle) == len(self._threads), timeout)

    def close(self) -> None:
        """Stop the threads; what waits stays in the outbox."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self, look_again: float | None) -> None:
        me = threading.get_ident()
        while True:
            with self._changed:
                if self._is_closed:
                    return
                self._idle.discard(me)
                known = self._taken_in
            if self._sent_one():
                continue
            with self._changed:
                if known == self._taken_in and not self._is_closed:
                    self._idle.add(me)
                    self._changed.notify_all()
                    self._changed.wait_for(partial(self._is_news, known), look_again)

    def _is_news(self, known: int) -> bool:
        return self._is_closed or known != self._taken_in

    def _sent_one(self) -> bool:
        try:
            held = self._store.claim_outbox(self._name, 1, LEASE_SECONDS, [OWNER])
            if held:
                self._deliver(held[0])
        except Exception as error:  # noqa: BLE001 - a store that is away for a while comes back
            logger.warning("Webhooks wait: their outbox cannot be used: %s", error)
            return False
        return bool(held)

    def _deliver(self, held: HeldAction) -> None:
        message = held.action["params"]
        try:
            self._send(message)
            settlement = Settlement("done", fence=held.fence)
        except OSError as error:
            if held.attempt > self._retries:
                logger.warning("Webhook %s is given up: %s", message.get("url"), error)
                settlement = Settlement("dead", str(error), fence=held.fence)
            else:
                pause = compute_delay(self._policy, held.attempt - 1)
                settlement = Settlement("failed", str(error), pause, held.fence)
        except Exception as error:
            logger.exception("Webhook %s cannot be told", message.get("url"))
            settlement = Settlement("dead", str(error), fence=held.fence)
        try:
            self._store.commit(EntityChange(held.entity_id, settled={held.outbox_id: settlement}))
        except LeaseLostError:
            logger.info("Webhook %s was told by somebody else, too", message.get("url"))


def is_in_a_loop() -> bool:
    """Whether this thread runs an event loop, which nobody may keep waiting."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
