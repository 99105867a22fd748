"""Binary linear codes as parity-check matrices: algebraic, of standards, of the user's files."""

from gatesmith.models.codes.bch import bch
from gatesmith.models.codes.code import Code
from gatesmith.models.codes.names import code
from gatesmith.models.codes.standards import ldpc

__all__ = ["Code", "bch", "code", "ldpc"]
