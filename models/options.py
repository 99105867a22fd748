"""Options and settings by name: in messages, and as they are typed."""

from typing import Any

__all__ = ["title", "truth"]


def title(name: str) -> str:
    """How a message begins that is about a setting: "Rows per clock" for ``rows_per_clock``."""
    return name.replace("_", " ").capitalize()


def truth(value: Any) -> Any:
    """True and False for what stands for them, 1, 0, ``yes`` and ``no``; else the value itself."""
    if isinstance(value, int | str):
        return {1: True, 0: False, "yes": True, "no": False}.get(value, value)
    return value
