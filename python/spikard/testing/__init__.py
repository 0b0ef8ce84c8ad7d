"""Clients for tests: the real server in this process.

- `client`: `TestClient`, over a loopback socket
- `memory`: `MemoryClient`, through the same pipeline without sockets
- `session`: what both of them can do
- `transport`: httpx over a network of our choice; `network`: memory streams as such a network
- `sse`, `websocket`: streams of events and WebSockets as tests use them
- `capture`: background work seen from a test; `documents`: whether an application's documents are valid
- `blocking`: the calls for tests without an event loop
- `frozen_time`: time that stands still, for limits and tokens
"""

from spikard.testing.capture import CapturedBackground, CapturedWork, capture_background
from spikard.testing.documents import assert_openapi_valid
from spikard.testing.frozen_time import freeze_time

try:
    from spikard.testing.client import TestClient
    from spikard.testing.memory import MemoryClient
except ModuleNotFoundError as fault:
    if fault.name in {"httpcore", "httpx", "httpx_sse", "websockets"}:
        raise ImportError(f"the test clients need {fault.name}: pip install 'spikard[test]'", name=fault.name) from None
    raise

__all__ = [
    "CapturedBackground",
    "CapturedWork",
    "MemoryClient",
    "TestClient",
    "assert_openapi_valid",
    "capture_background",
    "freeze_time",
]
