"""LDPC codes of standards, by name."""

import numpy as np

from gatesmith.models.codes.code import Code
from gatesmith.models.codes.quasi_cyclic import lift, table

__all__ = ["LDPC", "ldpc"]

# Table and Z of each code; its first n - m bits are information.
LDPC = {
    "ccsds-128-64": ("ccsds-128-64", 16),
    "wifi-648-r12": ("wifi-648-r12", 27),
    "wifi-648-r23": ("wifi-648-r23", 27),
    "wifi-648-r34": ("wifi-648-r34", 27),
    "wifi-648-r56": ("wifi-648-r56", 27),
}


def ldpc(name: str) -> Code:
    """The LDPC code of a standard."""
    table_name, size = LDPC[name]
    checks, variables = lift(table(table_name), size)
    n = int(variables.max()) + 1
    return Code(
        name=name,
        n=n,
        checks=checks,
        variables=variables,
        information=np.arange(n - int(checks[-1]) - 1),
        lifting=size,
    )
