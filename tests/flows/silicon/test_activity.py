"""VCD files become bits by clock; nets follow from flip-flops and inputs."""

import numpy as np
import pytest
from tiny_cells import netlist, tiny_library

from gatesmith.flows.silicon.activity import evaluate, read_vcd
from gatesmith.models.errors import UserError

HEAD = """$timescale 1ps $end
$scope module top $end
$var wire 1 ! clk $end
$var reg 1 " q $end
$var wire 4 # bus [3:0] $end
$upscope $end
$enddefinitions $end
"""
# q changes before the clock in the text of its time step, as simulators may write it.
BODY = """#0
$dumpvars
0!
x"
bx #
$end
#5
1"
1!
b101 #
#10
0!
#15
1!
#17
b1 #
#20
0!
#25
0"
1!
bz01 #
"""


def test_values_after_each_edge(tmp_path):
    path = tmp_path / "a.vcd"
    path.write_text(HEAD + BODY)
    waves = read_vcd(path, "clk")
    assert waves.clocks == 3
    assert waves.values["q"][:, 0].tolist() == [True, True, False]
    assert not waves.unknown["q"].any()
    # Bit 0 first; the last value before the next edge counts; z is extended.
    assert waves.values["bus"].tolist() == [
        [True, False, True, False],
        [True, False, False, False],
        [True, False, False, False],
    ]
    assert waves.unknown["bus"][2].tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "'clk'"),
        (HEAD.replace("clk", "tick") + BODY, "'clk'"),
        (HEAD + "#0\n0!\n", "the clock never rises"),
        (HEAD + "#0\n0!\n#5\n1?\n", r"'\?'"),
    ],
)
def test_rejects(tmp_path, text, reason):
    path = tmp_path / "a.vcd"
    path.write_text(text)
    with pytest.raises(UserError, match=rf"a.vcd must be a VCD with the clock 'clk': .*{reason}"):
        read_vcd(path, "clk")


def test_rejects_a_missing_file(tmp_path):
    with pytest.raises(UserError, match="must be a VCD with the clock 'clk'"):
        read_vcd(tmp_path / "none.vcd", "clk")


def test_nets_follow_from_states(tmp_path):
    library = tiny_library(tmp_path)
    design = netlist(
        library,
        {"clk": ("input", [2]), "a": ("input", [3]), "y": ("output", [7])},
        {
            "f": ("DFF", {"CK": 2, "D": 3, "Q": 4}),
            "n": ("NAND2", {"A": 4, "B": 3, "Y": 5}),
            "i": ("INV", {"A": 5, "Y": 6}),
            "m": ("NAND2", {"A": 6, "B": "1", "Y": 7}),
        },
        {"q": 4, "n1": 5, "n2": 6},
    )
    rng = np.random.default_rng(1)
    clocks = 200
    states = np.zeros((design.nets, clocks), dtype=bool)
    a, q = rng.random((2, clocks)) < 0.5
    net = {name: design.net_names.index(name) for name in ("a", "q", "n1", "n2", "y")}
    states[net["a"]], states[net["q"]] = a, q
    begin, end = 3, 190
    activity = evaluate(design, states, begin, end)
    assert activity.clocks == end - begin
    wanted = {"n1": ~(q & a), "n2": q & a, "y": ~(q & a)}
    for name, bits in wanted.items():
        now, before = bits[begin:end], bits[begin - 1 : end - 1]
        row, past = activity.bits[net[name]], activity.before[net[name]]
        assert activity.count(row) == now.sum()
        assert activity.count(row & ~past) == (now & ~before).sum()
        assert activity.count(past & ~row) == (before & ~now).sum()
