"""Names that the top module of a design may have."""

import re

from gatesmith.models.errors import UserError

__all__ = ["check_name"]

# IEEE 1364-2005, annex B.
KEYWORDS = frozenset(
    """
    always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign
    default defparam design disable edge else end endcase endconfig endfunction endgenerate
    endmodule endprimitive endspecify endtable endtask event for force forever fork function
    generate genvar highz0 highz1 if ifnone incdir include initial inout input instance integer
    join large liblist library localparam macromodule medium module nand negedge nmos nor
    noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1
    pulldown pullup pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat
    rnmos rpmos rtran rtranif0 rtranif1 scalared showcancelled signed small specify specparam
    strong0 strong1 supply0 supply1 table task time tran tranif0 tranif1 tri tri0 tri1 triand
    trior trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor
    """.split()
)
TAKEN = ("tb", "gatesmith_dump")  # modules around the design in a simulation


def check_name(name: str) -> None:
    """UserError unless ``name`` can name the top module in Verilog-2005 and in a simulation."""
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or name in KEYWORDS or name in TAKEN:
        raise UserError(
            f"Name must be a Verilog identifier, no keyword and not {' or '.join(TAKEN)}, "
            f"not {name!r}"
        )
