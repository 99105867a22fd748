"""What one layer of a sparse MLP chip computes, in integers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from gatesmith.models.errors import UserError, check
from gatesmith.models.lfsr import keep_masks

__all__ = ["WEIGHT_BITS", "SparseLayer"]

WEIGHT_BITS = {"binary": 1, "ternary": 2, "int8": 8}
WEIGHT_MAX = {"binary": 1, "ternary": 1, "int8": 128}


def _signed_width(low: int, high: int) -> int:
    """Bits of the shortest two's complement word that holds low and high."""
    return 1 + max(
        (~low if low < 0 else low).bit_length(), (~high if high < 0 else high).bit_length()
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class SparseLayer:
    """One layer: ``inputs`` unsigned activations in, ``outputs`` activations or scores out.

    Neuron j keeps input i when state i of its LFSR, started at ``seeds[j]`` and stepped ``leap``
    times an input, is at least ``threshold``. With a_i the activations and w the kept weights,

        acc_j = bias_j + sum over kept i of w_ji * a_i
        hidden activation = clamp(acc_j >> shift, 0, 2**output_bits - 1)
        score (output_bits = 0) = acc_j

    Parameters
    ----------
    inputs, outputs : int   Sizes, at least 1.
    input_bits : int        Width of an unsigned input activation, 1 to 8.
    weight_kind : str       ``binary`` (-1, 1), ``ternary`` (-1, 0, 1) or ``int8``.
    taps : tuple of int     LFSR taps, the largest is the width; empty when threshold is 0 (dense).
    leap : int              LFSR steps an input, at least 1; 1 is the paper's.
    threshold : int         ceil(sparsity * 2**width); 0 keeps every input and needs no LFSR.
    seeds : int64 [outputs]         Start states, never 0; all 0 when dense.
    weights : int8 [sum of fan-in]  Kept weights, neuron after neuron, in the order of the inputs.
    bias : int64 [outputs]          Start value of the accumulator.
    shift : int             Right shift of the requantiser, 0 to 62; floor.
    output_bits : int       Width of an unsigned output activation, 1 to 8; 0 for signed scores.
    lanes : int             Neurons computed at once, 1 to outputs.
    lookahead : int         Mask bits the index datapath sees at once: a power of two, 2 to 64.
    """

    inputs: int
    outputs: int
    input_bits: int
    weight_kind: Literal["binary", "ternary", "int8"]
    taps: tuple[int, ...]
    leap: int
    threshold: int
    seeds: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    shift: int
    output_bits: int
    lanes: int
    lookahead: int = 16

    def __post_init__(self) -> None:
        check(self.inputs >= 1, "Inputs", "at least 1", self.inputs)
        check(self.outputs >= 1, "Outputs", "at least 1", self.outputs)
        check(1 <= self.input_bits <= 8, "Input bits", "between 1 and 8", self.input_bits)
        check(0 <= self.output_bits <= 8, "Output bits", "between 0 and 8", self.output_bits)
        check(
            self.weight_kind in WEIGHT_BITS,
            "Weight kind",
            f"one of {list(WEIGHT_BITS)}",
            self.weight_kind,
        )
        check(0 <= self.shift <= 62, "Shift", "between 0 and 62", self.shift)
        check(self.leap >= 1, "Leap", "at least 1", self.leap)
        check(1 <= self.lanes <= self.outputs, "Lanes", f"between 1 and {self.outputs}", self.lanes)
        check(
            self.lookahead in (2, 4, 8, 16, 32, 64),
            "Lookahead",
            "a power of two, 2 to 64",
            self.lookahead,
        )
        seeds, bias = self._integers("seeds"), self._integers("bias")
        check(seeds.shape == (self.outputs,), "Seeds", f"of shape ({self.outputs},)", seeds.shape)
        check(bias.shape == (self.outputs,), "Bias", f"of shape ({self.outputs},)", bias.shape)
        check(
            bool(np.all(abs(bias) < 1 << 40)),
            "Bias",
            "below 2**40 in magnitude",
            int(abs(bias).max()),
        )
        if self.threshold == 0:
            check(
                self.taps == () and not seeds.any(),
                "Taps and seeds",
                "empty and 0 for a dense layer",
                self.taps,
            )
        else:
            check(bool(self.taps), "Taps", "given for a sparse layer", self.taps)
            top = 1 << max(self.taps)
            check(0 < self.threshold < top, "Threshold", f"between 1 and {top - 1}", self.threshold)
        # Reading the mask checks taps and seeds.
        kept = int(self.fan_in.sum())
        weights = self._integers("weights")
        check(
            weights.shape == (kept,),
            "Weights",
            f"of shape ({kept},), the kept inputs",
            weights.shape,
        )
        legal = {
            "binary": abs(weights) == 1,
            "ternary": abs(weights) <= 1,
            "int8": abs(weights) <= 128,
        }
        check(
            bool(np.all(legal[self.weight_kind])),
            "Weights",
            f"{self.weight_kind}",
            weights[~legal[self.weight_kind]][:1],
        )
        for name, dtype in (("seeds", np.int64), ("bias", np.int64), ("weights", np.int8)):
            array = getattr(self, name).astype(dtype)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def _integers(self, name: str) -> np.ndarray:
        array = np.asarray(getattr(self, name))
        check(array.dtype.kind in "iu", name.capitalize(), "integers", array.dtype.name)
        return array.astype(np.int64)

    @cached_property
    def mask(self) -> np.ndarray:
        """Kept connections, bool ``[outputs, inputs]``."""
        if self.threshold == 0:
            return np.ones((self.outputs, self.inputs), dtype=bool)
        try:
            return keep_masks(self.taps, self.seeds, self.inputs, self.threshold, self.leap)
        except ValueError as error:
            raise UserError(str(error)) from error

    @cached_property
    def fan_in(self) -> np.ndarray:
        """Kept inputs of each neuron, int64 ``[outputs]``."""
        return self.mask.sum(axis=1, dtype=np.int64)

    @cached_property
    def dense(self) -> np.ndarray:
        """Weights with zeros where the mask drops, int64 ``[outputs, inputs]``."""
        matrix = np.zeros(self.mask.shape, dtype=np.int64)
        matrix[self.mask] = self.weights
        return matrix

    @property
    def groups(self) -> int:
        """Turns in which the lanes take all neurons: neuron = group * lanes + lane."""
        return -(-self.outputs // self.lanes)

    @property
    def weight_bits(self) -> int:
        """Width of a stored weight: binary 1 for +1 and 0 for -1, others two's complement."""
        return WEIGHT_BITS[self.weight_kind]

    @cached_property
    def depth(self) -> int:
        """Words in each lane's weight memory: the kept weights of the fullest lane."""
        padded = np.zeros(self.groups * self.lanes, dtype=np.int64)
        padded[: self.outputs] = self.fan_in
        return max(1, int(padded.reshape(self.groups, self.lanes).sum(axis=0).max()))

    @cached_property
    def lane_weights(self) -> np.ndarray:
        """Contents of the weight memories, int64 ``[lanes, depth]``, group after group.

        Words past a lane's last weight are 0 (binary weights are still -1 and 1 here).
        """
        memory = np.zeros((self.lanes, self.depth), dtype=np.int64)
        parts = np.split(self.weights, np.cumsum(self.fan_in)[:-1])
        for lane in range(self.lanes):
            words = np.concatenate(parts[lane :: self.lanes])
            memory[lane, : words.size] = words
        return memory

    def by_lane(self, values: np.ndarray) -> np.ndarray:
        """One value a neuron arranged as int64 ``[lanes, groups]``; missing neurons get 0."""
        padded = np.zeros(self.groups * self.lanes, dtype=np.int64)
        padded[: self.outputs] = values
        return padded.reshape(self.groups, self.lanes).T

    def bias_width(self, loadable: bool) -> int:
        """Width of a stored bias, bits, two's complement.

        A loadable bias may have any value up to the largest sum that the weights can reach.
        """
        low, high = min(0, int(self.bias.min())), max(0, int(self.bias.max()))
        if loadable:
            bound = self._worst_sum()
            low, high = min(low, -bound), max(high, bound)
        return _signed_width(low, high)

    def _worst_sum(self) -> int:
        return ((1 << self.input_bits) - 1) * WEIGHT_MAX[self.weight_kind] * int(self.fan_in.max())

    def acc_width(self, loadable: bool) -> int:
        """Width of the accumulator, bits: no partial sum of any input can overflow it."""
        if loadable:
            top, bound = 1 << (self.bias_width(True) - 1), self._worst_sum()
            return _signed_width(-top - bound, top - 1 + bound)
        return _signed_width(*self._sums)

    @cached_property
    def _sums(self) -> tuple[int, int]:
        """Least and greatest partial sum that any input can reach with the present weights."""
        most = (1 << self.input_bits) - 1
        low = self.bias + most * np.minimum(self.dense, 0).sum(axis=1)
        high = self.bias + most * np.maximum(self.dense, 0).sum(axis=1)
        return int(low.min()), int(high.max())
