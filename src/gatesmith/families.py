"""The table of families: what Gatesmith can lower, and where each part lives.

A family has one name in every layer. Modules are imported when a part is asked for, so that the
golden models never load torch or Amaranth.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from gatesmith.models.errors import UserError

__all__ = ["FAMILIES", "Family", "family"]


@dataclass(frozen=True, kw_only=True)
class Family:
    """One family.

    Parameters
    ----------
    name : str       As on the command line.
    title : str      One line that says what it computes.
    paper : str      The paper it follows.
    module : str     Name of its module in ``models`` and ``hw``, and of ``<module>_net``.
    prefix : str     Of its classes: ``<prefix>Spec``, ``<prefix>Config``, ``<prefix>`` (the Core).
    network : str    Name of its PyTorch module.
    """

    name: str
    title: str
    paper: str
    module: str
    prefix: str
    network: str

    @property
    def models(self) -> Any:
        """Module of the Spec, ``golden``, ``timing`` and ``faults``; NumPy only."""
        return import_module(f"gatesmith.models.{self.module}")

    @property
    def net(self) -> Any:
        """Module of the PyTorch network, its training and ``lower``; imports torch."""
        return import_module(f"gatesmith.models.{self.module}_net")

    @property
    def spec(self) -> Any:
        """Class of the Spec."""
        return getattr(self.models, f"{self.prefix}Spec")

    def core(self, spec: Any) -> Any:
        """The Core of a Spec, with its ``shared`` modules; imports Amaranth."""
        return getattr(import_module(f"gatesmith.hw.{self.module}"), self.prefix)(spec)

    def verilog(self, spec: Any) -> str:
        """Verilog of a Spec: its Core in the AXI4-Stream shell; imports Amaranth."""
        core = self.core(spec)
        shell = import_module("gatesmith.hw.axi").AxiStreamShell(
            core,
            input_format=spec.input_format,
            output_format=spec.output_format,
            config_format=spec.config_format,
            weight_port=spec.weight_port,
        )
        return import_module("gatesmith.hw.verilog").verilog(shell, spec.name, core.shared)


FAMILIES = {
    entry.name: entry
    for entry in (
        Family(
            name="sparse-mlp",
            title="multilayer perceptron whose connections an LFSR keeps or drops",
            paper="Ardakani, Condo, Gross, Sparsely-Connected Neural Networks, ICLR 2017",
            module="sparse_mlp",
            prefix="SparseMLP",
            network="SparseMLP",
        ),
        Family(
            name="lstm",
            title="LSTM of binary, ternary or integer weights that skips zero states",
            paper="Ardakani et al., Learning Recurrent Binary/Ternary Weights, ICLR 2019, and "
            "Learning to Skip Ineffectual Recurrent Computations in LSTMs, DATE 2019",
            module="lstm",
            prefix="LSTM",
            network="LowBitLSTM",
        ),
        Family(
            name="minsum",
            title="min-sum decoder of any parity-check matrix, with learned offsets or scales",
            paper="Lugosch and Gross, Neural Offset Min-Sum Decoding, ISIT 2017, and Nachmani et "
            "al., Deep Learning Methods for Improved Decoding of Linear Codes, JSTSP 2018",
            module="minsum",
            prefix="MinSum",
            network="MinSumDecoder",
        ),
    )
}


def family(name: str) -> Family:
    """The family of that name; UserError that names the nearest when there is none."""
    if name in FAMILIES:
        return FAMILIES[name]
    near = get_close_matches(name, FAMILIES, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(sorted(FAMILIES))}"
    raise UserError(f"Unknown family {name!r}: {hint}")
