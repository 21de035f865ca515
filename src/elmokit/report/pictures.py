"""Figures as files: PNG for documents, and SVG whose colours follow the light or dark theme of the page around it."""

from __future__ import annotations

import io
import re
from pathlib import Path

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from elmokit.report.plots import GRID, INK, MUTED, PALETTE
from elmokit.whole_files import replacing

THEMED = {INK: "--ink", MUTED: "--muted", GRID: "--grid", **{c: f"--series-{n}" for n, c in enumerate(PALETTE)}}
"""Colours of the figures, and the CSS variables that name them in a page."""


def save_png(figure: Figure, path: Path) -> Path:
    """Write a picture on white, in one move."""
    FigureCanvasAgg(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        figure.savefig(partial, dpi=150, format="png", facecolor="white")
    return path


def themed_svg(figure: Figure, *, name: str, described: str) -> str:
    """An `<svg>` element to stand inside HTML.

    Args:
        figure: What to draw.
        name: Of this picture in its page: keeps its inner ids apart from those of others.
        described: What it shows, for those who do not see it.
    """
    FigureCanvasSVG(figure)
    stream = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.family": ["DejaVu Sans"]}):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\s(?:width|height)="[\d.]+pt"', "", svg, count=2)  # the page sets the size; viewBox has the shape
    width = re.search(r'viewBox="0 0 ([\d.]+)', svg)
    label = described.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    size = f' style="max-width: {float(width.group(1)) * 96 / 72:.0f}px"' if width else ""
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{label}"{size}', 1)
    for colour, variable in THEMED.items():
        svg = svg.replace(colour, f"var({variable})")
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)  # what refers to an id
