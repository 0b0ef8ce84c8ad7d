"""An asyncio event loop whose selector is the HTTP server.

asyncio asks its selector to wait; ours lets the native driver serve requests in the meantime and comes back as soon
as asyncio has something to do itself: a ready callback, a timer, or one of its own descriptors.
"""

import asyncio
import selectors
import signal
import socket
import threading
from typing import TYPE_CHECKING

from spikard._spikard import Driver

if TYPE_CHECKING:
    # The concrete class differs by platform; all of them have the shape of the one asyncio is written against.
    from selectors import EpollSelector as PlatformSelector
else:
    PlatformSelector = selectors.DefaultSelector

HAS_DESCRIPTOR = hasattr(selectors.DefaultSelector, "fileno")


class InlineSelector(PlatformSelector):
    """The platform's selector, with requests being served while it waits."""

    def __init__(self) -> None:
        super().__init__()
        self.driver = Driver(self.fileno())

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Serve requests until asyncio has work or `timeout` is over; give asyncio's own ready descriptors."""
        if not self.driver.drive(timeout):
            return []
        events = super().select(0)
        if not events:
            # Readiness is level-triggered here but edge-triggered in the driver: only an empty answer means "all seen".
            self.driver.rearm()
        return events

    def close(self) -> None:
        """Stop serving and close the descriptor."""
        # The driver watches our descriptor, so it has to let go before the descriptor is closed.
        self.driver.close()
        # It belongs to this thread, the loop may be collected in another one.
        del self.driver
        super().close()


class InlineEventLoop(asyncio.SelectorEventLoop):
    """`asyncio.SelectorEventLoop` on an `InlineSelector`."""

    # Set up by asyncio's own constructor: the writing end of the pipe that wakes the loop.
    _csock: socket.socket

    def __init__(self) -> None:
        selector = InlineSelector()
        super().__init__(selector)
        self._inline_selector = selector
        selector.driver.attach(self)

    @property
    def driver(self) -> Driver:
        """The native side of this loop."""
        return self._inline_selector.driver

    def run_forever(self) -> None:
        """Run until `stop()`; Python signal handlers run at once even while the loop is idle."""
        # An interrupted wait inside the driver resumes by itself, so a signal has to write a byte to be noticed.
        armed = self._arm_wakeup()
        try:
            super().run_forever()
        finally:
            if armed:
                signal.set_wakeup_fd(-1)

    def remove_signal_handler(self, sig: int) -> bool:
        """Remove a handler; the wake-up descriptor, which asyncio drops with the last one, stays while running."""
        removed = super().remove_signal_handler(sig)
        if removed and self.is_running():
            self._arm_wakeup()
        return removed

    def _arm_wakeup(self) -> bool:
        if threading.current_thread() is not threading.main_thread():
            return False
        previous = signal.set_wakeup_fd(self._csock.fileno(), warn_on_full_buffer=False)
        if previous not in {-1, self._csock.fileno()}:
            signal.set_wakeup_fd(previous)
            return False
        return True


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A new event loop that serves requests on its own thread, or asyncio's default where that is impossible."""
    return InlineEventLoop() if HAS_DESCRIPTOR else asyncio.new_event_loop()


def driver_of(loop: asyncio.AbstractEventLoop) -> Driver | None:
    """The native driver of an inline loop; None for any other loop."""
    return loop.driver if isinstance(loop, InlineEventLoop) else None
