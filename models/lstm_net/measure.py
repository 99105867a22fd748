"""Figures of a trained net: accuracy, bits a character, zeros of the state. All as the chip counts.

Weights and statistics are frozen throughout; nothing is taken from the batch that is measured.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from gatesmith.models.lstm_net.net import LowBitLSTM
from gatesmith.models.sequences import Part

__all__ = ["Figures", "accuracy", "bits_per_character", "classify", "read_text", "streams"]

BATCH = 500  # sequences at once
STEPS = 1000  # of a text at once, to bound the memory
JOINT = 8  # sequences that share a column in the sparsity for a batch


class Figures:
    """Zeros of each layer's state, alone and in all of 8 sequences at once."""

    def __init__(self, layers: int) -> None:
        self.zeros, self.joint = [0] * layers, [0] * layers
        self.places, self.joint_places = [0] * layers, [0] * layers

    def add(self, states: list[Tensor], lengths: Tensor | None = None) -> None:
        """States ``[T, B, H]`` of each layer."""
        for index, h in enumerate(states):
            steps, batch, hidden = h.shape
            zero = h == 0
            valid = torch.ones(steps, batch, 1, dtype=torch.bool, device=h.device)
            if lengths is not None:
                steps_of = torch.arange(steps, device=h.device)[:, None, None]
                valid = steps_of < lengths[None, :, None]
            self.zeros[index] += int((zero & valid).sum())
            self.places[index] += int(valid.sum()) * hidden
            groups = batch // JOINT
            if groups:
                kept = groups * JOINT
                all_zero = zero[:, :kept].reshape(steps, groups, JOINT, hidden).all(2)
                all_valid = valid[:, :kept].reshape(steps, groups, JOINT, 1).all(2)
                self.joint[index] += int((all_zero & all_valid).sum())
                self.joint_places[index] += int(all_valid.sum()) * hidden

    @property
    def sparsity(self) -> list[float]:
        """Part of the states that are 0, of each layer."""
        return [a / max(b, 1) for a, b in zip(self.zeros, self.places, strict=True)]

    @property
    def joint_sparsity(self) -> list[float]:
        """Part of the states that are 0 in all of 8 sequences, of each layer."""
        return [a / max(b, 1) for a, b in zip(self.joint, self.joint_places, strict=True)]


def _device(net: nn.Module) -> torch.device:
    return next(net.parameters()).device


@torch.no_grad()
def classify(net: LowBitLSTM, x: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, Figures]:
    """Class of each sequence, int64, and the zeros of the states; ``x`` as a :class:`Part`'s."""
    net.eval()
    figures, found = Figures(len(net.layers)), []
    for start in range(0, len(x), BATCH):
        steps = torch.from_numpy(lengths[start : start + BATCH]).to(_device(net))
        chosen = torch.from_numpy(x[start : start + BATCH]).to(_device(net)).transpose(0, 1)
        trace = net.trace(chosen.long() if net.config.symbols else chosen, lengths=steps)
        figures.add(trace.states, steps)
        # NumPy's argmax takes the first of equals, as the chip does; torch's promises nothing.
        found.append(trace.scores.cpu().numpy().argmax(axis=1))
    return np.concatenate(found), figures


def accuracy(net: LowBitLSTM, part: Part) -> float:
    """Part of the sequences whose class the net names; leaves it in evaluation mode."""
    return float((classify(net, part.x, part.lengths)[0] == part.y).mean())


def streams(symbols: np.ndarray, count: int) -> Tensor:
    """A text cut into equal runs that are read side by side: int64 ``[steps, count]``."""
    count = max(1, min(count, len(symbols) // 2))
    length = len(symbols) // count
    cut = symbols[: length * count].astype(np.int64).reshape(count, length).T
    return torch.from_numpy(np.ascontiguousarray(cut))


@torch.no_grad()
def read_text(net: LowBitLSTM, text: Tensor) -> tuple[float, Figures]:
    """Bits a character over ``[steps, streams]`` symbols, each predicted from all before it in
    its stream; the state starts at zero and is carried to the end."""
    net.eval()
    figures, bits, state = Figures(len(net.layers)), 0.0, None
    text = text.to(_device(net))
    scale = 2.0 ** -int(net.head.fraction)
    for start in range(0, len(text) - 1, STEPS):
        x = text[start : min(start + STEPS, len(text) - 1)]
        y = text[start + 1 : start + 1 + len(x)]
        trace = net.trace(x, state)
        state = trace.final
        figures.add(trace.states)
        logits = trace.scores.double() * scale
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="sum")
        bits += float(loss) / math.log(2)
    return bits / ((len(text) - 1) * text.shape[1]), figures


def bits_per_character(net: LowBitLSTM, symbols: np.ndarray, count: int = JOINT) -> float:
    """Bits a character over a text cut into ``count`` streams; leaves evaluation mode on."""
    return read_text(net, streams(symbols, count))[0]
