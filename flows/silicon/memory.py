"""What memories cost: cells of the library, or macros with figures from a TOML file."""

import hashlib
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatesmith.flows.settings import check_keys
from gatesmith.models.errors import UserError

__all__ = ["DEFAULT_MODEL", "Macro", "MemoryModel"]

# Our own figures; the file says where each comes from.
DEFAULT_MODEL = Path(__file__).parent / "memory.toml"

KINDS = ("sram", "rom")
NEEDED = ("area_um2_per_bit", "read_fj_per_bit", "write_fj_per_bit", "leakage_nw_per_bit")


@dataclass(frozen=True, kw_only=True)
class Macro:
    """Figures of one kind of memory macro.

    Members
    -------
    area_um2 : float            Fixed part of the area of each macro, um2.
    area_um2_per_bit : float    um2.
    read_fj_per_bit : float     Energy of a bit that is read, fJ.
    write_fj_per_bit : float    Energy of a bit that is written, fJ; 0 for a ROM.
    leakage_nw_per_bit : float  nW.
    source : str                Where the figures come from.
    """

    area_um2: float = 0.0
    area_um2_per_bit: float
    read_fj_per_bit: float
    write_fj_per_bit: float = 0.0
    leakage_nw_per_bit: float
    source: str


@dataclass(frozen=True, kw_only=True)
class MemoryModel:
    """How memories are built and what they cost.

    Of the kinds of memory in a design, ``flipflop`` is always cells of the library. ``sram`` and
    ``rom`` are macros when the model has figures for them, and cells otherwise.

    Members
    -------
    name : str              ``flipflop``, ``macro`` or the path of a TOML file.
    technology : str        Of the macros; empty when there are none.
    macros : dict           Figures by kind: ``sram``, ``rom``; empty when memories are cells.
    sha256 : str            Digest of the TOML file; empty when there is none. For cache keys.
    """

    name: str
    technology: str
    macros: dict[str, Macro]
    sha256: str

    @classmethod
    def choose(cls, option: str | Path | None) -> "MemoryModel":
        """The model that an option names.

        Parameters
        ----------
        option : None or ``flipflop``   Memories are cells of the library.
                 ``macro``              Macros with the figures of :data:`DEFAULT_MODEL`.
                 path                   Macros with the figures of that TOML file.

        Raises UserError of one line for a file that is missing or wrong.
        """
        if option in (None, "flipflop"):
            return cls(name="flipflop", technology="", macros={}, sha256="")
        if option == "macro":
            return _read(DEFAULT_MODEL, "macro")
        if isinstance(option, str) and not option.endswith(".toml"):
            raise UserError(
                f"Memory model must be flipflop, macro or the path of a .toml file, not {option!r}"
            )
        assert option is not None
        return _read(Path(option), str(option))

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of memories that are macros."""
        return frozenset(self.macros)

    def is_macro(self, kind: str) -> bool:
        """Whether memories of a kind (``sram``, ``rom``, ``flipflop``) are macros."""
        return kind in self.macros

    def area_um2(self, bits: int, kind: str = "sram", count: int = 1) -> float:
        """Area of ``count`` macros that hold ``bits`` together, um2; KeyError if not a macro."""
        macro = self.macros[kind]
        return count * macro.area_um2 + bits * macro.area_um2_per_bit

    def read_fj(self, bits: float, kind: str = "sram") -> float:
        """Energy of reading ``bits``, fJ; KeyError if the kind is not a macro."""
        return bits * self.macros[kind].read_fj_per_bit

    def write_fj(self, bits: float, kind: str = "sram") -> float:
        """Energy of writing ``bits``, fJ; KeyError if the kind is not a macro."""
        return bits * self.macros[kind].write_fj_per_bit

    def leakage_nw(self, bits: int, kind: str = "sram") -> float:
        """Leakage of macros that hold ``bits``, nW; KeyError if the kind is not a macro."""
        return bits * self.macros[kind].leakage_nw_per_bit

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, for reports."""
        return {
            "name": self.name,
            "technology": self.technology or None,
            "sha256": self.sha256 or None,
            "macros": {kind: dict(vars(macro)) for kind, macro in self.macros.items()},
        }


def _read(path: Path, name: str) -> MemoryModel:
    subject = f"Memory model {path}"
    try:
        content = path.read_bytes()
        data = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise UserError(f"{subject} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{subject} must be a TOML file: {error}") from error
    check_keys(f"key in {subject}:", data, ("technology", *KINDS))
    technology = data.pop("technology", None)
    if not isinstance(technology, str) or not technology.strip():
        raise UserError(f"{subject}: technology must be a text, not {technology!r}")
    if not data:
        raise UserError(f"{subject} must have a table [sram] or [rom]")
    return MemoryModel(
        name=name,
        technology=technology,
        macros={kind: _macro(subject, kind, entry) for kind, entry in data.items()},
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _macro(subject: str, kind: str, entry: Any) -> Macro:
    if not isinstance(entry, dict):
        raise UserError(f"{subject}: {kind} must be a table, not {entry!r}")
    # Nobody writes a ROM.
    needed = [key for key in NEEDED if not (kind == "rom" and key == "write_fj_per_bit")]
    check_keys(f"key in {subject}, [{kind}]:", entry, ("area_um2", *needed, "source"))
    for key in (*needed, "source"):
        if key not in entry:
            raise UserError(f"{subject}: key {key!r} of [{kind}] is missing")
    figures = dict(entry)
    source = figures.pop("source")
    if not isinstance(source, str) or not source.strip():
        raise UserError(f"{subject}: source of [{kind}] must be a text, not {source!r}")
    for key, value in figures.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or value < 0:
            raise UserError(
                f"{subject}: {key} of [{kind}] must be a number of at least 0, not {value!r}"
            )
    return Macro(source=source, **{key: float(value) for key, value in figures.items()})
