"""Low-bit LSTMs in PyTorch: training, checkpoints, lowering.

Your own trained LSTM in a few lines::

    lstm, linear = nn.LSTM(6, 32, batch_first=True), nn.Linear(32, 4)    # ... trained
    net = from_torch(lstm, linear, calibration=x)    # x float [n, steps, 6]: some real inputs
    scores = net(net.codes_of(x).transpose(0, 1))    # int64 [n, 4], as the chip computes them
    spec = lower(net, lanes=32)
"""

from gatesmith.models.lstm_net.baseline import float_baseline
from gatesmith.models.lstm_net.checkpoint import load_checkpoint, read_metrics, save_checkpoint
from gatesmith.models.lstm_net.config import RECIPES, LSTMConfig
from gatesmith.models.lstm_net.from_torch import from_torch
from gatesmith.models.lstm_net.lowering import lower
from gatesmith.models.lstm_net.measure import accuracy, bits_per_character
from gatesmith.models.lstm_net.net import LowBitLSTM
from gatesmith.models.lstm_net.training import EpochReport, fit, resume_path, train

__all__ = [
    "RECIPES",
    "EpochReport",
    "LSTMConfig",
    "LowBitLSTM",
    "accuracy",
    "bits_per_character",
    "fit",
    "float_baseline",
    "from_torch",
    "load_checkpoint",
    "lower",
    "read_metrics",
    "resume_path",
    "save_checkpoint",
    "train",
]
