"""Clients for tests: the real server in this process.

- `client`: `TestClient`, over a loopback socket
- `memory`: `MemoryClient`, through the same pipeline without sockets
- `session`: what both of them can do
- `transport`: httpx over a network of our choice; `network`: memory streams as such a network
- `sse`, `websocket`: streams of events and WebSockets as tests use them
- `blocking`: the calls for tests without an event loop
"""

try:
    from spikard.testing.client import TestClient
    from spikard.testing.memory import MemoryClient
except ModuleNotFoundError as fault:
    if fault.name in {"httpx", "httpx_sse", "websockets"}:
        raise ImportError(f"the test clients need {fault.name}: pip install 'spikard[test]'", name=fault.name) from None
    raise

__all__ = ["MemoryClient", "TestClient"]
