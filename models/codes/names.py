"""Codes by one string, as the command line gives them."""

import re
from difflib import get_close_matches
from pathlib import Path

from gatesmith.models.codes.bch import bch
from gatesmith.models.codes.code import Code
from gatesmith.models.codes.standards import LDPC, ldpc
from gatesmith.models.errors import UserError

__all__ = ["code"]


def code(name: str) -> Code:
    """The code of a name such as ``bch-63-36`` or ``ccsds-128-64``, or of the path of an alist file.

    UserError for what is neither.
    """
    if name.endswith(".alist"):
        return Code.from_alist(name)
    if found := re.fullmatch(r"bch-(\d+)-(\d+)", name):
        return bch(int(found[1]), int(found[2]))
    if name in LDPC:
        return ldpc(name)
    known = [*LDPC, "bch-63-36", "bch-63-45", "bch-127-106"]
    close = get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise UserError(
        f"Code must be one of {', '.join(known)} or the path of an alist file, not {name!r}{hint}"
    )
