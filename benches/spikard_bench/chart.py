"""A chart: CPU per request of every server on one case, as an SVG which follows the reader's light or dark theme."""

from html import escape

from spikard_bench.case import Case
from spikard_bench.measurement import Measurement
from spikard_bench.report import Report
from spikard_bench.server import Server

WIDTH = 860
LABEL = 270
FIGURES = 150
ROW = 26
BAR = 16
TOP = 52
BOTTOM = 16

STYLE = """
  .ground { fill: #ffffff } .title, .label, .figure { fill: #1f2328 } .note { fill: #59636e }
  .ours { fill: #c2410c } .floor { fill: #57606a } .peer { fill: #7aa7d9 } .spread { stroke: #1f2328 }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
  .title { font-size: 15px; font-weight: 600 } .note { font-size: 12px } .bold { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } .title, .label, .figure { fill: #e6edf3 } .note { fill: #9198a1 }
    .ours { fill: #f97316 } .floor { fill: #8b949e } .peer { fill: #3f6ea8 } .spread { stroke: #e6edf3 }
  }
"""


def draw(report: Report, case: Case) -> str:
    """The SVG text; bars sorted by CPU, a thin line from the lowest to the highest round."""
    rows = report.ranking(case)
    height = TOP + ROW * len(rows) + BOTTOM
    longest = max((m.cpu.high for _, m in rows if m.cpu), default=1.0)
    scale = (WIDTH - LABEL - FIGURES) / longest
    title = f"{case.name}: {case.title}".replace("`", "")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" ',
        f'role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}" rx="6"/>',
        f'<text class="title" x="16" y="24">{escape(title)}</text>',
        '<text class="note" x="16" y="42">CPU µs per request, shorter is better; requests/s behind it</text>',
    ]
    for index, (server, measurement) in enumerate(rows):
        parts.append(bar(server, measurement, TOP + ROW * index, scale))
    return "\n".join([*parts, "</svg>\n"])


def bar(server: Server, measurement: Measurement, y: int, scale: float) -> str:
    cpu, throughput = measurement.cpu, measurement.throughput
    if cpu is None or throughput is None:
        return ""
    kind = "floor" if server.name == "floor" else "ours" if server.ours else "peer"
    weight = " bold" if server.ours else ""
    middle, base = y + BAR / 2, y + BAR - 3
    label = escape(server.title.replace("*", ""))
    figures = f"{cpu.median:.1f} µs · {throughput.median:,.0f}/s"
    length, low, high = (max(1.0, value * scale) for value in (cpu.median, cpu.low, cpu.high))
    return "\n".join(
        [
            f'<text class="label{weight}" x="{LABEL - 10}" y="{base}" text-anchor="end">{label}</text>',
            f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>',
            f'<line class="spread" x1="{LABEL + low:.1f}" x2="{LABEL + high:.1f}" y1="{middle}" y2="{middle}"/>',
            f'<text class="figure{weight}" x="{LABEL + high + 8:.1f}" y="{base}">{figures}</text>',
        ]
    )
