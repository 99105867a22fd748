"""One lane: the paper's neuron, fed by the front end of either datapath."""

from amaranth.hdl import Cat, Const, Instance, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from gatesmith.hw.arith import add_signed_unit, count_shape, lowest_set, requantise
from gatesmith.hw.memory import NamedMemory, lookup
from gatesmith.models.sparse_mlp import SparseLayer

__all__ = ["GateLane", "IndexLane", "load_layout"]


def load_layout(layer: SparseLayer) -> data.StructLayout:
    """What a layer broadcasts to load its lanes' memories."""
    return data.StructLayout(
        {
            "weight": 1,  # write a weight
            "bias": 1,  # write a bias
            "lane": count_shape(layer.lanes),
            "address": count_shape(layer.depth, layer.groups),
            "data": max(layer.weight_bits, layer.bias_width(True)),
        }
    )


class _Lane(wiring.Component):
    """What the two datapaths share: weight and bias memory, accumulator, requantiser.

    In the first clock ``use`` asks for the next weight in memory, and ``start`` for the bias; in
    the second ``activation`` is multiplied by the weight and added; in the third ``result`` is
    the new accumulator, requantised. The weights lie in the order of use, group after group, so
    that their address only counts; ``rewind`` sends it back to 0 for the next frame.

    ``mask`` names the module of :func:`mask_verilog`, for one input or for a block.

    Members (beside those of the datapath)
    -------
    group : In               Group in progress.
    start : In(1)            First clock of a group.
    start_q : In(1)          The same, a clock later.
    rewind : In(1)           Last clock of a frame.
    activation : In          Input activation, in the clock after it was used.
    load : In(load_layout)   Writes to the memories, when they are loadable.
    result : Out             Activation, or signed score of the last layer.
    """

    group: Signal
    start: Signal
    start_q: Signal
    rewind: Signal
    activation: Signal
    load: data.View
    result: Signal

    def __init__(
        self, layer: SparseLayer, memory: str, lane: int, mask: str, members: dict
    ) -> None:
        self._layer, self._memory, self._lane, self._mask = layer, memory, lane, mask
        self._acc_width = layer.acc_width(memory != "rom")
        self.result_width = layer.output_bits or self._acc_width
        super().__init__(
            {
                "group": In(count_shape(layer.groups)),
                "start": In(1),
                "start_q": In(1),
                "rewind": In(1),
                "activation": In(layer.input_bits),
                "result": Out(self.result_width),
                **({} if memory == "rom" else {"load": In(load_layout(layer))}),
                **members,
            }
        )

    def _memory_of(
        self, m: Module, name: str, width: int, depth: int, words: list[int]
    ) -> NamedMemory:
        """A memory of ``words``, or one that the broadcast ``load`` writes."""
        rom = self._memory == "rom"
        memory = NamedMemory(width=width, depth=depth, init=words if rom else ())
        m.submodules[f"{name}_{self._memory}"] = memory
        if not rom:
            m.d.comb += [
                memory.write.eq(self.load[name] & (self.load.lane == self._lane)),
                memory.write_address.eq(self.load.address),
                memory.write_data.eq(self.load.data),
            ]
        return memory

    def _lfsr(self, m: Module, count: int, upcoming: Value) -> tuple[Signal, Value, Value, Value]:
        """State register, ``count`` mask bits from it, the state after them, the next seed."""
        seeds = self._layer.by_lane(self._layer.seeds)[self._lane].tolist()
        width = max(self._layer.taps)
        state, kept, after = Signal(width, init=seeds[0]), Signal(count), Signal(width)
        m.submodules.mask = Instance(self._mask, i_state=state, o_kept=kept, o_after=after)
        return state, kept, after, lookup(m, "seeds", width, seeds, upcoming)

    def _accumulate(self, m: Module, use: Value) -> None:
        layer = self._layer
        words = layer.lane_weights[self._lane]
        if layer.weight_kind == "binary":
            words = words > 0
        weights = self._memory_of(m, "weight", layer.weight_bits, layer.depth, words.tolist())
        address = Signal(count_shape(layer.depth))
        m.d.comb += [weights.reads[0].address.eq(address), weights.reads[0].enable.eq(use)]
        with m.If(self.rewind):
            m.d.sync += address.eq(0)
        with m.Elif(use):
            m.d.sync += address.eq(address + 1)

        bias = self._bias(m)
        use_q = Signal()
        m.d.sync += use_q.eq(use)
        acc = Signal(signed(self._acc_width))
        base = Signal(signed(self._acc_width))
        m.d.comb += base.eq(Mux(self.start_q, bias, acc))
        total = self._product_sum(m, base, weights.reads[0].data, use_q)
        with m.If(use_q | self.start_q):
            m.d.sync += acc.eq(total)
        if layer.output_bits:
            m.d.comb += self.result.eq(requantise(acc, layer.shift, layer.output_bits))
        else:
            m.d.comb += self.result.eq(acc)

    def _bias(self, m: Module) -> Value:
        layer, width = self._layer, self._layer.bias_width(self._memory != "rom")
        words = [int(word) for word in layer.by_lane(layer.bias)[self._lane]]
        if self._memory == "rom" and len(set(words)) == 1:
            return Const(words[0], signed(width))
        biases = self._memory_of(m, "bias", width, layer.groups, words)
        m.d.comb += [
            biases.reads[0].address.eq(self.group),
            biases.reads[0].enable.eq(self.start),
        ]
        return biases.reads[0].data.as_signed()

    def _product_sum(self, m: Module, base: Value, weight: Value, use: Value) -> Value:
        """base + weight * activation, or base when the activation is not used."""
        kind, activation = self._layer.weight_kind, self.activation
        if kind == "int8":
            product = Signal(signed(8 + len(activation)))
            m.d.comb += product.eq(Mux(use, activation * weight.as_signed(), 0))
            return base + product
        # Binary stores 1 for +1; ternary is two's complement: bit 0 is not zero, bit 1 the sign.
        wanted = use if kind == "binary" else use & weight[0]
        operand, negate = Signal(unsigned(len(activation))), Signal()
        m.d.comb += [
            operand.eq(Mux(wanted, activation, 0)),
            negate.eq(wanted & (~weight[0] if kind == "binary" else weight[1])),
        ]
        return add_signed_unit(m, base, operand, negate)


