"""Whole test sets through the Verilog: Yosys' C++ model, compiled and driven in one batch."""

import ctypes
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from gatesmith.models.errors import UserError
from gatesmith.sim.cache import cache_folder
from gatesmith.sim.vectors import PAD_BEAT, Outcome, Vectors, beat_counts
from gatesmith.sim.yosys import share, tool_version, yosys

__all__ = ["run_cxxrtl"]

DRIVER = Path(__file__).with_name("driver.cc")
# NDEBUG: the model would stop at an address past the end of a memory even when the read is not
# enabled. An enabled one gives X in Icarus.
FLAGS = ("-std=c++17", "-O2", "-DNDEBUG", "-fPIC", "-shared")
# Statements of Verilog above which the model keeps its hierarchy: g++ takes time in proportion to
# more than the square of a flattened model, which runs about five times faster.
LARGE = 8000
STATUS = (
    "",
    "nothing moved any more",
    "tlast is not on the last word",
    "m_axis changed while it waited for tready",
    "frame_error rose on right frames",
    "a word more than all frames have",
    "the last word came before the last input",
    "no burst of weights begins at the address of a request",
    "r_axis changed while it waited for tready",
)


class _Job(ctypes.Structure):
    _fields_ = [
        ("config", ctypes.c_void_p),
        ("config_words", ctypes.c_size_t),
        ("input", ctypes.c_void_p),
        ("frames", ctypes.c_size_t),
        ("input_words", ctypes.c_size_t),
        ("output_words", ctypes.c_size_t),
        ("input_counts", ctypes.c_void_p),
        ("output_counts", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
        ("bursts", ctypes.c_void_p),
        ("weight_count", ctypes.c_size_t),
        ("output", ctypes.c_void_p),
        ("first", ctypes.c_void_p),
        ("last", ctypes.c_void_p),
        ("stall", ctypes.c_double),
        ("seed", ctypes.c_uint64),
        ("patience", ctypes.c_uint64),
        ("clocks", ctypes.c_uint64),
        ("frames_out", ctypes.c_uint64),
        ("words_out", ctypes.c_uint64),
    ]


def run_cxxrtl(
    verilog: Path,
    top: str,
    vectors: Vectors,
    *,
    stall: float,
    seed: int,
    folder: Path | None = None,
) -> Outcome:
    """Drive the frames through the design and collect what comes out.

    The compiled model is kept by content, in ``folder`` or else in the cache. Two-state, one
    evaluation an edge: neither X nor timing is seen. UserError when g++ or Yosys is missing.
    """
    folder = folder or cache_folder() / "cxxrtl"
    defines = [
        *(["-DCONFIG"] if vectors.config is not None else []),
        *(["-DWEIGHTS"] if vectors.weights is not None else []),
    ]
    library = ctypes.CDLL(str(_library(verilog, top, defines, folder)))
    frames, words_in = vectors.inputs.shape
    words_out = vectors.expected.shape[1]
    inputs = np.ascontiguousarray(vectors.inputs, dtype=np.uint64)
    counts_in, counts_out = beat_counts(vectors.inputs), beat_counts(vectors.expected)
    config = np.ascontiguousarray(
        np.empty(0) if vectors.config is None else vectors.config, dtype=np.uint64
    )
    weights = np.empty((0, 0), np.uint8) if vectors.weights is None else vectors.weights.words
    weights = np.ascontiguousarray(weights, dtype=np.uint8)
    bursts = np.empty(0) if vectors.weights is None else vectors.weights.bursts
    bursts = np.ascontiguousarray(bursts, dtype=np.uint64)
    output = np.full((frames, words_out), PAD_BEAT)
    first, last = np.zeros(frames, dtype=np.int64), np.zeros(frames, dtype=np.int64)
    job = _Job(
        config.ctypes.data, config.size, inputs.ctypes.data, frames, words_in, words_out,
        counts_in.ctypes.data, counts_out.ctypes.data,
        weights.ctypes.data, bursts.ctypes.data, bursts.size,
        output.ctypes.data, first.ctypes.data, last.ctypes.data,
        stall, (seed << 1 | 1) & (1 << 64) - 1, vectors.patience(stall),
    )  # fmt: skip
    status = library.gatesmith_run(ctypes.byref(job))
    done = int(job.frames_out)
    errors = [STATUS[status]] if status else []
    return Outcome(
        outputs=output[:done],
        clocks=(last - first + 1)[:done],
        total_clocks=int(job.clocks),
        errors=errors,
    )


def _operations(text: str, top: str) -> int:
    """Assignments of a flat design, of the text of its modules."""
    own: dict[str, int] = {}
    inside: dict[str, list[str]] = {}
    for body in re.split(r"^module ", text, flags=re.MULTILINE)[1:]:
        name = _plain_name(body.split("(", 1)[0])
        own[name] = body.count("assign ") + body.count(" <= ")
        found = re.findall(r"^  (\\\S+|[A-Za-z_]\w*) +(?:\\\S+|\w+) +\(", body, re.MULTILINE)
        inside[name] = [_plain_name(one) for one in found]

    def total(name: str) -> int:
        counts = Counter(one for one in inside[name] if one in own)
        return own[name] + sum(total(one) * count for one, count in counts.items())

    return total(top) if top in own else sum(own.values())


def _plain_name(name: str) -> str:
    return name.strip().lstrip("\\")


def _library(verilog: Path, top: str, defines: list[str], folder: Path) -> Path:
    """The compiled model of a design, compiled unless the folder has it."""
    compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")
    if not compiler:
        raise UserError("CXXRTL needs a C++ compiler: g++ was not found; apt-get install g++")
    runtime = share() / "include/backends/cxxrtl/runtime"
    command = shlex.split(compiler)
    flags = [*FLAGS, f"-DTOP=p_{top.replace('_', '__')}", *defines]
    digest = hashlib.sha256()
    tools = " ".join([tool_version(), compiler, *flags])
    for part in (verilog.read_bytes(), DRIVER.read_bytes(), tools.encode()):
        digest.update(hashlib.sha256(part).digest())
    library = folder / f"{digest.hexdigest()}.so"
    if library.exists():
        return library
    log = library.with_suffix(".log")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        place = tempfile.TemporaryDirectory(dir=folder)
    except OSError as error:
        raise UserError(
            f"{folder} must be writable: {error.strerror}; or set GATESMITH_CACHE"
        ) from error
    with place as name:
        work = Path(name)
        shutil.copy(verilog, work / "design.v")
        text = verilog.read_text()
        large = _operations(text, top) > LARGE
        lines = [
            "read_verilog design.v",
            f"hierarchy -check -top {top}",
            f"write_cxxrtl -g0 {'-noflatten' if large else ''} model.cc",
        ]
        yosys(lines, work, name="model", log=log)
        options = ['-DMODEL="model.cc"', "-I.", f"-I{runtime}", "-o", "model.so"]
        command += [*flags, *options, str(DRIVER)]
        try:
            with log.open("ab") as stream:
                code = subprocess.run(command, cwd=work, stdout=stream, stderr=stream).returncode
        except OSError as error:
            raise UserError(f"C++ compiler {compiler!r} cannot be run: {error.strerror}") from error
        if code:
            raise UserError(f"{compiler} could not compile the CXXRTL model (log: {log})")
        os.replace(work / "model.so", library)
    log.unlink(missing_ok=True)
    return library
