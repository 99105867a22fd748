"""Both engines on the same design: simulated clocks a second, the build left out."""

from pathlib import Path

import numpy as np
import pytest
from designs import random_spec
from lstm_designs import random_frames
from lstm_designs import random_spec as random_lstm

from gatesmith.families import FAMILIES
from gatesmith.flows.verify import make_vectors, simulate

FRAMES = {"icarus": 3, "cxxrtl": 300}


@pytest.mark.parametrize("datapath", ["gate", "index"])
@pytest.mark.parametrize("simulator", FRAMES)
def test_clocks_of_the_mnist_network(
    benchmark, tmp_path: Path, datapath: str, simulator: str
) -> None:
    entry = FAMILIES["sparse-mlp"]
    spec = random_spec(
        1, [784, 512, 512, 10], sparsity=0.9, width=19, leap=8, lanes=64, input_bits=8,
        datapath=datapath, lookahead=32,
    )  # fmt: skip
    path = tmp_path / "design.v"
    path.write_text(entry.verilog(spec))
    rng = np.random.default_rng(0)
    frames = spec.input_format.random(rng, FRAMES[simulator])
    measure(benchmark, entry, spec, frames, path, simulator)


@pytest.mark.parametrize("simulator", FRAMES)
def test_clocks_of_an_lstm_of_128_cells(benchmark, tmp_path: Path, simulator: str) -> None:
    entry = FAMILIES["lstm"]
    spec = random_lstm(
        1, [87, 128, 87], kind="ternary", head_kind="int8", one_hot=True, every_step=True,
        threshold=20, steps=4, lanes=16, elementwise=1, memory="stream",
    )  # fmt: skip
    path = tmp_path / "design.v"
    path.write_text(entry.verilog(spec))
    frames = random_frames(spec, FRAMES[simulator])
    measure(benchmark, entry, spec, frames, path, simulator)


def measure(benchmark, entry, spec, frames, path: Path, simulator: str) -> None:
    """Time a simulation without its build, and check that it agrees."""

    def run(chosen: np.ndarray) -> int:
        vectors = make_vectors(entry, spec, chosen)
        seen = simulate(path, spec.name, vectors, simulator, 0, 0, path.parent, brief=True)
        ((_, _, _, outcome),) = seen
        assert np.array_equal(outcome.outputs, vectors.expected)
        return outcome.total_clocks

    run(frames[:1])  # builds the model of CXXRTL; Icarus builds each time, in about a second
    clocks = benchmark.pedantic(run, args=(frames,), rounds=1)
    benchmark.extra_info["clocks_per_s"] = clocks / benchmark.stats["mean"]
