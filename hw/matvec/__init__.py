"""A constant integer matrix times a vector, fully parallel: adder graphs and their Verilog."""

from gatesmith.hw.matvec.graph import AdderGraph
from gatesmith.hw.matvec.sharing import adder_graph
from gatesmith.hw.matvec.text import MatVec, matvec_verilog

__all__ = ["AdderGraph", "MatVec", "adder_graph", "matvec_verilog"]
