"""Configurations: what is refused, and how texts are read."""

import re

import pytest

from gatesmith.models.errors import UserError
from gatesmith.models.lstm_net.config import RECIPES, LSTMConfig, threshold_code


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"data": "cifar"}, "Data must be one of digits, mnist-rows, mnist-pixels, "),
        ({"hidden": ()}, "Hidden must be a tuple of 1 to 8 layer sizes between 1 and 4096"),
        ({"hidden": (64, 0)}, "Hidden must be a tuple of 1 to 8 layer sizes"),
        ({"hidden": 64}, "Hidden must be a tuple of 1 to 8 layer sizes"),
        ({"weights": "float"}, "Weights must be one of binary, ternary, int8, int12, not 'float'"),
        ({"weights": ("binary", "int8")}, "Weights must be one or 1 kinds, not ('binary', 'int8')"),
        ({"head_weights": "int4"}, "Head weights must be one of none, binary, ternary, int8, int1"),
        ({"norm": "layer"}, "Norm must be one of weight, shared-bn, not 'layer'"),
        ({"quantiser": "random"}, "Quantiser must be one of deterministic, stochastic, not 'rando"),
        (
            {"quantiser": "stochastic", "weights": "int8"},
            "Quantiser must be deterministic for int8 weights, not 'stochastic'",
        ),
        ({"scales": "float"}, "Scales must be one of integer, power, not 'float'"),
        ({"scale_bits": 17}, "Scale bits must be between 4 and 16, not 17"),
        ({"state_threshold": 1.0}, "State threshold must be at least 0 and below 1, not 1.0"),
        ({"state_threshold": -0.1}, "State threshold must be at least 0 and below 1, not -0.1"),
        ({"state_threshold": float("nan")}, "State threshold must be at least 0 and below 1, not"),
        ({"state_threshold": 0.999}, "State threshold must be below 127.5/128, not 0.999"),
        ({"state_penalty": -1}, "State penalty must be at least 0 and at most 1000, not -1"),
        ({"epochs": 0}, "Epochs must be between 1 and 1000000, not 0"),
        ({"batch": True}, "Batch must be between 2 and 1000000, not True"),
        ({"bptt": 0}, "Bptt must be between 1 and 65536, not 0"),
        ({"learning_rate": 0}, "Learning rate must be above 0 and at most 1, not 0"),
        ({"inputs": 9}, "Inputs must be 8 for digits, not 9"),
        ({"classes": 9}, "Classes must be 10 for digits, not 9"),
        ({"steps": 9}, "Steps must be 8 for digits, not 9"),
        ({"one_hot": True}, "One hot must be false for digits, not True"),
        ({"one_hot": 3}, "One hot must be true or false, not 3"),
        ({"data": "war-and-peace", "every_step": False}, "Every step must be true for war-and-pea"),
        ({"data": "own", "inputs": 3}, "Classes must be given for own data, not None"),
        ({"data": "own", "inputs": 3, "classes": 2}, "Steps must be given for own data, not None"),
        ({"input_scale": 0}, "Input scale must be above 0 and at most 1e+12, not 0"),
    ],
)
def test_rejects(values, message):
    with pytest.raises(UserError, match="^" + re.escape(message)):
        LSTMConfig(**values)


def test_rejects_width_of_scales_that_are_powers():
    with pytest.raises(UserError, match="^Scale bits must be 12 unless scales are integer, not 8"):
        LSTMConfig(scales="power", scale_bits=8)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("hidden", "Setting must be key=value, not 'hidden'"),
        ("lanes=3", "Setting must be one of data, "),
        ("state_threshold=half", "State threshold must be a number, not 'half'"),
        ("hidden=64;64", "Hidden must be sizes separated by commas, not '64;64'"),
        ("input_scale=2", "Input scale must be 1 for digits, not 2.0"),
        ("weights=", "Weights must be one of binary, ternary, int8, int12, not ''"),
        ("one_hot=maybe", "One hot must be true or false, not 'maybe'"),
        ("epochs=none", "Epochs must be a number, not 'none'"),
    ],
)
def test_rejects_setting(setting, message):
    with pytest.raises(UserError, match="^" + re.escape(message)):
        LSTMConfig.parse([setting])


def test_rejects_unknown_key():
    with pytest.raises(UserError, match="^Configuration key must be one of .*, not 'colour'$"):
        LSTMConfig.from_json({"colour": 3})


def test_rejects_sizes_of_a_text_that_was_not_read():
    with pytest.raises(UserError, match="^Inputs must be the symbols of austen, not None: load it"):
        LSTMConfig(data="austen").sizes  # noqa: B018


def test_parse_over_a_recipe():
    config = LSTMConfig.parse(
        ["hidden=32,16", "weights=binary,int8", "state_threshold=0.25", "head_weights=none"],
        RECIPES["mnist-rows-100"],
    )
    assert config.sizes == (28, 32, 16, 10) and config.kinds == ("binary", "int8")
    assert config.head_kind == "int8" and config.most_steps == 28 and not config.is_text
    assert LSTMConfig.parse(["weights=int8", "hidden=4,4"]).kinds == ("int8", "int8")
    assert LSTMConfig(data="austen", bptt=7).most_steps == 7


def test_json_round_trip():
    for config in (*RECIPES.values(), LSTMConfig(hidden=(3, 4), weights=("binary", "int12"))):
        assert LSTMConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("threshold", "code"), [(0, 0), (0.1, 13), (0.5, 64), (0.00390625, 1), (0.0039, 0)]
)
def test_threshold_code_rounds_half_up(threshold, code):
    assert threshold_code(threshold) == code
