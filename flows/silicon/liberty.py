"""A Liberty cell library: what it calls itself, its units, and the text of each of its cells."""

import gzip
import hashlib
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from gatesmith.flows.silicon.expression import parse
from gatesmith.models.errors import UserError

__all__ = ["FUNCTION", "GENERIC_LIBRARY", "Group", "Library", "parse_group", "read_library"]

# Our own library, in NAND2 equivalents; its head says where the areas come from.
GENERIC_LIBRARY = Path(__file__).parent / "generic.lib"

CELL = re.compile(r'^\s*cell\s*\(\s*"?([^\s")]+)"?\s*\)', re.MULTILINE)
AREA = re.compile(r'\barea\s*:\s*"?([-+.\deE]+)"?')
FUNCTION = re.compile(r'\bfunction\s*:\s*"([^"]*)"')
FLIP_FLOP = re.compile(r"\b(?:ff|ff_bank|latch|latch_bank)\s*\(")
# Pads, cells of power-gated designs and whatever else is logically a gate, but not for use.
SPECIAL = re.compile(
    r'\b(?:is_isolation_cell|is_level_shifter|always_on|pad_cell|dont_use)\s*:\s*"?true'
)
TOKEN = re.compile(r'"([^"]*)"|([{}():;,])|([^\s{}():;,"\\]+)|\\')
PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}


@dataclass(frozen=True)
class Group:
    """A group of the Liberty format: ``name (arguments) { attributes and groups }``."""

    name: str
    arguments: tuple[str, ...]
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)

    def get(self, name: str, default: str = "") -> str:
        """First value of an attribute."""
        return self.attributes.get(name, (default,))[0]

    def all(self, *names: str) -> Iterator["Group"]:
        """The groups inside with one of the names."""
        return (group for group in self.groups if group.name in names)


@dataclass(frozen=True, kw_only=True, eq=False)
class Library:
    """What reports need of a cell library.

    Members
    -------
    path : Path        The file.
    name : str         As the library calls itself.
    sha256 : str       Digest of the file.
    unit : str         Of areas: ``um2``, or ``NAND2`` for our own library.
    nand2_area : float The smallest two-input NAND, in that unit: one gate equivalent.
    areas : dict       Cell to area.
    flip_flops : set   Cells that store a bit: flip-flops and latches.
    avoid : tuple      Pads, isolation cells, level shifters and the like, kept out of mapping.
    head : Group       Attributes and templates of the library itself, without its cells.
    texts : dict       Cell to its text, for :func:`gatesmith.flows.silicon.tables.read_cell`.
    """

    path: Path
    name: str
    sha256: str
    unit: str
    nand2_area: float
    areas: dict[str, float]
    flip_flops: frozenset[str]
    avoid: tuple[str, ...]
    head: Group
    texts: dict[str, str]

    @property
    def timed(self) -> bool:
        """Whether the cells have delays; those of the generic library only look so, for ABC."""
        return self.unit == "um2" and any("cell_rise" in text for text in self.texts.values())

    def scale(self, name: str) -> float:
        """A unit of the library in seconds, farads, watts or volts.

        ``name`` is ``time_unit``, ``capacitive_load_unit``, ``leakage_power_unit`` or
        ``voltage_unit``. UserError when the library does not say.
        """
        found = " ".join(self.head.attributes.get(name, ()))
        match = re.fullmatch(r"\s*([\d.eE+-]+)\s*([fpnum]?)[a-zA-Z]+\s*", found)
        if match is None:
            what = f"not {found!r}" if found else "but it is missing"
            raise UserError(f"Liberty library {self.path} must give {name} as '1ns' or so, {what}")
        return float(match[1]) * PREFIXES[match[2]]

    @property
    def voltage(self) -> float:
        """Supply in volts: the nominal one."""
        found = self.head.get("nom_voltage")
        return self.positive(found, "nom_voltage") * self.scale("voltage_unit")

    @property
    def corner(self) -> str:
        """Process, voltage and temperature in words, as far as the library names them."""
        parts = [self.head.get("default_operating_conditions")]
        for name, unit in (("nom_voltage", "V"), ("nom_temperature", "°C")):
            found = re.match(r"-?\d+(?:\.\d+)?", self.head.get(name))
            parts.append(f"{float(found[0]):g} {unit}" if found else "")
        return ", ".join(part for part in parts if part)

    def to_json(self) -> dict[str, Any]:
        """What a report says of the library."""
        return {
            "name": self.name,
            "file": self.path.name,
            "sha256": self.sha256,
            "unit": self.unit,
            "nand2_area": self.nand2_area,
            "corner": self.corner if self.timed else None,
        }

    def positive(self, text: str, what: str) -> float:
        """A number above 0; UserError when it is none."""
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 < value < math.inf:
            found = f"not {text!r}" if text else "but it is missing"
            raise UserError(f"Liberty library {self.path} must give {what} above 0, {found}")
        return value


