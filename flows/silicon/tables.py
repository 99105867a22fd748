"""What a Liberty library says of a cell: pins and functions, delays, energies and leakage.

Times are in ns, capacitances in fF, energies in fJ, leakage in nW.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from gatesmith.flows.silicon.expression import Expression, parse
from gatesmith.flows.silicon.liberty import Group, Library, parse_group
from gatesmith.models.errors import UserError

__all__ = ["Cell", "DelayArc", "FlipFlop", "Pin", "PowerArc", "Setup", "Table", "read_cell"]

SLEW_AXES = ("input_net_transition", "input_transition_time", "related_pin_transition")
LOAD_AXES = ("total_output_net_capacitance", "constrained_pin_transition")
SCALAR = Group("lu_table_template", ("scalar",))
# Where files were merged, templates got lost: the usual order of a table that brings its points.
USUAL = Group("lu_table_template", (), {"variable_1": SLEW_AXES[:1], "variable_2": LOAD_AXES[:1]})


@dataclass(frozen=True, eq=False)
class Table:
    """A table over an input slew (ns) and a load (fF), linear between its points and beyond.

    ``rows`` are the slews, ``columns`` the loads; ``values`` is ``[rows, columns]``. A setup table
    has the clock's slew as rows and the data's slew (ns) as columns.
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray

    def __call__(self, row: np.ndarray | float, column: np.ndarray | float) -> np.ndarray:
        """Values at points, of the shape that the arguments have together."""
        row, column = np.broadcast_arrays(row, column)
        i, u = _place(self.rows, row)
        j, v = _place(self.columns, column)
        i1, j1 = np.minimum(i + 1, len(self.rows) - 1), np.minimum(j + 1, len(self.columns) - 1)
        low = self.values[i, j] * (1 - v) + self.values[i, j1] * v
        high = self.values[i1, j] * (1 - v) + self.values[i1, j1] * v
        return low * (1 - u) + high * u


