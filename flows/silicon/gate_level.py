"""A netlist simulated through the shared bench: its answers, and what its nets did.

The cells are functional models from the library: an expression for a gate, a register for a
flip-flop. There are no delays, so no glitches either.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from gatesmith.flows.silicon.activity import Waves, read_vcd
from gatesmith.flows.silicon.netlist import Netlist
from gatesmith.models.errors import UserError
from gatesmith.sim.run import Scenario, run_bench
from gatesmith.sim.vectors import Outcome, Vectors

__all__ = ["block_texts", "gate_verilog", "simulate_gates", "states_of"]


def gate_verilog(netlist: Netlist, blocks: Mapping[str, str]) -> str:
    """Verilog of a netlist with functional models in place of the cells.

    ``blocks`` is the Verilog of each module that the netlist instantiates. A net is ``n<number>``;
    bit k of the registers, in the order of :func:`flip_flops`, is ``r<k>``.
    """
    return "\n".join(_lines(netlist, blocks)) + "\n"


def _lines(netlist: Netlist, blocks: Mapping[str, str]) -> Iterable[str]:
    for module in sorted({block.module for block in netlist.blocks}):
        yield blocks[module]
    yield f"module {netlist.top}({', '.join(port.name for port in netlist.ports)});"
    for port in netlist.ports:
        width = f"[{len(port.nets) - 1}:0] " if len(port.nets) > 1 else ""
        yield f"  {'output' if port.output else 'input'} {width}{port.name};"
    yield f"  wire {', '.join(f'n{net}' for net in range(2, netlist.nets))};"
    for port in netlist.ports:
        joined = f"{{{', '.join(_net(net) for net in port.nets[::-1].tolist())}}}"
        if port.output:
            yield f"  assign {port.name} = {joined};"
        else:
            yield f"  assign {joined} = {port.name};"
    for number, block in enumerate(netlist.blocks):
        wired = ", ".join(
            f".\\{port} ({{{', '.join(_net(net) for net in nets[::-1].tolist())}}})"
            for port, nets in block.ports.items()
        )
        yield f"  \\{block.module} block{number} ({wired});"
    register, clocked = 0, []
    for group in netlist.groups:
        pins = {pin: [_net(net) for net in nets.tolist()] for pin, nets in group.pins.items()}
        flip_flop = group.cell.flip_flop
        for index in range(len(group)):
            names = {pin: found[index] for pin, found in pins.items()}
            if flip_flop:
                state = f"r{register}"
                register += 1
                names |= {flip_flop.state: state, flip_flop.inverted: f"~{state}"}
                clocked.append(f"    {state} <= {flip_flop.next_state.verilog(names)};")
            for pin in group.cell.outputs:
                if pin.function is not None:
                    yield f"  assign {names[pin.name]} = {pin.function.verilog(names)};"
    if clocked:
        yield f"  reg {', '.join(f'r{k}' for k in range(register))};"
        yield f"  always @(posedge {_net(netlist.clock)}) begin"
        yield from clocked
        yield "  end"
    yield "endmodule"


def _net(net: int) -> str:
    return f"1'b{net}" if net <= Netlist.ONE else f"n{net}"


def _registers(netlist: Netlist) -> int:
    return sum(len(group) for group in netlist.groups if group.cell.flip_flop)


def simulate_gates(
    netlist: Netlist,
    blocks: Mapping[str, str],
    vectors: Vectors,
    play: Scenario,
    folder: Path,
    timeout_seconds: float,
) -> tuple[Outcome, Waves]:
    """Play a scenario through a netlist on Icarus: what came out, and the waves of its state."""
    folder.mkdir(parents=True, exist_ok=True)
    verilog, waves = folder / "gates.v", folder / "gates.vcd"
    verilog.write_text(gate_verilog(netlist, blocks))
    watched = [port.name for port in netlist.ports]
    watched += [f"r{k}" for k in range(_registers(netlist))]
    for number, block in enumerate(netlist.blocks):
        watched += [f"block{number}.\\{port} " for port in block.ports]
    (outcome,) = run_bench(
        verilog,
        netlist.top,
        vectors,
        [play],
        folder / "bench",
        waves=waves,
        watched=watched,
        timeout_seconds=timeout_seconds,
    )
    clock = next(port.name for port in netlist.ports if netlist.clock in port.nets)
    return outcome, read_vcd(waves, clock)


def states_of(netlist: Netlist, waves: Waves) -> tuple[np.ndarray, np.ndarray]:
    """Values of the nets that waves tell of, and where they are unknown, bool ``[nets, clocks]``.

    UserError when a register or port is missing in the waves.
    """
    states = np.zeros((netlist.nets, waves.clocks), dtype=bool)
    unknown = np.zeros((netlist.nets, waves.clocks), dtype=bool)

    def put(name: str, nets: np.ndarray) -> None:
        if name not in waves.values or waves.values[name].shape[1] != len(nets):
            raise UserError(f"VCD must hold {name} of {len(nets)} bits, but it does not")
        keep = nets > Netlist.ONE
        states[nets[keep]] = waves.values[name].T[keep]
        unknown[nets[keep]] = waves.unknown[name].T[keep]

    for port in netlist.ports:
        if not port.output:
            put(port.name, port.nets)
    register = 0
    for group in netlist.groups:
        flip_flop = group.cell.flip_flop
        if flip_flop:
            for index in range(len(group)):
                name = f"r{register}"
                register += 1
                if name not in waves.values:
                    raise UserError(f"VCD must hold {name}, but it does not")
                state, doubt = waves.values[name][:, 0], waves.unknown[name][:, 0]
                for pin in group.cell.outputs:
                    net = group.pins[pin.name][index]
                    assert pin.function is not None
                    names = {flip_flop.state: state, flip_flop.inverted: ~state}
                    states[net] = pin.function.value(names, np.True_)
                    unknown[net] = doubt
    return states, unknown


def block_texts(verilog: str) -> dict[str, str]:
    """Text of each module of a Verilog design, by its name."""
    found = {}
    for match in re.finditer(r"^module \\?(\S+?)\s*\(.*?^endmodule", verilog, re.M | re.S):
        found[match[1]] = match[0]
    return found
