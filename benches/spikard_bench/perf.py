"""A profile of one server under one case: `benches/profile`, by way of Linux perf."""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from spikard_bench import load
from spikard_bench.case import CASES
from spikard_bench.environment import TOOLS
from spikard_bench.process import Cores, Process, StartError
from spikard_bench.redis_server import RedisServer
from spikard_bench.server import SERVERS, ours

FREQUENCY = 1999


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/profile", description="Where does a server spend its CPU time?")
    arguments.add_argument("--server", default="ours-3.13", choices=[server.name for server in SERVERS])
    arguments.add_argument("--ours-python", type=Path, help="ours, run by this interpreter")
    arguments.add_argument("--case", default="hello", choices=[case.name for case in CASES])
    arguments.add_argument("--seconds", type=int, default=5)
    arguments.add_argument("--lines", type=int, default=50, help="of the report")
    arguments.add_argument("--graph", action="store_true", help="record call chains (needs frame pointers or DWARF)")
    return arguments


def main() -> int:
    options = parser().parse_args()
    if shutil.which("perf") is None or load.missing_tool() == "wrk":
        print("perf and wrk are needed: `apt-get install linux-perf wrk`; PROFILING.md has other ways", file=sys.stderr)
        return 2
    server = next(server for server in SERVERS if server.name == options.server)
    if options.ours_python:
        server = ours(options.ours_python.absolute())
    case = next(case for case in CASES if case.name == options.case)
    data = TOOLS / "profile" / f"{server.name}-{case.name}.data"
    data.parent.mkdir(parents=True, exist_ok=True)
    cores = Cores()
    with RedisServer(cores.load) as redis, Process(server, cores.server, redis.url) as process:
        try:
            process.start()
        except StartError as error:
            print(error, file=sys.stderr)
            return 2
        load.saturate(case, process.port, 1, cores.load)
        record = ["perf", "record", "--quiet", "-F", str(FREQUENCY), "-o", str(data)]
        record += ["-p", ",".join(map(str, process.tree()))]
        record += ["--call-graph", "dwarf,16384"] if options.graph else []
        with subprocess.Popen([*record, "--", "sleep", str(options.seconds)]):
            before = process.cpu_seconds()
            driven = load.saturate(case, process.port, options.seconds, cores.load)
            used = process.cpu_seconds() - before
    print(f"{driven.requests / driven.seconds:,.0f} requests/s, {used * 1e6 / driven.requests:.1f} µs CPU each\n")
    report = ["perf", "report", "-i", str(data), "--stdio", "--no-children", "-g", "none", "-F", "overhead,dso,sym"]
    shown = subprocess.run(report, capture_output=True, text=True, check=False).stdout.splitlines()
    print("\n".join([line for line in shown if line and not line.startswith("#")][: options.lines]))
    print(f"\nmore: perf report -i {data}")
    return 0
