"""Areas and flip-flops of a Liberty cell library."""

import gzip
import hashlib
import re
import zlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path

from gatesmith.models.errors import UserError

__all__ = ["GENERIC_LIBRARY", "Library", "read_library"]

# Our own library, in NAND2 equivalents; its head says where the areas come from.
GENERIC_LIBRARY = Path(__file__).parent / "generic.lib"

CELL = re.compile(r'^\s*cell\s*\(\s*"?([^\s")]+)"?\s*\)', re.MULTILINE)
AREA = re.compile(r'\barea\s*:\s*"?([-+.\deE]+)"?')
FUNCTION = re.compile(r'\bfunction\s*:\s*"([^"]*)"')
FLIP_FLOP = re.compile(r"\b(?:ff|ff_bank|latch|latch_bank)\s*\(")
# Cells of power-gated designs: logically gates, but not for ordinary use.
SPECIAL = re.compile(r'\b(?:is_isolation_cell|is_level_shifter|always_on)\s*:\s*"?true')


@dataclass(frozen=True, kw_only=True)
class Library:
    """What area reports need of a cell library.

    Members
    -------
    path : Path        The file.
    name : str         As the library calls itself.
    sha256 : str       Digest of the file.
    unit : str         Of areas: ``um2``, or ``NAND2`` for our own library.
    nand2_area : float The smallest two-input NAND, in that unit: one gate equivalent.
    areas : dict       Cell to area.
    flip_flops : set   Cells that store a bit: flip-flops and latches.
    avoid : tuple      Isolation cells, level shifters and always-on cells, kept out of mapping.
    """

    path: Path
    name: str
    sha256: str
    unit: str
    nand2_area: float
    areas: dict[str, float]
    flip_flops: frozenset[str]
    avoid: tuple[str, ...]


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
    head = re.search(r'\blibrary\s*\(\s*"?([^\s")]*)"?\s*\)\s*\{', bare)
    if head is None:
        raise UserError(f"{subject} must be a Liberty file, but has no 'library (...) {{'")
    if bare.count("{") != bare.count("}"):
        raise UserError(f"{subject} must be a whole file, but its braces do not match")
    starts = list(CELL.finditer(bare))
    areas: dict[str, float] = {}
    flip_flops, nands, avoid = set(), [], []
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        cell = start[1]
        body = bare[start.end() : end.start() if end else len(bare)]
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
    return Library(
        path=path,
        name=head[1],
        sha256=hashlib.sha256(content).hexdigest(),
        unit="NAND2" if path == GENERIC_LIBRARY else "um2",
        nand2_area=min(nands),
        areas=areas,
        flip_flops=frozenset(flip_flops),
        avoid=tuple(sorted(avoid)),
    )


def _is_nand2(function: str) -> bool:
    """Whether a Liberty function is the NAND of two pins."""
    pins = sorted(set(re.findall(r"[A-Za-z_]\w*", function)))
    if len(pins) != 2:
        return False
    table = []
    for values in product((False, True), repeat=2):
        tokens = re.findall(r"[A-Za-z_]\w*|[01()!'^*&+|]", function)
        try:
            table.append(_Expression(tokens, dict(zip(pins, values, strict=True))).value())
        except (IndexError, KeyError):
            return False
    return table == [True, True, True, False]


class _Expression:
    """Value of a Liberty expression: OR of XORs of ANDs of factors, postfix ' negates."""

    def __init__(self, tokens: list[str], pins: dict[str, bool]) -> None:
        self._tokens, self._pins = tokens, pins

    def _next(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def value(self) -> bool:
        result = self._xor()
        while self._next() in ("+", "|") and self._tokens:
            self._tokens.pop(0)
            right = self._xor()
            result = result or right
        return result

    def _xor(self) -> bool:
        result = self._and()
        while self._next() == "^":
            self._tokens.pop(0)
            result ^= self._and()
        return result

    def _and(self) -> bool:
        result = self._factor()
        # Factors side by side are ANDed as well.
        while self._tokens and self._next() not in ("+", "|", "^", ")"):
            if self._next() in ("*", "&"):
                self._tokens.pop(0)
            right = self._factor()
            result = result and right
        return result

    def _factor(self) -> bool:
        token = self._tokens.pop(0)
        if token == "!":
            return not self._factor()
        if token == "(":
            result = self.value()
            self._tokens.pop(0)
        else:
            result = token == "1" if token in "01" else self._pins[token]
        while self._next() == "'":
            self._tokens.pop(0)
            result = not result
        return result
