"""All checks and variables of a code at once."""

from itertools import pairwise
from typing import Any

import numpy as np
from amaranth.hdl import Cat, ClockDomain, ClockSignal, Instance, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.memory import lookup
from gatesmith.hw.minsum.check import Update, answers, check_layout, compress
from gatesmith.hw.minsum.parameters import Parameters
from gatesmith.hw.minsum.variable import VariableNode, posterior_width
from gatesmith.models.minsum import MinSumSpec
from gatesmith.models.minsum.layout import check_degrees, first_edges, variable_edges

__all__ = ["CheckNode", "Flooding", "engine_members"]


def engine_members(spec: MinSumSpec) -> dict[str, Any]:
    """Members of what decodes: see :class:`Flooding`."""
    members = {
        "load": In(1),
        "llrs": In(spec.variables * spec.message_bits),
        "step": In(1),
        "iteration": In(range(spec.iterations + 1)),
        "boundary": Out(1),
        "last": Out(1),
        "decision": Out(spec.variables),
    }
    if spec.posteriors:
        members["posterior"] = Out(spec.variables * spec.posterior_bits)
    return members


class CheckNode(wiring.Component):
    """The messages of a check, compressed in a register.

    Parameters of the whole check are applied before the register, to two magnitudes; those of its
    edges behind it, to each answer.

    Parameters
    ----------
    degree : int          Edges.
    update : Update
    tying : Parameters

    Members
    -------
    clk : In(1)                     Nothing is reset.
    clear : In(1)                   Make all messages 0.
    step : In(1)                    Take the messages of the variables.
    signs, magnitudes : In          Messages of the variables, the first edge lowest.
    parameters : In                 Of the check, or of each edge, the first lowest; unless
                                    constant. With one for each edge: those of the iteration that
                                    the register is from.
    to_signs, to_magnitudes : Out   Messages to the variables, from the register.
    """

    clk: Signal
    clear: Signal
    step: Signal
    signs: Signal
    magnitudes: Signal
    parameters: Signal
    to_signs: Signal
    to_magnitudes: Signal

    def __init__(self, *, degree: int, update: Update, tying: Parameters) -> None:
        self._degree, self._update, self._tying = degree, update, tying
        members = {
            "clk": In(1),
            "clear": In(1),
            "step": In(1),
            "signs": In(degree),
            "magnitudes": In(degree * update.bits),
            "to_signs": Out(degree),
            "to_magnitudes": Out(degree * update.bits),
        }
        if tying.constant is None:
            members["parameters"] = In(tying.width * (degree if tying.each else 1))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = ClockDomain(reset_less=True)
        m.d.comb += ClockSignal().eq(self.clk)
        degree, update = self._degree, self._update
        magnitudes = [self.magnitudes.word_select(k, update.bits) for k in range(degree)]
        found = compress(m, self.signs, magnitudes)
        if not self._tying.each:
            constant = self._tying.constant
            parameter = self.parameters if constant is None else constant
            for name in ("first", "second"):
                if name in found:
                    found[name] = update(m, found[name], parameter)
        kept: Any = Signal(check_layout(degree, update.bits), reset_less=True)
        fields = {name: kept[name] for name in found}
        with m.If(self.clear):
            m.d.sync += [fields[name].eq(0) for name in ("first", "second") if name in fields]
        with m.Elif(self.step):
            m.d.sync += [fields[name].eq(value) for name, value in found.items()]
        for place, magnitude in enumerate(answers(fields, degree)):
            if self._tying.each:
                chosen = Signal(update.bits, name="chosen")
                m.d.comb += chosen.eq(magnitude)
                own = self.parameters.word_select(place, self._tying.width)
                magnitude = update(m, chosen, own)
            m.d.comb += self.to_magnitudes.word_select(place, update.bits).eq(magnitude)
        m.d.comb += self.to_signs.eq(fields["signs"])
        return m


