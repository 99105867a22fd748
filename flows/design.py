"""The design folder: what ``design.json`` says, and words for its streams."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gatesmith.families import Family, family
from gatesmith.models.errors import UserError
from gatesmith.models.frames import FrameFormat

__all__ = [
    "FORMAT",
    "STREAMS",
    "VERSION",
    "MemoryEntry",
    "memories",
    "pack",
    "read_design",
    "read_spec",
    "sha256",
    "stream_format",
    "unpack",
]

FORMAT = "gatesmith-design"
VERSION = 1
STREAMS = ("s_axis", "m_axis", "c_axis")
_KEYS = {"family", "name", "streams", "memories", "verilog_sha256"}


def sha256(path: str | Path) -> str:
    """Digest of a file, hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def read_design(directory: str | Path) -> dict[str, Any]:
    """The content of a design folder's ``design.json``.

    UserError when the folder is none that ``lower`` wrote.
    """
    path = Path(directory) / "design.json"
    try:
        design = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"{directory}: not a design folder (no design.json); gatesmith lower writes one"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    if not isinstance(design, dict) or design.get("format") != FORMAT:
        raise UserError(f"{path}: format must be {FORMAT!r}")
    if design.get("version") != VERSION:
        raise UserError(f"{path}: version must be {VERSION}, not {design.get('version')!r}")
    missing = sorted(_KEYS - set(design))
    if missing:
        raise UserError(f"{path}: key {missing[0]!r} is missing")
    if not re.fullmatch(r"[A-Za-z_]\w*", str(design["name"]), re.ASCII):
        raise UserError(f"{path}: name must be a Verilog identifier, not {design['name']!r}")
    verilog = Path(directory) / "rtl" / f"{design['name']}.v"
    if not verilog.is_file():
        raise UserError(f"{verilog}: no such file; lower the checkpoint again")
    return design


def read_spec(directory: str | Path) -> tuple[dict[str, Any], Family, Any]:
    """A design folder's ``design.json``, its family and its Spec; UserError when they disagree."""
    design = read_design(directory)
    entry = family(str(design["family"]))
    spec = entry.spec.load(Path(directory) / "spec.safetensors")
    if spec.name != design["name"]:
        raise UserError(f"{directory}: design.json and spec.safetensors disagree on the name")
    return design, entry, spec


def stream_format(design: str | Path | FrameFormat, stream: str) -> FrameFormat:
    """Frame format of a stream of a design folder; a FrameFormat is passed through.

    ``stream`` is ``s_axis`` (frames in), ``m_axis`` (frames out) or ``c_axis`` (configuration).
    """
    if isinstance(design, FrameFormat):
        return design
    if stream not in STREAMS:
        raise UserError(f"Stream must be one of {', '.join(STREAMS)}, not {stream!r}")
    path = Path(design)
    folder = path.parent if path.name == "design.json" else path
    entry = read_design(folder)["streams"].get(stream)
    if entry is None:
        raise UserError(f"{folder}: the design has no stream {stream}")
    try:
        return FrameFormat.from_json(entry["fields"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder}/design.json: stream {stream} is damaged: {error}") from error


def pack(
    frames: np.ndarray, design: str | Path | FrameFormat, *, stream: str = "s_axis"
) -> np.ndarray:
    """Beats of frames: what goes over ``tdata``, in order.

    Parameters
    ----------
    frames : int array [frames, words]   One word a beat, in the order of the stream's fields.
    design : path or FrameFormat         Design folder, its ``design.json``, or a format.
    stream : str                         ``s_axis``, ``m_axis`` or ``c_axis``.

    Returns uint64 ``[frames, words]``; ``tlast`` belongs to the last beat of each row.
    """
    return stream_format(design, stream).pack(frames)


def unpack(
    beats: np.ndarray, design: str | Path | FrameFormat, *, stream: str = "m_axis"
) -> np.ndarray:
    """Frames, int64 ``[frames, words]``, of beats of the same shape; the inverse of `pack`."""
    layout = stream_format(design, stream)
    beats = np.asarray(beats)
    if beats.ndim != 2 or beats.shape[1] != layout.words or beats.dtype.kind not in "iu":
        raise UserError(
            f"Beats must be integers of shape [frames, {layout.words}], "
            f"not {beats.dtype} of {beats.shape}"
        )
    return layout.unpack(beats)


@dataclass(frozen=True, kw_only=True)
class MemoryEntry:
    """A memory of a design.

    Members
    -------
    instance : str       Path of its instance below the top module.
    kind : str           ``rom``, ``flipflop`` or ``sram``, as its module's name ends.
    depth, width : int   Words, and bits of a word.
    """

    instance: str
    kind: str
    depth: int
    width: int

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return asdict(self)


_MODULE = re.compile(r"^module \\?(\S+_(rom|flipflop|sram)) ", re.MULTILINE)
_WORDS = re.compile(r"^  reg (?:\[(\d+):0\] )?\S+ +\[(\d+):0\];", re.MULTILINE)


def memories(verilog: str, name: str) -> list[MemoryEntry]:
    """The memories of a generated Verilog text with the top module ``name``, in its order."""
    found = []
    for module in _MODULE.finditer(verilog):
        body = verilog[module.end() : verilog.index("endmodule", module.end())]
        words = _WORDS.search(body)
        if words is None:
            raise AssertionError(f"module {module[1]} holds no memory")
        found.append(
            MemoryEntry(
                instance=module[1].removeprefix(f"{name}."),
                kind=module[2],
                depth=int(words[2]) + 1,
                width=int(words[1] or 0) + 1,
            )
        )
    return found
