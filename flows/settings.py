"""``--set key=value``: reading settings, and helping with the ones that are not known."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from gatesmith.models.errors import UserError

__all__ = ["check_keys", "parse_numbers", "parse_options", "split_settings"]


def split_settings(settings: Iterable[str]) -> dict[str, str]:
    """Texts by key; UserError for a text that is not ``key=value`` or a key given twice."""
    found: dict[str, str] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        key = key.strip()
        if not equals or not key:
            raise UserError(f"Setting must be key=value, not {setting!r}")
        if key in found:
            raise UserError(f"Setting {key!r} must be given once, not twice")
        found[key] = text.strip()
    return found


def check_keys(kind: str, keys: Iterable[str], known: Iterable[str]) -> None:
    """UserError that names what exists, and the nearest, for the first key that is not known."""
    known = list(known)
    for key in keys:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UserError(f"Unknown {kind} {key!r}: {hint}there is {', '.join(known)}")


def parse_numbers(what: str, text: str) -> list[float]:
    """Numbers separated by commas; UserError for anything else."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"{what} must be numbers separated by commas, not {text!r}") from None


def parse_options(settings: Iterable[str]) -> dict[str, Any]:
    """Values by key: whole numbers as int, numbers separated by commas as tuple, others as text.

    ``yes`` and ``no`` are True and False; a ``name`` is text whatever it looks like.
    """
    return {key: _value(key, text) for key, text in split_settings(settings).items()}


def _value(key: str, text: str) -> Any:
    if not text:
        raise UserError(f"Setting {key!r} must have a value")
    if key == "name":
        return text
    if text in ("yes", "no"):
        return text == "yes"
    try:
        if "," in text:
            return tuple(int(part) for part in text.split(","))
        return int(text)
    except ValueError:
        return text
