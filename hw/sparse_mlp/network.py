"""The layers of a sparse MLP as one module of plain Verilog, all weights in adders."""

from dataclasses import dataclass

import numpy as np

from gatesmith.hw.matvec import matvec_verilog
from gatesmith.models.sparse_mlp import SparseMLPSpec

__all__ = ["Network", "network_verilog"]


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network without streams: a frame in and the scores of a frame out in every clock.

    Ports: ``i``, input k of the frame, unsigned, in ``[k * input_bits +: input_bits]``; ``o``,
    score k, two's complement, in ``[k * width +: width]``; ``clk``, when there are registers.

    Members
    -------
    name : str      Of the module, and the beginning of its submodules' names.
    text : str      Verilog of the module and its submodules.
    latency : int   Registers between ``i`` and ``o``: one behind every layer but the last, and
                    ``pipeline`` inside each. Neither ``i`` nor ``o`` has one.
    width : int     Bits of a score.
    """

    name: str
    text: str
    latency: int
    width: int


def network_verilog(spec: SparseMLPSpec, name: str) -> Network:
    """The network of a Spec, whatever its datapath; ``depth`` and ``pipeline`` are obeyed."""
    latency = len(spec.layers) * (1 + spec.pipeline) - 1
    inputs = spec.layers[0].inputs * spec.layers[0].input_bits
    modules, body, source, width = [], [], "i", 1
    for k, layer in enumerate(spec.layers):
        product = matvec_verilog(
            f"{name}_layer{k}",
            layer.dense,
            input_bits=layer.input_bits,
            signed=False,
            bias=layer.bias,
            depth=spec.depth,
            stages=spec.pipeline,
        )
        modules.append(product.text)
        width = product.width
        clock = ".clk(clk), " if product.latency else ""
        body.append(f"  wire [{layer.outputs * width - 1}:0] sum{k};")
        body.append(f"  {product.name} layer{k}({clock}.i({source}), .o(sum{k}));")
        source = f"sum{k}"
        if layer.output_bits:
            span = f"[{layer.outputs * layer.output_bits - 1}:0]"
            body.append(f"  wire {span} activation{k};")
            for j, limits in enumerate(zip(product.low, product.high, strict=True)):
                value = _requantised(
                    f"sum{k}", j * width, width, limits, layer.shift, layer.output_bits
                )
                start = j * layer.output_bits
                body.append(f"  assign activation{k}[{start} +: {layer.output_bits}] = {value};")
            body.append(f"  reg {span} frame{k + 1};")
            body.append(f"  always @(posedge clk) frame{k + 1} <= activation{k};")
            source = f"frame{k + 1}"
    head = [f"module {name}({'clk, ' if latency else ''}i, o);"]
    head += ["  input clk;"] if latency else []
    head += [f"  input [{inputs - 1}:0] i;"]
    head += [f"  output [{spec.layers[-1].outputs * width - 1}:0] o;"]
    lines = [*head, *body, f"  assign o = {source};", "endmodule", ""]
    return Network(
        name=name, text="".join(modules) + "\n".join(lines), latency=latency, width=width
    )


def _requantised(
    signal: str, start: int, width: int, limits: tuple[int, int], shift: int, bits: int
) -> str:
    """clamp(value >> shift, 0, 2**bits - 1) of a field with the given limits, as ``bits`` bits."""
    low, high = (limit >> shift for limit in limits)
    top = (1 << bits) - 1
    if high <= 0 or low >= top:
        return f"{bits}'d{int(np.clip(low, 0, top)) if high > 0 else 0}"
    sign = start + width - 1
    magnitude = width - 1 - shift  # bits of the shifted value below its sign
    if magnitude >= bits:
        value = f"{signal}[{start + shift} +: {bits}]"
    else:
        value = f"{{{bits - magnitude}'d0, {signal}[{start + shift} +: {magnitude}]}}"
    if high > top:
        above = f"|{signal}[{sign - 1}:{start + shift + bits}]"
        value = f"({{{bits}{{{above}}}}} | {value})"
    return f"{{{bits}{{~{signal}[{sign}]}}}} & {value}" if low < 0 else value
