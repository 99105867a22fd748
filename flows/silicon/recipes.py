"""The scripts of Yosys that map a design, one a recipe."""

from gatesmith.flows.silicon.full_adder import ADDERS, MAPS

__all__ = ["ABC_SIZING", "CELLS", "GATES", "LOAD", "MEMORY", "RECIPES", "SCRIPTS"]

MEMORY = "gatesmith_memory"  # how the names of modules begin that memories are gathered in

# The script of Yosys with ifraig for its SAT sweep (&fraig -x), which does not finish on the XORs
# of an LFSR that looks far ahead. Commas stand for blanks.
ABC = "+strash;ifraig;dc2;strash;&get,-n;&dch,-f;&nf;&put"
# Buffers for nets of high fan-out, and cells of the strength that their loads want.
ABC_SIZING = ";buffer,-c;topo;stime,-p;upsize;dnsize;stime,-p"

# After reading, with the borders set. {library}, {avoid} and {sizing} are filled in.
FLIP_FLOPS = "t:$_*DFF*_ t:$_DLATCH*_ t:$_SR_*_"
GATES = (
    "# As 'synth' does it, without its fsm and share passes, which change nothing here.",
    *"opt_expr; opt_clean; opt -nodffe -nosdff; opt; wreduce; peepopt; opt_clean".split("; "),
    *"alumacc; opt; memory -nomap; opt_clean; opt -fast -full; memory_map; opt -full".split("; "),
    *"design -save words; techmap; opt -fast; design -save gates".split("; "),
    "# Generic gates. ABC sees no flip-flops, or it would run once for every clock enable.",
    f"select t:$_*_ {FLIP_FLOPS.replace(' ', ' %d ')} %d",
    f'abc -script "{ABC}"',
    *"select -clear; opt_clean".split("; "),
    "tee -q -o reports/area.generic.json stat -json",
    "# Transistors of the gates alone: the estimate knows few kinds of flip-flops.",
    f"delete {FLIP_FLOPS}",
    "tee -q -o reports/area.cmos.json stat -json -tech cmos",
)
LOAD = {"default": ("design -load gates",), "full-adder": ("design -load words", *ADDERS)}
CELLS = (
    "# Enables become multiplexers: ABC buffers what it sees, and one may drive a thousand. But in",
    "# memories of flip-flops each word has its own.",
    f"dffunmap -ce-only * {MEMORY}* %d",
    "dfflibmap{avoid} -liberty {library}",
    f'abc -script "{ABC}{{sizing}}"{{avoid}} -liberty {{library}}{{constr}}',
    *"opt_clean; rename -enumerate".split("; "),
    "tee -q -o reports/area.mapped.json stat -json",
    "write_verilog -noattr reports/netlist.v",
    "# The same without borders, to be timed and simulated.",
    *"setattr -mod -unset keep_hierarchy *; flatten -noscopeinfo".split("; "),
    "write_json reports/netlist.json",
)
RECIPES = tuple(LOAD)
# All that decides a result, beside the borders and the cells that a library has.
SCRIPTS = {name: (*GATES, *LOAD[name], *CELLS, ABC_SIZING, MAPS) for name in RECIPES}
