"""The recurrence of a layer: gates from tables, 16-bit cell, 8-bit pruned state, and its gradient.

States and gates are integers held in floats, so that training runs on the processor's fast matrix
units and still computes what the chip does: float32 holds every value of the element-wise part
exactly, and only the sum before the gates is rounded (in training; :func:`exact` rounds nothing).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["Sums", "exact", "recur"]

CENTRE = 512  # table entry of pre-activation 0
TOP = 1023
LEAST_CELL, MOST_CELL = -32768.0, 32767.0
G = slice(2, 3)  # the gate, of i, f, g, o, that is a tanh


@dataclass(eq=False)
class Sums:
    """Sums over steps and sequences for statistics: of the recurrent product and of the cell."""

    count: int = 0
    product: Tensor | None = None  # [2, 4H] sum and sum of squares of S_h
    cell: Tensor | None = None  # [2, H] of c

    def add(self, product: Tensor, cell: Tensor) -> None:
        """One step: ``[batch, 4H]`` and ``[batch, H]``."""
        self.count += len(product)
        found = torch.stack([product.sum(0), product.square().sum(0)]).double()
        self.product = found if self.product is None else self.product + found
        found = torch.stack([cell.sum(0), cell.square().sum(0)]).double()
        self.cell = found if self.cell is None else self.cell + found


@cache
def _tables(device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gates and their slopes, tanh of the cell and its slope; float32, by table entry.

    Gates: entries 0..1023 sigmoid in units of 1, 1024..2047 tanh in units of 2**-12 (the cell's);
    slopes are those of the functions that the tables round, a step of the pre-activation.
    """
    x = (np.arange(1024) - CENTRE) / 64
    sigmoid, tanh = 1 / (1 + np.exp(-x)), np.tanh(x)
    sigmoid_code = np.floor(256 * sigmoid + 0.5)
    tanh_code = np.clip(np.floor(128 * tanh + 0.5), -127, 127)
    slope = (1 - tanh**2) / 64
    found = (
        np.concatenate([sigmoid_code / 256, tanh_code * 32]),
        np.concatenate([sigmoid * (1 - sigmoid) / 64, 4096 * slope]),
        tanh_code,
        128 * slope,
    )
    gates, gate_slopes, cell, cell_slopes = (
        torch.from_numpy(a.astype(np.float32)).to(device) for a in found
    )
    return gates, gate_slopes, cell, cell_slopes


def _look(table: Tensor, entries: Tensor) -> Tensor:
    return table.index_select(0, entries.view(-1)).view(entries.shape)


def gate_offsets(hidden: int, like: Tensor) -> Tensor:
    """What brings a pre-activation to its table entry and a half, ``[4H]``."""
    offset = torch.full((4, hidden), CENTRE + 0.5, dtype=like.dtype, device=like.device)
    offset[G] += TOP + 1
    return offset.view(-1)


@dataclass(eq=False)
class _Trace:
    """All steps of a run, for the backward pass."""

    entries: Tensor  # int32 [T, B, 4H]
    gates: Tensor  # [T, B, 4H]
    cells: Tensor  # [T + 1, B, H], the initial one first
    tanh_entries: Tensor  # int32 [T, B, H]
    tanh: Tensor  # [T, B, H]
    states: Tensor  # [T + 1, B, H], pruned


def _product(weight: Tensor) -> Callable[[Tensor], Tensor]:
    """What multiplies integer states ``[B, H]`` by integer weights, exactly.

    8-bit weights read a quarter of the memory of float32 ones, which is what bounds a step; torch
    has that product under no public name, and processors without its instructions are slow at it.
    """
    columns = weight.t().contiguous()
    fast = weight.device.type == "cpu" and hasattr(torch, "_int_mm") and _has_int8()
    if fast and bool(weight.abs().max() <= 127):
        codes = columns.to(torch.int8)
        return lambda h: torch._int_mm(h.to(torch.int8), codes)
    return lambda h: torch.mm(h.to(columns.dtype), columns)


@cache
def _has_int8() -> bool:
    supported = getattr(torch.cpu, "_is_vnni_supported", None)
    return supported is not None and bool(supported())


