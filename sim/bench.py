"""The cocotb bench: plays scenarios through a design's AXI4-Stream ports and watches every clock.

It knows beats and frames, not families. ``$GATESMITH_JOB`` names a folder with ``job.json`` and the
beats as ``.npy``; what was seen is written there as ``seen.json``, to be judged outside. One
coroutine plays source, sink and monitor, and the memory of weights where they lie outside: the
monitor must look at every port in every clock anyway, to find X and broken rules, and a bus model
beside it would only look a second time.
"""

import json
import os
import random
from pathlib import Path

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

PERIOD_NS = 10
RESET_CLOCKS = 4
TAIL_CLOCKS = 64  # after the last expected word, in which nothing more may come


class Stalls:
    """True in clocks that stall: a given part of them, in runs of two and more on average.

    Single stalls hide a word that changes, or is withdrawn, while it waits.
    """

    def __init__(self, part: float, rng: random.Random) -> None:
        self.rng, self.now = rng, False
        self.stay = max(part, 0.5) if part else 0.0
        self.begin = part * (1 - self.stay) / (1 - part)

    def __call__(self) -> bool:
        self.now = self.rng.random() < (self.stay if self.now else self.begin)
        return self.now


def wrong_and_right(config: list[int]) -> list[tuple[int, int]]:
    """Beats of void configurations, too short and too long, and of the right one after them."""
    noise = [(word ^ 1, 0) for word in config]
    short, last = noise[: len(noise) // 2], (noise[-1][0], 1)
    void = [last, *short, last] if len(config) > 1 else []
    return [*void, *noise, *short, last, *((word, 0) for word in config[:-1]), (config[-1], 1)]


class Memory:
    """Answers requests for bursts of weights.

    A request is taken when no burst is under way, or in the clock in which the last word of one is
    taken; its first word is offered in the clock after. Stalls hold back requests and words.
    """

    def __init__(self, dut, weights, stall: float, seed: int) -> None:
        self.dut, (self.words, self.bursts) = dut, weights
        self.request_stalls = Stalls(stall, random.Random(seed + 2))
        self.word_stalls = Stalls(stall, random.Random(seed + 3))
        self.address = self.left = 0  # of the next word; words of the burst still to come
        self.offered = self.open = self.refused = False
        self.inside = False  # some words of a burst are taken, and some not
        self.held: int | None = None  # request that waited in the last clock
        self.mask = (1 << len(dut.w_axis_tdata)) - 1

    def offer(self) -> None:
        """Drive the word of a clock; the data is wrong on purpose while it is not valid."""
        idle, self.refused = self.word_stalls(), self.request_stalls()
        self.offered = self.left > 0 and (self.offered or not idle)
        word = self.words[self.address % len(self.words)]
        self.dut.w_axis_tvalid.value = self.offered
        self.dut.w_axis_tlast.value = self.offered == (self.left == 1)
        self.dut.w_axis_tdata.value = word if self.offered else word ^ self.mask

    def open_or_close(self) -> None:
        """Drive whether a request is taken, once it has settled whether a word is."""
        ready = self.dut.w_axis_tready.value
        ends = self.left == 1 and self.offered and ready.is_resolvable and bool(int(ready))
        self.open = (self.left == 0 or ends) and not self.refused
        self.dut.r_axis_tready.value = self.open

    def look(self, seen: dict[str, int], errors: list[str], clock: int) -> None:
        """Follow what a clock edge has moved."""
        request = seen["r_axis_tdata"] if seen["r_axis_tvalid"] else None
        if self.held is not None and request != self.held:
            errors.append(f"clock {clock}: r_axis changed while it waited for tready")
        self.held = None if self.open else request
        if self.offered and seen["w_axis_tready"]:
            self.address, self.left, self.offered = self.address + 1, self.left - 1, False
            self.inside = self.left > 0
        if self.open and request is not None:
            self.address = request
            self.left = self.bursts[request] if request < len(self.bursts) else 0
            if not self.left:
                errors.append(f"clock {clock}: no burst of weights begins at {request}")


class Player:
    """Source, sink and monitor of one scenario after another."""

    def __init__(self, dut, config, weights) -> None:
        self.dut, self.config, self.weights = dut, config, weights
        self.edge = RisingEdge(dut.clk)
        watched = ["s_axis_tready", "m_axis_tvalid", "m_axis_tlast", "m_axis_tdata", "frame_error"]
        self.watched = [(name, getattr(dut, name)) for name in watched]
        if config is not None:
            self.watched.append(("c_axis_tready", dut.c_axis_tready))
        if weights is not None:
            names = ("r_axis_tvalid", "r_axis_tdata", "w_axis_tready")
            self.watched += [(name, getattr(dut, name)) for name in names]

    async def reset(self) -> None:
        dut = self.dut
        dut.rst.value = 1
        dut.s_axis_tvalid.value = dut.s_axis_tlast.value = dut.s_axis_tdata.value = 0
        dut.m_axis_tready.value = 0
        if self.config is not None:
            dut.c_axis_tvalid.value = dut.c_axis_tlast.value = dut.c_axis_tdata.value = 0
        if self.weights is not None:
            dut.w_axis_tvalid.value = dut.w_axis_tlast.value = dut.w_axis_tdata.value = 0
            dut.r_axis_tready.value = 0
        for _ in range(RESET_CLOCKS):
            await self.edge
        dut.rst.value = 0

    def sample(self, errors: list[str], clock: int) -> dict[str, int]:
        """Outputs before this clock edge; an X counts as 0 and is an error."""
        values = {}
        for name, handle in self.watched:
            value = handle.value
            if value.is_resolvable:
                values[name] = int(value)
            else:
                values[name] = 0
                if len(errors) < 20:
                    errors.append(f"clock {clock}: {name} is {value}")
        return values

    async def configure(self, errors: list[str], patience: int) -> None:
        dut, sent, quiet = self.dut, 0, 0
        while sent < len(self.config) and quiet <= patience:
            dut.c_axis_tvalid.value = 1
            dut.c_axis_tdata.value = self.config[sent]
            dut.c_axis_tlast.value = sent == len(self.config) - 1
            await self.edge
            ready = self.sample(errors, -1)["c_axis_tready"]
            sent, quiet = sent + ready, 0 if ready else quiet + 1
        if sent < len(self.config):
            errors.append(f"configuration stopped after {sent} of {len(self.config)} words")
        dut.c_axis_tvalid.value = 0

    async def play(self, beats, reload, scenario: dict, seed: int) -> dict:
        """Send beats (data, tlast, starts a frame) and collect whole frames.

        ``reload`` are beats (data, tlast) of configurations, sent once a frame is inside.

        Ends some clocks after the scenario's ``frames_out`` frames came out and all beats went in,
        or at once after ``stop`` words or in the middle of a burst of weights where it says so, or
        when nothing moves any more.
        """
        dut, stop, stall = self.dut, scenario["stop"], scenario["stall"]
        source_stalls = Stalls(stall, random.Random(seed))
        sink_stalls = Stalls(stall, random.Random(seed + 1))
        frames: list[list[int]] = []
        frame: list[int] = []
        errors: list[str] = []
        first: list[int] = []
        last: list[int] = []
        error_seen: list[tuple[int, int]] = []  # beats sent, and what frame_error became
        sent = clock = quiet = tail = words = reloaded = 0
        offered, held = False, None
        memory = Memory(dut, self.weights, stall, seed) if self.weights else None
        while tail < TAIL_CLOCKS and quiet <= scenario["patience"] and words != stop:
            if scenario["burst"] and memory is not None and memory.inside:
                break  # whatever has come out
            # Both draw in every clock; a word once offered is offered until it is taken.
            idle, ready = source_stalls(), not sink_stalls()
            offered = sent < len(beats) and (offered or not idle)
            dut.s_axis_tvalid.value = offered
            if offered:
                dut.s_axis_tdata.value, dut.s_axis_tlast.value = beats[sent][:2]
            dut.m_axis_tready.value = ready
            loads = reloaded < len(reload) and bool(first)
            if reload:
                dut.c_axis_tvalid.value = loads
                if loads:
                    dut.c_axis_tdata.value, dut.c_axis_tlast.value = reload[reloaded]
            if memory is not None:
                memory.offer()
                await FallingEdge(dut.clk)
                memory.open_or_close()
            await self.edge
            seen = self.sample(errors, clock)
            if memory is not None:
                memory.look(seen, errors, clock)
            quiet += 1
            if seen["frame_error"] != (error_seen[-1][1] if error_seen else 0):
                error_seen.append((sent, seen["frame_error"]))
            word = (seen["m_axis_tdata"], seen["m_axis_tlast"])
            if held is not None and (not seen["m_axis_tvalid"] or held != word):
                errors.append(f"clock {clock}: m_axis changed while it waited for tready")
            held = word if seen["m_axis_tvalid"] and not ready else None
            if offered and seen["s_axis_tready"]:
                if beats[sent][2]:
                    first.append(clock)
                sent, offered, quiet = sent + 1, False, 0
            if loads and seen["c_axis_tready"]:
                reloaded, quiet = reloaded + 1, 0
            if seen["m_axis_tvalid"] and ready:
                quiet, words = 0, words + 1
                frame.append(word[0])
                if word[1]:
                    frames.append(frame)
                    last.append(clock)
                    frame = []
            clock += 1
            done = stop is None and sent == len(beats) and len(frames) >= scenario["frames_out"]
            done = done and reloaded == len(reload)
            tail = tail + 1 if done else 0
        dut.s_axis_tvalid.value = 0
        if reloaded < len(reload):
            errors.append(f"only {reloaded} of {len(reload)} configuration beats were taken")
        if stop is None and not scenario["burst"] and frame:
            errors.append(f"{len(frame)} words without tlast at the end")
        if stop is not None and words < stop:
            errors.append(f"only {words} of {stop} words came before nothing moved any more")
        return {
            "frames": frames, "first": first, "last": last, "clocks": clock, "errors": errors,
            "sent": sent, "frame_error": error_seen,
        }  # fmt: skip


@cocotb.test()
async def run(dut) -> None:
    folder = Path(os.environ["GATESMITH_JOB"])
    job = json.loads((folder / "job.json").read_text())
    config = np.load(folder / "config.npy").tolist() if job["config"] else None
    weights = None
    if job["weights"]:
        words = [int.from_bytes(row.tobytes(), "little") for row in np.load(folder / "weights.npy")]
        weights = words, np.load(folder / "bursts.npy").tolist()
    player = Player(dut, config, weights)
    Clock(dut.clk, PERIOD_NS, unit="ns").start()
    seen = []
    for number, scenario in enumerate(job["scenarios"]):
        await player.reset()
        errors: list[str] = []
        if config is not None:
            await player.configure(errors, scenario["patience"])
        data = np.load(folder / f"beats{number}.npy").tolist()
        ends, starts = scenario["last"], set(scenario["first"])
        final = set(ends)
        beats = [(word, int(k in final), k in starts) for k, word in enumerate(data)]
        reload = wrong_and_right(config or []) if scenario["reload"] else []
        found = await player.play(beats, reload, scenario, job["seed"])
        found["errors"] = errors + found["errors"]
        seen.append(found)
    (folder / "seen.json").write_text(json.dumps(seen))
