"""The network in PyTorch: integers in, integers out, gradients straight through.

All arithmetic of a layer is on integers held in floats. Training and evaluation differ in the
requantiser: training takes the mean of the batch and rounds in floating point; evaluation folds
the running mean into an integer bias and shifts, which is what the chip does.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gatesmith.models.errors import UserError
from gatesmith.models.masks import Lfsr, default_lookahead, draw
from gatesmith.models.sparse_mlp import SparseLayer, SparseMLPSpec
from gatesmith.models.sparse_mlp_net.config import WEIGHTS, SparseMLPConfig

__all__ = ["SparseLinear", "SparseMLP", "lower"]

SPAN = 2.5  # standard deviations of the accumulator that the activation's range spans
GAINS = {"cross-entropy": 4.0, "squared-hinge": 1.0}  # logits a standard deviation of the scores
MOMENTUM = 0.05  # weight of a new batch in the running mean and deviation
LEAST_DEVIATION = 2.0**-10  # keeps the scale of a layer that never changes finite


class _Quantise(torch.autograd.Function):
    """Masked integer weights of dense masters; the gradient goes to the masters as it is."""

    @staticmethod
    def forward(ctx: Any, master: Tensor, mask: Tensor, kind: str) -> Tensor:
        if kind == "binary":
            # Two's multiple of a comparison is several times faster than a selection.
            return (master >= 0).to(master.dtype).mul_(2).sub_(1).mul_(mask)
        if kind == "ternary":
            positive = (master >= 1 / 3).to(master.dtype)
            return positive.sub_((master <= -1 / 3).to(master.dtype)).mul_(mask)
        return (master * 127).round_().mul_(mask)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0], None, None


class _Requantise(torch.autograd.Function):
    """clamp(floor(x + 1/2), 0, top); the gradient passes where the clamp does not act."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, top: int) -> Tensor:
        rounded = (x + 0.5).floor_()
        ctx.save_for_backward((rounded >= 0) & (rounded <= top))
        return rounded.clamp_(0, top)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (inside,) = ctx.saved_tensors
        return gradients[0] * inside, None