class GateLane(_Lane):
    """A neuron that looks at one input a clock and uses it when its LFSR state says so.

    The LFSR and the comparator rebuild the mask; a dropped input moves neither the weight
    address nor the accumulator. Inputs a group: ``inputs`` clocks.

    Members
    -------
    accept : In(1)      An input is here; its activation follows in the next clock.
    restart : In(1)     Load the seed of group ``upcoming``: last input of a group, or an abort.
    upcoming : In       The group after this one, 0 on an abort.
    """

    accept: Signal
    restart: Signal
    upcoming: Signal

    def __init__(self, layer: SparseLayer, memory: str, lane: int, mask: str) -> None:
        upcoming = In(count_shape(layer.groups))
        members = {"accept": In(1), "restart": In(1), "upcoming": upcoming}
        super().__init__(layer, memory, lane, mask, members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        use = Signal()
        m.d.comb += use.eq(self.accept)
        if self._layer.threshold:
            state, kept, after, seed = self._lfsr(m, 1, self.upcoming)
            m.d.comb += use.eq(self.accept & kept)
            with m.If(self.restart):
                m.d.sync += state.eq(seed)
            with m.Elif(self.accept):
                m.d.sync += state.eq(after)
        self._accumulate(m, use)
        return m


class IndexLane(_Lane):
    """A neuron that goes from kept input to kept input.

    Each clock it takes the lowest set bit of a register of ``lookahead`` mask bits, a block. With
    the last bit it loads the next block, which a leap-forward LFSR and as many comparators have
    ready, so that a block costs a clock for each kept input and one clock when it has none. The
    LFSR runs a block ahead: with the last block of a group it already loads the next seed.

    Members
    -------
    running : In(1)     Take an input this clock.
    advance : In(1)     The clock before a group: load its first block.
    upcoming : In       The group after the one that ``running`` or ``advance`` is for.
    bank : In(1)        Half of the frame buffer that holds the group's inputs.
    finishing : Out(1)  Nothing is left after this clock.
    address : Out       Block of the input that is used this clock, then its place in the block.
    """

    running: Signal
    advance: Signal
    upcoming: Signal
    bank: Signal
    finishing: Signal
    address: Signal

    def __init__(self, layer: SparseLayer, memory: str, lane: int, mask: str) -> None:
        self._blocks = -(-layer.inputs // layer.lookahead)
        address = bits_for(2 * self._blocks * layer.lookahead - 1)
        members = {
            "running": In(1),
            "advance": In(1),
            "upcoming": In(count_shape(layer.groups)),
            "bank": In(1),
            "finishing": Out(1),
            "address": Out(address),
        }
        super().__init__(layer, memory, lane, mask, members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer, blocks, size = self._layer, self._blocks, self._layer.lookahead
        mask = Signal(size)
        final = Signal(init=1)
        block = Signal(count_shape(2 * blocks))
        index, rest = lowest_set(m, mask)
        spent, load = Signal(), Signal()
        m.d.comb += [
            spent.eq(~rest.any()),
            load.eq(self.advance | (self.running & spent & ~final)),
            self.finishing.eq(spent & final),
            self.address.eq(Cat(index, block)),
        ]
        self._accumulate(m, self.running & mask.any())

        # Position of the block to load, counted from 0 in each group.
        position, loads_final = Signal(count_shape(blocks)), Signal()
        m.d.comb += loads_final.eq(1 if blocks == 1 else position == blocks - 1)
        kept, valid = self._kept(m, load, loads_final), (1 << size) - 1
        tail = (1 << (layer.inputs - (blocks - 1) * size)) - 1
        with m.If(load):
            m.d.sync += [
                mask.eq(kept & Mux(loads_final, tail, valid)),
                final.eq(loads_final),
                block.eq(block + 1),
                position.eq(Mux(loads_final, 0, position + 1)),
            ]
            with m.If(self.advance):
                m.d.sync += block.eq(Mux(self.bank, blocks, 0))
        with m.Elif(self.running):
            m.d.sync += mask.eq(rest)
        return m

    def _kept(self, m: Module, load: Value, loads_final: Value) -> Value:
        """Mask bits of the next block, not yet cut to the frame; steps the LFSR on ``load``."""
        size = self._layer.lookahead
        if not self._layer.threshold:
            return Const((1 << size) - 1, size)
        state, kept, after, seed = self._lfsr(m, size, self.upcoming)
        with m.If(load):
            m.d.sync += state.eq(Mux(loads_final, seed, after))
        return kept
