"""Sigmoid and tanh as the chip, the golden model and the training read them."""

import numpy as np

__all__ = ["INDEX_BITS", "SIGMOID", "TANH", "TANH_MOST"]

INDEX_BITS = 10  # of a pre-activation, two's complement, Q3.6
CENTRE = 1 << INDEX_BITS - 1  # entry of pre-activation 0
TANH_MOST = 127

_X = (np.arange(1 << INDEX_BITS) - CENTRE) / 64

# floor(256 sigmoid(pre / 64) + 1/2), int64 [1024] by pre + 512; 0 to 256, that is 0.0 to 1.0.
SIGMOID = np.floor(256 / (1 + np.exp(-_X)) + 0.5).astype(np.int64)
# floor(128 tanh(pre / 64) + 1/2), at most 127 in magnitude: Q0.7.
TANH = np.clip(np.floor(128 * np.tanh(_X) + 0.5), -TANH_MOST, TANH_MOST).astype(np.int64)

for _table in (SIGMOID, TANH):
    _table.flags.writeable = False
