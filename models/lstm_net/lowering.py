"""From a trained net to the Spec that computes the same."""

import math
from typing import Any

import numpy as np
from torch import Tensor

from gatesmith.models.errors import UserError
from gatesmith.models.lstm import Head, LSTMLayer, LSTMSpec
from gatesmith.models.lstm_net.net import LowBitHead, LowBitLayer, LowBitLSTM

__all__ = ["lower"]

LANES, MOST_ELEMENTWISE = 64, 4


def lower(
    net: LowBitLSTM,
    *,
    lanes: int | None = None,
    elementwise: int | None = None,
    batch: int = 1,
    outputs: str = "scores",
    state: bool | None = None,
    steps: int | None = None,
    packing: str = "plain",
    memory: str = "rom",
    offset_bits: int = 4,
    name: str = "lstm",
) -> LSTMSpec:
    """The Spec that computes what the net computes in evaluation mode.

    Parameters
    ----------
    lanes : int         Rows a clock; None: 64, or the rows of the smallest layer if those are
                        fewer.
    elementwise : int   Cells a clock; None: the most that lanes and layers allow, up to 4.
    state : bool        Initial states in, final states out; None: of a text, so that it can be
                        continued in the next frame.
    steps : int         Most steps of a frame; None: the net's.
    batch, outputs, packing, memory, offset_bits, name
        As of :class:`LSTMSpec`.

    UserError for options that do not fit, for a net of the stochastic quantiser that is not
    frozen, and for one whose batch normalisation has no statistics.
    """
    net.check_frozen()
    config = net.config
    if lanes is None:
        lanes = min(LANES, 4 * min(config.hidden))
    if elementwise is None:
        elementwise = _elementwise(lanes, config.hidden)
    return LSTMSpec(
        layers=tuple(_layer(layer) for layer in net.stack),
        head=_head(net.head),
        one_hot=config.symbols,
        steps=config.most_steps if steps is None else steps,
        every_step=net.every_step,
        outputs=outputs,  # type: ignore[arg-type]
        state=config.is_text if state is None else state,
        batch=batch,
        lanes=lanes,
        elementwise=elementwise,
        packing=packing,  # type: ignore[arg-type]
        memory=memory,  # type: ignore[arg-type]
        offset_bits=offset_bits,
        scale_bits=config.scale_bits,
        name=name,
    )


def _elementwise(lanes: Any, hidden: tuple[int, ...]) -> int:
    """The most cells a clock, up to 4, that divide lanes / 4 and every layer's cells."""
    if not isinstance(lanes, int) or lanes < 4:
        return 1  # the Spec refuses such lanes, and says why
    common = math.gcd(lanes // 4, *hidden)
    return max(k for k in range(1, MOST_ELEMENTWISE + 1) if common % k == 0)


def _array(values: Tensor, dtype: type) -> np.ndarray:
    return values.detach().cpu().numpy().astype(dtype)


def _layer(layer: LowBitLayer) -> LSTMLayer:
    folded = layer.fold()
    scale_x, scale_h = _array(folded.scale_x, np.int32), _array(folded.scale_h, np.int32)
    if layer.powers:
        scale_x, scale_h = (np.log2(scale).astype(np.int32) for scale in (scale_x, scale_h))
    return LSTMLayer(
        inputs=layer.inputs,
        hidden=layer.hidden,
        kind=layer.kind,  # type: ignore[arg-type]
        weight_x=_array(folded.codes_x, np.int16),
        weight_h=_array(folded.codes_h, np.int16),
        scale_kind="power" if layer.powers else "integer",
        scale_x=scale_x,
        scale_h=scale_h,
        shift=folded.shift,
        bias=_array(folded.bias, np.int32),
        threshold=layer.threshold,
        cell_scale=_array(folded.cell_scale, np.int32),
        cell_bias=_array(folded.cell_bias, np.int32),
        cell_shift=folded.cell_shift,
    )


def _head(head: LowBitHead) -> Head:
    codes, bias = head.fold()
    most = (1 << 30) - 1
    if float(bias.abs().max()) > most:
        raise UserError(
            f"Bias of the head must be at most {most} in magnitude, not {float(bias.abs().max()):g}"
        )
    return Head(
        inputs=head.inputs,
        classes=head.classes,
        kind=head.kind,  # type: ignore[arg-type]
        weight=_array(codes, np.int16),
        bias=_array(bias, np.int32),
        fraction=int(head.fraction),
    )
