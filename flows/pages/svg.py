"""Small SVG drawings that are readable on light and on dark pages."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

__all__ = [
    "DARK",
    "FIGURE_STYLE",
    "LIGHT",
    "Drawing",
    "circle",
    "label",
    "line",
    "path",
    "rectangle",
    "text_width",
]

# Page, words, quieter words, lines, boxes, then the series of a chart: told apart by people of any
# colour vision, and at least 3 to 1 against the page.
NAMES = ("page", "ink", "muted", "grid", "box", "c0", "c1", "c2", "c3", "c4", "c5")
_LIGHT = (
    "#ffffff #1f2328 #57606a #d0d7de #f3f6f9 "  # the last six are the series
    "#1f6fb4 #c4570c #0f7b5f #7d4bb0 #6b7280 #b3261e"
)
_DARK = (
    "#0f141a #e6edf3 #9aa6b2 #37414c #1a222b "  # in the same order
    "#5fa8e8 #f0954f #45c39b #c39bea #9aa6b2 #ff8f85"
)
LIGHT = dict(zip(NAMES, _LIGHT.split(), strict=True))
DARK = dict(zip(NAMES, _DARK.split(), strict=True))


def _style(colours: dict[str, str]) -> str:
    rules = [
        f".figure text{{fill:{colours['ink']}}}.figure .quiet{{fill:{colours['muted']}}}",
        f".figure .grid{{stroke:{colours['grid']}}}.figure .wire{{stroke:{colours['ink']}}}",
        f".figure .box{{fill:{colours['box']};stroke:{colours['muted']}}}",
        f".figure .frame{{fill:none;stroke:{colours['muted']}}}",
        f".figure .halo{{stroke:{colours['page']}}}.figure .tip{{fill:{colours['ink']}}}",
        *(f".figure .{name}{{fill:{colours[name]}}}" for name in NAMES if name[1:].isdigit()),
    ]
    return "".join(rules)


# The page brings this once for all drawings; a drawing in a file of its own brings it itself.
FIGURE_STYLE = (
    ".figure{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;"
    "font-size:13px}"
    ".figure .small{font-size:11px}.figure .strong{font-weight:600}"
    ".figure .mono{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
    "font-size:11px}"
    ".figure .wire,.figure .grid{fill:none;stroke-width:1.25}.figure .frame{stroke-dasharray:5 4}"
    ".figure .dashed{stroke-dasharray:3 3}.figure .halo{stroke-width:1.5}"
    + _style(LIGHT)
    + f"@media screen and (prefers-color-scheme:dark){{{_style(DARK)}}}"
)

# What XML cannot hold, not even escaped.
_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _clean(text: str) -> str:
    return escape(_FORBIDDEN.sub("\ufffd", text))


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """An SVG: its size in px at full scale, what it shows, and its elements.

    ``title`` is its name, ``description`` says in words what a reader sees who cannot see it.
    """

    title: str
    description: str
    width: float
    height: float
    elements: tuple[str, ...]

    def inline(self, key: str) -> str:
        """The element for an HTML page; ``key`` is unique on the page."""
        return self._svg(f'aria-labelledby="{key}-title {key}-text"', "", key)

    def standalone(self) -> str:
        """The content of an ``.svg`` file."""
        space = 'xmlns="http://www.w3.org/2000/svg" aria-labelledby="figure-title figure-text"'
        return self._svg(space, f"<style>{FIGURE_STYLE}</style>", "figure") + "\n"

    def _svg(self, attributes: str, style: str, key: str) -> str:
        width, height = f"{self.width:g}", f"{self.height:g}"
        head = (
            f'<svg {attributes} class="figure" role="img" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}">'
            f'<title id="{key}-title">{_clean(self.title)}</title>'
            f'<desc id="{key}-text">{_clean(self.description)}</desc>{style}'
        )
        return "\n".join((head, *self.elements, "</svg>"))


def text_width(text: str, size: float = 13) -> float:
    """About how wide words are, px; rather too wide than too narrow."""
    return 0.6 * size * len(text)


def label(x: float, y: float, text: str, *, style: str = "", anchor: str = "start") -> str:
    """Words at a baseline."""
    kind = f' class="{style}"' if style else ""
    side = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{kind}{side}>{_clean(text)}</text>'


def rectangle(
    x: float, y: float, width: float, height: float, style: str, *, tip: str = "", radius: float = 0
) -> str:
    """A rectangle; ``tip`` shows when a pointer rests on it."""
    title = f"<title>{_clean(tip)}</title>" if tip else ""
    corner = f' rx="{radius:g}"' if radius else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"{corner} '
        f'class="{style}">{title}</rect>'
    )


def line(points: Iterable[tuple[float, float]], style: str) -> str:
    """A line through points."""
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{places}" class="{style}"/>'


def path(data: str, style: str) -> str:
    """A path."""
    return f'<path d="{data}" class="{style}"/>'


def circle(x: float, y: float, radius: float, style: str, *, tip: str = "") -> str:
    """A disc; ``tip`` shows when a pointer rests on it."""
    title = f"<title>{_clean(tip)}</title>" if tip else ""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" class="{style}">{title}</circle>'
