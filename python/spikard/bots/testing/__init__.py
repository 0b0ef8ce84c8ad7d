"""For tests of bots: people who talk with a bot, a server that behaves as the platform's, and samples of events.

Names are imported when they are first used.
"""

from typing import TYPE_CHECKING

from spikard.late_names import late_names

if TYPE_CHECKING:
    from spikard.bots.testing.builders import make_callback as make_callback
    from spikard.bots.testing.builders import make_message as make_message
    from spikard.bots.testing.builders import make_update as make_update
    from spikard.bots.testing.fake_api import FakeChat as FakeChat
    from spikard.bots.testing.fake_api import FakeMessage as FakeMessage
    from spikard.bots.testing.fake_platform import FakeCall as FakeCall
    from spikard.bots.testing.fake_platform import FakePlatform as FakePlatform
    from spikard.bots.testing.fake_server import FakeVKTeams as FakeVKTeams
    from spikard.bots.testing.people import Group as Group
    from spikard.bots.testing.people import Person as Person
    from spikard.bots.testing.recording import Difference as Difference
    from spikard.bots.testing.recording import Recording as Recording
    from spikard.bots.testing.recording import Replay as Replay
    from spikard.bots.testing.recording import record as record
    from spikard.bots.testing.recording import replay as replay
    from spikard.bots.testing.samples import sample as sample
    from spikard.bots.testing.tester import BotTester as BotTester

_MODULES = {
    "BotTester": "tester",
    "Difference": "recording",
    "FakeCall": "fake_platform",
    "FakeChat": "fake_api",
    "FakeMessage": "fake_api",
    "FakePlatform": "fake_platform",
    "FakeVKTeams": "fake_server",
    "Group": "people",
    "Person": "people",
    "Recording": "recording",
    "Replay": "recording",
    "make_callback": "builders",
    "make_message": "builders",
    "make_update": "builders",
    "record": "recording",
    "replay": "recording",
    "sample": "samples",
}

__all__ = sorted(_MODULES)  # noqa: PLE0605 - one list of names, not two


if not TYPE_CHECKING:  # to a type checker every misspelt name would be an Any
    __getattr__ = late_names(__name__, _MODULES)


def __dir__() -> list[str]:
    return [*__all__]
