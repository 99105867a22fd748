"""What the recipes make of one design, side by side."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from gatesmith.flows.silicon.full_adder import adder_cells
from gatesmith.flows.silicon.liberty import Library
from gatesmith.flows.silicon.mapping import Mapping as Mapped
from gatesmith.flows.silicon.netlist import read_netlist
from gatesmith.flows.silicon.timing import analyse

__all__ = ["print_recipes"]


def print_recipes(mappings: Mapping[str, Mapped], library: Library, console: Console) -> None:
    """Area and shortest clock period of a design by recipe, side by side.

    ``mappings`` is what :func:`gatesmith.flows.silicon.mapping.map_design` made by each recipe. A
    library without delays has no periods.
    """
    area = ["µm²"] if library.unit == "um2" else []
    table = Table(title="Recipes", title_justify="left")
    table.add_column("recipe")
    for column in (*area, "GE", "full adders", "half adders", "period ns"):
        table.add_column(column, justify="right")
    cells = adder_cells(library)
    for recipe, mapping in mappings.items():
        report = mapping.report
        full, half = (
            report.mapped_cells.get(cell.name, 0) if cell else 0
            for cell in (cells.full, cells.half)
        )
        total = report.total.area
        row = [f"{total:,.1f}"] * len(area) + [f"{report.gate_equivalents(total):,.1f}"]
        period = "–"
        if library.timed:
            netlist = read_netlist(mapping.netlist, report.name, library)
            period = f"{analyse(netlist).period:.3f}"
        table.add_row(recipe, *row, f"{full:,}", f"{half:,}", period)
    console.print(table)
