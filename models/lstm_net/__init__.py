"""Low-bit LSTMs in PyTorch: training, checkpoints, lowering."""

from gatesmith.models.lstm_net.checkpoint import load_checkpoint, read_metrics, save_checkpoint
from gatesmith.models.lstm_net.config import RECIPES, LSTMConfig
from gatesmith.models.lstm_net.lowering import lower
from gatesmith.models.lstm_net.net import LowBitLSTM
from gatesmith.models.lstm_net.training import EpochReport, fit, resume_path, train
