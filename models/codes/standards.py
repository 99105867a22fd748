"""LDPC codes of standards, by name."""

import re

import numpy as np

from gatesmith.models.codes.code import Code
from gatesmith.models.codes.nr import nr
from gatesmith.models.codes.quasi_cyclic import lift, table
from gatesmith.models.errors import UserError

__all__ = ["LDPC", "NR", "ldpc"]

NR = r"nr-(\d+)-(\d+)(-trim)?"

# Table, the Z that its shifts are for, and Z of each code; the first n - m bits are information.
LDPC = {
    "ccsds-128-64": ("ccsds-128-64", 16, 16),
    "wifi-648-r12": ("wifi-648-r12", 27, 27),
    "wifi-648-r23": ("wifi-648-r23", 27, 27),
    "wifi-648-r34": ("wifi-648-r34", 27, 27),
    "wifi-648-r56": ("wifi-648-r56", 27, 27),
    "wimax-576-r12": ("wimax-r12", 96, 24),
    "wimax-576-r34b": ("wimax-r34b", 96, 24),
    "wimax-576-r56": ("wimax-r56", 96, 24),
}


def ldpc(name: str) -> Code:
    """The LDPC code of a standard: a name of ``LDPC``, or of 5G, ``nr-K-N`` or ``nr-K-N-trim``.

    UserError for another name; see :func:`gatesmith.models.codes.nr.nr` for those of 5G.
    """
    if found := re.fullmatch(NR, name, re.ASCII):
        return nr(int(found[1]), int(found[2]), trim=bool(found[3]))
    if name not in LDPC:
        raise UserError(
            f"LDPC code must be one of {', '.join(LDPC)} or nr-K-N[-trim], not {name!r}"
        )
    table_name, of_table, size = LDPC[name]
    rows, columns, shifts = table(table_name)
    checks, variables = lift(np.stack([rows, columns, shifts * size // of_table]), size)
    m, n = (int(rows.max()) + 1) * size, (int(columns.max()) + 1) * size
    return Code(
        name=name,
        n=n,
        checks=checks,
        variables=variables,
        information=np.arange(n - m),
        lifting=size,
    )
