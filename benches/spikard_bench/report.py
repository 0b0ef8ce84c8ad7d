"""The report: tables as Markdown, and the raw figures as JSON."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from spikard_bench.case import CASES, EXTRAS, Case
from spikard_bench.measurement import Footprint, Measurement, Spread
from spikard_bench.server import Server
from spikard_bench.session import Session

BEGIN = "<!-- results: begin -->"
END = "<!-- results: end -->"
MISSING = "–"


@dataclass
class Report:
    """What one session found. `left_out` maps the servers which could not be measured to the reason."""

    session: Session
    servers: list[Server]
    versions: dict[str, str]
    machine: dict[str, str]
    left_out: dict[str, str] = field(default_factory=dict)

    def cases(self) -> list[Case]:
        measured = {name for _, name in self.session.measurements}
        return [case for case in CASES if case.name in measured]

    def ranking(self, case: Case) -> list[tuple[Server, Measurement]]:
        """Servers with figures for a case, least CPU first."""
        rows = []
        for server in self.servers:
            measurement = self.session.measurements.get((server.name, case.name))
            if measurement is not None and measurement.cpu is not None and measurement.trouble is None:
                rows.append((server, measurement))
        return sorted(rows, key=lambda row: row[1].cpu.median if row[1].cpu else 0.0)

    def floor(self, case: Case) -> float | None:
        measurement = self.session.measurements.get(("floor", case.name))
        return measurement.cpu.median if measurement is not None and measurement.cpu is not None else None

    def markdown(self, charts: bool) -> str:
        parts = [self._preface()]
        parts.extend(self._case_section(case, charts) for case in self.cases())
        if any(f.start_milliseconds or f.idle_connections for f in self.session.footprints.values()):
            parts.append(self._footprint_section())
        parts.append(self._versions_section())
        return "\n\n".join(parts) + "\n"

    def _preface(self) -> str:
        machine, settings = self.machine, self.session.settings
        text = (
            f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, {machine['memory']}, "
            f"{machine['system']}. {settings.rounds} round(s) of {settings.seconds} s; medians, ranges in brackets."
        )
        if settings.smoke:
            text += " **Smoke run: one plain connection, the figures mean nothing.**"
        if not self.session.cores.apart:
            text += " **Server and load shared one core: compare CPU per request only.**"
        return text

    def _case_section(self, case: Case, charts: bool) -> str:
        rows = self.ranking(case)
        floor = self.floor(case)
        latency = next((m.latency for _, m in rows if m.latency), None)
        pace = f"at {latency.rate}/s" if latency and latency.rate else "one by one"
        lines = [f"### {case.name}: {case.title}", ""]
        if charts:
            lines += [f"![CPU per request, {case.name}](results/{case.name}.svg)", ""]
        lines += [
            f"| server | requests/s | CPU µs/request | × floor | p50 / p99 / p99.9 ms {pace} | RSS MiB |",
            "|---|---|---|---|---|---|",
        ]
        for server, measurement in rows:
            cells = [
                server.title,
                spread(measurement.throughput, 0),
                spread(measurement.cpu, 1),
                f"{measurement.cpu.median / floor:.2f}" if floor and measurement.cpu else MISSING,
                quantiles(measurement),
                f"{measurement.rss_bytes[-1] / 2**20:.0f}",
            ]
            lines.append(f"| {' | '.join(cells)} |")
        for server in self.servers:
            failed = self.session.measurements.get((server.name, case.name))
            if failed is not None and failed.trouble:
                lines.append(f"| {server.title} | {plain(failed.trouble)} | | | | |")
        return "\n".join(lines)

    def _footprint_section(self) -> str:
        lines = [
            "### Start and memory",
            "",
            "| server | start to first answer, ms | RSS after start, MiB | KiB per idle connection |",
            "|---|---|---|---|",
        ]
        for server in self.servers:
            footprint = self.session.footprints.get(server.name)
            if footprint is None:
                continue
            starts = spread(Spread.of(footprint.start_milliseconds), 0) if footprint.start_milliseconds else MISSING
            memory = f"{footprint.rss_start / 2**20:.0f}" if footprint.rss_start else MISSING
            lines.append(f"| {server.title} | {starts} | {memory} | {idle(footprint)} |")
        return "\n".join(lines)

    def _versions_section(self) -> str:
        lines = ["### Versions", ""]
        for server in self.servers:
            remark = f" ({server.remark})" if server.remark else ""
            lines.append(f"- {server.title}: {self.versions[server.name]}{remark}")
        lines += [f"- not measured: {name}: {plain(reason)}" for name, reason in self.left_out.items()]
        return "\n".join(lines)

    def as_json(self) -> str:
        content: dict[str, Any] = {
            "machine": self.machine,
            "settings": asdict(self.session.settings),
            "versions": self.versions,
            "left_out": self.left_out,
            "extras": EXTRAS,
            "measurements": [measurement.as_json() for measurement in self.session.measurements.values()],
            "footprints": [footprint.as_json() for footprint in self.session.footprints.values()],
        }
        return json.dumps(content, indent=1) + "\n"


def spread(value: Spread | None, digits: int) -> str:
    if value is None:
        return MISSING
    middle, low, high = (f"{number:,.{digits}f}" for number in (value.median, value.low, value.high))
    return f"{middle} ({low}–{high})"


def quantiles(measurement: Measurement) -> str:
    latency = measurement.latency
    if latency is None:
        return MISSING
    text = f"{latency.p50:.2f} / {latency.p99:.2f} / {latency.p999:.2f}"
    if latency.rate and latency.achieved < latency.rate * 0.97:
        text += f" (held {latency.achieved:,.0f}/s only)"
    return text


def idle(footprint: Footprint) -> str:
    if footprint.idle_bytes is not None:
        return f"{footprint.idle_bytes / 1024:.1f} (of {footprint.idle_connections:,})"
    return plain(footprint.trouble) if footprint.trouble else MISSING


def plain(text: str) -> str:
    """Fit for a table cell."""
    return " ".join(text.replace("|", "/").split())[:200]
