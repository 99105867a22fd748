"""Bars, points and waveforms; colours that can be read."""

import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest

from gatesmith.flows.pages.bars import bars, ticks
from gatesmith.flows.pages.scatter import Point, scatter
from gatesmith.flows.pages.svg import DARK, LIGHT, Drawing
from gatesmith.flows.pages.waveform import numbers, waveform, windows

SPACE = "{http://www.w3.org/2000/svg}"


def _root(drawing: Drawing) -> xml.Element:
    root = xml.fromstring(drawing.standalone())
    assert root[0].tag == f"{SPACE}title" and root[0].text
    assert root[1].tag == f"{SPACE}desc" and root[1].text
    return root


def _luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast_as_wcag_asks(colours: dict[str, str]) -> None:
    def contrast(one: str, other: str) -> float:
        low, high = sorted(_luminance(colours[name]) for name in (one, other))
        return (high + 0.05) / (low + 0.05)

    for name in ("ink", "muted"):
        assert contrast(name, "page") >= 4.5 and contrast(name, "box") >= 4.5
    for name in colours:
        if name[1:].isdigit():
            assert contrast(name, "page") >= 3, name


@pytest.mark.parametrize("high", [0.003, 0.9, 1, 7, 99.99, 100, 123_456, 2.5e9])
def test_ticks_are_round_and_reach(high: float) -> None:
    marks = ticks(high)
    assert marks[0] == 0 and marks[-1] >= high * (1 - 1e-6) > marks[-2] and 2 <= len(marks) <= 8


def test_bars_are_to_scale() -> None:
    drawing = bars("Area", [("a<b", [3.0, 1.0]), ("c", [0.0, 2.0])], ("x", "y"), "GE")
    found = [r for r in _root(drawing).iter(f"{SPACE}rect") if r.find(f"{SPACE}title") is not None]
    widths = [float(rect.attrib["width"]) for rect in found]
    assert widths == pytest.approx([3 * widths[1], widths[1], 2 * widths[1]], rel=0.01)
    assert found[0].findtext(f"{SPACE}title") == "a<b, x: 3 GE"


def test_bars_of_nothing() -> None:
    _root(bars("Area", [], ("x",), "GE"))
    _root(bars("Area", [("a", [0.0])], ("x",), "GE"))


def test_scatter_keeps_words_apart() -> None:
    points = [Point(100, 5, "A", True), Point(100, 5, "B", False), Point(10_000, 50, "C", False)]
    root = _root(scatter("plot", points, "area", "energy"))
    places = [float(t.attrib["y"]) for t in root.iter(f"{SPACE}text") if t.text in ("A", "B")]
    assert abs(places[0] - places[1]) >= 15
    assert len(list(root.iter(f"{SPACE}circle"))) == 3


def test_windows_join_where_they_nearly_touch() -> None:
    assert windows([5, 6, 30], 40) == [(4, 9), (29, 33)]
    assert windows([0, 39], 40) == [(0, 3), (38, 40)]


def test_numbers_of_bits() -> None:
    bits = np.array([[1, 0], [0, 1], [1, 1]], dtype=bool)
    unknown = np.array([[0, 0], [0, 0], [0, 1]], dtype=bool)
    assert numbers(bits, unknown) == [1, 2, None]


def test_waveform_shows_values_and_cuts() -> None:
    traces = {"tvalid": (1, [0, 1, 1, None]), "tdata": (12, [None, 0xABC, 0xABC, 5])}
    root = _root(waveform("frame", traces, [(0, 2), (3, 4)], 1))
    words = [text.text for text in root.iter(f"{SPACE}text")]
    assert "abc" in words and "005" in words and "x" in words and "⋯" in words
    assert re.search("Clocks shown: 0 to 1, 3 to 3", root[1].text or "")
