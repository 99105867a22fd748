"""``gatesmith cells``: the cell libraries on this machine, and the one that commands take."""

import gzip
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gatesmith.flows.silicon.liberty import GENERIC_LIBRARY, read_library
from gatesmith.models.errors import UserError
from gatesmith.sim.cache import cached_json, keep_json

__all__ = [
    "CellLibrary",
    "cells",
    "choose_library",
    "default_library",
    "describe",
    "find_libraries",
]

VERSION = 1  # of what is kept between runs
HEAD_BYTES = 1 << 16  # units and operating conditions stand before the first cell

# Where ciel and volare keep PDKs unless $PDK_ROOT says otherwise.
PDK_HOMES = (".ciel", ".volare")
# Where Debian's packages qflow-tech-* put the libraries of Oklahoma State University.
SYSTEM_FOLDERS = (Path("/usr/share/qflow/tech"), Path("/usr/local/share/qflow/tech"))

# Libraries of a PDK that hold no logic gates: pads, memories, transistors.
NOT_GATES = re.compile(r"(^|_)(io|pr|sram|primitives?|ip)(_|$)")
TYPICAL = re.compile(r"(^|_)(tt|typ|typical|nom|tc)(_|$)", re.IGNORECASE)

# In order of preference, by the beginning of the name: process and nominal supply in volts.
KNOWN = (
    ("sky130_fd_sc_hd", "130 nm", 1.8),
    ("sky130_fd_sc_hvl", "130 nm", 3.3),
    ("sky130_", "130 nm", 1.8),
    ("gf180mcu_", "180 nm", 5.0),
    ("sg13g2_", "130 nm", 1.2),
    ("osu035", "350 nm", 3.3),
    ("osu018", "180 nm", 1.8),
    ("osu05", "500 nm", 5.0),
    ("NangateOpenCell", "45 nm", 1.1),
    ("asap7", "7 nm", 0.7),
)

NO_LIBRARY = """\
No cell library was found: commands count gate equivalents of Gatesmith's own generic gates.
To get one, without Gatesmith downloading anything:
  a PDK: pip install ciel, ciel enable --pdk-family sky130 VERSION, and set PDK_ROOT to its folder
  Debian, Ubuntu: apt-get install qflow-tech-osu035 (or qflow-tech-osu018, qflow-tech-osu050)
  any other .lib or .lib.gz: --liberty PATH"""


@dataclass(frozen=True, kw_only=True)
class CellLibrary:
    """One library file.

    Members
    -------
    path : Path                 The Liberty file.
    name : str                  As it calls itself, or its file's name when it is broken.
    process : str               As ``130 nm``; empty when neither file nor folder says.
    voltage : float | None      Supply, volts.
    temperature : float | None  Celsius.
    corner : str                As ``tt_025C_1v80``; empty when the file has none.
    nand2_area : float | None   The smallest two-input NAND, um2.
    cells : int                 Number of cells.
    problem : str               Why the file is skipped; empty when it is usable.
    """

    path: Path
    name: str
    process: str = ""
    voltage: float | None = None
    temperature: float | None = None
    corner: str = ""
    nand2_area: float | None = None
    cells: int = 0
    problem: str = ""


def cells(
    liberty: Iterable[str | Path] = (), *, console: Console | None = None
) -> list[CellLibrary]:
    """List the libraries given and found, and say which one commands take; never downloads.

    Parameters
    ----------
    liberty : paths    Files to list before those that are found; the first one wins.
    """
    console = console or Console()
    given = [describe(path) for path in liberty]
    found = [*given, *find_libraries()]
    usable = [library for library in found if not library.problem]
    if found:
        console.print(_table(found, usable[:1]))
    if usable:
        console.print(
            f"* {usable[0].path}: what commands take" + (" with this option." if given else "."),
            highlight=False,
            soft_wrap=True,
        )
    else:
        console.print(NO_LIBRARY, highlight=False, soft_wrap=True)
    return found


def default_library() -> Path | None:
    """The library that commands take when none is given; None for the generic gates."""
    for library in _found():
        if not library.problem:
            return library.path
    return None


def choose_library(liberty: str | Path | None) -> Path:
    """The library to map to: the one given, else the default one, else our generic gates.

    ``generic`` names the generic gates even where there is a library.
    """
    if liberty == "generic":
        return GENERIC_LIBRARY
    return Path(liberty) if liberty is not None else default_library() or GENERIC_LIBRARY


def find_libraries() -> list[CellLibrary]:
    """The libraries of PDKs, then of the system, the preferred one first; broken ones say why."""
    return list(_found())


def _found() -> Iterator[CellLibrary]:
    seen: set[Path] = set()
    for corners in [*_pdk_libraries(), *_system_libraries()]:
        for path in corners:
            # A PDK is reached twice where the manager links the enabled version.
            if path.resolve() in seen:
                break
            seen.add(path.resolve())
            library = describe(path)
            yield library
            if not library.problem:
                break


def _pdk_libraries() -> list[list[Path]]:
    """Files of each library of each PDK, the preferred corner first."""
    chosen = os.environ.get("PDK_ROOT")
    roots = [Path(chosen)] if chosen else [Path.home() / name for name in PDK_HOMES]
    found = []
    for root in roots:
        for folder in _folders(root):
            files = [f for f in _listing(folder / "lib") if f.name.endswith((".lib", ".lib.gz"))]
            if files and not NOT_GATES.search(folder.name):
                found.append((_pdk_order(folder), sorted(files, key=_corner_order)))
    return [files for _, files in sorted(found)]


