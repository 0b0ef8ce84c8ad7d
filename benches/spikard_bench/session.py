"""A session: all servers up at once, measured in turns within each round; who is not measured is paused."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from spikard_bench import load
from spikard_bench.case import Case
from spikard_bench.exchange import Exchange, ExchangeError, WrongAnswerError
from spikard_bench.idle import IdleError, per_connection
from spikard_bench.measurement import Footprint, Measurement
from spikard_bench.process import Cores, Process, StartError
from spikard_bench.redis_server import RedisServer
from spikard_bench.server import Server

WARM_UP_REQUESTS = 300


@dataclass(frozen=True)
class Settings:
    """How long and how often. `rate` overrides the cases' own; `smoke` uses the plain client and checks only."""

    rounds: int = 5
    latency_rounds: int = 3
    seconds: int = 1
    rate: int | None = None
    idle_connections: int = 10_000
    starts: int = 5
    smoke: bool = False


@dataclass
class Session:
    """The measuring. `say` receives one line of progress at a time."""

    settings: Settings
    say: Callable[[str], None]
    cores: Cores = field(default_factory=Cores)
    measurements: dict[tuple[str, str], Measurement] = field(default_factory=dict)
    footprints: dict[str, Footprint] = field(default_factory=dict)

    def run(self, servers: list[Server], cases: list[Case], extras: set[str]) -> None:
        with RedisServer(self.cores.load) as redis:
            if "start" in extras:
                for server in servers:
                    self._measure_start(server, redis.url)
            if "idle" in extras:
                for server in servers:
                    self._measure_idle(server, redis.url)
            if cases:
                usable = [case for case in cases if case.name != "redis" or redis.available]
                for case in cases:
                    if case not in usable:
                        self.say("no Redis: the case redis is left out")
                self._measure_rounds(servers, usable, redis.url)

    def _footprint(self, server: Server) -> Footprint:
        return self.footprints.setdefault(server.name, Footprint(server.name))

    def _measure_start(self, server: Server, redis_url: str) -> None:
        footprint = self._footprint(server)
        try:
            for _ in range(self.settings.starts):
                with Process(server, self.cores.server, redis_url) as process:
                    footprint.start_milliseconds.append(process.start() * 1000)
        except StartError as error:
            footprint.trouble = str(error)
        times = footprint.start_milliseconds
        self.say(f"start {server.name}: {min(times):.0f} ms" if times else f"start {server.name}: {footprint.trouble}")

    def _measure_idle(self, server: Server, redis_url: str) -> None:
        footprint = self._footprint(server)
        count = self.settings.idle_connections
        try:
            with Process(server, self.cores.server, redis_url) as process:
                process.start()
                footprint.idle_bytes = per_connection(process, count)
                footprint.idle_connections = count
                self.say(f"idle {server.name}: {footprint.idle_bytes / 1024:.1f} KiB per connection")
        except (StartError, IdleError) as error:
            footprint.trouble = str(error)
            self.say(f"idle {server.name}: {error}")

    def _measure_rounds(self, servers: list[Server], cases: list[Case], redis_url: str) -> None:
        with contextlib.ExitStack() as stack:
            processes = [process for server in servers if (process := self._bring_up(server, redis_url, stack))]
            for process in processes:
                process.resume()
                for case in cases:
                    self._check(process, case)
                process.pause()
            steps = self.settings.rounds * len(cases)
            began = time.monotonic()
            for number in range(self.settings.rounds):
                for position, case in enumerate(cases):
                    # Another server goes first each time, so that none always follows the same one.
                    shift = (number + position) % max(1, len(processes))
                    line = [self._measure(process, case, number) for process in processes[shift:] + processes[:shift]]
                    done = number * len(cases) + position + 1
                    left = (time.monotonic() - began) / done * (steps - done)
                    self.say(f"round {number + 1}/{self.settings.rounds} {case.name}: {', '.join(filter(None, line))}")
                    self.say(f"  about {left:.0f} s left")
            for process in processes:
                self._footprint(process.server).rss_loaded = process.rss_bytes()

    def _bring_up(self, server: Server, redis_url: str, stack: contextlib.ExitStack) -> Process | None:
        process = stack.enter_context(Process(server, self.cores.server, redis_url))
        footprint = self._footprint(server)
        try:
            took = process.start()
        except StartError as error:
            footprint.trouble = str(error)
            self.say(f"{server.name}: {error}")
            return None
        footprint.rss_start = process.rss_bytes()
        process.pause()
        self.say(f"{server.name}: up in {took * 1000:.0f} ms")
        return process

    def _check(self, process: Process, case: Case) -> None:
        """The right answer first, then enough requests for caches and specialisation to settle."""
        server = process.server
        measurement = self.measurements.setdefault((server.name, case.name), Measurement(server.name, case.name))
        measurement.trouble = server.cannot.get(case.name)
        if measurement.trouble:
            return
        try:
            with Exchange(process.port) as exchange:
                exchange.check(case, strict=server.ours)
                for _ in range(20 if self.settings.smoke else WARM_UP_REQUESTS):
                    exchange.send(case.method, case.target, case.body)
        except (WrongAnswerError, ExchangeError) as error:
            measurement.trouble = str(error)
            self.say(f"{server.name}: {case.name}: {error}")

    def _measure(self, process: Process, case: Case, number: int) -> str | None:
        measurement = self.measurements[process.server.name, case.name]
        if measurement.trouble:
            return None
        process.resume()
        try:
            before = process.cpu_seconds()
            saturation = self._drive(process, case, measurement)
            used = process.cpu_seconds() - before
            if not self.settings.smoke and number < self.settings.latency_rounds:
                self._pace(process, case, measurement)
        except (load.LoadError, ExchangeError) as error:
            measurement.trouble = str(error) if process.alive() else f"the server ended: {error}"
            return f"{process.server.name} {measurement.trouble}"
        finally:
            process.pause()
        measurement.requests_per_second.append(saturation.requests / saturation.seconds)
        measurement.cpu_microseconds.append(used * 1e6 / saturation.requests)
        measurement.rss_bytes.append(process.rss_bytes())
        return f"{process.server.name} {measurement.cpu_microseconds[-1]:.1f} µs"

    def _drive(self, process: Process, case: Case, measurement: Measurement) -> load.Saturation:
        if not self.settings.smoke:
            return load.saturate(case, process.port, self.settings.seconds, self.cores.load)
        saturation, latency = load.knock(case, process.port, self.settings.seconds)
        measurement.latencies.append(latency)
        return saturation

    def _pace(self, process: Process, case: Case, measurement: Measurement) -> None:
        """Latency at the fixed rate. A server that can't hold the rate keeps its other figures."""
        rate = self.settings.rate or case.rate
        try:
            latency = load.pace(case, process.port, rate, self.settings.seconds, self.cores.load)
            measurement.latencies.append(latency)
        except load.LoadError as error:
            self.say(f"  {process.server.name}: {error}")
