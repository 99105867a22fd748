"""Figures as a reader wants them."""

from typing import Any

__all__ = ["area_of", "energy", "joined", "megahertz", "number", "percent", "short"]


def number(value: float | None, digits: int = 0) -> str:
    """A number with thousands apart; a dash for none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def percent(part: float | None) -> str:
    """A part of one, in per cent."""
    return "unknown" if part is None else f"{100 * part:.2f} %"


def energy(picojoules: float) -> str:
    """An energy in the unit that suits it."""
    for size, unit in ((1e6, "µJ"), (1e3, "nJ")):
        if picojoules >= size:
            return f"{picojoules / size:,.3g} {unit}"
    return f"{picojoules:,.3g} pJ"


def megahertz(value: float) -> str:
    """A frequency."""
    return f"{value:,.1f} MHz"


def area_of(count: dict[str, Any]) -> str:
    """The area of a part: µm² where the library has them, gate equivalents otherwise."""
    if count.get("area_um2") is None:
        return f"{count['gate_equivalents']:,.0f} GE"
    return f"{count['area_um2']:,.0f} µm²"


def short(digest: str | None) -> str:
    """The beginning of a digest."""
    return (digest or "unknown")[:12]


def joined(words: list[str]) -> str:
    """Words with commas and an ``and``."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
