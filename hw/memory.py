"""Memories, named after what they are built from so that synthesis can list them apart."""

from collections.abc import Iterable

from amaranth.hdl import Const, Module, Signal, Value, unsigned
from amaranth.lib.memory import Memory

__all__ = ["add_memory", "lookup"]


def add_memory(
    m: Module, name: str, kind: str, width: int, depth: int, init: Iterable[int] = ()
) -> Memory:
    """Add a memory of ``depth`` unsigned words as the submodule ``<name>_<kind>``.

    ``kind`` is ``rom``, ``flipflop`` or ``sram``. At least two words, since an address of no
    bits is legal Verilog for few tools.
    """
    mask = (1 << width) - 1
    words = [int(word) & mask for word in init]
    memory: Memory = Memory(shape=unsigned(width), depth=max(2, depth), init=words)
    m.submodules[f"{name}_{kind}"] = memory
    return memory


def lookup(m: Module, name: str, width: int, words: list[int], index: Value) -> Value:
    """Word of a constant table in the same clock; a table of equal words needs no memory."""
    if len(set(words)) == 1:
        return Const(words[0], width)
    port = add_memory(m, name, "rom", width, len(words), words).read_port(domain="comb")
    m.d.comb += port.addr.eq(index)
    found = Signal(width, name=name)
    m.d.comb += found.eq(port.data)
    return found