def read_library(path: str | Path) -> Library:
    """Read a Liberty file, plain or ``.gz``.

    Raises UserError when it is missing, broken, or without a NAND2 or a flip-flop.
    """
    path = Path(path)
    try:
        return _parse(path, path.read_bytes())
    except OSError as error:
        raise UserError(f"Liberty library {path} cannot be read: {error.strerror}") from error


@lru_cache(maxsize=2)
def _parse(path: Path, content: bytes) -> Library:
    subject = f"Liberty library {path}"
    packed = content[:2] == b"\x1f\x8b"
    if packed and path.suffix != ".gz":  # Yosys goes by the name
        raise UserError(f"{subject} is packed by gzip: its name must end in .gz")
    try:
        plain = gzip.decompress(content) if packed else content
        text = plain.decode("utf-8")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise UserError(f"{subject} cannot be unpacked: {error}") from error
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    begin = re.search(r'\blibrary\s*\(\s*"?([^\s")]*)"?\s*\)\s*\{', bare)
    if begin is None:
        raise UserError(f"{subject} must be a Liberty file, but has no 'library (...) {{'")
    if bare.count("{") != bare.count("}"):
        raise UserError(f"{subject} must be a whole file, but its braces do not match")
    starts = list(CELL.finditer(bare))
    areas: dict[str, float] = {}
    texts: dict[str, str] = {}
    flip_flops, nands, avoid = set(), [], []
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        cell = start[1]
        body = texts[cell] = bare[start.start() : end.start() if end else len(bare)]
        area = AREA.search(body)
        try:
            areas[cell] = float(area[1]) if area else 0.0
        except ValueError:
            raise UserError(f"{subject}: area of {cell} must be a number") from None
        if FLIP_FLOP.search(body):
            flip_flops.add(cell)
        elif SPECIAL.search(body):
            avoid.append(cell)
        elif [True for f in FUNCTION.findall(body) if _is_nand2(f)] and areas[cell] > 0:
            nands.append(areas[cell])
    if not nands or not flip_flops:
        what = "two-input NAND with an area" if not nands else "flip-flop"
        raise UserError(f"{subject} must have a {what}, but none was found in {len(areas)} cells")
    head = bare[begin.start() : starts[0].start()] + "}"
    return Library(
        path=path,
        name=begin[1],
        sha256=hashlib.sha256(content).hexdigest(),
        unit="NAND2" if path == GENERIC_LIBRARY else "um2",
        nand2_area=min(nands),
        areas=areas,
        flip_flops=frozenset(flip_flops),
        avoid=tuple(sorted(avoid)),
        head=parse_group(head, subject),
        texts=texts,
    )


def parse_group(text: str, subject: str) -> Group:
    """The first group of a text; what follows it is left alone.

    UserError, which begins with ``subject``, when it is none.
    """
    open_groups: list[Group] = []
    words: list[str] = []
    arguments: list[str] | None = None  # of the name before, while its parentheses are open
    closed = False  # the parentheses were closed: a group or a complex attribute
    for match in TOKEN.finditer(text):
        string, mark, word = match.groups()
        if mark is None:
            if string is not None or word is not None:
                (words if arguments is None else arguments).append(word or string or "")
        elif mark == "(" and words and arguments is None:
            arguments = []
        elif mark == ")" and arguments is not None:
            closed = True
            pending, arguments = arguments, None
        elif mark == "{" and closed:
            group = Group(words[-1], tuple(pending))
            if open_groups:
                open_groups[-1].groups.append(group)
            open_groups.append(group)
            words, closed = [], False
        elif mark in ";}" and open_groups:
            _attribute(open_groups[-1], words, pending if closed else None)
            words, closed = [], False
            if mark == "}":
                group = open_groups.pop()
                if not open_groups:
                    return group
        elif mark == "{":
            break
        if closed and mark is None and words[-1] is (word or string):
            # A complex attribute without a semicolon, and the next statement after it.
            _attribute(open_groups[-1], words[:-1], pending)
            words, closed = words[-1:], False
    raise UserError(f"{subject} is damaged near {text[:40].split(chr(10))[0]!r}")


def _attribute(group: Group, words: list[str], arguments: list[str] | None) -> None:
    """Keep ``name : value;`` or ``name (values);`` of a group."""
    if arguments is not None and words:
        group.attributes[words[-1]] = tuple(arguments)
    elif len(words) >= 2:
        group.attributes[words[0]] = (" ".join(words[1:]),)


@cache
def _is_nand2(function: str) -> bool:
    """Whether a Liberty function is the NAND of two pins."""
    try:
        expression = parse(function)
    except ValueError:
        return False
    return len(expression.pins) == 2 and expression.truth() == 0b0111