def _run(
    inputs: Tensor,
    weight: Tensor,
    scale: Tensor,
    state: Tensor,
    cell: Tensor,
    cell_scale: Tensor,
    cell_bias: Tensor,
    *,
    threshold: int,
    sums: Sums | None = None,
) -> _Trace:
    """The forward pass of :func:`recur` and :func:`exact`; types say how exact the sums are."""
    steps, batch, rows = inputs.shape
    hidden = rows // 4

    def empty(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.empty(shape, dtype=dtype, device=inputs.device)

    trace = _Trace(
        entries=empty(steps, batch, rows, dtype=torch.int32),
        gates=empty(steps, batch, rows),
        cells=empty(steps + 1, batch, hidden),
        tanh_entries=empty(steps, batch, hidden, dtype=torch.int32),
        tanh=empty(steps, batch, hidden),
        states=empty(steps + 1, batch, hidden),
    )
    gate_table, _, tanh_table, _ = _tables(inputs.device)
    low = torch.zeros(4, hidden, dtype=inputs.dtype, device=inputs.device)
    low[G] = TOP + 1
    low = low.view(-1)
    high = low + TOP
    offset = gate_offsets(hidden, inputs)
    tanh_offset = cell_bias + (CENTRE + 0.5)
    trace.cells[0], trace.states[0] = cell, state
    multiply = _product(weight)
    for t in range(steps):
        product = multiply(trace.states[t]).to(inputs.dtype)
        pre = torch.addcmul(inputs[t] + offset, product, scale)
        entries = trace.entries[t]
        entries.copy_(torch.clamp(pre, low, high))  # towards 0, so down
        gates = trace.gates[t]
        torch.index_select(gate_table, 0, entries.view(-1), out=gates.view(-1))
        i, f, g, o = gates.view(batch, 4, hidden).unbind(1)
        c = torch.mul(f, trace.cells[t], out=trace.cells[t + 1])
        c.addcmul_(i, g).add_(0.5).floor_().clamp_(LEAST_CELL, MOST_CELL)
        q = torch.addcmul(tanh_offset, c, cell_scale).clamp_(0, TOP)
        trace.tanh_entries[t].copy_(q)
        tanh = trace.tanh[t]
        torch.index_select(tanh_table, 0, trace.tanh_entries[t].view(-1), out=tanh.view(-1))
        h = torch.mul(o, tanh).add_(0.5).floor_()
        trace.states[t + 1] = torch.nn.functional.hardshrink(h, threshold - 0.5) if threshold else h
        if sums is not None:
            sums.add(product, c)
    return trace


class _Recurrence(torch.autograd.Function):
    """:func:`recur` with gradients by hand: straight through every rounding and the pruning."""

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor, Tensor]:
        *operands, threshold, normalised, sums = arguments
        trace = _run(*operands, threshold=threshold, sums=sums)
        ctx.trace, ctx.normalised = trace, normalised
        _, weight, scale, _, _, cell_scale, _ = operands
        ctx.save_for_backward(weight, scale, cell_scale)
        last = trace.cells[-1].clone()
        ctx.mark_non_differentiable(last)
        return trace.states[1:], last

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        trace: _Trace = ctx.trace
        weight, scale, cell_scale = ctx.saved_tensors
        steps, batch, rows = trace.gates.shape
        hidden = rows // 4
        _, gate_slopes, _, tanh_slopes = _tables(weight.device)
        back = weight * scale[:, None]
        # Gradients need no more than 8 bits where the caller lets products be rounded so.
        rounded = torch.get_float32_matmul_precision() == "medium"
        if rounded:
            back = back.bfloat16()
        pre = torch.empty_like(trace.gates)
        entered = torch.empty_like(trace.tanh)  # gradient of the entry of tanh(c)
        d_state = torch.zeros_like(trace.tanh[0])
        d_cell = torch.zeros_like(trace.tanh[0])
        for t in reversed(range(steps)):
            d_state = d_state + gradients[0][t]
            i, f, g, o = trace.gates[t].view(batch, 4, hidden).unbind(1)
            slope = torch.mul(d_state, o, out=entered[t])
            slope.mul_(_look(tanh_slopes, trace.tanh_entries[t]))
            d_cell.addcmul_(slope, cell_scale)
            d_i, d_f, d_g, d_o = pre[t].view(batch, 4, hidden).unbind(1)
            torch.mul(d_cell, g, out=d_i)
            torch.mul(d_cell, trace.cells[t], out=d_f)
            torch.mul(d_cell, i, out=d_g)
            torch.mul(d_state, trace.tanh[t], out=d_o)
            pre[t].mul_(_look(gate_slopes, trace.entries[t]))
            d_cell.mul_(f)
            d_state = torch.mm(pre[t].to(back.dtype), back).float()
        outer = torch.mm(pre.view(-1, rows).t(), trace.states[:-1].reshape(-1, hidden))
        d_cell_scale = d_cell_bias = None
        if ctx.normalised:
            d_cell_scale = (entered * trace.cells[1:]).sum((0, 1))
            d_cell_bias = entered.sum((0, 1))
        return (
            pre,
            outer * scale[:, None],
            (outer * weight).sum(1),
            None,
            None,
            d_cell_scale,
            d_cell_bias,
            None,
            None,
            None,
        )


def recur(
    inputs: Tensor,
    weight: Tensor,
    scale: Tensor,
    state: Tensor,
    cell: Tensor,
    cell_scale: Tensor,
    cell_bias: Tensor,
    *,
    threshold: int = 0,
    normalised: bool = False,
    sums: Sums | None = None,
) -> tuple[Tensor, Tensor]:
    """A layer over a window of steps, with gradients; initial states get none.

    Parameters
    ----------
    inputs : float32 [T, B, 4H]   The part of pre that x and the bias make, steps of 2**-6.
    weight : float32 [4H, H]      Integer weights of the state; gates i, f, g, o.
    scale : float32 [4H]          Steps of pre for one step of the recurrent product.
    state, cell : float32 [B, H]  Before the first step, integers.
    cell_scale, cell_bias : float32 [H]   Entry of tanh(c) from c; gradients if ``normalised``.
    threshold : int               States of a smaller magnitude are 0.
    sums : Sums                   Where to add up the recurrent products and cells.

    Returns the pruned states ``[T, B, H]`` and the last cell ``[B, H]``.
    """
    return _Recurrence.apply(  # type: ignore[no-any-return]
        inputs, weight, scale, state, cell, cell_scale, cell_bias, threshold, normalised, sums
    )


@torch.no_grad()
def exact(
    inputs: Tensor,
    weight: Tensor,
    scale: Tensor,
    state: Tensor,
    cell: Tensor,
    cell_scale: Tensor,
    cell_bias: Tensor,
    *,
    threshold: int = 0,
) -> tuple[Tensor, Tensor]:
    """The same without gradients and without any rounding of the sums: what the chip computes.

    ``inputs``, ``scale`` and ``cell_scale``, ``cell_bias`` are float64, integers over a power of
    two; ``weight`` is float32 where it holds every recurrent product, else float64. Returns the
    states and the cells of every step, float32 ``[T, B, H]``.
    """
    operands = (inputs, weight, scale, state, cell, cell_scale, cell_bias)
    trace = _run(*operands, threshold=threshold)
    return trace.states[1:], trace.cells[1:]
