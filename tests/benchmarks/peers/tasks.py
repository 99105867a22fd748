"""What every contestant must compute: matrices and a small network, in integers."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

__all__ = ["DIGITS", "MATRICES", "Layer", "Task", "inputs_of", "matrix_task", "network_task"]

SHAPES = ((16, 16), (64, 64), (128, 64))
FORMATS = {"s8": (8, True), "u4": (4, False), "u1": (1, False)}
MATRICES = tuple((*shape, name) for shape in SHAPES for name in FORMATS)
NON_ZEROS = {(16, 16): 172, (64, 64): 2755, (128, 64): 5512}
DIGITS = "digits"
RANDOM_VECTORS = 220


@dataclass(frozen=True)
class Layer:
    """y = x @ weights + bias; then, of ``output_bits``, clamp(y >> shift, 0, 2**output_bits - 1).

    ``weights`` is ``[inputs][outputs]``; without ``output_bits`` the sums are the outputs.
    """

    weights: list[list[int]]
    bias: list[int]
    shift: int = 0
    output_bits: int = 0


@dataclass(frozen=True)
class Task:
    """Layers after an input of ``bits``. ``latency_cutoff`` is the peers' unit of pipelining."""

    name: str
    bits: int
    signed: bool
    layers: list[Layer]
    latency_cutoff: float = -1

    @property
    def pipelined(self) -> bool:
        """Whether there are registers: a network has them, a matrix has none."""
        return self.latency_cutoff > 0

    def to_json(self) -> dict[str, Any]:
        """For the file that a peer is started with."""
        return asdict(self)

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Outputs of int64 inputs ``[vectors, inputs]``: the reference of all contestants."""
        for layer in self.layers:
            x = x @ np.array(layer.weights, dtype=np.int64) + np.array(layer.bias)
            if layer.output_bits:
                x = np.clip(x >> layer.shift, 0, (1 << layer.output_bits) - 1)
        return x


def matrix_task(n_in: int, n_out: int, kind: str) -> Task:
    """A random ternary matrix; the seed is that of earlier measurements of the peers."""
    rng = np.random.default_rng(1000 * n_in + n_out)
    signs = rng.choice([-1, 1], (n_in, n_out))
    weights = signs * (rng.random((n_in, n_out)) < 2 / 3)
    assert np.count_nonzero(weights) == NON_ZEROS[n_in, n_out]
    bits, signed = FORMATS[kind]
    layer = Layer(weights.tolist(), [0] * n_out)
    return Task(f"{n_in}x{n_out} {kind}", bits, signed, [layer])


def network_task(spec: Any) -> Task:
    """The layers of a sparse-mlp Spec, in pipeline stages of five adders as the peers count."""
    layers = [
        Layer(layer.dense.T.tolist(), layer.bias.tolist(), layer.shift, layer.output_bits)
        for layer in spec.layers
    ]
    return Task(DIGITS, spec.layers[0].input_bits, False, layers, latency_cutoff=5)


def inputs_of(task: Task) -> np.ndarray:
    """Inputs to verify with, int64 ``[vectors, inputs]``.

    Random ones, all at either end, and what makes each sum of the first layer largest and smallest.
    """
    low = -(1 << task.bits - 1) if task.signed else 0
    high = low + (1 << task.bits) - 1
    weights = np.array(task.layers[0].weights)
    seed = int.from_bytes(hashlib.sha256(json.dumps(task.to_json()).encode()).digest()[:8], "big")
    random = np.random.default_rng(seed).integers(
        low, high, (RANDOM_VECTORS, len(weights)), endpoint=True
    )
    most = np.where(weights.T > 0, high, low)
    least = np.where(weights.T > 0, low, high)
    ends = np.array([[low] * len(weights), [high] * len(weights)])
    return np.concatenate([random, ends, most, least])
