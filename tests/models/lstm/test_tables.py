import numpy as np
import pytest
from lstm_reference import sigmoid, tanh

from gatesmith.models.lstm.tables import SIGMOID, TANH


def test_tables_are_the_functions_rounded():
    assert SIGMOID.tolist() == [sigmoid(pre) for pre in range(-512, 512)]
    assert TANH.tolist() == [tanh(pre) for pre in range(-512, 512)]


def test_known_values():
    assert (SIGMOID[512], SIGMOID[0], SIGMOID[1023]) == (128, 0, 256)
    assert (TANH[512], TANH[0], TANH[1023]) == (0, -127, 127)
    assert np.array_equal(SIGMOID[513:] + SIGMOID[511:0:-1], np.full(511, 256))


def test_tables_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        SIGMOID[0] = 1
