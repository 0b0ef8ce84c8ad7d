"""For tests of bots: a server that behaves as the platform's, and samples of events.

Names are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spikard.bots.testing.fake_api import FakeChat as FakeChat
    from spikard.bots.testing.fake_api import FakeMessage as FakeMessage
    from spikard.bots.testing.fake_server import FakeCall as FakeCall
    from spikard.bots.testing.fake_server import FakeVKTeams as FakeVKTeams
    from spikard.bots.testing.samples import sample as sample

_MODULES = {
    "FakeCall": "fake_server",
    "FakeChat": "fake_api",
    "FakeMessage": "fake_api",
    "FakeVKTeams": "fake_server",
    "sample": "samples",
}

__all__ = sorted(_MODULES)  # noqa: PLE0605 - one list of names, not two


if not TYPE_CHECKING:  # to a type checker every misspelt name would be an Any

    def __getattr__(name: str) -> Any:
        module = _MODULES.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return [*__all__]
