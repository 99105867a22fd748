import pytest
from amaranth.hdl import Module, Signal, Value, signed, unsigned
from amaranth.sim import Simulator

from gatesmith.hw.arith import add_signed_unit, lowest_set, requantise


def table(
    m: Module, inputs: list[Signal], outputs: list[Value]
) -> list[tuple[list[int], list[int]]]:
    """Every combination of the inputs with the outputs it gives."""
    probes = [Signal(value.shape()) for value in outputs]
    m.d.comb += [probe.eq(value) for probe, value in zip(probes, outputs, strict=True)]
    rows = []

    async def bench(ctx):
        for code in range(1 << sum(len(signal) for signal in inputs)):
            for signal in inputs:
                part = code & (1 << len(signal)) - 1
                code >>= len(signal)
                if signal.shape().signed and part >> (len(signal) - 1):
                    part -= 1 << len(signal)
                ctx.set(signal, part)
            rows.append(([ctx.get(s) for s in inputs], [ctx.get(s) for s in probes]))

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    return rows


@pytest.mark.parametrize("shift", [0, 1, 3, 8, 9, 30])
@pytest.mark.parametrize("bits", [1, 4, 8])
def test_requantise_every_value(shift, bits):
    value = Signal(signed(10))
    result = requantise(value, shift, bits)
    assert result.shape() == unsigned(bits)
    for (x,), (y,) in table(Module(), [value], [result]):
        assert y == min(max(x >> shift, 0), 2**bits - 1)


@pytest.mark.parametrize("width", [4, 7])
def test_add_signed_unit_every_value(width):
    m = Module()
    base, operand, negate = Signal(signed(width)), Signal(3), Signal()
    total = add_signed_unit(m, base, operand, negate)
    half = 1 << (width - 1)
    for (a, b, n), (y,) in table(m, [base, operand, negate], [total]):
        assert y == (a + (-b if n else b) + half) % (2 * half) - half


@pytest.mark.parametrize("count", [2, 4, 8])
def test_lowest_set_every_value(count):
    m, bits = Module(), Signal(count)
    index, rest = lowest_set(m, bits)
    for (x,), (found, left) in table(m, [bits], [index, rest]):
        assert left == x & (x - 1)
        assert found == (min(k for k in range(count) if x >> k & 1) if x else 0)
