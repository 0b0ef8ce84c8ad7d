"""The command line: `benches/run`."""

import argparse
import subprocess
import sys
from pathlib import Path

from spikard_bench import chart, machine
from spikard_bench.case import CASES, EXTRAS
from spikard_bench.environment import BENCHES, WRK_HINT, SetupError, build_floor, floor_binary, set_up
from spikard_bench.load import missing_tool
from spikard_bench.report import BEGIN, END, Report
from spikard_bench.server import ENVIRONMENTS, SERVERS, Server, ours
from spikard_bench.session import Session, Settings

README = BENCHES / "README.md"
RESULTS = BENCHES / "results"


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/run", description="Measure ours, the floor and the peers.")
    arguments.add_argument("--setup", action="store_true", help="install peers, tools and ours; then stop")
    arguments.add_argument("--smoke", action="store_true", help="floor and ours for a moment: are the answers right?")
    arguments.add_argument(
        "--update", action="store_true", help="write README.md's results, the charts and latest.json"
    )
    arguments.add_argument("--cases", help="comma-separated: " + ",".join([*(case.name for case in CASES), *EXTRAS]))
    arguments.add_argument("--servers", help="comma-separated: " + ",".join(server.name for server in SERVERS))
    arguments.add_argument("--rounds", type=int, default=Settings.rounds)
    arguments.add_argument(
        "--latency-rounds", type=int, default=Settings.latency_rounds, help="rounds at the fixed rate"
    )
    arguments.add_argument("--seconds", type=int, default=Settings.seconds, help="of each measurement")
    arguments.add_argument("--rate", type=int, help="requests/s of the latency runs, for all cases")
    arguments.add_argument("--idle-connections", type=int, default=Settings.idle_connections)
    arguments.add_argument("--ours-python", type=Path, help="measure ours with this interpreter instead of our own two")
    return arguments


def main() -> int:
    options = parser().parse_args()
    all_cases = [*(case.name for case in CASES), *EXTRAS]
    try:
        names = choose(options.servers, [s.name for s in SERVERS], [s.name for s in SERVERS if not s.optional])
        cases = choose(options.cases, all_cases, all_cases)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if options.setup:
        wanted = {s.environment for s in SERVERS if s.environment and (not options.servers or s.name in names)}
        return 0 if set_up([env for env in ENVIRONMENTS if env in wanted]) else 1
    settings = Settings(
        rounds=1 if options.smoke else options.rounds,
        latency_rounds=options.latency_rounds,
        seconds=options.seconds,
        rate=options.rate,
        idle_connections=options.idle_connections,
        smoke=options.smoke,
    )
    if not options.smoke and (tool := missing_tool()):
        print(WRK_HINT if tool == "wrk" else f"{tool} is missing: `benches/run --setup`", file=sys.stderr)
        return 2
    if options.smoke and floor_binary() is None and not built():
        return 1
    servers = choice_of_servers(names, options.ours_python, options.smoke)
    return measure(servers, cases, settings, options.update)


def built() -> bool:
    """A quick build of the floor, for smoke runs on a fresh checkout."""
    try:
        build_floor(release=False)
    except SetupError as error:
        print(f"floor: {error}", file=sys.stderr)
        return False
    return True


def choose(given: str | None, known: list[str], usual: list[str]) -> list[str]:
    if not given:
        return usual
    chosen = [name.strip() for name in given.split(",") if name.strip()]
    for name in chosen:
        if name not in known:
            raise ValueError(f"unknown: {name}; known are {', '.join(known)}")
    return chosen


def choice_of_servers(names: list[str], ours_python: Path | None, smoke: bool) -> list[Server]:
    """The rows to measure. A smoke run takes the floor and one row of ours."""
    servers = [server for server in SERVERS if server.name in names]
    if ours_python is not None:
        servers = [server for server in servers if not server.ours]
        servers.insert(1 if servers and servers[0].name == "floor" else 0, ours(ours_python.absolute()))
    if smoke:
        here = ours(Path(sys.executable))
        own = [server for server in servers if server.ours]
        candidates = own if ours_python is not None else [here, *own]
        chosen = [server for server in candidates if server.obstacle(allow_dev=True) is None][:1] or [here]
        servers = [server for server in servers if server.name == "floor"] + chosen
    return servers


def measure(servers: list[Server], cases: list[str], settings: Settings, update: bool) -> int:
    left_out = {}
    for server in servers:
        if obstacle := server.obstacle(allow_dev=settings.smoke):
            left_out[server.name] = obstacle
            print(f"{server.name}: left out: {obstacle}", file=sys.stderr)
    usable = [server for server in servers if server.name not in left_out]
    session = Session(settings, say=lambda line: print(line, flush=True))
    extras = set() if settings.smoke else set(EXTRAS) & set(cases)
    session.run(usable, [case for case in CASES if case.name in cases], extras)
    report = Report(session, usable, {s.name: s.version() for s in usable}, machine.describe(), left_out)
    print()
    print(report.markdown(charts=False))
    if update:
        write(report)
    if settings.smoke:
        wrong = any(measurement.trouble for measurement in session.measurements.values())
        down = any(footprint.trouble for footprint in session.footprints.values())
        return 1 if wrong or down or left_out else 0
    return 0


def write(report: Report) -> None:
    """Put the results where readers look."""
    RESULTS.mkdir(exist_ok=True)
    for case in report.cases():
        (RESULTS / f"{case.name}.svg").write_text(chart.draw(report, case))
    (RESULTS / "latest.json").write_text(report.as_json())
    before, _, rest = README.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n\n{report.markdown(charts=True)}\n{END}{after}")
    print(f"wrote {README}, {RESULTS}", flush=True)
    commit = subprocess.run(["git", "status", "--short", str(BENCHES)], capture_output=True, text=True, check=False)
    print(commit.stdout, end="")
