"""The rows of a block side by side: each a serial check node, one message a clock."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape
from gatesmith.hw.minsum.check import Update
from gatesmith.hw.minsum.parameters import Parameters
from gatesmith.hw.minsum.variable import add, to_check
from gatesmith.models.minsum import MinSumSpec
from gatesmith.models.minsum.layout import check_degrees

__all__ = ["Lanes"]


class Lanes(wiring.Component):
    """A lane for each row of a block; all words have one element a lane, the first lowest.

    An element goes through three stages of a clock each: without the old message; among the least
    two of its row; and, when it is given back, with the row's new message. Kept of a row are its
    least two magnitudes, the place of the least, bit by bit of all lanes, and the message's sign of
    every block. Where blocks of a row differ in their parameters, every message is kept whole.

    Members
    -------
    take : In(1)            There is a word.
    posteriors : In         Of them.
    signs, magnitudes : In  Old messages, the latter when kept whole.
    old, place : In         Else the fields of their rows, and where they are seen from.
    fresh : In(1)           The old messages are 0.
    without : Out           Posteriors without the old messages, in the same clock; else 0.
    feed, start : In(1)     What was ``without`` in the clock before goes to the checks, as
                            ``feed_place``; the first ones of the rows.
    finish : In(1)          The last ones: the messages are complete.
    parameters : In         Of the rows that finish, or of the edges that are given; unless
                            constant.
    found : Out             A clock after ``finish``: the fields of the messages.
    kept : In               What was ``without``.
    kept_signs : In         Those of the messages to the checks.
    give_place : In         Where their block was fed.
    plain : In(1)           There are no new messages.
    posteriors_new : Out    A clock later, with the new messages.
    signs_new : Out         Their signs.
    magnitudes_new : Out    Their magnitudes, when kept whole.
    """

    take: Signal
    posteriors: Signal
    signs: Signal
    magnitudes: Signal
    old: Any
    place: Signal
    fresh: Signal
    without: Signal
    feed: Signal
    start: Signal
    feed_place: Signal
    finish: Signal
    parameters: Signal
    found: Any
    plain: Signal
    kept: Signal
    kept_signs: Signal
    give_place: Signal
    posteriors_new: Signal
    signs_new: Signal
    magnitudes_new: Signal

    def __init__(self, spec: MinSumSpec) -> None:
        self._count, self._width = spec.lifting, spec.posterior_bits
        self._update, self._tying = Update.of(spec), Parameters.of(spec)
        count, bits = self._count, self._update.bits
        place = count_shape(int(check_degrees(spec).max()))
        index = len(Signal(place))
        self.fields = data.StructLayout(
            {"first": count * bits, "second": count * bits, "index": count * index}
        )
        members: dict[str, Any] = {
            "take": In(1),
            "posteriors": In(count * self._width),
            "signs": In(count),
            "place": In(place),
            "fresh": In(1),
            "without": Out(count * self._width),
            "feed": In(1),
            "start": In(1),
            "feed_place": In(place),
            "finish": In(1),
            "plain": In(1),
            "kept": In(count * self._width),
            "kept_signs": In(count),
            "give_place": In(place),
            "posteriors_new": Out(count * self._width),
            "signs_new": Out(count),
        }
        if self._tying.each:
            members |= {"magnitudes": In(count * bits), "magnitudes_new": Out(count * bits)}
        else:
            members |= {"old": In(self.fields), "found": Out(self.fields)}
        if self._tying.constant is None:
            members["parameters"] = In(self._tying.width * (1 if self._tying.alike else count))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        # All lanes at once where an operation allows it, and no multiplexer in front of a register:
        # a simulator takes as long for one element as for a word, and longer for a word that is
        # put together from registers with resets or enables of their own.
        m = Module()
        self._take(m)
        self._give(m, *self._finish(m, *self._feed(m)))
        return m

    def _word(self, m: Module, name: str, value: Value) -> Signal:
        found = Signal(len(value), name=name)
        m.d.comb += found.eq(value)
        return found

    def _choose(self, m: Module, name: str, lanes: Value, yes: Value, no: Value) -> Signal:
        """The elements of one word in some lanes, and of another in the rest."""
        each = len(yes) // self._count
        mask = self._word(m, f"{name}_mask", Cat(lane.replicate(each) for lane in lanes))
        return self._word(m, name, (yes & mask) | (no & ~mask))

    def _answers(self, m: Module, name: str, fields: Any, place: Value) -> Signal:
        """Magnitudes of messages before, or without, a function of each edge."""
        count = self._count
        least: Value = Const(-1, count)
        for number, bit in enumerate(place):
            least = least & ~(fields.index.word_select(number, count) ^ bit.replicate(count))
        least = self._word(m, f"{name}_least", least)
        return self._choose(m, name, least, fields.second, fields.first)

    def _changed(self, m: Module, words: Value, signs: Value, sizes: Value, less: bool) -> Value:
        """Posteriors plus, or minus, messages."""
        bits, width = self._update.bits, self._width
        return Cat(
            add(
                m,
                words.word_select(lane, width).as_signed(),
                (signs[lane], sizes.word_select(lane, bits)),
                width,
                subtract=less,
            )
            for lane in range(self._count)
        )

    def _take(self, m: Module) -> None:
        """Posteriors without the old messages."""
        if self._tying.each:
            stored: Value = self.magnitudes
        else:
            stored = self._answers(m, "stored", self.old, self.place)
        old = self._word(m, "old_magnitudes", stored & ~self.fresh.replicate(len(stored)))
        # Quiet where there is none; and an operation on the whole word, see `elaborate`.
        rest = self._changed(m, self.posteriors, self.signs, old, True)
        m.d.comb += self.without.eq(rest & self.take.replicate(len(rest)))

    def _feed(self, m: Module) -> tuple[Any, Signal]:
        """The least two magnitudes, and the product of the signs, with those of this clock."""
        count, bits = self._count, self._update.bits
        so_far: Any = Signal(self.fields, name="so_far", reset_less=True)
        total = Signal(count, reset_less=True)
        without = Signal.like(self.without, name="without_q", reset_less=True)
        m.d.sync += without.eq(self.without)
        seen = [
            to_check(m, without.word_select(lane, self._width).as_signed(), bits + 1)
            for lane in range(count)
        ]
        signs = self._word(m, "signs_fed", Cat(sign for sign, _ in seen))
        sizes = self._word(m, "magnitudes_fed", Cat(magnitude for _, magnitude in seen))

        def below(others: Value) -> Value:
            """Without a name of its own: the word would be put together bit by bit."""
            return Cat(
                sizes.word_select(lane, bits) < others.word_select(lane, bits)
                for lane in range(count)
            )

        start = self.start.replicate(count)
        least = self._word(m, "least", below(so_far.first) | start)
        behind = self._choose(m, "behind", least, so_far.first, sizes)
        closer = self._word(m, "closer", below(so_far.second) | least)
        second = self._choose(m, "second", closer, behind, so_far.second)
        place = Cat(bit.replicate(count) for bit in self.feed_place)
        planes = Cat(least for _ in self.feed_place)
        now: Any = Signal(self.fields, name="now")
        product = self._word(m, "product_now", (total & ~start) ^ signs)
        m.d.comb += [
            now.first.eq(self._choose(m, "first", least, sizes, so_far.first)),
            now.second.eq(second | self.start.replicate(count * bits)),
            now.index.eq((place & planes) | (so_far.index & ~planes)),
        ]
        with m.If(self.feed):
            m.d.sync += [so_far.eq(now), total.eq(product)]
        return now, product

    def _finish(self, m: Module, now: Any, product: Signal) -> tuple[Any, Signal]:
        """The messages of whole rows, which stand while the next ones are gathered."""
        done: Any = Signal(self.fields, name="done", reset_less=True)
        negative = Signal(self._count, reset_less=True)
        first, second = now.first, now.second
        if not self._tying.each:
            first, second = self._updated(m, first), self._updated(m, second)
            m.d.comb += self.found.eq(done)
        with m.If(self.finish):
            m.d.sync += [
                done.first.eq(first),
                done.second.eq(second),
                done.index.eq(now.index),
                negative.eq(product),
            ]
        return done, negative

    def _updated(self, m: Module, magnitudes: Value) -> Value:
        bits, tying = self._update.bits, self._tying
        if self._update.kind == "plain":
            return magnitudes
        found = []
        for lane in range(self._count):
            parameter: Value | int
            if tying.constant is not None:
                parameter = tying.constant
            else:
                place = 0 if tying.alike else lane
                parameter = self.parameters.word_select(place, tying.width)
            found.append(self._update(m, magnitudes.word_select(lane, bits), parameter))
        return Cat(found)

    def _give(self, m: Module, done: Any, negative: Signal) -> None:
        """What was kept, with the new messages."""
        signs = self._word(m, "signs_given", self.kept_signs ^ negative)
        sizes = self._answers(m, "answers", done, self.give_place)
        if self._tying.each:
            sizes = self._word(m, "own", self._updated(m, sizes))
        given = self._word(m, "magnitudes_given", sizes & ~self.plain.replicate(len(sizes)))
        posteriors = self._changed(m, self.kept, signs, given, False)
        new = [(self.posteriors_new, posteriors), (self.signs_new, signs)]
        if self._tying.each:
            new.append((self.magnitudes_new, sizes))
        for port, word in new:
            register = Signal.like(port, name_suffix="_q", reset_less=True)
            m.d.comb += port.eq(register)
            m.d.sync += register.eq(word)
