"""Weights that lie outside of a design: how it asks for them, a burst of words at a time."""

from dataclasses import dataclass

__all__ = ["WeightPort"]


@dataclass(frozen=True, kw_only=True)
class WeightPort:
    """A pair of AXI4-Streams: addresses out, words of a memory in.

    A request is the address of the first word of a burst; the answer is that word and the ones
    behind it, as many as the burst that begins there has. Requests are answered in order. A Spec
    with such a port also has ``weight_words()``, the words of the memory by address, unsigned, and
    ``weight_bursts()``, the length in words of the burst that begins at each legal address.

    Parameters
    ----------
    width : int   Width of a word, bits.
    depth : int   Number of words.
    """

    width: int
    depth: int

    def __post_init__(self) -> None:
        for name in ("width", "depth"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name.title()} must be at least 1, not {getattr(self, name)!r}")

    @property
    def data_width(self) -> int:
        """Width of ``w_axis_tdata`` in bits: whole bytes that hold a word."""
        return 8 * ((self.width + 7) // 8)

    @property
    def address_width(self) -> int:
        """Width of an address, bits."""
        return max(1, (self.depth - 1).bit_length())

    @property
    def request_width(self) -> int:
        """Width of ``r_axis_tdata`` in bits: whole bytes that hold an address."""
        return 8 * ((self.address_width + 7) // 8)
