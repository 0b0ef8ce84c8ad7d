"""Rate limits count over all workers of a server."""

import http.client
import sys
from pathlib import Path

from process import Process

APP = """
import os

from spikard import RateLimitConfig, ServerConfig, Spikard

app = Spikard(ServerConfig(rate_limit=RateLimitConfig(per_second=0.001, burst=10)))


@app.get("/pid")
async def pid() -> int:
    return os.getpid()
"""


def ask(port: int) -> int:
    """The status of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/pid")
        return connection.getresponse().status
    finally:
        connection.close()


def test_workers_count_together(server: str, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(APP)
    command = [server, "--python", sys.executable, "--port", "0", "--workers", "2", "shop:app"]
    with Process(command, cwd=tmp_path) as process:
        port = process.ready()
        statuses = [ask(port) for _ in range(30)]
    # Each by itself would let ten in.
    assert statuses.count(200) == 10
    assert set(statuses[10:]) == {429}
