"""Liberty's Boolean expressions: precedence, values, Verilog."""

from itertools import product

import numpy as np
import pytest

from gatesmith.flows.silicon.expression import parse

CASES = {
    "A": lambda a, b, c: a,
    "!A": lambda a, b, c: not a,
    "A'": lambda a, b, c: not a,
    "(A B)'": lambda a, b, c: not (a and b),
    "A * B + C": lambda a, b, c: (a and b) or c,
    "A + B C": lambda a, b, c: a or (b and c),
    "A | B & !C": lambda a, b, c: a or (b and not c),
    "A ^ B C": lambda a, b, c: (a != b) and c,
    "!A ^ B": lambda a, b, c: (not a) != b,
    "!(A ^ B)'": lambda a, b, c: a != b,
    "((A B)+(B C))+(C A)": lambda a, b, c: a + b + c >= 2,
    "A 1": lambda a, b, c: a,
    "A & 0 | C": lambda a, b, c: c,
}


@pytest.mark.parametrize("text", CASES)
def test_value(text):
    expression = parse(text)
    for bits in product((0, 1), repeat=3):
        values = dict(zip("ABC", bits, strict=True))
        assert expression.value(values, 1) == bool(CASES[text](*bits)), bits


def test_values_of_arrays():
    a, b = (np.array([value], dtype=np.uint64) for value in (0b1100, 0b1010))
    found = parse("!(A & B)").value({"A": a, "B": b}, np.uint64(0xF))
    assert found.tolist() == [0b0111]


def test_truth_and_pins():
    expression = parse("(B & !A)")
    assert expression.pins == ("B", "A")
    assert expression.truth() == 0b0010


def test_verilog():
    names = {"A": "n1", "B": "n2", "C": "1'b0"}
    assert parse("!(A & B) ^ C").verilog(names) == "(~(n1 & n2) ^ 1'b0)"


@pytest.mark.parametrize("text", ["", "A &", "(A", "A)", "A = B", "& A", "A ! ^ B)"])
def test_rejects(text):
    with pytest.raises(ValueError, match="no Boolean expression"):
        parse(text)
