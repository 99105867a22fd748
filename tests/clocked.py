"""A component in Amaranth's own simulator."""

from collections.abc import Callable
from typing import Any

from amaranth.lib import wiring
from amaranth.sim import Simulator

__all__ = ["run"]


def run(dut: wiring.Component, *benches: Callable[..., Any]) -> None:
    """Clock a component until all benches, which run side by side, have ended."""
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    for bench in benches:
        simulator.add_testbench(bench)
    simulator.run()
