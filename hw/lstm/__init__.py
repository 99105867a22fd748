"""The Core of a low-bit LSTM whose zero states cost neither weights nor clocks."""

from gatesmith.hw.lstm.core import LSTM

__all__ = ["LSTM"]
