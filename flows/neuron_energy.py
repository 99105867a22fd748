"""Energy of the paper's neuron, simulated as gates on real images."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatesmith.flows.silicon.gate_level import drive_gates
from gatesmith.flows.silicon.liberty import Library
from gatesmith.flows.silicon.mapping import Mapping, memory_of
from gatesmith.flows.silicon.metering import meter
from gatesmith.flows.silicon.netlist import read_netlist
from gatesmith.flows.silicon.timing import analyse
from gatesmith.hw.sparse_mlp.lane import load_layout
from gatesmith.models import data
from gatesmith.models.errors import UserError
from gatesmith.models.sparse_mlp import SparseLayer, SparseMLPSpec, golden
from gatesmith.sim.cache import cached_json, keep_json
from gatesmith.sim.run import simulator_version

__all__ = ["IMAGES", "NeuronEnergy", "images", "neuron_energy"]

IMAGES = 8
RESET_CLOCKS = 4
CACHE_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class NeuronEnergy:
    """Energy of a dot product, pJ, without the bias memory.

    ``weight_clock`` is the part of it in the clock pins of the weight memory; ``max_mhz`` is what
    static timing allows.
    """

    kinds: dict[str, float]
    weight_clock: float
    max_mhz: float

    @property
    def total(self) -> float:
        """Of all kinds, the weight memory among them."""
        return sum(self.kinds.values())

    @property
    def gated(self) -> float:
        """The same with a clock that stops for the weight memory, where nothing is written."""
        return self.total - self.weight_clock


def images(data_dir: str | Path | None) -> tuple[np.ndarray, str]:
    """Frames of 1024 unsigned 8-bit inputs, int64 ``[IMAGES, 1024]``, and where they come from.

    MNIST images in a margin of two pixels, where the folder is given; else handwritten digits of
    8 x 8 pixels, sixteen on a sheet.
    """
    if data_dir is not None:
        test = data.load("mnist", data_dir).test_x[:IMAGES].reshape(-1, 28, 28)
        frames = np.pad(test, ((0, 0), (2, 2), (2, 2))).reshape(-1, 1024)
        return frames.astype(np.int64), f"{IMAGES} MNIST test images in a margin of 2 pixels"
    digits = data.load("digits")
    sheets = digits.test_x[: 16 * IMAGES].reshape(IMAGES, 4, 4, 8, 8).transpose(0, 1, 3, 2, 4)
    frames = sheets.reshape(IMAGES, 1024).astype(np.int64) * 255 // digits.levels
    return frames, f"{IMAGES} sheets of 16 handwritten digits (scikit-learn's test images)"


def neuron_energy(
    layer: SparseLayer,
    mapping: Mapping,
    library: Library,
    blocks: dict[str, str],
    frames: np.ndarray,
    *,
    clock_mhz: float,
    timeout_seconds: float = 3600,
) -> NeuronEnergy:
    """Energy of a lane of the gate datapath that was mapped alone; frames come back to back.

    ``blocks`` is the Verilog of the modules that are no cells.

    UserError when a dot product is not the golden model's.
    """
    key = [CACHE_VERSION, clock_mhz, library.sha256, simulator_version("icarus")]
    key += [hashlib.sha256(part).hexdigest() for part in (mapping.netlist, frames.tobytes())]
    found = cached_json("neuron-energy", key)
    if found:
        return NeuronEnergy(**found)
    netlist = read_netlist(mapping.netlist, mapping.report.name, library)
    timing = analyse(netlist)
    stimulus, begin, ends = _stimulus(layer, frames)
    with tempfile.TemporaryDirectory(prefix="gatesmith-") as work:
        waves = drive_gates(netlist, blocks, stimulus, Path(work), timeout_seconds)
    bits = waves.values["result"][ends]
    places = 1 << np.arange(bits.shape[1], dtype=np.int64)
    places[-1] = -places[-1]
    spec = SparseMLPSpec(layers=(layer,))
    if not np.array_equal(bits @ places, golden(spec, frames).outputs[:, 0]):
        raise UserError("The mapped neuron must answer as the golden model does, but does not")
    metered = meter(netlist, timing, library, waves, begin, int(ends[-1]) + 1, 1000 / clock_mhz)
    kinds: dict[str, float] = {}
    weight_clock = 0.0
    for part, energies in metered.parts.items():
        memory = memory_of(part) or ""
        if memory.startswith("bias"):
            continue
        for kind, energy in energies.items():
            kinds[kind] = kinds.get(kind, 0.0) + energy / len(frames) * 1e-3
        if memory.startswith("weight"):
            weight_clock += energies["clock"] / len(frames) * 1e-3
    found = {"kinds": kinds, "weight_clock": weight_clock, "max_mhz": 1000 / timing.period}
    keep_json("neuron-energy", key, found)
    return NeuronEnergy(**found)


def _stimulus(
    layer: SparseLayer, frames: np.ndarray
) -> tuple[dict[str, np.ndarray], int, np.ndarray]:
    """Values of the ports in each clock; rows of the waves where it begins and frames end.

    Reset, loading of the weights (a constant memory has no such port), then an input a clock.
    """
    fields = load_layout(layer)
    first = RESET_CLOCKS + layer.depth + 1
    total = first + frames.size + 2
    names = ("rst", "load", "accept", "start", "start_q", "restart", "rewind", "activation")
    ports = {name: np.zeros(total, dtype=np.int64) for name in names}
    ports["rst"][:RESET_CLOCKS] = 1
    loads = RESET_CLOCKS + np.arange(layer.depth)
    ports["load"][loads] = (
        (1 << fields["weight"].offset)
        | (np.arange(layer.depth) << fields["address"].offset)
        | ((layer.lane_weights[0] > 0).astype(np.int64) << fields["data"].offset)
    )
    ports["load"][first - 1] = 1 << fields["bias"].offset
    inputs = first + np.arange(frames.size).reshape(frames.shape)
    ports["accept"][inputs] = 1
    ports["start"][inputs[:, 0]] = ports["start_q"][inputs[:, 0] + 1] = 1
    ports["restart"][inputs[:, -1]] = ports["rewind"][inputs[:, -1]] = 1
    ports["activation"][inputs + 1] = frames
    return ports, first - 1, inputs[:, -1] + 1
