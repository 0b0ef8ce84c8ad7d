"""A chart of all cases: one bar for each library, on a logarithmic scale, with the gate as a line."""

import math
from html import escape

from fsm.summary import CASES, Summary
from spikard_bench.chart import STYLE

WIDTH = 860
LABEL = 300
FIGURES = 90
BAR = 9
GAP = 14
TOP = 66
LEAST = 0.1


def draw(summary: Summary) -> str:
    """The SVG text."""
    longest = max(figure.median for cases in summary.figures.values() for figure in cases.values())
    scale = (WIDTH - LABEL - FIGURES) / math.log10(longest / LEAST)
    parts: list[str] = []
    y = TOP
    for case, (text, gate) in CASES.items():
        rows = [(name, cases[case].median) for name, cases in summary.figures.items() if case in cases]
        height = len(rows) * BAR
        parts.append(f'<text class="label" x="16" y="{y + height / 2 + 4}">{escape(text.replace("`", ""))}</text>')
        for place, (name, value) in enumerate(rows):
            parts.append(_bar(name, value, y + place * BAR, scale))
        if gate is not None:
            x = LABEL + math.log10(gate / LEAST) * scale
            parts.append(f'<line class="spread" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 2}" y2="{y + height + 2}"/>')
        y += height + GAP
    names = ", ".join(["ours", *(name for name in summary.figures if name != "spikard")])
    note = f"logarithmic, shorter is better; {escape(names)}; the line is the gate"
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" '
                f'role="img" aria-label="{escape(summary.title)}">'
            ),
            f"<style>{STYLE}</style>",
            f'<rect class="ground" width="{WIDTH}" height="{y}" rx="6"/>',
            f'<text class="title" x="16" y="24">{escape(summary.title)}</text>',
            f'<text class="note" x="16" y="44">{note}</text>',
            *parts,
            "</svg>\n",
        ]
    )


def _bar(name: str, value: float, y: float, scale: float) -> str:
    length = max(1.0, math.log10(max(value, LEAST) / LEAST) * scale)
    kind = "ours" if name == "spikard" else "peer"
    return (
        f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR - 2}"/>'
        f'<text class="note" x="{LABEL + length + 6:.1f}" y="{y + BAR - 2}" style="font-size:9px">{value:.2f}</text>'
    )
