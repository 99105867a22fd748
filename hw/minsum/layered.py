"""Rows of a code in groups, one behind the other."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, Instance, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape
from gatesmith.hw.memory import lookup
from gatesmith.hw.minsum.access import Access
from gatesmith.hw.minsum.check import Update, answers, check_layout, compress
from gatesmith.hw.minsum.flooding import engine_members
from gatesmith.hw.minsum.parameters import Parameters
from gatesmith.hw.minsum.variable import add, posterior_width, to_check
from gatesmith.models.minsum import MinSumSpec

__all__ = ["Layered", "RowNode"]


class RowNode(wiring.Component):
    """What a row makes of the posteriors of its variables, and of its messages to them.

    Combinational. To the check goes a posterior without the old message; the new posterior is
    that with the new message.

    Parameters
    ----------
    widths : tuple of int    Bits of the posterior at each port.
    update : Update
    tying : Parameters
    gated : bool             Ports may be without an edge.

    Members
    -------
    posteriors : In          Signed, the first port lowest.
    active : In              Which ports have an edge, when ``gated``.
    fresh : In(1)            The old messages are 0.
    old : In                 Of the row, as it was told in ``new_...``.
    parameters : In          Of the row, or of each port, the first lowest; unless constant.
    updated : Out            New posteriors.
    new_... : Out            The fields of the row's messages.
    """

    posteriors: Signal
    active: Signal
    fresh: Signal
    old: Signal
    parameters: Signal
    updated: Signal

    def __init__(
        self, widths: tuple[int, ...], update: Update, tying: Parameters, gated: bool
    ) -> None:
        self._widths, self._update, self._tying, self._gated = widths, update, tying, gated
        degree = len(widths)
        if tying.each:
            self.fields = {"signs": degree, "magnitudes": degree * update.bits}
        else:
            layout = check_layout(degree, update.bits)
            self.fields = {name: field.width for name, field in layout}
        members: dict[str, Any] = {
            "posteriors": In(sum(widths)),
            "fresh": In(1),
            "old": In(sum(self.fields.values())),
            "updated": Out(sum(widths)),
            **{f"new_{name}": Out(width) for name, width in self.fields.items()},
        }
        if gated:
            members["active"] = In(degree)
        if tying.constant is None:
            members["parameters"] = In(tying.width * (degree if tying.each else 1))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        update, start = self._update, 0
        old: dict[str, Value] = {}
        for name, width in self.fields.items():
            old[name] = self.old[start : start + width]
            if name != "signs" and name != "index":
                old[name] = old[name] & ~self.fresh.replicate(width)
            start += width
        without, signs, magnitudes, start = [], [], [], 0
        for port, (width, message) in enumerate(
            zip(self._widths, self._messages(m, old, "old"), strict=True)
        ):
            posterior = self.posteriors[start : start + width].as_signed()
            without.append(add(m, posterior, message, width, subtract=True))
            sign, magnitude = to_check(m, without[-1], update.bits + 1)
            if self._gated:
                sign = sign & self.active[port]
                magnitude = magnitude | ~self.active[port].replicate(update.bits)
            signs.append(sign)
            magnitudes.append(magnitude)
            start += width
        new = self._new(m, Cat(signs), magnitudes)
        m.d.comb += [getattr(self, f"new_{name}").eq(value) for name, value in new.items()]
        m.d.comb += self.updated.eq(
            Cat(
                add(m, base, message, width)
                for base, message, width in zip(
                    without, self._messages(m, new, "new"), self._widths, strict=True
                )
            )
        )
        return m

    def _new(self, m: Module, signs: Value, magnitudes: list[Value]) -> dict[str, Value]:
        """The fields of the row's new messages."""
        update, tying, degree = self._update, self._tying, len(self._widths)
        kept = [Signal(update.bits, name="magnitude") for _ in magnitudes]
        m.d.comb += [one.eq(value) for one, value in zip(kept, magnitudes, strict=True)]
        sign = Signal(degree, name="signs")
        m.d.comb += sign.eq(signs)
        found = compress(m, sign, kept)
        parameter = self.parameters if tying.constant is None else tying.constant
        if not tying.each:
            for name in ("first", "second"):
                if name in found:
                    found[name] = update(m, found[name], parameter)
            return self._named(m, found)
        found = self._named(m, found)
        chosen = []
        for port, magnitude in enumerate(answers(found, degree)):
            answer = Signal(update.bits, name="answer")
            m.d.comb += answer.eq(magnitude)
            own = self.parameters.word_select(port, tying.width)
            chosen.append(update(m, answer, own))
        return self._named(m, {"signs": found["signs"], "magnitudes": Cat(chosen)})

    def _named(self, m: Module, fields: dict[str, Value]) -> dict[str, Value]:
        named: dict[str, Value] = {}
        for name, value in fields.items():
            named[name] = signal = Signal(len(value), name=name)
            m.d.comb += signal.eq(value)
        return named

    def _messages(
        self, m: Module, fields: dict[str, Value], name: str
    ) -> list[tuple[Value, Value]]:
        """Sign and magnitude of the message at each port."""
        degree, bits = len(self._widths), self._update.bits
        if self._tying.each:
            magnitudes = [fields["magnitudes"].word_select(k, bits) for k in range(degree)]
        else:
            magnitudes = answers(fields, degree)
        found: list[tuple[Value, Value]] = []
        for port, magnitude in enumerate(magnitudes):
            signal = Signal(bits, name=f"{name}_{port}")
            m.d.comb += signal.eq(magnitude)
            found.append((fields["signs"][port], signal))
        return found


