"""What a min-sum decoder computes, and how it is built, in integers."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gatesmith.models.errors import UserError, check
from gatesmith.models.frames import Field, FrameFormat
from gatesmith.models.minsum.layout import is_cyclic, is_quasi_cyclic, variable_degrees
from gatesmith.models.names import check_name
from gatesmith.models.options import title, truth
from gatesmith.models.store import read_store, write_store

__all__ = ["ITERATIONS", "MinSumSpec"]

FORMAT = "gatesmith-spec"
UPDATES = ("plain", "offset", "normalised")
SCHEDULES = ("flooding", "layered")
MEMORIES = ("flipflop", "sram")
OUTPUTS = ("word", "information")
WORD = 64  # bits of a word on the wires, at most
ITERATIONS = 1024  # at most

_ARRAYS: dict[str, type[np.int16 | np.int32]] = {
    "edge_check": np.int32,
    "edge_variable": np.int32,
    "parameters": np.int16,
    "groups": np.int32,
    "information": np.int32,
}
_NUMBERS = (
    ("variables", 1, 1 << 16),
    ("checks", 1, 1 << 16),
    ("lifting", 1, 1 << 16),
    ("message_bits", 3, 8),
    ("scale_bits", 1, 8),
    ("iterations", 1, ITERATIONS),
    ("llr_step_num", 1, 1 << 16),
    ("llr_step_den", 1, 1 << 16),
    ("rows_per_clock", 1, 1 << 16),
    ("stages", 1, 2),
    ("llrs_per_beat", 1, WORD),
    ("bits_per_beat", 1, WORD),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class MinSumSpec:
    """A min-sum decoder of a binary linear code, of integer messages.

    With M = 2**(message_bits - 1) - 1, l_v the LLR of variable v read into -M to M, and c2v_e the
    message of edge e to its variable, 0 before the first iteration:

    * P_v = l_v + sum of c2v_e over the edges of v: exact, of ``posterior_bits``.
    * v2c_e = clamp(P_v - c2v_e, -M, M); its sign is negative below 0, else positive.
    * c2v_e gets the product of the signs and f(a), a the least magnitude, of v2c over the other
      edges of its check; + and M where there is no other edge. With p =
      parameters[min(t, len(parameters) - 1), groups[e]] in iteration t = 0, 1, ...:
      f(a) = a (plain), max(a - p, 0) (offset), or
      min(M, (a * p + 2**(scale_bits - 1)) >> scale_bits) (normalised).

    ``flooding`` computes all edges of an iteration from the posteriors before it. ``layered``
    takes the rows in groups of ``rows_per_clock`` one behind the other, and adds to the posteriors
    after each group what its messages changed. The decision is bit 1 where P_v < 0, so 0 where
    P_v = 0. With ``early_stop`` decoding ends before the first or after any iteration whose
    decision is a code word.

    ``sram`` changes no bit, only clocks: instead of a row of blocks it takes one block a clock.

    * A frame begins with a clock a block column, and 5 more.
    * The blocks of a row of blocks are read one a clock, those first whose column was given back
      longest ago: by its latest row of blocks and its place there, or in the iteration before by
      row of blocks and column; then by shift.
    * They are given back one a clock, those first whose column is read again in fewest rows of
      blocks, then as they were read; the first 3 clocks after the last was read. A column is read
      again from 3 clocks after.
    * Where a column has several blocks in a row of blocks, each but the first is read once more
      from 3 clocks after the one before was given back, and given back 3 clocks later or more,
      behind all other blocks.
    * No row of blocks is read whole until 2 clocks before the row before is given back whole.
    * Iterations are alike, as close as the rules let them be, with a clock between the last block
      that one gives back and the first of the next; they end 3 clocks after that last one.

    Parameters
    ----------
    variables, checks : int              Columns and rows of the parity-check matrix.
    edge_check : int32 [edges]           Row of each one in the matrix, ascending.
    edge_variable : int32 [edges]        Its column, ascending within a row. No row or column is
                                         empty; rows may depend on others.
    lifting : int                        Rows and columns are blocks of so many, each block a sum
                                         of cyclic shifts; 1 for any matrix.
    message_bits : int                   Width of LLRs and messages, two's complement, 3 to 8.
    update : str                         ``plain``, ``offset`` or ``normalised``.
    parameters : int16 [times, columns]  Offsets in LLR steps, 0 to M, or numerators of
                                         2**-scale_bits, 0 to 2**(scale_bits + 1) - 1; (1, 1) of 0
                                         for ``plain``. Times is 1 (all alike) or ``iterations``.
    groups : int32 [edges]               Which column of ``parameters`` an edge uses.
    scale_bits : int                     Of ``normalised``, 1 to 8.
    iterations : int                     At most, or always without ``early_stop``; 1 to 1,024.
    information : int32 [k]              Variables of the information bits.
    llr_step_num, llr_step_den : int     An LLR of 1 on the wire is this fraction; used to make and
                                         to read frames, and by no bit of the decoder.
    schedule : str                       ``flooding`` or ``layered``.
    memory : str                         Of posteriors and messages: ``flipflop``, or ``sram`` of
                                         layered rows of blocks: ``rows_per_clock`` is the lifting.
    rows_per_clock : int                 Layered: checks at once; divides a lifting above 1.
    stages : int                         Flooding: clocks of an iteration, 1 or 2.
    early_stop : bool                    Whether a code word ends the decoding.
    llrs_per_beat : int                  LLRs of an input word, together at most 64 bits.
    outputs : str                        ``word``: all bits; ``information``: those alone.
    posteriors : bool                    Whether the posteriors follow the bits.
    bits_per_beat : int                  Bits of an output word, 1 to 64.
    name : str                           Name of the Verilog top module.
    """

    variables: int
    checks: int
    edge_check: np.ndarray
    edge_variable: np.ndarray
    message_bits: int
    update: Literal["plain", "offset", "normalised"]
    parameters: np.ndarray
    groups: np.ndarray
    iterations: int
    information: np.ndarray
    lifting: int = 1
    scale_bits: int = 4
    llr_step_num: int = 1
    llr_step_den: int = 1
    schedule: Literal["flooding", "layered"] = "flooding"
    memory: Literal["flipflop", "sram"] = "flipflop"
    rows_per_clock: int = 1
    stages: int = 1
    early_stop: bool = True
    llrs_per_beat: int = 1
    outputs: Literal["word", "information"] = "word"
    posteriors: bool = False
    bits_per_beat: int = 8
    name: str = "minsum"

    family = "minsum"

    def __post_init__(self) -> None:
        for name, low, high in _NUMBERS:
            value = getattr(self, name)
            legal = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
            check(legal, title(name), f"between {low} and {high}", value)
        for name, known in (
            ("update", UPDATES),
            ("schedule", SCHEDULES),
            ("memory", MEMORIES),
            ("outputs", OUTPUTS),
        ):
            value = getattr(self, name)
            check(value in known, title(name), f"one of {', '.join(known)}", value)
        for name in ("early_stop", "posteriors"):
            value = getattr(self, name)
            check(isinstance(value, bool), title(name), "yes or no", value)
        for name, kind in _ARRAYS.items():
            found = np.asarray(getattr(self, name))
            check(found.dtype.kind in "iu", title(name), "integers", str(found.dtype))
            axes = 2 if name == "parameters" else 1
            check(found.ndim == axes, title(name), f"of {axes} axes", found.shape)
            limits = np.iinfo(kind)
            _check_range(title(name), found, int(limits.min), int(limits.max))
            object.__setattr__(self, name, np.ascontiguousarray(found, dtype=kind))
        self._check_graph()
        self._check_parameters()
        most, beat = WORD // self.message_bits, self.llrs_per_beat
        check(beat <= most, "Llrs per beat", f"at most {most} of {self.message_bits} bits", beat)
        if self.lifting > 1:
            divides = self.lifting % self.rows_per_clock == 0
            requirement = f"a divisor of the lifting {self.lifting}"
            check(divides, "Rows per clock", requirement, self.rows_per_clock)
        else:
            requirement = f"at most the {self.checks} checks"
            legal = self.rows_per_clock <= self.checks
            check(legal, "Rows per clock", requirement, self.rows_per_clock)
        if self.memory == "sram":
            self._check_sram()
        check_name(self.name)

    def _check_sram(self) -> None:
        legal = self.schedule == "layered" and self.lifting > 1
        requirement = "flipflop unless the schedule is layered and the lifting above 1"
        check(legal, "Memory", requirement, self.memory)
        whole = f"the lifting {self.lifting} with memory sram"
        check(self.rows_per_clock == self.lifting, "Rows per clock", whole, self.rows_per_clock)
        beat = self.llrs_per_beat
        check(beat <= self.lifting, "Llrs per beat", f"at most {whole}", beat)
        check(not self.posteriors, "Posteriors", "no with memory sram", "yes")

    def _check_graph(self) -> None:
        """UserError for edges that are no matrix, or information bits that are no variables."""
        edges = len(self.edge_check)
        check(edges >= 1, "Edges", "at least 1", edges)
        check(len(self.edge_variable) == edges, "Edge variable", f"of {edges} edges",
              len(self.edge_variable))  # fmt: skip
        _check_range("Edge check", self.edge_check, 0, self.checks - 1)
        _check_range("Edge variable", self.edge_variable, 0, self.variables - 1)
        place = self.edge_check.astype(np.int64) * self.variables + self.edge_variable
        wrong = np.flatnonzero(np.diff(place) <= 0)
        if wrong.size:
            raise UserError(
                f"Edges must ascend by check and, within it, by variable, not as edge "
                f"{int(wrong[0]) + 1} does"
            )
        for name, used, count in (
            ("check", self.edge_check, self.checks),
            ("variable", self.edge_variable, self.variables),
        ):
            empty = np.flatnonzero(np.bincount(used, minlength=count) == 0)
            if empty.size:
                raise UserError(f"Every {name} must have an edge, but {name} {empty[0]} has none")
        if self.lifting > 1 and not is_quasi_cyclic(self, self.lifting):
            raise UserError(
                f"Lifting must be 1 unless all blocks are sums of cyclic shifts, not {self.lifting}"
            )
        _check_range("Information", self.information, 0, self.variables - 1)
        distinct = len(np.unique(self.information)) == len(self.information)
        check(distinct, "Information", "distinct variables", self.information.tolist())
        bits = len(self.information)
        least = "at least 1 bit for outputs of information"
        check(self.outputs == "word" or bits >= 1, "Information", least, bits)

    def _check_parameters(self) -> None:
        times, columns = self.parameters.shape
        legal = times in (1, self.iterations)
        check(legal, "Times of parameters", f"1 or the {self.iterations} iterations", times)
        check(columns >= 1, "Columns of parameters", "at least 1", columns)
        if self.update == "plain":
            requirement = "one 0 for the plain update"
            plain = self.parameters.size == 1 and not self.parameters.any()
            check(plain, "Parameters", requirement, self.parameters.tolist())
        _check_range("Parameters", self.parameters, 0, self.parameter_most)
        edges = len(self.edge_check)
        check(len(self.groups) == edges, "Groups", f"of {edges} edges", len(self.groups))
        _check_range("Groups", self.groups, 0, columns - 1)

    @property
    def edges(self) -> int:
        """Ones in the matrix."""
        return len(self.edge_check)

    @property
    def most(self) -> int:
        """M: the greatest magnitude of an LLR and a message, LLR steps."""
        return (1 << self.message_bits - 1) - 1

    @property
    def parameter_most(self) -> int:
        """The greatest parameter that the update allows."""
        return self.most if self.update != "normalised" else (2 << self.scale_bits) - 1

    @property
    def posterior_bits(self) -> int:
        """Width of every posterior, bits, two's complement: no sum of messages overflows."""
        return self.message_bits + int(variable_degrees(self).max()).bit_length()

    @property
    def cyclic(self) -> bool:
        """Whether each row is the one above moved on by one variable, as in BCH codes."""
        return is_cyclic(self)

    @property
    def out_variables(self) -> np.ndarray:
        """Variables whose bits go out, in that order, int64 ``[bits]``."""
        if self.outputs == "information":
            return self.information.astype(np.int64)
        return np.arange(self.variables)

    @property
    def input_format(self) -> FrameFormat:
        """Frame in: the LLRs, ``llrs_per_beat`` a word, the first variable in the lowest bits.

        Two's complement of ``message_bits`` each; positive means bit 0. The least number,
        -M - 1, is read as -M. A step is an LLR of ``llr_step_num / llr_step_den``;
        ``quantise`` and ``llr_frames`` of ``gatesmith.models.minsum`` make frames of LLRs. Fields
        of the last word behind the last variable are ignored.
        """
        words = -(-self.variables // self.llrs_per_beat)
        width = self.llrs_per_beat * self.message_bits
        return FrameFormat(fields=(_packed("llr", words, width),))

    @property
    def output_format(self) -> FrameFormat:
        """Frame out: iterations done, whether the decision is a code word, its bits, posteriors.

        Of bits there are ``bits_per_beat`` a word, the first in bit 0, those behind the last 0.
        Posteriors are those of all variables, when asked for.
        """
        bits = -(-len(self.out_variables) // self.bits_per_beat)
        found: tuple[Field, ...] = (
            Field(name="iterations", count=1, width=self.iterations.bit_length(), signed=False),
            Field(name="satisfied", count=1, width=1, signed=False),
            _packed("bits", bits, self.bits_per_beat),
        )
        if self.posteriors:
            width = self.posterior_bits
            found += (Field(name="posterior", count=self.variables, width=width, signed=True),)
        return FrameFormat(fields=found)

    @property
    def config_format(self) -> None:
        """None: everything is built in."""
        return None

    def config_words(self) -> None:
        """None: everything is built in."""
        return None

    @property
    def weight_port(self) -> None:
        """None: all parameters lie inside."""
        return None

    def with_options(
        self,
        *,
        iterations: int | None = None,
        schedule: str | None = None,
        memory: str | None = None,
        rows_per_clock: int | None = None,
        stages: int | None = None,
        early_stop: bool | int | str | None = None,
        llrs_per_beat: int | None = None,
        outputs: str | None = None,
        posteriors: bool | int | str | None = None,
        bits_per_beat: int | None = None,
        name: str | None = None,
    ) -> "MinSumSpec":
        """The same code and parameters, decoded or built another way; what is None stays.

        ``iterations`` beyond those that have parameters of their own use the last ones; ``sram``
        takes all rows of a block a clock unless told otherwise; ``yes`` and ``no``, 1 and 0 stand
        for True and False. UserError for an impossible choice.
        """
        layered = (schedule or self.schedule) == "layered"
        if rows_per_clock not in (None, 1) and not layered:
            raise UserError(
                f"Rows per clock must be 1 for flooding, not {rows_per_clock!r}: "
                "add schedule=layered"
            )
        if stages not in (None, 1) and layered:
            raise UserError(f"Stages must be 1 for layered, not {stages!r}")
        if memory == "sram" and rows_per_clock is None:
            rows_per_clock = self.lifting
        options = {
            "iterations": iterations,
            "schedule": schedule,
            "memory": memory,
            "rows_per_clock": rows_per_clock,
            "stages": stages,
            "early_stop": truth(early_stop),
            "llrs_per_beat": llrs_per_beat,
            "outputs": outputs,
            "posteriors": truth(posteriors),
            "bits_per_beat": bits_per_beat,
            "name": name,
        }
        given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
        times = len(self.parameters)
        if times > 1 and isinstance(iterations, int) and 1 <= iterations <= ITERATIONS:
            given["parameters"] = self.parameters[np.minimum(np.arange(iterations), times - 1)]
        return replace(self, **given)

    def save(self, path: str | Path) -> None:
        """Write the Spec as safetensors: arrays as tensors, the rest as JSON metadata."""
        names = [field.name for field in fields(self)]
        meta = {name: getattr(self, name) for name in names if name not in _ARRAYS}
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        write_store(path, FORMAT, {"family": self.family, **meta}, arrays)

    @classmethod
    def load(cls, path: str | Path) -> "MinSumSpec":
        """Read a Spec that :meth:`save` wrote; UserError when it is not one."""
        meta, found = read_store(path, FORMAT)
        arrays: dict[str, Any] = dict(found)
        try:
            if meta.pop("family") != cls.family:
                raise KeyError("family")
            plain = {k: v for k, v in meta.items() if k not in ("format", "version")}
            return cls(**plain, **{name: arrays[name] for name in _ARRAYS})
        except (KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path}: not the Spec of a min-sum decoder: {error}") from error


def _packed(name: str, count: int, width: int) -> Field:
    """Words of bits; signed where there is no room for a bit more in int64."""
    return Field(name=name, count=count, width=width, signed=width == WORD)


def _check_range(subject: str, values: np.ndarray, low: int, high: int) -> None:
    wrong = values[(values < low) | (values > high)]
    check(not wrong.size, subject, f"between {low} and {high}", wrong[:1].tolist())
