"""Mask bits out of an LFSR state, and the state after them, written as Verilog."""

from gatesmith.models.sparse_mlp import SparseLayer

__all__ = ["mask_name", "mask_verilog"]


def mask_name(prefix: str, layer: SparseLayer, count: int) -> str:
    """Name of the module, the same for layers that can share it."""
    taps = "_".join(str(tap) for tap in layer.taps)
    return f"{prefix}_mask_t{taps}_l{layer.leap}_b{count}_p{layer.threshold}"


_MODULE = """\
module {name}(state, kept, after);
  input [{width}-1:0] state;   // LFSR state of an input
  output [{count}-1:0] kept;   // bit k: the input k after that is kept
  output [{width}-1:0] after;  // state of the first input after these
  function [{count}+{width}-1:0] ahead;
    input [{width}-1:0] from;
    reg [{length}-1:0] bits;  // what the register shifts out, the oldest on top
    begin
{body}
    end
  endfunction
  assign {{after, kept}} = ahead(state);
endmodule
"""


def mask_verilog(name: str, layer: SparseLayer, count: int) -> str:
    """Verilog of a leap-forward LFSR with ``count`` comparators, combinational.

    It is most of a lane and the same in all lanes of a layer, so that they instantiate it by name.
    It is a function, in plain Verilog: a simulator then evaluates it once when the state changes.
    As a net of expressions, each level of XORs sends its changes on before the others have
    settled, and Icarus takes ten times longer for a whole design that looks far ahead.

    A Fibonacci LFSR shifts left, the XOR of its taps enters bit 0, and a state is a window on the
    sequence that it shifts out, so that only the bits of that sequence need logic. The recurrence
    b[t] = XOR of b[t - tap] holds with all taps multiplied by any power of two as well (squaring
    is linear over GF(2)), so the known bits grow by a constant factor a level: many states ahead
    cost two or three levels of XORs for each doubling, and three XORs a bit with four taps.
    """
    width, leap = max(layer.taps), layer.leap
    length = width + leap * count
    body = [f"bits[{length - 1}:{length - width}] = from;"]
    low = length - width  # the newest bit that is known
    while low:
        scale = 1
        while 2 * scale * width <= length - low:
            scale *= 2
        fresh = min(scale * min(layer.taps), low)
        terms = (low + scale * tap for tap in layer.taps)
        xors = " ^ ".join(f"bits[{top - 1}:{top - fresh}]" for top in terms)
        body.append(f"bits[{low - 1}:{low - fresh}] = {xors};")
        low -= fresh
    for k in range(count):
        top = length - k * leap
        body.append(f"ahead[{k}] = bits[{top - 1}:{top - width}] >= {width}'d{layer.threshold};")
    body.append(f"ahead[{count + width - 1}:{count}] = bits[{width - 1}:0];")
    return _MODULE.format(
        name=name,
        width=width,
        count=count,
        length=length,
        body="\n".join(f"      {line}" for line in body),
    )