def _folders(root: Path) -> Iterator[Path]:
    """Library folders below a root, the enabled version of a PDK before the others."""
    versions = (
        version
        for manager in ("ciel", "volare")
        for family in _listing(root / manager)
        for version in _listing(family / "versions")
    )
    for parent in (root, *versions):
        for pdk in _listing(parent):
            yield from _listing(pdk / "libs.ref")


def _listing(folder: Path) -> list[Path]:
    """Entries of a folder by name; none when it is missing or cannot be read."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _rank(name: str) -> int:
    return next((k for k, (start, *_) in enumerate(KNOWN) if name.startswith(start)), len(KNOWN))


def _pdk_order(folder: Path) -> tuple:
    """Sorts library folders: $PDK, the order of KNOWN, name, the shortest way there."""
    pdk = folder.parent.parent
    wanted = pdk.name == os.environ.get("PDK", pdk.name)
    return (not wanted, _rank(folder.name), folder.name, len(pdk.parts), str(pdk))


def _corner_order(path: Path) -> tuple:
    """Sorts corners of a library by name: typical, nominal voltage, 25 C."""
    corner = _corner(path)
    volts = re.search(r"(\d+)[vp](\d+)", corner)
    celsius = re.search(r"(n?)(\d+)C", corner)
    voltage = float(f"{volts[1]}.{volts[2]}") if volts else 0.0
    temperature = float(celsius[2]) * (-1 if celsius[1] else 1) if celsius else 25.0
    nominal = KNOWN[_rank(path.name)][2] if _rank(path.name) < len(KNOWN) else voltage
    # Two supplies in a name: a level shifter's corner, or one of leakage models.
    extra = len(re.findall(r"\d+[vp]\d+", corner)) > 1 or "ccsnoise" in corner
    return (
        not TYPICAL.search(corner),
        extra,
        abs(voltage - nominal),
        abs(temperature - 25),
        path.name,
    )


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".lib")


def _corner(path: Path) -> str:
    """The part of a file's name that says the corner; empty when it has none.

    SkyWater and GlobalFoundries write ``LIBRARY__CORNER``, IHP writes ``LIBRARY_CORNER``.
    """
    stem = _stem(path)
    if "__" in stem:
        return stem.partition("__")[2]
    found = re.search(r"_((?:tt|ss|ff|sf|fs|typ|slow|fast|nom)(?:_.*)?)$", stem, re.IGNORECASE)
    return found[1] if found else ""


def _system_libraries() -> list[list[Path]]:
    files = [
        path
        for folder in SYSTEM_FOLDERS
        for tech in _listing(folder)
        for path in _listing(tech)
        if path.suffix == ".lib"
    ]
    return [[path] for path in sorted(files, key=lambda path: (_rank(path.name), str(path)))]


def describe(path: str | Path) -> CellLibrary:
    """What a file says of itself; read as a whole once, and kept until the file changes."""
    path = Path(path)
    blank = CellLibrary(path=path, name=path.name)
    try:
        state = path.stat()
        key = [VERSION, str(path.resolve()), state.st_size, state.st_mtime_ns]
        kept = cached_json("cells", key)
        if kept:
            return CellLibrary(**{**kept, "path": path})
        head = _head(path)
        library = read_library(path)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return replace(blank, problem=f"cannot be read: {reason}")
    except UserError as error:
        return replace(blank, problem=str(error).removeprefix(f"Liberty library {path} "))
    found = replace(
        blank,
        name=library.name,
        process=_process(library.name, path),
        voltage=_number(head, "nom_voltage", "voltage"),
        temperature=_number(head, "nom_temperature", "temperature"),
        corner=_corner(path) or _condition(head),
        nand2_area=library.nand2_area,
        cells=len(library.areas),
    )
    keep_json("cells", key, {**asdict(found), "path": ""})
    return found


def _head(path: Path) -> str:
    """The beginning of a file, without comments."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream = gzip.GzipFile(fileobj=raw) if packed else raw
        text = stream.read(HEAD_BYTES).decode("utf-8", errors="replace")
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def _number(head: str, *names: str) -> float | None:
    """Value of the first attribute of these names in the head."""
    for name in names:
        found = re.search(rf'\b{name}\s*:\s*"?(-?\d+\.?\d*)', head)
        if found:
            return float(found[1])
    return None


def _condition(head: str) -> str:
    """Name of the operating conditions."""
    found = re.search(r'\boperating_conditions\s*\(\s*"?\s*([\w.-]+)', head)
    return found[1] if found else ""


def _process(name: str, path: Path) -> str:
    """Process of a library from its own name, else from its file or folder."""
    for candidate in (name, path.name, path.parent.name):
        if _rank(candidate) < len(KNOWN):
            return KNOWN[_rank(candidate)][1]
    return ""


def _table(found: list[CellLibrary], chosen: list[CellLibrary]) -> Table:
    table = Table(title="Cell libraries", title_justify="left")
    table.add_column("library", overflow="fold")
    table.add_column("process")
    for column in ("V", "°C"):
        table.add_column(column, justify="right")
    table.add_column("corner", overflow="fold")
    for column in ("NAND2 µm²", "cells"):
        table.add_column(column, justify="right")
    table.add_column("path", overflow="fold")
    for library in found:
        mark = "* " if library in chosen else ""
        if library.problem:
            note = f"{library.path}: skipped: {library.problem}"
            table.add_row(library.name, *["–"] * 6, note)
            continue
        table.add_row(
            mark + library.name,
            library.process or "–",
            _shown(library.voltage),
            _shown(library.temperature),
            library.corner or "–",
            _shown(library.nand2_area),
            f"{library.cells:,}",
            str(library.path),
        )
    return table


def _shown(number: float | None) -> str:
    return "–" if number is None else f"{number:g}"
