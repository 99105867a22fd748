"""Cells of a library: units, axes in either order, conditions, broken descriptions."""

import numpy as np
import pytest
from tiny_cells import tiny_library, tiny_text

from gatesmith.flows.silicon.liberty import parse_group, read_library
from gatesmith.flows.silicon.tables import Table, read_cell
from gatesmith.models.errors import UserError


@pytest.fixture
def library(tmp_path):
    return tiny_library(tmp_path)


def test_library_head(library):
    assert library.timed and library.voltage == 2.0
    assert library.corner == "typical, 2 V, 25 °C"
    assert library.scale("capacitive_load_unit") == 1e-15
    assert library.nand2_area == 2.0 and library.flip_flops == {"DFF"}


def test_pins_and_functions(library):
    cell = read_cell(library, "NAND2")
    assert [pin.name for pin in cell.inputs] == ["A", "B"]
    assert cell.pins["A"].capacitances == (2.0, 4.0) and cell.pins["B"].capacitances == (3.0, 3.0)
    assert cell.pins["Y"].function.truth() == 0b0111
    assert cell.leakage == 6.0
    assert [(when.pins, value) for when, value in cell.states] == [
        (("A", "B"), 4.0),
        (("A",), 10.0),
    ]


def test_flip_flop(library):
    cell = read_cell(library, "DFF")
    assert cell.flip_flop.state == "IQ" and cell.clock == "CK"
    (setup,) = cell.pins["D"].setups
    assert float(setup.times[1](0.0, 0.5)) == pytest.approx(0.55)


def test_delays_have_slews_as_rows_whatever_the_order_in_the_file(library):
    (arc,) = read_cell(library, "INV").pins["Y"].delays
    delay = arc.delays[0]
    assert float(delay(0.5, 10.0)) == pytest.approx(0.1 + 0.5 + 0.1)
    assert float(arc.slews[0](0.5, 5.0)) == pytest.approx(0.1)
    # Beyond its points a table goes on as it ended.
    assert float(delay(2.0, 20.0)) == pytest.approx(0.1 + 2.0 + 0.2)


def test_table_of_many_points():
    table = Table(
        np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0]), np.array([[0, 2], [1, 3], [3, 5]])
    )
    row, column = np.array([0.5, 2.0, 4.0]), np.array([1.0, 0.5, 2.0])
    assert table(row, column).tolist() == [1.5, 2.5, 6.0]


def test_units_are_converted(tmp_path):
    text = tiny_text().replace('time_unit : "1ns"', 'time_unit : "10ps"')
    text = text.replace("capacitive_load_unit (1, ff)", "capacitive_load_unit (0.5, pf)")
    path = tmp_path / "other.lib"
    path.write_text(text)
    cell = read_cell(read_library(path), "INV")
    assert cell.pins["A"].capacitances == pytest.approx((1000.0, 1000.0))
    (arc,) = cell.pins["Y"].delays
    assert float(arc.delays[0](0.005, 5000.0)) == pytest.approx(0.01 * (0.1 + 0.5 + 0.1))
    # Energy has no unit of its own: it is that of capacitance times volt squared.
    (power,) = cell.pins["Y"].powers
    assert float(power.energies[0][0](0.0, 0.0)) == pytest.approx(3 * 500)


def test_energies_of_several_supplies_add_up(tmp_path):
    text = tiny_text()
    first = text.index("internal_power () { related_pin : A;")
    end = text.index("}", text.index("fall_power", first)) + 1
    group = text[first : text.index("}", end) + 1]
    path = tmp_path / "two.lib"
    path.write_text(text.replace(group, group + " " + group, 1))
    (power,) = read_cell(read_library(path), "INV").pins["Y"].powers
    assert sum(float(table(0, 0)) for table in power.energies[0]) == 6.0


@pytest.mark.parametrize(
    "old, new, message",
    [
        ('time_unit : "1ns";', "", "must give time_unit as '1ns' or so, but it is missing"),
        ('"1nW"', '"watt"', "must give leakage_power_unit as '1ns' or so, not 'watt'"),
        ('function : "!A"', 'function : "!A &"', "cell INV is damaged: no Boolean expression"),
        ('values ("3, 3", "3, 3")', 'values ("3, 3")', "damaged: rise_power has 2 values for a"),
        ('index_1 ("0, 10")', 'index_1 ("10, 0")', "damaged: cell_rise has an index that does not"),
        ('values ("0.1, 1.1"', 'values ("0.1, much"', "damaged: could not convert string to float"),
        ("variable_2 : input_net_transition", "variable_2 : frequency", "variable 'frequency'"),
    ],
)
def test_rejects_a_broken_cell(tmp_path, old, new, message):
    text = tiny_text()
    assert old in text
    path = tmp_path / "broken.lib"
    path.write_text(text.replace(old, new))
    with pytest.raises(UserError, match="Liberty library .*broken.lib") as caught:
        read_cell(read_library(path), "INV")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_rejects_a_missing_voltage(tmp_path):
    path = tmp_path / "broken.lib"
    path.write_text(tiny_text().replace("nom_voltage : 2.0;", ""))
    with pytest.raises(UserError, match="must give nom_voltage above 0, but it is missing"):
        _ = read_library(path).voltage


def test_parse_group_reads_attributes_without_semicolons():
    group = parse_group(
        'cell (X) { area : 3 ; define (a, b, c) other (1, 2); pin (A) { x : "y z"; } }', "it"
    )
    assert group.get("area") == "3" and group.attributes["other"] == ("1", "2")
    assert next(group.all("pin")).get("x") == "y z"


@pytest.mark.parametrize("text", ["", "cell", "cell (X) { area : 1;", "{ }"])
def test_parse_group_rejects(text):
    with pytest.raises(UserError, match="it is damaged"):
        parse_group(text, "it")