class Layered(wiring.Component):
    """A node for each row of a group, and a register for each posterior.

    A step is a group. The messages of the rows stand in a ring that turns by a group a step. See
    :class:`gatesmith.hw.minsum.flooding.Flooding` for the members.

    ``shared`` holds the nodes.
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
        self._access = access = Access.of(spec)
        self._tying, update = Parameters.of(spec), Update.of(spec)
        self._widths = [
            posterior_width(spec.message_bits, degree) for degree in access.degrees.tolist()
        ]
        self._gated = bool((access.edges < 0).any())
        nodes: dict[tuple[int, ...], tuple[str, RowNode]] = {}
        self._nodes: list[tuple[str, RowNode]] = []
        self._port_widths: list[tuple[int, ...]] = []
        for slot in range(spec.rows_per_clock):
            widths = tuple(
                max(self._widths[place] for place in places if place >= 0)
                for places in access.places[:, slot].T.tolist()
                if max(places) >= 0
            )
            if widths not in nodes:
                name = f"{spec.name}_row_{len(nodes)}"
                nodes[widths] = name, RowNode(widths, update, self._tying, self._gated)
            self._nodes.append(nodes[widths])
            self._port_widths.append(widths)
        self.shared: dict[str, Any] = dict(nodes.values())
        super().__init__(engine_members(spec))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec, access = self._spec, self._access
        phase, turn = Signal(count_shape(access.phases)), Signal(count_shape(access.steps))
        self._walk(m, phase, turn)
        posteriors = [
            Signal(signed(width), name=f"posterior_{v}", reset_less=True)
            for v, width in enumerate(self._widths)
        ]
        m.d.comb += self.decision.eq(Cat(one[-1] for one in posteriors))
        if spec.posteriors:
            m.d.comb += [
                self.posterior.word_select(v, spec.posterior_bits).eq(one)
                for v, one in enumerate(posteriors)
            ]
        ports = self._read(m, phase, posteriors)
        updated = self._nodes_of_rows(m, phase, turn, ports)
        after = self._write(m, phase, posteriors, ports, updated)
        moved = range(spec.variables) if access.moved is None else access.moved.tolist()
        back = None if access.back is None else access.back.tolist()
        with m.If(self.load):
            m.d.sync += [
                one.eq(self.llrs.word_select(v, spec.message_bits).as_signed())
                for v, one in enumerate(posteriors)
            ]
        with m.Elif(self.step):
            m.d.sync += [
                one.eq(after[moved[v]] if back is None else Mux(self.last, after[back[v]],
                                                               after[moved[v]]))
                for v, one in enumerate(posteriors)
            ]  # fmt: skip
        return m

    def _walk(self, m: Module, phase: Signal, turn: Signal) -> None:
        """Go from step to step of a phase, and from phase to phase."""
        access = self._access
        turned, ended = turn == access.steps - 1, phase == access.phases - 1
        with m.If(self.step):
            m.d.sync += turn.eq(Mux(turned, 0, turn + 1))
            with m.If(turned):
                m.d.sync += phase.eq(Mux(ended, 0, phase + 1))
        m.d.comb += [
            self.boundary.eq((phase == 0) & (turn == 0)),
            self.last.eq(turned & ended),
        ]

    def _read(self, m: Module, phase: Value, posteriors: list[Signal]) -> list[list[Signal]]:
        """The posterior at each port of each slot; whatever, where it has none."""
        found: list[list[Signal]] = []
        for slot, widths in enumerate(self._port_widths):
            found.append([])
            for port, width in enumerate(widths):
                read = Signal(signed(width), name=f"read_{slot}_{port}")
                found[-1].append(read)
                uses = _by_value(self._access.places[:, slot, port].tolist())
                uses.pop(-1, None)
                choices = {read.eq(posteriors[place]): when for place, when in uses.items()}
                _by_phase(m, phase, choices, None)
        return found

    def _nodes_of_rows(
        self, m: Module, phase: Value, turn: Value, ports: list[list[Signal]]
    ) -> list[list[Value]]:
        """The new posterior at each port of each slot; and keep the messages."""
        access, tying = self._access, self._tying
        groups, slots, degree = access.edges.shape
        sizes = [sum(node.fields.values()) for _, node in self._nodes]
        ring = Signal(groups * sum(sizes), reset_less=True)
        fresh = Signal()
        m.d.comb += fresh.eq(self.iteration == 0)
        active = self._active(m, phase) if self._gated else None
        parameters = self._parameters(m)
        updated: list[list[Value]] = []
        start, new = 0, []
        for slot, (name, node) in enumerate(self._nodes):
            whole = Signal(sum(self._port_widths[slot]), name=f"updated_{slot}")
            fields = {
                key: Signal(width, name=f"{key}_{slot}") for key, width in node.fields.items()
            }
            values: dict[str, Value] = {
                "i_posteriors": Cat(ports[slot]),
                "i_fresh": fresh,
                "i_old": ring[start : start + sizes[slot]],
                "o_updated": whole,
                **{f"o_new_{key}": value for key, value in fields.items()},
            }
            if active is not None:
                values["i_active"] = active.word_select(slot, degree)[: len(ports[slot])]
            if parameters is not None:
                own = parameters
                if not tying.alike:
                    own = parameters.word_select(slot, tying.width * (degree if tying.each else 1))
                values["i_parameters"] = own[: len(node.parameters)]
            m.submodules[f"row_{slot}"] = Instance(name, **values)
            place, parts = 0, []
            for width in self._port_widths[slot]:
                parts.append(whole[place : place + width].as_signed())
                place += width
            updated.append(parts)
            new += list(fields.values())
            start += sizes[slot]
        with m.If(self.step):
            m.d.sync += ring.eq(Cat(ring, *new)[sum(sizes) :])
        return updated

    def _active(self, m: Module, phase: Value) -> Value:
        """Which ports of which slots have an edge in this phase."""
        words = [
            sum(1 << k for k, place in enumerate(row) if place >= 0)
            for row in self._access.places.reshape(self._access.phases, -1).tolist()
        ]
        return lookup(m, "active", self._access.places[0].size, words, phase)

    def _parameters(self, m: Module) -> Value | None:
        """Of the rows of this group in this iteration."""
        spec, tying, edges = self._spec, self._tying, self._access.edges
        if tying.constant is not None:
            return None
        values = spec.parameters[:, spec.groups]  # [times, edges]
        if tying.alike:
            words = [int(values[min(t, len(values) - 1), 0]) for t in range(spec.iterations + 1)]
            return lookup(m, "parameters", tying.width, words, self.iteration)
        wanted = edges if tying.each else edges.max(axis=2)
        shape = wanted.reshape(len(wanted), -1)
        words = [
            tying.packed(row[shape[group]] * (shape[group] >= 0))
            for row in values
            for group in range(len(shape))
        ]
        place = Signal(count_shape(len(words)))
        with m.If(self.load):
            m.d.sync += place.eq(0)
        with m.Elif(self.step):
            m.d.sync += place.eq(Mux(place == len(words) - 1, 0, place + 1))
        return lookup(m, "parameters", tying.width * shape.shape[1], words, place)

    def _write(
        self, m: Module, phase: Value, posteriors: list[Signal], ports: list[list[Signal]],
        updated: list[list[Value]],
    ) -> list[Value]:  # fmt: skip
        """Each posterior after this step, before it moves."""
        bits = self._spec.message_bits
        places = self._access.places
        taps: list[dict[int, list[tuple[int, int]]]] = [{} for _ in posteriors]
        for number, rows in enumerate(places.tolist()):
            for slot, row in enumerate(rows):
                for port, place in enumerate(row):
                    if place >= 0:
                        taps[place].setdefault(number, []).append((slot, port))
        changes: dict[tuple[int, int], Signal] = {}

        def change(slot: int, port: int) -> Signal:
            """What a row adds to a posterior, where several do."""
            if (slot, port) not in changes:
                found = Signal(signed(bits + 1), name=f"change_{slot}_{port}")
                m.d.comb += found.eq(updated[slot][port] - ports[slot][port])
                changes[slot, port] = found
            return changes[slot, port]

        after: list[Value] = []
        for v, posterior in enumerate(posteriors):
            result = Signal.like(posterior, name=f"after_{v}")
            m.d.comb += result.eq(posterior)
            uses = _by_value([tuple(taps[v].get(k, ())) for k in range(self._access.phases)])
            uses.pop((), None)
            choices = {}
            for where, when in uses.items():
                value = updated[where[0][0]][where[0][1]]
                if len(where) > 1:
                    value = sum((change(*one) for one in where), posterior)
                choices[result.eq(value)] = when
            _by_phase(m, phase, choices, self._access.phases)
            after.append(result)
        return after


def _by_value(values: Sequence[Any]) -> dict[Any, list[int]]:
    """Places of each value in a list."""
    found: dict[Any, list[int]] = {}
    for place, value in enumerate(values):
        found.setdefault(value, []).append(place)
    return found


def _by_phase(m: Module, phase: Value, choices: dict[Any, list[int]], phases: int | None) -> None:
    """One of the assignments, by the phase; when only some of them matter, any in the others."""
    items = list(choices.items())
    if not items:
        return
    if len(items) == 1 and phases in (None, len(items[0][1])):
        m.d.comb += items[0][0]
        return
    if phases is None:  # the one that is wanted most often needs no decoding
        usual = max(range(len(items)), key=lambda k: len(items[k][1]))
        m.d.comb += items.pop(usual)[0]
    with m.Switch(phase):
        for assignment, when in items:
            with m.Case(*when):
                m.d.comb += assignment
