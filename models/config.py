"""What the configurations of all families share: checks, JSON, and ``key=value`` texts."""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from types import NoneType
from typing import Any, Self, get_args, get_origin, get_type_hints

from gatesmith.models.errors import UserError, check
from gatesmith.models.options import title

__all__ = ["Config"]


class Config:
    """Base of frozen dataclasses whose fields are texts, numbers, truths and tuples of them."""

    def check_texts(self, name: str, allowed: tuple[str | None, ...]) -> None:
        """UserError unless a field is one of the texts."""
        value = getattr(self, name)
        texts = ", ".join(str(text).lower() for text in allowed)
        is_text = value is None or isinstance(value, str)
        check(is_text and value in allowed, title(name), f"one of {texts}", value)

    def check_integer(self, name: str, low: int, high: int) -> None:
        """UserError unless a field is an integer from low to high."""
        value = getattr(self, name)
        check(
            _is_int(value) and low <= value <= high,
            title(name),
            f"between {low} and {high}",
            value,
        )

    def check_number(
        self, name: str, low: float, high: float, *, above: bool = False, below: bool = False
    ) -> None:
        """UserError unless a field is a number from low (or ``above`` it) to high (``below``)."""
        value = getattr(self, name)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        fits = (
            isinstance(value, (int, float))
            and number
            and math.isfinite(value)
            and (low < value if above else low <= value)
            and (value < high if below else value <= high)
        )
        wanted = f"{'above' if above else 'at least'} {low:g} and "
        wanted += f"{'below' if below else 'at most'} {high:g}"
        check(fits, title(name), wanted, value)

    def check_truth(self, name: str, *, optional: bool = False) -> None:
        """UserError unless a field is true or false, or None where that is ``optional``."""
        value = getattr(self, name)
        fits = isinstance(value, bool) or (optional and value is None)
        check(fits, title(name), "true or false", value)

    def check_sizes(self, name: str, least: int, most: int, largest: int) -> None:
        """UserError unless a field is a tuple of least to most integers from 1 to largest."""
        sizes = getattr(self, name)
        fits = (
            isinstance(sizes, tuple)
            and least <= len(sizes) <= most
            and all(_is_int(size) and 1 <= size <= largest for size in sizes)
        )
        wanted = f"a tuple of {least} to {most} layer sizes between 1 and {largest}"
        check(fits, title(name), wanted, sizes)

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        values = {field.name: getattr(self, field.name) for field in _fields(type(self))}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The configuration that :meth:`to_json` wrote; UserError for an unknown key."""
        known = {field.name for field in _fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise UserError(f"Configuration key must be one of {sorted(known)}, not {unknown[0]!r}")
        return cls(
            **{
                name: tuple(value) if isinstance(value, list) else value
                for name, value in values.items()
            }
        )

    @classmethod
    def parse(cls, settings: Iterable[str], base: Self | None = None) -> Self:
        """``key=value`` texts over a base configuration, read by the types of the fields.

        Members of a tuple are separated by commas (``hidden=512,512``; ``hidden=`` for none), None
        is ``none``.
        """
        values = (base or cls()).to_json()
        kinds = get_type_hints(cls)
        for setting in settings:
            key, equals, text = setting.partition("=")
            if not equals:
                raise UserError(f"Setting must be key=value, not {setting!r}")
            if key not in values:
                raise UserError(f"Setting must be one of {', '.join(values)}, not {key!r}")
            values[key] = _parse(kinds[key], key, text.strip())
        return cls.from_json(values)


def _fields(cls: type) -> tuple[dataclasses.Field, ...]:
    return dataclasses.fields(cls)  # type: ignore[arg-type]


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _parse(kind: Any, key: str, text: str) -> Any:
    """Value of one setting by the type of its field."""
    kinds = (kind,) if isinstance(kind, type) or get_origin(kind) is tuple else get_args(kind)
    members = [get_args(each)[0] for each in kinds if get_origin(each) is tuple]
    if NoneType in kinds and text.lower() == "none":
        return None
    if str in kinds:
        parts = tuple(part for part in text.split(",") if part)
        return parts if str in members and len(parts) > 1 else text
    if bool in kinds:
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), text)
    try:
        if members:
            return tuple(int(part) for part in text.split(",") if part)
        return float(text) if float in kinds else int(text)
    except ValueError as error:
        wanted = "sizes separated by commas" if members else "a number"
        raise UserError(f"{title(key)} must be {wanted}, not {text!r}") from error
