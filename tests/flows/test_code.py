"""``gatesmith code``."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from gatesmith.flows import code
from gatesmith.models.codes import Code

CCSDS = """\
name: ccsds-128-64
n: 128
k: 64
checks: 64
rank: 64
edges: 512
check degrees: 8 (64)
variable degrees: 3 (64), 5 (64)
girth: 6
4-cycles: 0
rows are cyclic shifts: no
lifting: 16
"""


def test_prints_a_line_a_figure(gatesmith: Callable) -> None:
    outcome = gatesmith("code", "ccsds-128-64")
    assert outcome.code == 0 and outcome.out == CCSDS and outcome.err == ""


def test_figures_of_other_codes(tmp_path: Path) -> None:
    figures = code("bch-63-36")
    assert figures["rows are cyclic shifts"] == "yes" and figures["4-cycles"] == 5909
    assert "punctured" not in figures
    figures = code("nr-512-1024")
    assert figures["edges"] == 12608 and figures["lifting"] == 64
    assert [figures[key] for key in ("punctured", "shortened", "sent")] == [2176, 128, 1024]
    assert code("bch-127-64")["variable degrees"] == "1 to 33, mean 16.9"
    tree = tmp_path / "tree.alist"
    Code.from_matrix(np.array([[1, 1, 0], [0, 1, 1]])).to_alist(tree)
    assert code(str(tree))["girth"] == "no cycles"


def test_writes_an_alist(gatesmith: Callable, tmp_path: Path) -> None:
    path = tmp_path / "new" / "ccsds.alist"
    outcome = gatesmith("code", "ccsds-128-64", "-o", path)
    assert outcome.out == f"{CCSDS}wrote {path}\n"
    again = gatesmith("code", path)
    assert again.out == CCSDS.replace("ccsds-128-64", "ccsds").replace("lifting: 16", "lifting: 1")


def test_refuses(gatesmith: Callable, tmp_path: Path) -> None:
    gatesmith("code").check_refused("NAME")
    gatesmith("code", "ccsds").check_refused("'ccsds'", "did you mean 'ccsds-128-64'")
    gatesmith("code", "bch-63-37").check_refused("k of a BCH code", "36", "37")
    gatesmith("code", tmp_path / "none.alist").check_refused("none.alist", "no such file")
    bad = tmp_path / "bad.alist"
    bad.write_text("2 1\n1 2\n1 1\n2\n1\n1\n1 3\n")
    gatesmith("code", bad).check_refused("bad.alist", "line 7", "'1 3'", "each 1 to 2")
    bad.write_text("2 1\n1 2\n1 0\n1\n1\n0\n1 0\n")
    gatesmith("code", bad).check_refused("line 3", "found '1 0'", "each 1 to 1")


def test_refuses_a_place_and_leaves_nothing(gatesmith: Callable, tmp_path: Path) -> None:
    gatesmith("code", "bch-15-7", "-o", tmp_path / "x.txt").check_refused("*.alist")
    file = tmp_path / "file"
    file.write_text("")
    gatesmith("code", "bch-15-7", "-o", file / "x.alist").check_refused("not a folder")
    gatesmith("code", "nonsense", "-o", tmp_path / "x.alist").check_refused("'nonsense'")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