class Flooding(wiring.Component):
    """A node for each check and each variable.

    A step is an iteration; with two stages every second one, and between the two the messages of
    the variables stand in a register.

    Members
    -------
    load : In(1)          Begin with ``llrs``.
    llrs : In             Of each variable, the first lowest.
    step : In(1)          Go on.
    iteration : In        Whole iterations done.
    boundary : Out(1)     The decision is that after whole iterations.
    last : Out(1)         The step in this clock is the last of an iteration.
    decision : Out        Bit of each variable.
    posterior : Out       Of each variable, ``posterior_bits`` each, if they are sent.

    ``shared`` holds the nodes, one for each degree.
    """

    load: Signal
    llrs: Signal
    step: Signal
    iteration: Signal
    boundary: Signal
    last: Signal
    decision: Signal
    posterior: Signal

    def __init__(self, spec: MinSumSpec) -> None:
        self._spec = spec
        super().__init__(engine_members(spec))
        self._firsts = first_edges(spec).tolist()
        self._tying, self._update = Parameters.of(spec), Update.of(spec)
        self.shared: dict[str, Any] = {
            self._name("check", degree): CheckNode(
                degree=degree,
                update=self._update,
                tying=self._tying,
            )
            for degree in np.unique(check_degrees(spec)).tolist()
        }
        self.shared |= {
            self._name("variable", degree): VariableNode(spec.message_bits, degree)
            for degree in sorted({len(edges) for edges in variable_edges(spec)})
        }

    def _name(self, kind: str, degree: int) -> str:
        return f"{self._spec.name}_{kind}_{degree}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec, bits, firsts = self._spec, self._spec.message_bits, self._firsts
        llrs = Signal.like(self.llrs, reset_less=True)
        with m.If(self.load):
            m.d.sync += llrs.eq(self.llrs)
        # Vectors for each node: one of all messages would cost a simulator time in proportion to
        # the square of their number.
        degrees = [end - first for first, end in pairwise(firsts)]
        signs = [Signal(k, name=f"check_signs_{c}") for c, k in enumerate(degrees)]
        magnitudes = [
            Signal(k * (bits - 1), name=f"check_magnitudes_{c}") for c, k in enumerate(degrees)
        ]
        first_stage, second_stage = self._stages(m)
        checks = spec.edge_check.tolist()
        sent: list[Any] = [None] * spec.edges  # sign and magnitude of each edge to its check
        for v, edges in enumerate(variable_edges(spec)):
            sign = Signal(len(edges), name=f"variable_signs_{v}")
            magnitude = Signal(len(edges) * (bits - 1), name=f"variable_magnitudes_{v}")
            posterior = Signal(signed(posterior_width(bits, len(edges))), name=f"posterior_{v}")
            places = [(checks[edge], edge - firsts[checks[edge]]) for edge in edges.tolist()]
            m.submodules[f"variable_{v}"] = Instance(
                self._name("variable", len(edges)),
                i_llr=llrs.word_select(v, bits),
                i_signs=Cat(signs[c][k] for c, k in places),
                i_magnitudes=Cat(magnitudes[c].word_select(k, bits - 1) for c, k in places),
                o_to_signs=sign,
                o_to_magnitudes=magnitude,
                o_posterior=posterior,
            )
            m.d.comb += self.decision[v].eq(posterior[-1])
            if spec.posteriors:
                m.d.comb += self.posterior.word_select(v, spec.posterior_bits).eq(posterior)
            if spec.stages == 2:
                kept = [Signal.like(one, name_suffix="_q", reset_less=True)
                        for one in (sign, magnitude)]  # fmt: skip
                with m.If(first_stage):
                    m.d.sync += [kept[0].eq(sign), kept[1].eq(magnitude)]
                sign, magnitude = kept
            for k, edge in enumerate(edges.tolist()):
                sent[edge] = sign[k], magnitude.word_select(k, bits - 1)
        parameters = self._parameters(m)
        for c, degree in enumerate(degrees):
            row = range(firsts[c], firsts[c] + degree)
            ports: dict[str, Value] = {
                "i_clk": ClockSignal(),
                "i_clear": self.load,
                "i_step": second_stage,
                "i_signs": Cat(sent[edge][0] for edge in row),
                "i_magnitudes": Cat(sent[edge][1] for edge in row),
                "o_to_signs": signs[c],
                "o_to_magnitudes": magnitudes[c],
            }
            if self._tying.constant is None:
                used = row if self._tying.each else row[:1]
                ports["i_parameters"] = Cat(parameters[edge] for edge in used)
            m.submodules[f"check_{c}"] = Instance(self._name("check", degree), **ports)
        return m

    def _stages(self, m: Module) -> tuple[Value, Value]:
        """Whether messages of the variables, and of the checks, are taken in this clock."""
        if self._spec.stages == 1:
            m.d.comb += [self.boundary.eq(1), self.last.eq(1)]
            return self.step, self.step
        second = Signal()
        with m.If(self.step):
            m.d.sync += second.eq(~second)
        m.d.comb += [self.boundary.eq(~second), self.last.eq(second)]
        return self.step & ~second, self.step & second

    def _parameters(self, m: Module) -> list[Value]:
        """Of each edge, in the iteration for which the nodes want it."""
        if self._tying.constant is not None:
            return []
        spec, width = self._spec, self._tying.width
        times = np.arange(spec.iterations + 1) - self._tying.each
        rows = spec.parameters[np.clip(times, 0, len(spec.parameters) - 1)]
        words = [self._tying.packed(row) for row in rows]
        word = lookup(m, "parameters", width * len(rows[0]), words, self.iteration)
        return [word.word_select(group, width) for group in spec.groups.tolist()]
