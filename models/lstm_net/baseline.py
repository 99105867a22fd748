"""The float LSTM that a low-bit one is compared with: torch.nn.LSTM, same shape, data, epochs."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from gatesmith.models.lstm_net.config import LSTMConfig
from gatesmith.models.lstm_net.measure import streams
from gatesmith.models.lstm_net.windows import window_count, windows
from gatesmith.models.sequences import Part, Sequences, Text

__all__ = ["float_baseline"]

STEPS, BATCH = 1000, 500


class _FloatLSTM(nn.Module):
    def __init__(self, config: LSTMConfig) -> None:
        super().__init__()
        inputs, *hidden, classes = config.sizes
        self.symbols = config.symbols
        sizes = [inputs, *hidden]
        self.layers = nn.ModuleList(nn.LSTM(a, b) for a, b in zip(sizes, sizes[1:], strict=False))
        self.inputs, self.head = inputs, nn.Linear(hidden[-1], classes)

    def forward(
        self, x: Tensor, state: list[tuple[Tensor, Tensor]] | None = None
    ) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """Last layer's states ``[T, B, H]`` and the final state of each layer."""
        x = nn.functional.one_hot(x, self.inputs).float() if self.symbols else x.float() / 128
        final = []
        for index, layer in enumerate(self.layers):
            x, after = layer(x, None if state is None else state[index])
            final.append((after[0].detach(), after[1].detach()))
        return x, final


def float_baseline(config: LSTMConfig, found: Sequences | Text) -> float:
    """Test figure of a float net with the configuration's shape, epochs, batch, rate and seed.

    Accuracy of a classifier, bits a character of a text. Adam with the same cosine, float states,
    no pruning; inputs are the same codes.
    """
    torch.manual_seed(config.seed)
    net = _FloatLSTM(config)
    optimiser = torch.optim.Adam(net.parameters(), lr=config.learning_rate)
    steps, done = config.epochs * window_count(config, found.train), 0
    state = None
    for epoch in range(config.epochs):
        for window in windows(config, found.train, epoch, torch.device("cpu")):
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * (1 + math.cos(math.pi * done / steps)) / 2
            states, state = net(window.x, None if window.starts else state)
            if window.lengths is not None:
                states = states[window.lengths - 1, torch.arange(len(window.lengths))]
            loss = nn.functional.cross_entropy(net.head(states).flatten(0, -2), window.y.flatten())
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            done += 1
    return _read(net, found.test) if isinstance(found, Text) else _classify(net, found.test)


@torch.no_grad()
def _read(net: _FloatLSTM, symbols: np.ndarray) -> float:
    text, state, bits = streams(symbols, 8), None, 0.0
    for start in range(0, len(text) - 1, STEPS):
        y = text[start + 1 : start + 1 + STEPS]
        states, state = net(text[start : start + len(y)], state)
        logits = net.head(states).flatten(0, 1)
        loss = nn.functional.cross_entropy(logits, y.flatten(), reduction="sum")
        bits += float(loss) / math.log(2)
    return bits / ((len(text) - 1) * text.shape[1])


@torch.no_grad()
def _classify(net: _FloatLSTM, part: Part) -> float:
    right = 0
    for start in range(0, len(part.y), BATCH):
        x = torch.from_numpy(part.x[start : start + BATCH]).transpose(0, 1)
        lengths = torch.from_numpy(part.lengths[start : start + BATCH])
        states = net(x)[0][lengths - 1, torch.arange(len(lengths))]
        found = net.head(states).numpy().argmax(axis=1)
        right += int((found == part.y[start : start + BATCH]).sum())
    return right / len(part.y)
