import re

import pytest
from lstm_designs import random_spec

from gatesmith.families import FAMILIES
from gatesmith.models.lstm import operations, parts


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"memory": "sram", "state": True, "batch": 2},
        {"one_hot": True, "sizes": (5, 8, 3), "memory": "stream"},
        {"sizes": (5, 8, 4, 6, 3), "every_step": True},
    ],
)
def test_parts_are_the_instances_of_the_verilog(options):
    spec = random_spec(1, name="chip", **options)
    modules = re.findall(r"^module \\?chip(?:\.([\w.]+))?", FAMILIES["lstm"].verilog(spec), re.M)
    instances = {name for name in modules if not re.search("_(rom|sram|flipflop)$", name)}
    assert instances == set(parts(spec))
    words = list(parts(spec).values())
    assert all(words) and len(words) == len(set(words)), "no two parts have one name"


def test_operations_of_the_longest_frame():
    spec = random_spec(1, (5, 8, 6, 3), steps=4)
    assert operations(spec) == 4 * (32 * (5 + 8) + 24 * (8 + 6)) + 3 * 6
    spec = random_spec(1, (5, 8, 3), steps=4, one_hot=True, every_step=True, batch=2)
    assert operations(spec) == 2 * 4 * (32 * (1 + 8) + 3 * 8)
