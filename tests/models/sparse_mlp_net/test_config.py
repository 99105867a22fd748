"""Configurations: what is refused, and how texts are read."""

import re

import pytest

from gatesmith.models.errors import UserError
from gatesmith.models.sparse_mlp_net.config import RECIPES, SparseMLPConfig


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"data": "cifar"}, "Data must be one of digits, mnist, fashion-mnist, own, not 'cifar'"),
        ({"sparsity": 1.0}, "Sparsity must be at least 0 and below 1, not 1.0"),
        ({"sparsity": float("nan")}, "Sparsity must be at least 0 and below 1, not nan"),
        (
            {"classifier_sparsity": -0.1},
            "Classifier sparsity must be at least 0 and below 1, not -0.1",
        ),
        ({"activation_bits": 9}, "Activation bits must be between 1 and 8, not 9"),
        ({"activation_bits": True}, "Activation bits must be between 1 and 8, not True"),
        ({"input_bits": 0}, "Input bits must be between 1 and 8, not 0"),
        ({"weights": "quaternary"}, "Weights must be one of binary, ternary, int8, not 'quatern"),
        ({"generator": "x"}, "Generator must be one of leap, paper, not 'x'"),
        ({"loss": "l1"}, "Loss must be one of cross-entropy, squared-hinge, not 'l1'"),
        (
            {"hidden": (64, 0)},
            "Hidden must be a tuple of 0 to 64 layer sizes between 1 and 65536, not",
        ),
        ({"hidden": 64}, "Hidden must be a tuple of 0 to 64 layer sizes"),
        ({"epochs": 0}, "Epochs must be between 1 and 1000000, not 0"),
        ({"learning_rate": 0}, "Learning rate must be above 0 and at most 1, not 0"),
        ({"inputs": 65}, "Inputs must be 64 for digits, not 65"),
        ({"classes": 3}, "Classes must be 10 for digits, not 3"),
        ({"data": "own"}, "Inputs must be given for own data, not None"),
        ({"leap": 0}, "Leap must be between 1 and 4096, not 0"),
    ],
)
def test_rejects(values, message):
    with pytest.raises(UserError, match="^" + re.escape(message)):
        SparseMLPConfig(**values)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("sparsity", "Setting must be key=value, not 'sparsity'"),
        ("lanes=3", "Setting must be one of data, "),
        ("sparsity=half", "Sparsity must be a number, not 'half'"),
        ("hidden=64;64", "Hidden must be sizes separated by commas, not '64;64'"),
        ("activation_bits=none", "Activation bits must be a number, not 'none'"),
    ],
)
def test_rejects_setting(setting, message):
    with pytest.raises(UserError, match="^" + re.escape(message)):
        SparseMLPConfig.parse([setting])


def test_rejects_unknown_key():
    with pytest.raises(UserError, match="^Configuration key must be one of .*, not 'colour'$"):
        SparseMLPConfig.from_json({"colour": 3})


def test_parse_over_a_recipe():
    config = SparseMLPConfig.parse(
        ["hidden=32,16", "sparsity=0.25", "classifier_sparsity=0", "epochs=3", "input_bits=none"],
        RECIPES["mnist-512-p90"],
    )
    assert config.sizes == (784, 32, 16, 10) and config.bits == (8, 4, 4)
    assert config.sparsities == (0.25, 0.25, 0)
    assert SparseMLPConfig.parse(["hidden="]).sizes == (64, 10)


def test_json_round_trip():
    for config in RECIPES.values():
        assert SparseMLPConfig.from_json(config.to_json()) == config
