"""A session with its children: who runs, who tells whom what, and what comes later."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from spikard.fsm.charts.timers import ChartEvent, Timer, Timers
from spikard.fsm.clock import Clock
from spikard.fsm.errors import FSMError

if TYPE_CHECKING:
    from spikard.fsm.charts.session import ChartSession

logger = logging.getLogger("spikard.fsm.charts")

# Gets the name of an event, its data and the target of the `send`.
Sender = Callable[[str, Any, str | None], Any]

SCXML_PROCESSOR = "http://www.w3.org/TR/scxml/#SCXMLEventProcessor"
# Events that one event may cause before something is wrong.
_MOST_EVENTS = 100_000


class Family:
    """The sessions of one tree, which take turns: one event each, whoever has one."""

    __slots__ = ("clock", "invokers", "root", "senders", "sessions", "timers")

    def __init__(
        self, root: "ChartSession", clock: Clock, senders: Mapping[str, Sender], invokers: Mapping[str, Any]
    ) -> None:
        # Its turn is everybody's.
        self.root = root
        self.clock = clock
        self.senders = dict(senders)
        self.invokers = dict(invokers)
        self.sessions: dict[str, ChartSession] = {}
        self.timers = Timers()

    def go_on(self) -> None:
        """Takes events until no session has one. What is due comes before what is new."""
        self.fire_due()
        left = _MOST_EVENTS
        busy = True
        while busy:
            busy = False
            for session in list(self.sessions.values()):
                if not session._advance():
                    continue
                busy = True
                left -= 1
                if left == 0:
                    raise FSMError(
                        f"One event of '{session.machine.name}' has caused {_MOST_EVENTS} others and is not done: "
                        "look for events that the chart sends to itself forever"
                    )

    def fire_due(self) -> int:
        """Delivers what is due; how many events that were."""
        count = 0
        now = self.clock.now()
        while (timer := self.timers.take(now)) is not None:
            session = self.sessions.get(timer.session_id)
            if session is not None:
                count += 1
                self.deliver(session, timer.event, timer.target, timer.kind)
        return count

    def send(self, session: "ChartSession", event: ChartEvent, target: str | None, kind: str, delay: int) -> None:
        """Delivers an event now or after a while, in milliseconds."""
        if delay > 0:
            due = self.clock.now() + timedelta(milliseconds=delay)
            self.timers.arm(Timer(due, session.session_id, event, target, kind))
        else:
            self.deliver(session, event, target, kind)

    def deliver(self, session: "ChartSession", event: ChartEvent, target: str | None, kind: str) -> None:
        """Brings an event to where it is to go; the sender is told when that cannot be."""
        if kind != SCXML_PROCESSOR:
            try:
                self.senders[kind](event[0], event[6], target)
            except Exception as error:
                logger.exception("Sending '%s' by %s failed", event[0], kind)
                session._report("error.communication", str(error), event[2])
            return
        receiver = self._receiver(session, target)
        if receiver is None:
            session._report("error.communication", f"there is no session {target}", event[2])
        else:
            receiver._post(event)

    def _receiver(self, session: "ChartSession", target: str | None) -> "ChartSession | None":
        if target is None:
            return session
        if target == "#_parent":
            return session._parent
        name = target.removeprefix("#_")
        if name in session._children:
            return session._children[name]
        return self.sessions.get(name.removeprefix("scxml_")) if name.startswith("scxml_") else None

    def leave(self, session: "ChartSession") -> None:
        """Forgets a session that is over, and what it meant to send."""
        self.sessions.pop(session.session_id, None)
        self.timers.forget(session.session_id)
