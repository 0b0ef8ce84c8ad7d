"""A load: what drives a server. wrk to saturation, oha at a fixed rate, and a plain client for smoke runs."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spikard_bench.case import JSON_TYPE, Case
from spikard_bench.environment import oha_binary
from spikard_bench.exchange import Exchange

SATURATION_CONNECTIONS = 64
RATE_CONNECTIONS = 32

# wrk calls `done` once at the end, so the script costs nothing per request.
REPORT = """
done = function(summary, latency, requests)
  io.write(string.format('{"requests":%d,"microseconds":%d,"refused":%d,"broken":%d}\\n',
    summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


class LoadError(Exception):
    """The load generator failed, or too many answers were wrong for the figures to mean anything."""


@dataclass(frozen=True)
class Saturation:
    """As many requests as the server takes."""

    requests: int
    seconds: float


@dataclass(frozen=True)
class Latency:
    """Latencies in milliseconds at a fixed rate, counted from when each request was due."""

    rate: int
    achieved: float
    p50: float
    p99: float
    p999: float


def pinned(core: int) -> Callable[[], None]:
    return lambda: os.sched_setaffinity(0, {core})


def run(command: list[str], core: int, limit: float) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=limit, preexec_fn=pinned(core)
        )
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"{Path(command[0]).name} did not end within {limit:.0f} s") from error
    if done.returncode != 0:
        raise LoadError(f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr.strip()[-200:]}")
    return done.stdout


def script(case: Case) -> str:
    """The wrk script of a case. The body goes in as a Lua long string, which needs no escaping."""
    if case.body is None:
        return REPORT
    lines = [
        f'wrk.method = "{case.method}"',
        f'wrk.headers["Content-Type"] = "{JSON_TYPE}"',
        f"wrk.body = [==[{case.body.decode()}]==]",
    ]
    return "\n".join(lines) + REPORT


def saturate(case: Case, port: int, seconds: int, core: int) -> Saturation:
    """Drive a server with wrk from one core, as fast as it answers."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script(case))
        file.flush()
        command = ["wrk", "-t1", f"-c{SATURATION_CONNECTIONS}", f"-d{seconds}s", "-s", file.name, url(case, port)]
        report = json.loads(run(command, core, seconds + 30).strip().splitlines()[-1])
    expected = report["requests"] if min(case.statuses) >= 400 else 0
    wrong = abs(report["refused"] - expected) + report["broken"]
    if report["requests"] == 0 or wrong > report["requests"] * 0.001:
        raise LoadError(f"{wrong} of {report['requests']} answers wrong or lost")
    return Saturation(report["requests"], report["microseconds"] / 1e6)


def pace(case: Case, port: int, rate: int, seconds: int, core: int) -> Latency:
    """Drive a server with oha at a fixed rate; its latency correction counts waiting for a free connection too."""
    command = [str(oha_binary()), "--no-tui", "--output-format", "json", "--latency-correction", "-w"]
    command += ["-z", f"{seconds}s", "-q", str(rate), "-c", str(RATE_CONNECTIONS), "-m", case.method]
    with tempfile.NamedTemporaryFile("wb") as file:
        if case.body is not None:
            file.write(case.body)
            file.flush()
            command += ["-D", file.name, "-T", JSON_TYPE]
        report = json.loads(run([*command, url(case, port)], core, seconds + 30))
    statuses = {int(status): count for status, count in report["statusCodeDistribution"].items()}
    wrong = sum(count for status, count in statuses.items() if status not in case.statuses)
    wrong += sum(report["errorDistribution"].values())
    if not statuses or wrong > sum(statuses.values()) * 0.001:
        raise LoadError(f"at {rate}/s: {wrong} of {sum(statuses.values())} answers wrong or lost")
    quantiles = report["latencyPercentiles"]
    return Latency(
        rate,
        report["summary"]["requestsPerSec"],
        quantiles["p50"] * 1000,
        quantiles["p99"] * 1000,
        quantiles["p99.9"] * 1000,
    )


def knock(case: Case, port: int, seconds: float) -> tuple[Saturation, Latency]:
    """One plain connection, one request after the other: enough to see that the table comes out."""
    times = []
    began = time.perf_counter()
    with Exchange(port) as exchange:
        while (now := time.perf_counter()) - began < seconds:
            answer = exchange.send(case.method, case.target, case.body)
            times.append(time.perf_counter() - now)
            if answer.status not in case.statuses:
                raise LoadError(f"status {answer.status} under load")
    elapsed = time.perf_counter() - began
    times.sort()
    quantile = [times[min(len(times) - 1, int(len(times) * share))] * 1000 for share in (0.5, 0.99, 0.999)]
    return Saturation(len(times), elapsed), Latency(0, len(times) / elapsed, *quantile)


def missing_tool() -> str | None:
    """The first load generator that is not there."""
    if shutil.which("wrk") is None:
        return "wrk"
    return None if oha_binary() else "oha"


def url(case: Case, port: int) -> str:
    return f"http://127.0.0.1:{port}{case.target}"
