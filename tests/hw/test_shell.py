"""The shell around Cores whose frames vary in length, and whose weights lie outside."""

import subprocess
from pathlib import Path

import pytest
import toy_pairs as toy
from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.flows.verify import judge, simulate
from gatesmith.hw.axi import AxiStreamShell
from gatesmith.hw.verilog import verilog

both = pytest.mark.parametrize("outside", [False, True], ids=["inside", "outside"])


class Pairs(wiring.Component):
    """The Core of the hand-written design."""

    def __init__(self, outside):
        self._outside = outside
        members = {
            "i": In(stream.Signature(data.StructLayout({"data": 8, "last": 1}))),
            "abort": In(1),
            "o": Out(stream.Signature(data.StructLayout({"data": 16, "last": 1}))),
        }
        if outside:
            members |= {"request": Out(stream.Signature(3)), "weights": In(stream.Signature(40))}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        head, count, place = Signal(8), Signal(4), Signal(3)  # count: words in; place: words out
        words = Array(Signal(8, name=f"word{k}") for k in range(8))
        answering, have = Signal(), Signal(init=not self._outside)
        pairs, total = count[1:], Signal(16)
        digit, factor = words[place[:2] << 1], words[(place[:2] << 1) | 1]
        m.d.comb += [
            self.i.ready.eq(~answering),
            self.o.valid.eq(answering & (have | (place == pairs))),
            self.o.payload.last.eq(place == pairs),
            self.o.payload.data.eq(Mux(place == pairs, pairs, total)),
            total.eq(head + digit * factor),
        ]
        started = Signal()
        with m.If(self.abort):
            m.d.sync += [started.eq(0), count.eq(0)]
        with m.Elif(self.i.valid & self.i.ready):
            m.d.sync += started.eq(~self.i.payload.last)
            with m.If(started):
                m.d.sync += [words[count[:3]].eq(self.i.payload.data), count.eq(count + 1)]
            with m.Else():
                m.d.sync += head.eq(self.i.payload.data)
            m.d.sync += answering.eq(self.i.payload.last)
        asked, got, acc = Signal(3), Signal(2), Signal(16)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [place.eq(place + 1), acc.eq(0), have.eq(not self._outside)]
            with m.If(place == pairs):
                m.d.sync += [place.eq(0), count.eq(0), asked.eq(0), answering.eq(0)]
        if self._outside:
            kind = words[asked[:2] << 1] % 3
            burst = digit % 3
            m.d.comb += [
                total.eq(head + factor + acc),
                self.request.valid.eq(answering & (asked != pairs)),
                self.request.payload.eq(Mux(kind == 0, 0, kind + 2)),
                self.weights.ready.eq(answering & ~have & (place != pairs)),
            ]
            with m.If(self.request.valid & self.request.ready):
                m.d.sync += asked.eq(asked + 1)
            with m.If(self.weights.valid & self.weights.ready):
                word = self.weights.payload
                ends = got == Mux(burst == 0, 2, Mux(burst == 1, 0, 1))
                m.d.sync += [
                    acc.eq(acc + (word[:16] ^ word[24:])),
                    got.eq(Mux(ends, 0, got + 1)),
                    have.eq(ends),
                ]
        return m


@pytest.fixture(scope="module")
def texts():
    """Verilog of the Core in its shell, without and with weights outside."""
    found = []
    for outside in (False, True):
        spec = toy.PairsSpec(outside=outside)
        shell = AxiStreamShell(
            Pairs(outside),
            input_format=spec.input_format,
            output_format=spec.output_format,
            config_format=None,
            weight_port=spec.weight_port,
        )
        found.append(verilog(shell, spec.name, {}))
    return found


@both
@pytest.mark.parametrize("simulator", ["icarus", "cxxrtl"])
def test_core_in_its_shell_is_right(texts, tmp_path: Path, simulator: str, outside: bool) -> None:
    path = tmp_path / "pairs.v"
    path.write_text(texts[outside])
    vectors = toy.vectors(30, outside=outside)
    name = toy.PairsSpec.name
    seen = simulate(path, name, vectors, simulator, 0.3, 1, tmp_path / "run", keep=False)
    reports = judge(vectors, seen)
    assert sum(report.clocks_checked for report in reports) == 30
    assert [found for report in reports for found in (*report.mismatches, *report.errors)] == []


@both
def test_verilator_has_nothing_to_say(texts, tmp_path: Path, outside: bool) -> None:
    path = tmp_path / "pairs.v"
    path.write_text(texts[outside])
    command = ["verilator", "--lint-only", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
