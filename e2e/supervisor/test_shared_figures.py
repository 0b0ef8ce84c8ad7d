"""Metrics are those of all workers, whichever is asked."""

import http.client
import os
import re
import signal
import sys
from pathlib import Path

from process import Process, until

APP = """
import os

from spikard import ServerConfig, Spikard

app = Spikard(ServerConfig(metrics_path="/metrics"))


@app.get("/pid")
async def pid() -> int:
    return os.getpid()
"""
SAMPLE = re.compile(r"^([a-z_]+)(?:{(.*)})? (\S+)$", re.MULTILINE)
COUNTED = 'http_requests_total{method="GET",route="/pid",status="200"}'


def figures(process: Process) -> dict[str, float]:
    """Every sample, by its name with its labels."""
    found = SAMPLE.finditer(process.get("/metrics"))
    return {one[1] + (f"{{{one[2]}}}" if one[2] else ""): float(one[3]) for one in found}


def test_figures_are_summed_over_workers_and_outlive_them(server: str, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(APP)
    command = [server, "--python", sys.executable, "--port", "0", "--workers", "2", "shop:app"]
    with Process(command, cwd=tmp_path) as process:
        port = process.ready()
        until(lambda: figures(process)["http_workers"] == 2, "both workers are ready")
        asked = [process.worker() for _ in range(40)]
        assert len(set(asked)) == 2
        # A connection of its own each, so both are asked.
        assert {figures(process)[COUNTED] for _ in range(20)} == {40}

        held = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        held.request("GET", "/pid")
        victim = int(held.getresponse().read())
        # The one that asks is open as well; one that has just been closed may count for a moment more.
        until(lambda: figures(process)["http_connections"] == 2, "only those that are open count")
        os.kill(victim, signal.SIGKILL)
        until(lambda: victim not in process.workers() and len(process.workers()) == 2, "a new worker runs")
        until(lambda: figures(process)["http_workers"] == 2, "it counts with the others")
        held.close()
        until(lambda: figures(process)["http_connections"] == 1, "the killed worker's count no more")
        found = figures(process)
        assert (found[COUNTED], found["http_requests_in_flight"]) == (41, 1)
