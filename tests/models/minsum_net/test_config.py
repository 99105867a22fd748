"""Configurations: every field checked in one line, parsing, recipes."""

import dataclasses

import pytest

from gatesmith.models.errors import UserError
from gatesmith.models.minsum_net import RECIPES, MinSumConfig


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"code": ""}, "Code must be a name, not ''"),
        ({"code": 3}, "Code must be a name, not 3"),
        ({"update": "maximum"}, "Update must be one of plain, offset, normalised, sum-product"),
        ({"update": []}, "Update must be one of"),
        ({"tying": "row"}, "Tying must be one of edge, check, degree, iteration, scalar"),
        ({"positivity": "abs"}, "Positivity must be one of softplus, relu, not 'abs'"),
        ({"schedule": "serial"}, "Schedule must be one of flooding, layered, not 'serial'"),
        ({"loss": "hinge"}, "Loss must be one of cross-entropy, syndrome, frame-error, not"),
        ({"words": "one"}, "Words must be one of random, zero, not 'one'"),
        ({"iterations": 0}, "Iterations must be between 1 and 1000, not 0"),
        ({"iterations": True}, "Iterations must be between 1 and 1000, not True"),
        ({"iterations": 2.0}, "Iterations must be between 1 and 1000, not 2.0"),
        ({"message_bits": 2}, "Message bits must be between 3 and 8, not 2"),
        ({"message_bits": 9}, "Message bits must be between 3 and 8, not 9"),
        ({"llr_step": 0.0}, "Llr step must be at least 0.000244141 and at most 64, not 0.0"),
        ({"llr_step": 0.12345678}, "Llr step must be a fraction with a denominator up to 4096"),
        ({"llr_step": float("nan")}, "Llr step must be at least .*, not nan"),
        ({"rows": 3}, "Rows must be none unless the schedule is layered, not 3"),
        ({"mix": 1.5}, "Mix must be at least 0 and at most 1, not 1.5"),
        ({"ebn0_low": 7.0}, "Ebn0 low must be at most ebn0_high, 6, not 7.0"),
        ({"ebn0_high": float("inf")}, "Ebn0 high must be at least -20 and at most 40, not inf"),
        ({"learning_rate": 0.0}, "Learning rate must be "),
        ({"start": -1.0}, "Start must be at least 0 and at most 100, not -1.0"),
        ({"relaxation": 1}, "Relaxation must be true or false, not 1"),
        ({"steps": 0}, "Steps must be between"),
        ({"batch": 0}, "Batch must be between"),
        ({"seed": -1}, "Seed must be between"),
        ({"update": "sum-product"}, "Update sum-product needs message_bits=none: .* for 5 bits"),
        ({"relaxation": True}, "Relaxation true needs message_bits=none: .* not for 5 bits"),
    ],
)  # fmt: skip
def test_rejects(values, message):
    with pytest.raises(UserError, match=f"^{message}") as caught:
        MinSumConfig(**values)
    assert "\n" not in str(caught.value)


def test_json_round_trip():
    config = MinSumConfig(code="ccsds-128-64", message_bits=None, relaxation=True, rows=None)
    assert MinSumConfig.from_json(config.to_json()) == config
    with pytest.raises(UserError, match="^Configuration key must be one of .*, not 'colour'"):
        MinSumConfig.from_json({"colour": 3})


def test_parse():
    config = MinSumConfig.parse(
        ["code=bch-63-45", "tying=scalar", "message_bits=none", "relaxation=yes", "llr_step=0.25",
         "start=none", "steps=7"]
    )  # fmt: skip
    assert config == MinSumConfig(
        code="bch-63-45", tying="scalar", message_bits=None, relaxation=True, llr_step=0.25, steps=7
    )
    with pytest.raises(UserError, match="^Setting must be key=value, not 'tying'$"):
        MinSumConfig.parse(["tying"])
    with pytest.raises(UserError, match="^Setting must be one of .*, not 'colour'$"):
        MinSumConfig.parse(["colour=red"])
    with pytest.raises(UserError, match="^Steps must be a number, not 'many'$"):
        MinSumConfig.parse(["steps=many"])
    with pytest.raises(UserError, match="^Relaxation must be true or false, not 'maybe'$"):
        MinSumConfig.parse(["relaxation=maybe"])


def test_recipes():
    for code in ("bch-63-36", "bch-63-45"):
        for tying in ("edge", "iteration", "scalar"):
            config = RECIPES[f"{code}-{tying}"]
            assert (config.code, config.tying, config.message_bits) == (code, tying, 5)
            known = dataclasses.replace(config, message_bits=None)
            assert RECIPES[f"{code}-{tying}-float"] == known
    assert RECIPES["ccsds-128-64"].message_bits == RECIPES["wifi-648-r12"].message_bits == 5
