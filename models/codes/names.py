"""Codes by one string, as the command line gives them."""

import re
from difflib import get_close_matches
from pathlib import Path

from gatesmith.models.codes.bch import bch
from gatesmith.models.codes.code import Code
from gatesmith.models.codes.standards import LDPC, NR, ldpc
from gatesmith.models.errors import UserError

__all__ = ["code"]

EXAMPLES = (
    *LDPC,
    *("bch-15-11", "bch-31-16", "bch-63-36", "bch-63-45", "bch-63-51", "bch-127-106"),
    *("nr-64-128", "nr-128-256", "nr-256-512", "nr-512-1024", "nr-512-1024-trim"),
)


def code(name: str) -> Code:
    """The code of a name, as ``bch-63-36``, ``ccsds-128-64`` or ``nr-64-128``, or of an alist
    file.

    A path ends in .alist or has a folder in it. UserError for what is neither.
    """
    if found := re.fullmatch(r"bch-(\d+)-(\d+)", name, re.ASCII):
        return bch(int(found[1]), int(found[2]))
    if name in LDPC or re.fullmatch(NR, name, re.ASCII):
        return ldpc(name)
    if name.endswith(".alist") or Path(name).name != name:
        return Code.from_alist(name)
    meant = name.lower().replace("_", "-")
    close = [each for each in EXAMPLES if meant and each.startswith(meant)]
    close += get_close_matches(meant, EXAMPLES, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise UserError(
        f"Code must be bch-N-K, nr-K-N[-trim], one of {', '.join(LDPC)}, or an alist file, "
        f"not {name!r}{hint}"
    )
