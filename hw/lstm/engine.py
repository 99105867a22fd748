"""The column engine: for each entry of a vector its weight column, added up in all lanes."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape, times
from gatesmith.hw.lstm.accumulators import Accumulators
from gatesmith.hw.memory import lookup
from gatesmith.models.lstm import LSTMSpec
from gatesmith.models.lstm.layout import passes, stream_bases, sum_width, weight_memories

__all__ = ["Engine"]

SIGNS = ("binary", "ternary")  # kinds whose products need no multiplier
TRITS = 5  # in a byte of the packing 5trits


class Engine(wiring.Component):
    """Walks the entries of one pass after the other.

    ``begin`` starts the pass ``number``; its first entry is there in the next clock. An entry
    whose column is taken stays for a clock a group of rows, another for one clock. In each clock
    of a taken column a word of weights is asked for; a clock later all lanes multiply it by the
    value and add it to their sums. So the last addition passes in the clock after ``busy`` was
    last high.

    Parameters
    ----------
    spec : LSTMSpec
    sums : list of Accumulators       What the lanes add to.
    of_pass : list of (int, int)      The accumulators of each pass, by ``bank``.

    Members
    -------
    begin : In(1), number : In        Start pass ``number``, held until the pass is over.
    bank : In(1)                      Which accumulators, held likewise.
    dense : In(1)                     Take the column of every entry.
    busy : Out(1)                     Entries are being walked.
    empty : Out(1)                    No column was taken; valid in the clock after the pass.
    first, advance : Out(1)           Read the first, or the next entry, of the vector of the pass.
    values, offset, last : In         The entry.
    symbol : In                       Instead of it, the symbol of one sequence after the other.
    which : In, done : In(1)          The list that it came from; it ends the vector.
    taken : Out(1), skipped : Out     Columns taken, and zeros passed over, in this clock.
    ask : Out(1), address : Out       A word of weights is wanted in the next clock.
    start : Out(1)                    The word is the first of its column.
    use : Out(1)                      ``weights`` is used in this clock.
    weights : In                      A word of each kind of weights, the first kind lowest.
    """

    begin: Signal
    number: Signal
    bank: Signal
    dense: Signal
    busy: Signal
    empty: Signal
    first: Signal
    advance: Signal
    values: Signal
    offset: Signal
    last: Signal
    symbol: Signal
    which: Signal
    done: Signal
    taken: Signal
    skipped: Signal
    ask: Signal
    address: Signal
    start: Signal
    use: Signal
    weights: Signal

    def __init__(
        self, spec: LSTMSpec, sums: list[Accumulators], of_pass: list[tuple[int, int]]
    ) -> None:
        self._spec, self._sums, self._of_pass = spec, sums, of_pass
        self._passes, self._memories = passes(spec), weight_memories(spec)
        self._width = sum_width(spec)
        super().__init__(
            {
                "begin": In(1),
                "number": In(count_shape(len(self._passes))),
                "bank": In(1),
                "dense": In(1),
                "busy": Out(1),
                "empty": Out(1),
                "first": Out(1),
                "advance": Out(1),
                "values": In(8 * spec.batch),
                "offset": In(spec.offset_bits),
                "last": In(1),
                "symbol": In(count_shape(spec.layers[0].inputs)),
                "which": In(count_shape(spec.elementwise)),
                "done": In(1),
                "taken": Out(1),
                "skipped": Out(range((1 << spec.offset_bits) + 1)),
                "ask": Out(1),
                "address": Out(self._addresses()),
                "start": Out(1),
                "use": Out(1),
                "weights": In(sum(one.width for one in self._memories)),
            }
        )

    def _addresses(self) -> range:
        depths = [one.depth for one in self._memories]
        return count_shape(sum(depths) if self._spec.memory == "stream" else max(depths))

    def elaborate(self, platform: object) -> Module:
        """Walk the entries in one clock, and add in the next."""
        m = Module()
        group, target = self._walk(m)
        spec, batch = self._spec, self._spec.batch
        self._turn = Signal(count_shape(batch))  # sequence that a symbol is for
        number_q = Signal.like(self.number)
        group_q, target_q = Signal.like(group), Signal.like(target)
        fresh_q, values_q = Signal(batch), Signal(8 * batch)
        fresh, values = Signal(batch), Signal(8 * batch)
        m.d.comb += [fresh.eq(self._fresh.replicate(batch)), values.eq(self.values)]
        if spec.one_hot:
            with m.If(self.number == 0):
                m.d.comb += [
                    fresh.eq(1 << self._turn),
                    values.eq(
                        Cat(Const(k == 0) & (fresh[b]) for b in range(batch) for k in range(8))
                    ),
                ]
            with m.If((self.number == 0) & self.taken):
                m.d.sync += self._turn.eq(Mux(self._turn == batch - 1, 0, self._turn + 1))
        m.d.sync += [
            self.use.eq(self.ask),
            number_q.eq(self.number),
            group_q.eq(group),
            target_q.eq(target),
            fresh_q.eq(fresh),
            values_q.eq(values),
        ]
        self._add(m, number_q, group_q, target_q, fresh_q, values_q)
        return m

    def _walk(self, m: Module) -> tuple[Signal, Signal]:
        """Take the entries one by one; the group of rows in this clock, and its accumulators."""
        spec = self._spec
        group = Signal(count_shape(*(one.groups for one in self._passes)))
        target = Signal(count_shape(len(self._sums)))
        position = Signal(count_shape(*(one.columns for one in self._passes)))
        place = Signal(count_shape(*(one.columns for one in self._passes)))
        first_word, following = Signal.like(self.address), Signal.like(self.address)
        final, consume = Signal(), Signal()
        self._fresh = fresh = Signal()
        take = Signal()
        m.d.comb += [
            place.eq(position + self.offset),
            take.eq(self.dense | self.values.any()),
            self.first.eq(self.begin),
            self.ask.eq(self.busy & take),
            self.start.eq(self.ask & (group == 0)),
            self.address.eq(Mux(group == 0, first_word, following)),
            consume.eq(self.busy & (~take | final)),
            self.advance.eq(consume & ~self.done),
            self.taken.eq(consume & take),
            self.skipped.eq(Mux(consume, self.offset + ~take, 0)),
        ]
        with m.Switch(self.number):
            for number, one in enumerate(self._passes):
                with m.Case(number):
                    column: Value = place
                    if one.source == "state":
                        column = times(place, spec.elementwise) + self.which
                    elif one.source == "symbols":
                        column = self.symbol
                        m.d.comb += [take.eq(1), self.skipped.eq(0)]
                    low, high = self._of_pass[number]
                    base = one.base
                    if spec.memory == "stream":
                        base += stream_bases(spec)[one.kind]
                    m.d.comb += [
                        first_word.eq(base + times(column, one.groups)),
                        final.eq(group == one.groups - 1),
                        target.eq(Mux(self.bank, high, low)),
                    ]
        with m.If(self.ask):
            m.d.sync += [group.eq(Mux(final, 0, group + 1)), following.eq(self.address + 1)]
        with m.If(consume):
            m.d.sync += position.eq(Mux(self.last, 0, place + 1))
            with m.If(take):
                m.d.sync += fresh.eq(0)
            with m.If(self.done):
                m.d.sync += [self.busy.eq(0), self.empty.eq(fresh & ~take)]
        with m.If(self.begin):
            m.d.sync += [self.busy.eq(1), fresh.eq(1), position.eq(0)]
        for index, sums in enumerate(self._sums):
            m.d.comb += [
                sums.add.enable.eq(self.ask & (target == index)),
                sums.add.address.eq(group),
            ]
        return group, target

    def _add(
        self,
        m: Module,
        number: Signal,
        group: Signal,
        target: Signal,
        fresh: Signal,
        values: Signal,
    ) -> None:
        """Add a word of weights times the values to the sums of all lanes."""
        lanes, batch, width = self._spec.lanes, self._spec.batch, self._width
        before = Signal(lanes * batch * width)
        written = [sums.write_data for sums in self._sums]
        with m.Switch(target):
            for index, sums in enumerate(self._sums):
                with m.Case(index):
                    m.d.comb += before.eq(sums.add.data)
                m.d.comb += [
                    sums.write.eq(self.use & (target == index)),
                    sums.write_address.eq(group),
                ]
        factors = self._factors(m, number)
        for b in range(batch):
            value = Signal(signed(8), name=f"value{b}")
            m.d.comb += value.eq(values[8 * b : 8 * b + 8])
            for lane, (sign, weight) in enumerate(factors):
                low = (b * lanes + lane) * width
                base = Signal(signed(width), name=f"base{b}_{lane}")
                m.d.comb += base.eq(Mux(fresh[b], 0, before[low : low + width]))
                total = Signal(width, name=f"total{b}_{lane}")
                m.d.comb += total.eq(self._sum(base, value, sign, weight))
                m.d.comb += [ports[b * lanes + lane].eq(total) for ports in written]

    def _sum(self, base: Value, value: Value, sign: Any, weight: Any) -> Value:
        """base + weight * value, with a sign of (not zero, negative, in use) or a multiplier."""
        width = len(base)
        if sign is None:
            return base + weight * value
        # One adder: a negative operand is inverted, and its missing 1 comes in below.
        some, negative, chosen = sign
        extended = Cat(value, value[-1].replicate(width - len(value)))
        operand = (extended ^ negative.replicate(width)) & some.replicate(width)
        carry = some & negative
        if weight is not None:
            product = (weight * value).as_signed()
            wide = Cat(product, product[-1].replicate(width))[:width]
            operand, carry = Mux(chosen, operand, wide), carry & chosen
        return (Cat(carry, base) + Cat(carry, operand))[1 : width + 1]

    def _factors(self, m: Module, number: Signal) -> list[tuple[Any, Any]]:
        """Of each lane the sign and the weight that it multiplies by; None for what no pass has."""
        lanes = self._spec.lanes
        codes, low = {}, 0
        for memory in self._memories:
            word = self.weights[low : low + memory.width]
            codes[memory.kind] = self._codes(m, memory.kind, word)
            low += memory.width
        uses = {
            kind: [number == k for k, one in enumerate(self._passes) if one.kind == kind]
            for kind in codes
        }
        active = {kind: Cat(found).any() for kind, found in uses.items()}
        signs = [kind for kind in codes if kind in SIGNS]
        numbers = [kind for kind in codes if kind not in SIGNS]
        found: list[tuple[Any, Any]] = []
        for lane in range(lanes):
            sign = weight = None
            if signs:
                some, negative = Signal(name=f"some{lane}"), Signal(name=f"negative{lane}")
                for kind in signs:
                    code = codes[kind][lane]
                    wanted = active[kind] if len(signs) > 1 else Const(1)
                    with m.If(wanted):
                        m.d.comb += [
                            some.eq(1 if kind == "binary" else code[0]),
                            negative.eq(~code[0] if kind == "binary" else code[1]),
                        ]
                chosen = Cat(active[kind] for kind in signs).any() if numbers else Const(1)
                sign = (some, negative, chosen)
            if numbers:
                weight = Signal(
                    signed(max(len(codes[kind][lane]) for kind in numbers)), name=f"weight{lane}"
                )
                for kind in numbers:
                    wanted = active[kind] if len(numbers) > 1 else Const(1)
                    with m.If(wanted):
                        m.d.comb += weight.eq(codes[kind][lane].as_signed())
            found.append((sign, weight))
        return found

    def _codes(self, m: Module, kind: str, word: Value) -> list[Value]:
        """The code of each lane in a word of weights."""
        lanes = self._spec.lanes
        if kind == "ternary" and self._spec.packing == "5trits":
            table = [
                sum((value // 3**k % 3 - 1 & 3) << 2 * k for k in range(TRITS))
                for value in range(256)
            ]
            unpacked = Cat(
                lookup(m, f"trits{k}", 2 * TRITS, table, word[8 * k : 8 * k + 8])
                for k in range(len(word) // 8)
            )
            return [unpacked[2 * lane : 2 * lane + 2] for lane in range(lanes)]
        width = len(word) // lanes
        return [word[width * lane : width * lane + width] for lane in range(lanes)]
