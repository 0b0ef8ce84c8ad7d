"""Machines out of what was seen of entities."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikard.cli.fsm import machine_file, options
from spikard.cli.fsm.database import opened
from spikard.cli.fsm.outcome import (
    EXIT_DONE,
    EXIT_FINDINGS,
    EXIT_USAGE,
    Failure,
    print_json,
    print_rows,
    write_text,
)
from spikard.fsm.settings import discovery_database, discovery_thresholds

if TYPE_CHECKING:
    from spikard.fsm.discovery.candidate import BuiltDiscoveryCandidate
    from spikard.fsm.discovery.engine import InferenceEngine
    from spikard.fsm.observed_state_event import ObservedStateEvent

FORMATS = ("mermaid", "dot", "svg", "yaml", "json")
LOGS = "CSV, JSON lines or XES, or - for standard input: entity_id, state, observed_at"


def run(arguments: list[str]) -> int:
    """Run one of the subcommands."""
    given = parser().parse_args(arguments)
    done: int = given.call(given)
    return done


def parser() -> argparse.ArgumentParser:
    """What they take."""
    whole = argparse.ArgumentParser(
        prog="spikard fsm discovery", description="Build machines out of what was seen of entities."
    )
    commands = whole.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, call: object, purpose: str) -> argparse.ArgumentParser:
        one = options.add_command(commands, name, call, purpose)
        one.add_argument("--database", "--db", metavar="URL", help="where observations are (that of the application)")
        return one

    one = add("observe", observe, "keep that an entity was seen in a state, or a whole log")
    one.add_argument("machine", metavar="MACHINE")
    one.add_argument("--entity", metavar="ID", help="which entity")
    one.add_argument("--state", help="where it was seen")
    one.add_argument("--at", metavar="TIME", help="when, as ISO 8601 (now)")
    one.add_argument("--source", default="cli", help="who has seen it (cli)")
    one.add_argument(
        "--from",
        dest="log",
        metavar="FILE",
        type=Path,
        help=LOGS,
    )
    one = add("preview", preview, "show the steps that were seen, and which of them a candidate would have")
    one.add_argument("machine", metavar="MACHINE")
    one.add_argument("--entities", metavar="IDS", help="only of these, separated by commas")
    thresholds(one)
    one = add("build", build, "build a candidate, and keep it")
    one.add_argument("machine", metavar="MACHINE")
    one.add_argument("--version", help="its version (the next patch)")
    one.add_argument("--mode", choices=("inference", "manual"), default="inference", help="steps seen often, or --edge")
    one.add_argument("--edge", metavar="FROM:TO", action="append", default=[], help="a step of --mode manual")
    thresholds(one)
    one = add("export", export, "print a candidate as a drawing or a machine")
    one.add_argument("machine", metavar="MACHINE")
    one.add_argument("--version", help="which one (the latest)")
    one.add_argument("--format", choices=FORMATS, default="mermaid", help="as what (mermaid)")
    one.add_argument("-o", "--output", metavar="FILE", type=Path, help="write it to a file")
    add("list", list_all, "list candidates").add_argument("machine", metavar="MACHINE")
    one = add("conform", conform, "say how well a log fits a machine: 3 where it does not wholly")
    one.add_argument(
        "log",
        metavar="LOG",
        type=Path,
        help=LOGS,
    )
    options.add_file(one, "machine", "MACHINE")
    one.add_argument("--min-fitness", type=float, default=1.0, metavar="SHARE", help="what is enough, from 0 to 1 (1)")
    return whole


def thresholds(one: argparse.ArgumentParser) -> None:
    """How often a step must have been seen."""
    one.add_argument("--min-count", metavar="N", type=int, help="how often a step must have been seen (2)")
    one.add_argument(
        "--min-confidence", metavar="SHARE", type=float, help="and its share of all steps out of its state (0.5)"
    )


@contextmanager
def engine(given: argparse.Namespace) -> "Iterator[InferenceEngine]":
    """The engine over the database that is meant."""
    from spikard.fsm.discovery.engine import InferenceEngine, InferenceThresholds

    url = given.database or discovery_database()
    with opened(url):
        try:
            limits = InferenceThresholds(*discovery_thresholds())
        except ValueError as error:
            raise Failure(str(error), EXIT_USAGE) from None
        backend = "sqlite" if url.startswith("sqlite") else "postgresql"
        found = InferenceEngine.for_connection(backend, url, thresholds=limits)
    try:
        yield found
    finally:
        found.close()


def observe(given: argparse.Namespace) -> int:
    """Keep observations."""
    from spikard.fsm.observed_state_event import ObservedStateEvent

    if given.log is not None:
        events = read(given.log, given.machine, given.source)
    elif given.entity and given.state:
        at = moment(given.at)
        events = [ObservedStateEvent(given.entity, given.machine, given.state, at, given.source)]
    else:
        raise Failure("say --entity and --state, or --from FILE", EXIT_USAGE)
    with engine(given) as found:
        kept = found.record_observations(given.machine, events)
    if given.json:
        print_json({"machine": given.machine, "observations": len(events), "new": kept})
    else:
        print(f"{given.machine}: {kept} new of {len(events)} observations")
    return EXIT_DONE


def read(log: Path, machine: str, source: str) -> "list[ObservedStateEvent]":
    """The observations of a file, or of standard input."""
    from spikard.fsm.discovery.event_log import parse_log, read_log

    if str(log) == options.STDIN:
        return parse_log(sys.stdin.read().removeprefix("\ufeff"), "<stdin>", machine, source)
    return read_log(log, machine, source)


def moment(text: str | None) -> datetime:
    """A moment of the command line."""
    if text is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(f"--at {text} is no time; write 2026-01-31T12:00:00Z", EXIT_USAGE) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def preview(given: argparse.Namespace) -> int:
    """Show steps."""
    from spikard.fsm.discovery.draft import DiscoveryDraftFilter

    entities = tuple(given.entities.split(",")) if given.entities else None
    scope = DiscoveryDraftFilter(channels=(given.machine,), entity_ids=entities)
    with engine(given) as found:
        seen = found.preview_filter(scope, min_edge_count=given.min_count, min_confidence=given.min_confidence)
    chosen = {(edge.source_state, edge.destination_state) for edge in seen["selected_edges"]}
    if given.json:
        print_json(seen)
        return EXIT_DONE
    rows = [
        {
            "from": edge.source_state,
            "to": edge.destination_state,
            "count": edge.count,
            "confidence": f"{edge.confidence:.2f}",
            "chosen": "yes" if (edge.source_state, edge.destination_state) in chosen else "no",
        }
        for edge in seen["edges"]
    ]
    columns = ("from", "to", "count", "confidence", "chosen")
    count = seen["observation_count"]
    nothing = (
        f"{given.machine}: {count} observations, but no entity in two states"
        if count
        else f"nothing was seen of {given.machine}"
    )
    print_rows(rows, columns, as_json=False, name="edges", nothing=nothing)
    return EXIT_DONE


def build(given: argparse.Namespace) -> int:
    """Build a candidate."""
    from spikard.fsm.discovery.draft import DiscoveryDraftFilter

    pairs = []
    for edge in given.edge:
        source, colon, destination = edge.partition(":")
        if not colon:
            raise Failure(f"--edge {edge} is not of the form FROM:TO", EXIT_USAGE)
        pairs.append((source, destination))
    if given.mode == "manual" and not pairs:
        raise Failure("--mode manual needs --edge FROM:TO", EXIT_USAGE)
    with engine(given) as found:
        if given.mode == "inference" and not _chosen(found, given):
            raise Failure(
                f"no step of {given.machine} was seen often enough to build anything of it",
                hint=f"spikard fsm discovery preview {given.machine} shows what was seen; --min-count 1 asks for less",
            )
        built = found.build_candidate(
            given.machine, given.version, mode=given.mode, edge_selection=pairs, min_edge_count=given.min_count,
            min_confidence=given.min_confidence, filter=DiscoveryDraftFilter(channels=(given.machine,)),
        )  # fmt: skip
    if given.json:
        print_json(row(built))
    else:
        states, steps = len(built.config["states"]), len(built.config["transitions"])
        print(f"built {built.machine_name} {built.version}: {states} states, {steps} transitions")
    return EXIT_DONE


def _chosen(found: "InferenceEngine", given: argparse.Namespace) -> bool:
    from spikard.fsm.discovery.draft import DiscoveryDraftFilter

    seen = found.preview_filter(
        DiscoveryDraftFilter(channels=(given.machine,)),
        min_edge_count=given.min_count,
        min_confidence=given.min_confidence,
    )
    return bool(seen["selected_edges"])


def row(candidate: "BuiltDiscoveryCandidate") -> dict[str, Any]:
    """A candidate in a list."""
    return {
        "machine": candidate.machine_name,
        "version": candidate.version,
        "status": candidate.status,
        "states": len(candidate.config["states"]),
        "transitions": len(candidate.config["transitions"]),
        "observations": candidate.metadata.get("observation_count"),
        "created_at": candidate.created_at,
    }


def list_all(given: argparse.Namespace) -> int:
    """List candidates."""
    with engine(given) as found:
        rows = [row(one) for one in found.list_built_candidates(given.machine)]
    columns = ("version", "status", "states", "transitions", "observations", "created_at")
    print_rows(rows, columns, as_json=given.json, name="candidates", nothing=f"no candidates of {given.machine}")
    return EXIT_DONE


def export(given: argparse.Namespace) -> int:
    """Print a candidate."""
    from spikard.fsm import drawing
    from spikard.openapi import to_yaml

    with engine(given) as found:
        if given.version is None:
            candidate = found.get_latest_built_candidate(given.machine)
        else:
            candidate = found.get_built_candidate(given.machine, given.version)
    if candidate is None:
        raise Failure(f"there is no candidate of {given.machine}", hint=f"spikard fsm discovery build {given.machine}")
    config = candidate.config
    if given.format == "json" or given.json:
        text = json.dumps(config, indent=2, ensure_ascii=False)
    elif given.format == "yaml":
        text = to_yaml(config)
    else:
        text = {"mermaid": drawing.to_mermaid, "dot": drawing.to_dot, "svg": drawing.to_svg}[given.format](config)
    write_text(text, given.output)
    return EXIT_DONE


def conform(given: argparse.Namespace) -> int:
    """Compare a log with a machine."""
    from spikard.fsm.discovery.conformance import check_conformance

    machine = machine_file.build(given.machine)
    log = read(given.log, machine.name, "log")
    if not log:
        raise Failure(f"there are no observations in {given.log}")
    report = check_conformance(machine, log)
    if given.json:
        print_json(report)
    else:
        print(f"fitness {report.fitness:.3f}, precision {report.precision:.3f}")
        print(f"{report.conforming_cases} of {report.cases} entities, {report.steps} steps")
        for one in report.deviations:
            print(f"  {one.entity_id}, step {one.step}: {one.source or 'the beginning'} -> {one.target}: {one.reason}")
    return EXIT_DONE if report.fitness >= given.min_fitness else EXIT_FINDINGS