def _place(axis: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cell of an axis that a point is in, or nearest to, and the place in it as a fraction."""
    if len(axis) == 1:
        return np.zeros(points.shape, dtype=np.intp), np.zeros(points.shape)
    index = np.clip(np.searchsorted(axis, points, side="right") - 1, 0, len(axis) - 2)
    return index, (points - axis[index]) / (axis[index + 1] - axis[index])


@dataclass(frozen=True, eq=False, kw_only=True)
class DelayArc:
    """Delay (ns) and slew (ns) of an output's edges after an edge of a related pin.

    ``sense`` is ``positive_unate``, ``negative_unate`` or ``non_unate``; ``edge`` is ``rising`` or
    ``falling`` for a clock, else empty. A missing table is None.
    """

    related: str
    sense: str
    edge: str
    delays: tuple[Table | None, Table | None]  # of the output's rise, and of its fall
    slews: tuple[Table | None, Table | None]


@dataclass(frozen=True, eq=False, kw_only=True)
class Setup:
    """Time (ns) that a data pin's rise and fall must come before an edge of the related pin."""

    related: str
    times: tuple[Table | None, Table | None]


@dataclass(frozen=True, eq=False, kw_only=True)
class PowerArc:
    """Internal energy (fJ) of an edge of a pin; of an output, one caused by the related pin."""

    related: str
    when: Expression | None
    energies: tuple[list[Table], list[Table]]  # of rise and fall: the sum, over supply pins


@dataclass(frozen=True, eq=False, kw_only=True)
class Pin:
    """A pin. ``capacitances`` are in fF, of its rise and its fall."""

    name: str
    output: bool
    capacitances: tuple[float, float]
    function: Expression | None
    delays: tuple[DelayArc, ...] = ()
    setups: tuple[Setup, ...] = ()
    powers: tuple[PowerArc, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FlipFlop:
    """State of a flip-flop: ``state`` and ``inverted`` are the names its outputs' functions use."""

    state: str
    inverted: str
    next_state: Expression
    clocked_on: Expression


@dataclass(frozen=True, eq=False, kw_only=True)
class Cell:
    """A cell. ``leakage`` is in nW, of ``states`` where one of the conditions holds."""

    name: str
    pins: dict[str, Pin]
    flip_flop: FlipFlop | None
    leakage: float
    states: list[tuple[Expression, float]] = field(default_factory=list)

    @property
    def inputs(self) -> list[Pin]:
        """The input pins, in the order of the library."""
        return [pin for pin in self.pins.values() if not pin.output]

    @property
    def outputs(self) -> list[Pin]:
        """The output pins."""
        return [pin for pin in self.pins.values() if pin.output]

    @property
    def clock(self) -> str:
        """The clock pin of a flip-flop, or nothing."""
        return self.flip_flop.clocked_on.pins[0] if self.flip_flop else ""


@lru_cache(maxsize=4096)
def read_cell(library: Library, name: str) -> Cell:
    """A cell of a library; UserError when its description is broken or of no use here."""
    subject = f"Liberty library {library.path}: cell {name}"
    group = parse_group(library.texts[name], subject)
    reader = _Reader(library, subject)
    try:
        return reader.cell(name, group)
    except ValueError as error:
        raise UserError(f"{subject} is damaged: {error}") from error


class _Reader:
    """Reads the groups of a cell in the units of this module."""

    def __init__(self, library: Library, subject: str) -> None:
        self._library, self._subject = library, subject
        self._time = library.scale("time_unit") / 1e-9
        self._load = library.scale("capacitive_load_unit") / 1e-15
        self._leakage = library.scale("leakage_power_unit") / 1e-9
        # The format has no unit of energy: it is that of capacitance times volt squared.
        self._energy = self._load * library.scale("voltage_unit") ** 2
        self._templates = {
            group.arguments[0]: group
            for group in library.head.all("lu_table_template", "power_lut_template")
            if group.arguments
        }

    def cell(self, name: str, group: Group) -> Cell:
        default = self._library.head.get("default_cell_leakage_power", "0")
        leakage = float(group.get("cell_leakage_power", default)) * self._leakage
        states: dict[str, float] = {}
        unconditional = []
        for entry in group.all("leakage_power"):
            value = float(entry.get("value", "0")) * self._leakage
            if entry.get("when"):
                # Of several supply pins.
                states[entry.get("when")] = states.get(entry.get("when"), 0.0) + value
            else:
                unconditional.append(value)
        if unconditional and "cell_leakage_power" not in group.attributes:
            leakage = sum(unconditional)
        pins = {}
        for entry in group.all("pin"):
            if entry.get("direction") in ("input", "output"):
                for pin in entry.arguments:
                    pins[pin] = self._pin(pin, entry)
        return Cell(
            name=name,
            pins=pins,
            flip_flop=self._flip_flop(group),
            leakage=leakage,
            states=[(parse(when), value) for when, value in states.items()],
        )

    def _flip_flop(self, group: Group) -> FlipFlop | None:
        for entry in group.all("ff"):
            if set(entry.attributes) & {"clear", "preset"}:
                return None  # never mapped to: the designs have no asynchronous resets
            return FlipFlop(
                state=entry.arguments[0],
                inverted=entry.arguments[1],
                next_state=parse(entry.get("next_state")),
                clocked_on=parse(entry.get("clocked_on")),
            )
        return None

    def _pin(self, name: str, group: Group) -> Pin:
        output = group.get("direction") == "output"
        default = "0" if output else self._library.head.get("default_input_pin_cap", "0")
        both = group.get("capacitance", default)
        rise, fall = (
            float(group.get(f"{edge}_capacitance", both)) * self._load for edge in ("rise", "fall")
        )
        delays, setups = [], []
        for entry in group.all("timing"):
            kind = entry.get("timing_type", "combinational")
            for related in entry.get("related_pin").split():
                if kind in ("combinational", "rising_edge", "falling_edge"):
                    delays.append(self._delay(related, kind, entry))
                elif kind in ("setup_rising", "setup_falling"):
                    times = self._pair(entry, "{}_constraint", self._time, self._time)
                    setups.append(Setup(related=related, times=times))
        function = group.get("function")
        return Pin(
            name=name,
            output=output,
            capacitances=(rise, fall),
            function=parse(function) if function else None,
            delays=tuple(delays),
            setups=tuple(setups),
            powers=tuple(self._powers(group.all("internal_power"))),
        )

    def _delay(self, related: str, kind: str, group: Group) -> DelayArc:
        return DelayArc(
            related=related,
            sense=group.get("timing_sense", "non_unate"),
            edge=kind.removesuffix("_edge") if kind.endswith("_edge") else "",
            delays=self._pair(group, "cell_{}", self._load, self._time),
            slews=self._pair(group, "{}_transition", self._load, self._time),
        )

    def _powers(self, groups: Iterable[Group]) -> list[PowerArc]:
        """Arcs by related pin and condition; those of several supply pins are summed."""
        found: dict[tuple[str, str], PowerArc] = {}
        for group in groups:
            when = group.get("when")
            for related in group.get("related_pin").split() or [""]:
                arc = found.setdefault(
                    (related, when),
                    PowerArc(
                        related=related, when=parse(when) if when else None, energies=([], [])
                    ),
                )
                pair = self._pair(group, "{}_power", self._load, self._energy)
                both = [self._table(g, self._load, self._energy) for g in group.all("power")]
                for tables, table in zip(arc.energies, pair, strict=True):
                    tables += both if table is None else [table]
        return list(found.values())

    def _pair(
        self, group: Group, name: str, columns: float, unit: float
    ) -> tuple[Table | None, Table | None]:
        """Tables of rise and fall: ``name`` has {} for the edge."""
        rise, fall = (
            next((self._table(g, columns, unit) for g in group.all(name.format(edge))), None)
            for edge in ("rise", "fall")
        )
        return rise, fall

    def _table(self, group: Group, columns: float, unit: float) -> Table:
        """A table with slews as rows, whichever way round the library has it."""
        name = group.arguments[0] if group.arguments else "scalar"
        template = self._templates.get(name, SCALAR if name == "scalar" else USUAL)
        axes: list[tuple[str, np.ndarray]] = []
        for number in (1, 2):
            variable = template.get(f"variable_{number}")
            index = group.attributes.get(f"index_{number}") or template.attributes.get(
                f"index_{number}"
            )
            if variable and index:
                axes.append((variable, _numbers(index)))
        values = _numbers(group.attributes.get("values", ())) * unit
        shape = tuple(len(points) for _, points in axes)
        if values.size != int(np.prod(shape)):
            raise ValueError(f"{group.name} has {values.size} values for a table of {shape}")
        rows, loads = np.zeros(1), np.zeros(1)
        order: list[int] = []
        for number, (variable, points) in enumerate(axes):
            if len(points) > 1 and not np.all(np.diff(points) > 0):
                raise ValueError(f"{group.name} has an index that does not grow")
            if variable in SLEW_AXES:
                rows = points * self._time
                order.insert(0, number)
            elif variable in LOAD_AXES:
                loads = points * columns
                order.append(number)
            else:
                raise ValueError(f"{group.name} has a variable {variable!r}")
        table = values.reshape(shape).transpose(order) if axes else values
        return Table(rows, loads, table.reshape(len(rows), len(loads)))


def _numbers(texts: Iterable[str]) -> np.ndarray:
    """Numbers of strings that each list several."""
    return np.array([float(word) for text in texts for word in text.replace(",", " ").split()])
