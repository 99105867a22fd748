"""A layer of the LSTM and the head behind the last one, in integers."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gatesmith.models.errors import check

__all__ = ["GATES", "KINDS", "LARGEST", "SCALE_KINDS", "WEIGHT_MOST", "Head", "LSTMLayer"]

GATES = 4  # i, f, g, o
WEIGHT_MOST = {"binary": 1, "ternary": 1, "int8": 127, "int12": 2047}
KINDS = tuple(WEIGHT_MOST)
SCALE_KINDS = ("integer", "power")
LARGEST = 4096  # inputs, cells, classes
BIAS_MOST = 2047
SCALE_MOST = 32_767
SHIFT_MOST = 40
POWER_MOST = 15
STATE_MOST = 127
HEAD_BIAS_MOST = (1 << 30) - 1


def _check_size(value: object, subject: str, least: int, most: int) -> None:
    legal = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
    check(legal, subject, f"between {least} and {most}", value)


def _keep(
    part: "LSTMLayer | Head",
    name: str,
    subject: str,
    dtype: type,
    shape: tuple[int, ...],
    least: int,
    most: int,
) -> None:
    """Check an array of a layer or head and keep a copy that nobody can change."""
    array = np.asarray(getattr(part, name))
    check(array.shape == shape, subject, f"of shape {shape}", array.shape)
    check(array.dtype.kind in "iu", subject, "integers", array.dtype.name)
    wrong = array[(array < least) | (array > most)]
    check(not wrong.size, subject, f"between {least} and {most}", [int(k) for k in wrong[:1]])
    array = array.astype(dtype)
    array.flags.writeable = False
    object.__setattr__(part, name, array)


def _keep_weights(
    part: "LSTMLayer | Head", name: str, subject: str, shape: tuple[int, ...]
) -> None:
    most = WEIGHT_MOST[part.kind]
    _keep(part, name, subject, np.int16, shape, -most, most)
    binary = part.kind == "binary"
    check(not binary or bool(getattr(part, name).all()), subject, "-1 or 1 where binary", 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class LSTMLayer:
    """One LSTM layer; rows are those of gate i, then f, g, o, as in PyTorch.

    With x and h the inputs and the state of the step before (int8, Q0.7; a symbol counts as 128)::

        pre = sat10(round_shift(m_x (W_x x) + m_h (W_h h), shift) + bias)      Q3.6
        i, f, o = SIGMOID[pre], g = TANH[pre]                                  Q0.8, Q0.7
        c = sat16(round_shift(f c + 32 i g, 8))                                Q3.12
        q = sat10(round_shift(c, 6)), or with cell_scale
            sat10(round_shift(cell_scale c, cell_shift) + cell_bias)           Q3.6
        h = round_shift(o TANH[q], 8), 0 where its magnitude is below threshold

    Parameters
    ----------
    inputs, hidden : int            Sizes, 1 to 4096.
    kind : str                      Of the weights: ``binary``, ``ternary``, ``int8``, ``int12``.
    weight_x : int16 [4 hidden, inputs]
    weight_h : int16 [4 hidden, hidden]
    scale_kind : str                ``integer``: m is the scale; ``power``: m is 2**scale.
    scale_x, scale_h : int32 [4 hidden]   Integer scales fit the Spec's ``scale_bits``; powers 0-15.
    shift : int                     0 to 40.
    bias : int32 [4 hidden]         Steps of pre, -2047 to 2047.
    threshold : int                 States of a smaller magnitude are 0; 0 to 127.
    cell_scale, cell_bias : int32 [hidden]   Normalisation of the cell, folded; size 0 for none.
    cell_shift : int                0 to 40.
    """

    inputs: int
    hidden: int
    kind: Literal["binary", "ternary", "int8", "int12"]
    weight_x: np.ndarray
    weight_h: np.ndarray
    scale_kind: Literal["integer", "power"] = "integer"
    scale_x: np.ndarray
    scale_h: np.ndarray
    shift: int
    bias: np.ndarray
    threshold: int = 0
    cell_scale: np.ndarray
    cell_bias: np.ndarray
    cell_shift: int = 0

    def __post_init__(self) -> None:
        _check_size(self.inputs, "Inputs", 1, LARGEST)
        _check_size(self.hidden, "Hidden", 1, LARGEST)
        check(self.kind in KINDS, "Weights", f"one of {', '.join(KINDS)}", self.kind)
        rows = GATES * self.hidden
        _keep_weights(self, "weight_x", "Weights of x", (rows, self.inputs))
        _keep_weights(self, "weight_h", "Weights of h", (rows, self.hidden))
        kinds = ", ".join(SCALE_KINDS)
        check(self.scale_kind in SCALE_KINDS, "Scale kind", f"one of {kinds}", self.scale_kind)
        low, high = (0, POWER_MOST) if self.scale_kind == "power" else (-SCALE_MOST, SCALE_MOST)
        _keep(self, "scale_x", "Scales of x", np.int32, (rows,), low, high)
        _keep(self, "scale_h", "Scales of h", np.int32, (rows,), low, high)
        _check_size(self.shift, "Shift", 0, SHIFT_MOST)
        _keep(self, "bias", "Bias", np.int32, (rows,), -BIAS_MOST, BIAS_MOST)
        _check_size(self.threshold, "Threshold", 0, STATE_MOST)
        _check_size(self.cell_shift, "Cell shift", 0, SHIFT_MOST)
        cells = (self.hidden if np.size(self.cell_scale) else 0,)
        _keep(self, "cell_scale", "Cell scales", np.int32, cells, -SCALE_MOST, SCALE_MOST)
        _keep(self, "cell_bias", "Cell biases", np.int32, cells, -BIAS_MOST, BIAS_MOST)


@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """The classifier: score = weight h + bias, exact; logits are score / 2**fraction.

    Parameters
    ----------
    inputs, classes : int             Sizes, 1 to 4096.
    kind : str                        As of a layer.
    weight : int16 [classes, inputs]
    bias : int32 [classes]            Below 2**30 in magnitude.
    fraction : int                    0 to 20; decides no bit.
    """

    inputs: int
    classes: int
    kind: Literal["binary", "ternary", "int8", "int12"]
    weight: np.ndarray
    bias: np.ndarray
    fraction: int

    def __post_init__(self) -> None:
        _check_size(self.inputs, "Inputs of the head", 1, LARGEST)
        _check_size(self.classes, "Classes", 1, LARGEST)
        check(self.kind in KINDS, "Weights of the head", f"one of {', '.join(KINDS)}", self.kind)
        _keep_weights(self, "weight", "Weights of the head", (self.classes, self.inputs))
        most = HEAD_BIAS_MOST
        _keep(self, "bias", "Bias of the head", np.int32, (self.classes,), -most, most)
        _check_size(self.fraction, "Fraction", 0, 20)
