"""A netlist simulated through the shared bench: its answers, and what its nets did.

The cells are functional models from the library: an expression for a gate, a register for a
flip-flop, which starts at random. There are no delays, so no glitches either.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from gatesmith.flows.silicon.activity import Waves, read_vcd
from gatesmith.flows.silicon.netlist import Netlist
from gatesmith.models.errors import UserError
from gatesmith.sim.run import compile_and_run, run_bench
from gatesmith.sim.scenarios import Scenario
from gatesmith.sim.vectors import Outcome, Vectors

__all__ = ["accesses", "block_texts", "drive_gates", "gate_verilog", "simulate_gates", "states_of"]


def gate_verilog(netlist: Netlist, blocks: Mapping[str, str]) -> str:
    """Verilog of a netlist with functional models in place of the cells.

    ``blocks`` is the Verilog of each module that the netlist instantiates. A net is ``n<number>``,
    the state of flip-flop k, in the order of the netlist, is ``r<k>``.
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
            # An X, as the bench has between words and before the first clock, is 0 here: see below.
            known = [
                f"{port.name}{f'[{bit}]' if len(port.nets) > 1 else ''} === 1'b1"
                for bit in reversed(range(len(port.nets)))
            ]
            yield f"  assign {joined} = {{{', '.join(known)}}};"
    for number, block in enumerate(netlist.blocks):
        wired = ", ".join(
            f".\\{port} ({{{', '.join(_net(net) for net in nets[::-1].tolist())}}})"
            for port, nets in block.ports.items()
        )
        yield f"  \\{block.module} block{number} ({wired});"
    for name, nets in _block_ports(netlist):
        joined = f"{{{', '.join(_net(net) for net in nets[::-1].tolist())}}}"
        yield f"  wire [{len(nets) - 1}:0] {name} = {joined};"
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
        # A flip-flop wakes up as 0 or 1, nobody knows which. X would spread through gates that
        # share a signal where it cannot matter; whether it does is for the Verilog to show.
        bits = np.random.default_rng(0).integers(0, 2, register).tolist()
        yield f"  reg {', '.join(f'r{k} = {bit}' for k, bit in enumerate(bits))};"
        yield f"  always @(posedge {_net(netlist.clock)}) begin"
        yield from clocked
        yield "  end"
    yield "endmodule"


def _net(net: int) -> str:
    return f"1'b{net}" if net <= Netlist.ONE else f"n{net}"


def _block_ports(netlist: Netlist) -> Iterable[tuple[str, np.ndarray]]:
    """Names for the ports of the blocks, and their nets."""
    for number, block in enumerate(netlist.blocks):
        for port, nets in enumerate(block.ports.values()):
            yield f"b{number}_{port}", nets


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
    (outcome,) = run_bench(
        verilog,
        netlist.top,
        vectors,
        [play],
        folder / "bench",
        waves=waves,
        watched=_watched(netlist),
        timeout_seconds=timeout_seconds,
    )
    clock = next(port.name for port in netlist.ports if netlist.clock in port.nets)
    return outcome, read_vcd(waves, clock)


def accesses(netlist: Netlist, waves: Waves, begin: int, end: int) -> list[tuple[int, int]]:
    """Clocks from begin to end - 1 in which each block reads, and in which it writes.

    A port that ends in ``en`` enables: a write when its name says so, else a read. A block without
    one reads in every clock.
    """
    values = {name: waves.values[name][begin:end].any(axis=1) for name, _ in _block_ports(netlist)}
    found = []
    for number, block in enumerate(netlist.blocks):
        enables = {
            port: int(values[f"b{number}_{k}"].sum())
            for k, port in enumerate(block.ports)
            if port.endswith("en")
        }
        reads = [clocks for port, clocks in enables.items() if "write" not in port]
        writes = [clocks for port, clocks in enables.items() if "write" in port]
        found.append((sum(reads) if reads else end - begin, sum(writes)))
    return found


DRIVER = """\
module gatesmith_driver;
  reg clk = 0;
  reg [{width}-1:0] words [0:{clocks}-1];
  reg [{width}-1:0] word;
  integer k;
  {top} dut ({wired});
  initial begin
    $readmemh("stimulus.hex", words);
    $dumpfile("gates.vcd");
    $dumpvars(0, {watched});
    for (k = 0; k < {clocks}; k = k + 1) begin
      word = words[k];
      #5 clk = 1;
      #5 clk = 0;
    end
  end
endmodule
"""


def drive_gates(
    netlist: Netlist,
    blocks: Mapping[str, str],
    stimulus: Mapping[str, np.ndarray],
    folder: Path,
    timeout_seconds: float,
) -> Waves:
    """Waves of a netlist that is no whole design, driven port by port on Icarus.

    Parameters
    ----------
    blocks : mapping     As of :func:`gate_verilog`.
    stimulus : mapping   Input port to unsigned values, int64 ``[clocks]``; others are 0. Value k
                         stands before clock edge k, so that row k - 1 of the waves shows it.
    """
    clock = next(port.name for port in netlist.ports if netlist.clock in port.nets)
    inputs = [port for port in netlist.ports if not port.output and port.name != clock]
    clocks = len(next(iter(stimulus.values())))
    words, width, wired = [0] * clocks, 0, [f".{clock}(clk)"]
    for port in inputs:
        if port.name in stimulus:
            for k, value in enumerate(stimulus[port.name].tolist()):
                words[k] |= value << width
        top = width + len(port.nets)
        wired.append(f".{port.name}(word[{top - 1}:{width}])")
        width = top
    driver = DRIVER.format(
        width=width,
        clocks=clocks,
        top=netlist.top,
        wired=", ".join(wired),
        watched=", ".join(f"dut.{name}" for name in _watched(netlist)),
    )
    (folder / "gates.v").write_text(gate_verilog(netlist, blocks) + driver)
    (folder / "stimulus.hex").write_text("\n".join(f"{word:x}" for word in words) + "\n")
    compile_and_run(folder, "gates.v", "gatesmith_driver", timeout_seconds)
    return read_vcd(folder / "gates.vcd", clock)


def _watched(netlist: Netlist) -> list[str]:
    """What :func:`states_of` needs to see."""
    registers = sum(len(group) for group in netlist.groups if group.cell.flip_flop)
    names = [port.name for port in netlist.ports]
    names += [f"r{k}" for k in range(registers)]
    return names + [name for name, _ in _block_ports(netlist)]


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
    for name, nets in _block_ports(netlist):
        put(name, nets)
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
