"""A tiny cell library whose figures can be reckoned by hand, and netlists of it."""

import gzip
import json
from pathlib import Path

from gatesmith.flows.silicon.liberty import Library, read_library
from gatesmith.flows.silicon.netlist import Netlist, read_netlist

# Times in ns, capacitances in fF, energies in fJ at 2 V. Delays are 0.1 + slew + 0.01 load (load in
# fF), of the NAND's fall twice that; slews out are 0.02 load. Energy is 3 a rise and 5 a fall.
TEMPLATE = """
library (tiny) {
  time_unit : "1ns"; voltage_unit : "1V"; leakage_power_unit : "1nW";
  capacitive_load_unit (1, ff);
  nom_voltage : 2.0; nom_temperature : 25; default_operating_conditions : typical;
  lu_table_template (delay) {
    variable_1 : total_output_net_capacitance; variable_2 : input_net_transition;
    index_1 ("0, 10"); index_2 ("0, 1");
  }
  power_lut_template (energy) {
    variable_1 : input_transition_time; variable_2 : total_output_net_capacitance;
    index_1 ("0, 1"); index_2 ("0, 10");
  }
  lu_table_template (setup) {
    variable_1 : related_pin_transition; variable_2 : constrained_pin_transition;
    index_1 ("0, 1"); index_2 ("0, 1");
  }
  cell (INV) {
    area : 1; cell_leakage_power : 7;
    pin (A) { direction : input; capacitance : 2; }
    pin (Y) { direction : output; function : "!A"; ARC(A, negative_unate, 1) }
  }
  cell (BUF) {
    area : 2; cell_leakage_power : 1;
    pin (A) { direction : input; capacitance : 2; }
    pin (Y) { direction : output; function : "A"; ARC(A, positive_unate, 1) }
  }
  cell (NAND2) {
    area : 2;
    leakage_power () { when : "A & B"; value : 4; }
    leakage_power () { when : "!A"; value : 10; }
    cell_leakage_power : 6;
    pin (A) { direction : input; rise_capacitance : 2; fall_capacitance : 4; }
    pin (B) { direction : input; capacitance : 3; }
    pin (Y) { direction : output; function : "!(A & B)";
      ARC(A, negative_unate, 2) ARC(B, negative_unate, 2) }
  }
  cell (DFF) {
    area : 8; cell_leakage_power : 20;
    ff (IQ, IQN) { next_state : "D"; clocked_on : "CK"; }
    pin (D) {
      direction : input; capacitance : 1;
      timing () {
        related_pin : "CK"; timing_type : setup_rising;
        rise_constraint (setup) {
          index_1 ("0, 1"); index_2 ("0, 1"); values ("0.3, 0.4", "0.3, 0.4"); }
        fall_constraint (setup) {
          index_1 ("0, 1"); index_2 ("0, 1"); values ("0.5, 0.6", "0.5, 0.6"); }
      }
      internal_power () {
        rise_power (scalar) { values ("1"); } fall_power (scalar) { values ("2"); }
      }
    }
    pin (CK) {
      direction : input; clock : true; capacitance : 6;
      internal_power () { when : "D & !Q | !D & Q";
        rise_power (scalar) { values ("11"); } fall_power (scalar) { values ("13"); } }
      internal_power () { when : "D & Q | !D & !Q";
        rise_power (scalar) { values ("17"); } fall_power (scalar) { values ("19"); } }
    }
    pin (Q) {
      direction : output; function : "IQ";
      timing () {
        related_pin : "CK"; timing_type : rising_edge; timing_sense : non_unate;
        TABLES(1)
      }
      internal_power () { related_pin : "CK"; ENERGY }
    }
  }
}
"""
TABLE = """{ index_1 ("0, 10"); index_2 ("0, 1"); values ("%g, %g", "%g, %g"); }"""
ENERGY = """
  rise_power (energy) { index_1 ("0, 1"); index_2 ("0, 10"); values ("3, 3", "3, 3"); }
  fall_power (energy) { index_1 ("0, 1"); index_2 ("0, 10"); values ("5, 5", "5, 5"); }"""


def _tables(fall: float) -> str:
    def delay(k: float) -> str:
        return TABLE % tuple(k * value for value in (0.1, 1.1, 0.2, 1.2))

    slew = TABLE % (0, 0, 0.2, 0.2)
    return (
        f"cell_rise (delay) {delay(1)} cell_fall (delay) {delay(fall)}"
        f" rise_transition (delay) {slew} fall_transition (delay) {slew}"
    )


def _arc(pin: str, sense: str, fall: float) -> str:
    return (
        f"timing () {{ related_pin : {pin}; timing_sense : {sense}; {_tables(fall)} }}"
        f" internal_power () {{ related_pin : {pin}; {ENERGY} }}"
    )


def tiny_text() -> str:
    """The library's text."""
    text = TEMPLATE.replace("TABLES(1)", _tables(1)).replace("ENERGY }", ENERGY + " }")
    for fall in (1, 2):
        for sense in ("negative_unate", "positive_unate"):
            for pin in "AB":
                text = text.replace(f"ARC({pin}, {sense}, {fall})", _arc(pin, sense, fall))
    return text


def tiny_library(folder: Path) -> Library:
    """The library, read from a file in the folder."""
    path = folder / "tiny.lib"
    path.write_text(tiny_text())
    return read_library(path)


def netlist(library: Library, ports: dict, cells: dict, names: dict | None = None) -> Netlist:
    """A netlist as Yosys would describe it.

    ``ports`` is name to (direction, nets), ``cells`` name to (type, pin to net), ``names`` more
    names of nets. Nets are numbers from 2 on, or "0" and "1".
    """
    module = {
        "ports": {name: {"direction": way, "bits": bits} for name, (way, bits) in ports.items()},
        "cells": {
            name: {"type": kind, "connections": {pin: [net] for pin, net in pins.items()}}
            for name, (kind, pins) in cells.items()
        },
        "netnames": {
            name: {"bits": bits}
            for name, bits in {
                **{name: bits for name, (_, bits) in ports.items()},
                **{name: [net] for name, net in (names or {}).items()},
            }.items()
        },
    }
    text = json.dumps({"modules": {"top": module}})
    return read_netlist(gzip.compress(text.encode()), "top", library)
