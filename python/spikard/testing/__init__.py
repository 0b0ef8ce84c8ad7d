"""Clients for tests: the real server in this process.

- `client`: `TestClient`, over a loopback socket
- `memory`: `MemoryClient`, through the same pipeline without sockets
- `session`: what both of them can do
- `transport`: httpx over a network of our choice; `network`: memory streams as such a network
- `blocking`: the calls for tests without an event loop
"""

from spikard.testing.client import TestClient
from spikard.testing.memory import MemoryClient

__all__ = ["MemoryClient", "TestClient"]