class SparseLinear(nn.Module):
    """Linear layer without bias whose mask is the sequence of an LFSR.

    Input i of neuron j is kept when state i of the LFSR started at ``lfsr.seeds[j]`` is at least
    ``lfsr.threshold``. Weights are integers: ``binary`` +1 for a master >= 0, else -1;
    ``ternary`` 0 for a master within 1/3 of 0, else its sign; ``int8`` round(127 * master).

    Parameters
    ----------
    inputs, outputs : int   Sizes.
    sparsity : float        Part of the connections dropped; 0 is dense and has no LFSR.
    weights : str           ``binary``, ``ternary`` or ``int8``.
    generator, leap         Kind of LFSR, see :func:`gatesmith.models.masks.lfsr_for`.
    seed : int              Of the seed search and of the masters.
    lfsr : Lfsr             A generator found before, instead of a search.

    Members
    -------
    weight : Parameter [outputs, inputs]   Dense masters, in [-1, 1] while :meth:`clip_` is called.
    mask : Tensor [outputs, inputs]        1 where kept; derived from ``lfsr``, never stored.
    """

    mask: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        sparsity: float,
        *,
        weights: str = "ternary",
        generator: str = "leap",
        leap: int | None = None,
        seed: int = 0,
        lfsr: Lfsr | None = None,
    ) -> None:
        super().__init__()
        if inputs < 1 or outputs < 1:
            raise UserError(f"Inputs and outputs must be at least 1, not {(inputs, outputs)!r}")
        if not 0 <= sparsity < 1:
            raise UserError(f"Sparsity must be at least 0 and below 1, not {sparsity!r}")
        if weights not in WEIGHTS:
            raise UserError(f"Weights must be one of {', '.join(WEIGHTS)}, not {weights!r}")
        self.inputs, self.outputs, self.sparsity, self.weights = inputs, outputs, sparsity, weights
        self.lfsr = lfsr or draw(inputs, outputs, sparsity, kind=generator, leap=leap, seed=seed)
        mask = torch.from_numpy(self.lfsr.mask(inputs)).float()
        self.register_buffer("mask", mask, persistent=False)
        # NumPy draws the masters, so that they are the same on every device.
        masters = np.random.default_rng((seed, 1)).uniform(-1, 1, (outputs, inputs))
        self.weight = nn.Parameter(torch.from_numpy(masters.astype(np.float32)))

    def quantised(self) -> Tensor:
        """Integer weights, 0 where dropped, float32 ``[outputs, inputs]``."""
        return _Quantise.apply(self.weight, self.mask, self.weights)  # type: ignore[no-any-return]

    @torch.no_grad()
    def clip_(self) -> None:
        """Bring the masters back into [-1, 1]; call it after each step of the optimiser."""
        self.weight.clamp_(-1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Integer sums of products, in floats: ``[batch, inputs]`` to ``[batch, outputs]``."""
        return nn.functional.linear(x, self.quantised())

    @torch.no_grad()
    def exact(self, x: Tensor, most: int) -> Tensor:
        """The same for int64 ``[batch, inputs]`` within 0 to ``most``, as int64, never rounded."""
        weights = self.quantised()
        bound = most * int(weights.abs().sum(dim=1).max())
        # Floats add integers exactly up to 2**24 and 2**53, whatever the order.
        dtype = torch.float32 if bound < 1 << 24 else torch.float64
        return nn.functional.linear(x.to(dtype), weights.to(dtype)).long()


class _Normaliser(nn.Module):
    """Running mean of each neuron and running deviation of a layer, and a learnt offset."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, outputs: int, offset: float) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.full((outputs,), offset))  # standard deviations
        self.register_buffer("mean", torch.zeros(outputs))
        self.register_buffer("deviation", torch.zeros(1))

    def centre(self, acc: Tensor) -> Tensor:
        """Sums less their means over the batch; keeps the running figures."""
        mean = acc.mean(dim=0)
        centred = acc - mean
        with torch.no_grad():
            deviation = centred.square().mean().sqrt().clamp_(min=LEAST_DEVIATION)
            first = bool(self.deviation == 0)
            self.mean.lerp_(mean, 1.0 if first else MOMENTUM)
            self.deviation.lerp_(deviation, 1.0 if first else MOMENTUM)
        return centred


class Requantiser(_Normaliser):
    """Batch normalisation with a power-of-two scale, then rounding to unsigned ``bits``.

    Training: clamp(floor((acc - mean) / 2**shift + beta + 1/2), 0, 2**bits - 1), with beta the
    offset in steps of the output. Evaluation: clamp((acc + bias) >> shift, 0, 2**bits - 1).
    """

    shift: Tensor

    def __init__(self, outputs: int, bits: int) -> None:
        self.bits, self.top = bits, (1 << bits) - 1
        self.steps = self.top / SPAN  # output steps a standard deviation
        # A one-bit activation is a step; half a step up puts it at the mean.
        super().__init__(outputs, 0.5 / self.steps if bits == 1 else 0.0)
        self.register_buffer("shift", torch.zeros(1, dtype=torch.int64))
        self.adapting = True

    def forward(self, acc: Tensor) -> Tensor:
        """Activations of a training batch, integers in floats."""
        centred = self.centre(acc)
        if self.adapting:
            wanted = math.log2(float(self.deviation) / self.steps)
            self.shift.fill_(max(0, round(wanted)))
        pre = centred * 2.0 ** -int(self.shift) + self.offset * self.steps
        return _Requantise.apply(pre, self.top)  # type: ignore[no-any-return]

    def fold(self) -> Tensor:
        """The integer bias, int64 ``[outputs]``: beta, mean and the rounding half in one."""
        one = 2.0 ** int(self.shift)
        beta = self.offset.detach().double() * self.steps
        return torch.floor(beta * one - self.mean.double() + one / 2 + 0.5).long()

    def exact(self, acc: Tensor) -> Tensor:
        """What the chip does with int64 sums."""
        return ((acc + self.fold()) >> int(self.shift)).clamp_(0, self.top)


class Scores(_Normaliser):
    """Logits for training; integer scores, which order the classes alike, for evaluation."""

    def __init__(self, outputs: int, gain: float) -> None:
        super().__init__(outputs, 0.0)
        self.gain = gain

    def forward(self, acc: Tensor) -> Tensor:
        """Logits of a training batch."""
        centred = self.centre(acc)
        return self.gain * (centred / self.deviation + self.offset)

    def fold(self) -> Tensor:
        """The integer bias, int64 ``[outputs]``."""
        beta = self.offset.detach().double() * self.deviation.double()
        return torch.floor(beta - self.mean.double() + 0.5).long()

    def exact(self, acc: Tensor) -> Tensor:
        """What the chip does with int64 sums."""
        return acc + self.fold()


class SparseMLP(nn.Module):
    """Sparse layers with requantised activations between them and scores at the end.

    In training mode it takes activations ``[batch, inputs]`` in floats and returns logits; in
    evaluation mode it takes them as integers and returns int64 scores, bit for bit those of the
    golden model of its :func:`lower`-ed Spec.

    Parameters
    ----------
    config : SparseMLPConfig   Shape and quantisation.
    lfsrs : list of Lfsr       Generators found before, one a layer, instead of a search.
    """

    def __init__(self, config: SparseMLPConfig, lfsrs: list[Lfsr] | None = None) -> None:
        super().__init__()
        self.config = config
        sizes = config.sizes
        self.linears = nn.ModuleList()
        self.tails = nn.ModuleList()  # what follows each linear: Requantiser, and Scores at last
        for index, sparsity in enumerate(config.sparsities):
            self.linears.append(
                SparseLinear(
                    sizes[index],
                    sizes[index + 1],
                    sparsity,
                    weights=config.weights,
                    generator=config.generator,
                    leap=config.leap,
                    seed=config.seed * 64 + index,
                    lfsr=lfsrs[index] if lfsrs else None,
                )
            )
            last = index == len(config.hidden)
            self.tails.append(
                Scores(sizes[-1], GAINS[config.loss])
                if last
                else Requantiser(sizes[index + 1], config.activation_bits)
            )

    def adapt(self, adapting: bool) -> None:
        """Let the shifts follow the deviations in training, or freeze them."""
        for _, tail in self.parts():
            if isinstance(tail, Requantiser):
                tail.adapting = adapting

    def clip_(self) -> None:
        """Bring all masters back into [-1, 1]."""
        for linear, _ in self.parts():
            linear.clip_()

    def forward(self, x: Tensor) -> Tensor:
        """Logits in training mode, int64 scores in evaluation mode, ``[batch, classes]``."""
        if not self.training:
            return self.activations(x)[-1]
        for linear, tail in zip(self.linears, self.tails, strict=True):
            x = tail(linear(x))
        return x

    @torch.no_grad()
    def activations(self, x: Tensor) -> list[Tensor]:
        """Integer activations of every hidden layer and the scores, int64 ``[batch, n]`` each."""
        x = x.long()
        found = []
        for (linear, tail), bits in zip(self.parts(), self.config.bits, strict=True):
            x = tail.exact(linear.exact(x, (1 << bits) - 1))
            found.append(x)
        return found

    def parts(self) -> list[tuple[SparseLinear, Requantiser | Scores]]:
        """Each layer's linear part and what follows it, in order of data flow."""
        return list(zip(self.linears, self.tails, strict=True))  # type: ignore[arg-type]


def lower(
    net: SparseMLP,
    *,
    datapath: str = "gate",
    memory: str = "rom",
    lanes: int | str | tuple[int, ...] = 64,
    lookahead: int | None = None,
    depth: int | str | None = None,
    pipeline: int = 0,
    name: str = "sparse_mlp",
) -> SparseMLPSpec:
    """The Spec that computes what the net computes in evaluation mode.

    Parameters
    ----------
    datapath, memory, lanes, depth, pipeline, name
        As of :class:`SparseMLPSpec` and its ``with_options``.
    lookahead : int   Block of the index datapath; None: by each layer's sparsity.
    """
    layers = []
    for (linear, tail), bits in zip(net.parts(), net.config.bits, strict=True):
        mask = linear.lfsr.mask(linear.inputs)
        weights = linear.quantised().detach().cpu().numpy().astype(np.int8)
        layers.append(
            SparseLayer(
                inputs=linear.inputs,
                outputs=linear.outputs,
                input_bits=bits,
                weight_kind=linear.weights,  # type: ignore[arg-type]
                taps=linear.lfsr.taps,
                leap=linear.lfsr.leap,
                threshold=linear.lfsr.threshold,
                seeds=linear.lfsr.seeds,
                weights=weights[mask],
                bias=tail.fold().cpu().numpy(),
                shift=int(tail.shift) if isinstance(tail, Requantiser) else 0,
                output_bits=tail.bits if isinstance(tail, Requantiser) else 0,
                lanes=1,
                lookahead=default_lookahead(linear.sparsity, linear.inputs)
                if lookahead is None
                else lookahead,
            )
        )
    return SparseMLPSpec(layers=tuple(layers), name=name).with_options(
        datapath=datapath, memory=memory, lanes=lanes, depth=depth, pipeline=pipeline
    )
