"""The FPGAs that nextpnr knows and we ask it for: families, devices, packages, kinds of cells."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from gatesmith.models.errors import UserError

__all__ = ["FAMILIES", "Device", "FpgaFamily", "Resources", "fpga_family"]


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Cells of a part of a design, before placement.

    Members
    -------
    luts : int         Look-up tables of four inputs.
    flip_flops : int
    carries : int      iCE40: carries of a bit; ECP5: of two bits.
    wide_muxes : int   ECP5: muxes that join look-up tables to larger ones.
    lut_rams : int     ECP5: memories of 16 words of 4 bits made of look-up tables.
    block_rams : int   iCE40: of 4 Kbit; ECP5: of 18 Kbit.
    multipliers : int
    """

    luts: int = 0
    flip_flops: int = 0
    carries: int = 0
    wide_muxes: int = 0
    lut_rams: int = 0
    block_rams: int = 0
    multipliers: int = 0

    def __add__(self, other: "Resources") -> "Resources":
        mine, theirs = asdict(self), asdict(other)
        return Resources(**{name: mine[name] + theirs[name] for name in mine})


@dataclass(frozen=True, kw_only=True)
class Device:
    """An FPGA.

    Members
    -------
    name : str          As nextpnr's option calls it.
    logic_cells : int   Look-up tables of four inputs, each with a flip-flop.
    block_rams : int
    multipliers : int
    packages : tuple    Name and usable pins, the smallest first.
    automatic : bool    Whether it is tried when the user names none.
    """

    name: str
    logic_cells: int
    block_rams: int
    multipliers: int = 0
    packages: tuple[tuple[str, int], ...]
    automatic: bool = True

    def package(self, pins: int) -> str | None:
        """The first package with so many pins; None when there is none."""
        return next((name for name, most in self.packages if most >= pins), None)


@dataclass(frozen=True, kw_only=True)
class FpgaFamily:
    """A family of FPGAs.

    Members
    -------
    name : str           As on the command line.
    synthesis : str      Yosys command.
    unconstrained : str  nextpnr's option for ports without a given pin.
    cells : dict         Kind of :class:`Resources` to the types of cells, a regular expression.
    utilisation : dict   nextpnr's kinds of places to what we call them.
    devices : tuple      The smallest first.
    """

    name: str
    synthesis: str
    unconstrained: str
    cells: Mapping[str, str]
    utilisation: Mapping[str, str]
    devices: tuple[Device, ...]

    def candidates(self, device: str | None) -> tuple[Device, ...]:
        """The devices to try in order; UserError for a name that is not known."""
        if device is None:
            return tuple(entry for entry in self.devices if entry.automatic)
        for entry in self.devices:
            if entry.name == device:
                return (entry,)
        names = ", ".join(entry.name for entry in self.devices)
        raise UserError(f"Device of {self.name} must be one of {names}, not {device!r}")

    def resources(self, counts: Mapping[str, int]) -> Resources:
        """Cells by type sorted into kinds; the rest is left out."""
        return Resources(
            **{
                kind: sum(n for cell, n in counts.items() if re.fullmatch(types, cell))
                for kind, types in self.cells.items()
            }
        )

    def least_logic_cells(self, count: Resources) -> int:
        """Logic cells that a design needs at least, however well it is packed."""
        if self.name == "ice40":
            return max(count.luts, count.flip_flops, count.carries)
        return max(count.luts + 2 * count.carries, count.flip_flops)

    def has_room(self, device: Device, count: Resources) -> bool:
        """Whether a device might hold a design; nextpnr has the last word."""
        return (
            self.least_logic_cells(count) <= device.logic_cells
            and count.block_rams <= device.block_rams
            and count.multipliers <= device.multipliers
        )


FAMILIES = {
    entry.name: entry
    for entry in (
        FpgaFamily(
            name="ice40",
            synthesis="synth_ice40",
            unconstrained="--pcf-allow-unconstrained",
            cells={
                "luts": "SB_LUT4",
                "flip_flops": r"SB_DFF\w*",
                "carries": "SB_CARRY",
                "block_rams": r"SB_RAM40_4K\w*",
                "multipliers": "SB_MAC16",
            },
            utilisation={
                "ICESTORM_LC": "logic_cells",
                "ICESTORM_RAM": "block_rams",
                "ICESTORM_DSP": "multipliers",
                "SB_GB": "global_nets",
                "SB_IO": "pins",
            },
            devices=(
                Device(
                    name="hx1k",
                    logic_cells=1280,
                    block_rams=16,
                    packages=(("vq100", 72), ("tq144", 96)),
                ),
                # Low power and half as fast: taken when asked for.
                Device(
                    name="up5k",
                    logic_cells=5280,
                    block_rams=30,
                    multipliers=8,
                    packages=(("sg48", 39),),
                    automatic=False,
                ),
                Device(
                    name="hx8k",
                    logic_cells=7680,
                    block_rams=32,
                    packages=(("ct256", 206),),
                ),
            ),
        ),
        FpgaFamily(
            name="ecp5",
            synthesis="synth_ecp5",
            unconstrained="--lpf-allow-unconstrained",
            cells={
                "luts": "LUT4",
                "flip_flops": "TRELLIS_FF",
                "carries": "CCU2C",
                "wide_muxes": "PFUMX|L6MUX21",
                "lut_rams": "TRELLIS_DPR16X4",
                "block_rams": "DP16KD|PDPW16KD",
                "multipliers": "MULT18X18D",
            },
            utilisation={
                "TRELLIS_COMB": "logic_cells",
                "TRELLIS_FF": "flip_flops",
                "TRELLIS_RAMW": "lut_rams",
                "DP16KD": "block_rams",
                "MULT18X18D": "multipliers",
                "DCCA": "global_nets",
                "TRELLIS_IO": "pins",
            },
            devices=(
                Device(
                    name="25k",
                    logic_cells=24288,
                    block_rams=56,
                    multipliers=28,
                    packages=(("CABGA256", 197),),
                ),
                Device(
                    name="45k",
                    logic_cells=43848,
                    block_rams=108,
                    multipliers=72,
                    packages=(("CABGA256", 197), ("CABGA554", 245)),
                ),
                Device(
                    name="85k",
                    logic_cells=83640,
                    block_rams=208,
                    multipliers=156,
                    packages=(("CABGA381", 205), ("CABGA756", 365)),
                ),
            ),
        ),
    )
}


def fpga_family(name: str) -> FpgaFamily:
    """The family of that name; UserError when there is none."""
    if name not in FAMILIES:
        raise UserError(f"FPGA must be one of {', '.join(FAMILIES)}, not {name!r}")
    return FAMILIES[name]
