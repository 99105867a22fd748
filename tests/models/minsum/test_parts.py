import re

import pytest
from minsum_designs import code_spec

from gatesmith.families import FAMILIES
from gatesmith.models.codes import code
from gatesmith.models.minsum import OPERATION, operations, parts

BCH = code("bch-63-36")


@pytest.mark.parametrize(
    "name, options",
    [
        ("bch-63-36", {}),
        ("bch-63-36", {"schedule": "layered", "posteriors": True}),
        ("ccsds-128-64", {"schedule": "layered", "memory": "sram", "rows_per_clock": 16}),
    ],
)
def test_parts_are_the_instances_of_the_verilog(name, options):
    spec = code_spec(code(name), name="chip", **options)
    modules = re.findall(
        r"^module \\?chip(?:\.([\w.]+))?[ (]", FAMILIES["minsum"].verilog(spec), re.M
    )
    assert {one for one in modules if not one.endswith("_sram")} == set(parts(spec))
    words = list(parts(spec).values())
    assert all(words) and len(words) == len(set(words)), "no two parts have one name"


def test_operations_are_edges_times_iterations():
    assert operations(code_spec(BCH, iterations=5)) == 486 * 5
    assert OPERATION
