"""Decoded Mbit/s of the min-sum golden model beside other decoders, on the same frames."""

from typing import Any

import numpy as np
import pytest
from minsum_designs import code_spec

from gatesmith.models.codes import code
from gatesmith.models.minsum import decode, noisy_frames
from gatesmith.models.minsum.golden import golden, llrs_of

CODES = ("bch-63-36", "ccsds-128-64", "wifi-648-r12", "nr-64-128")
FRAMES = 1024
BATCHES = (128, 1024)  # frames at once; the better of the two counts for Sionna


def _noisy(spec: Any, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames, their LLRs, and the code words that were sent."""
    made = noisy_frames(spec, FRAMES, ebn0_db=3.5, seed=1, code=code(name))
    return made.frames, llrs_of(spec, made.frames), made.sent


def _rate(benchmark: Any, spec: Any) -> None:
    benchmark.extra_info["kbit_per_s"] = FRAMES * spec.variables / benchmark.stats["min"] / 1e3


def _sionna(spec: Any, batch: int) -> Any:
    """Sionna's decoder of offset 1 in float32, which is exact enough and its fastest."""
    import torch
    from sionna.phy.fec.ldpc.decoding import LDPCBPDecoder, cn_update_offset_minsum

    matrix = np.zeros((spec.checks, spec.variables))
    matrix[spec.edge_check, spec.edge_variable] = 1
    schedule: Any = "flooding"
    if spec.schedule == "layered":
        schedule = np.arange(spec.checks).reshape(-1, spec.rows_per_clock)
    decoder = LDPCBPDecoder(
        matrix,
        cn_update=lambda v2c, mask, clip=None: cn_update_offset_minsum(v2c, mask, clip, offset=1.0),
        cn_schedule=schedule,
        num_iter=spec.iterations,
        llr_max=None,
        precision="single",
        device="cpu",
    )

    def run(llrs: np.ndarray) -> list[Any]:
        logits = torch.tensor(-llrs, dtype=torch.float32)
        with torch.no_grad():
            return [decoder(part) for part in logits.split(batch)]

    return run


@pytest.mark.parametrize("schedule", ["flooding", "layered"])
@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("who", ["ours", *(f"sionna, {batch} at once" for batch in BATCHES)])
def test_five_iterations(benchmark, who, name, schedule):
    """All iterations of every frame, since Sionna never stops early."""
    the_code = code(name)
    spec = code_spec(
        the_code, schedule=schedule, rows_per_clock=the_code.lifting, early_stop=False
    )  # fmt: skip
    label, _, batch = who.partition(", ")
    _, llrs, _ = _noisy(spec, name)
    if label == "ours":
        benchmark.pedantic(decode, args=(spec, llrs), rounds=5, warmup_rounds=1)
    else:
        run = _sionna(spec, int(batch.split()[0]))
        benchmark.pedantic(run, args=(llrs,), rounds=2, warmup_rounds=1)
    _rate(benchmark, spec)


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("who", ["ours", "ldpc"])
def test_scaled_until_a_code_word(benchmark, who, name):
    """Scaled by 3/4, at most 20 iterations, flooding; both stop at a code word."""
    spec = code_spec(code(name), 12, update="normalised", iterations=20, llr_step_den=2)
    _, llrs, sent = _noisy(spec, name)
    if who == "ours":
        benchmark.pedantic(decode, args=(spec, llrs), rounds=5, warmup_rounds=1)
    else:
        from ldpc import BpDecoder

        matrix = np.zeros((spec.checks, spec.variables), dtype=np.uint8)
        matrix[spec.edge_check, spec.edge_variable] = 1
        decoder = BpDecoder(
            matrix, error_rate=0.1, max_iter=20, bp_method="minimum_sum", ms_scaling_factor=0.75,
            input_vector_type="syndrome",
        )  # fmt: skip
        hard = (llrs < 0).astype(np.uint8)
        syndromes = code(name).syndrome(hard)
        chances = 1 / (1 + np.exp(abs(llrs) / 2))

        def run() -> list[np.ndarray]:
            found = []
            for syndrome, chance in zip(syndromes, chances, strict=True):
                decoder.update_channel_probs(chance)
                found.append(decoder.decode(syndrome))
            return found

        benchmark.pedantic(run, rounds=2, warmup_rounds=1)
        bits = hard ^ np.array(run())  # it finds the errors, not the word
    # Their messages are not quantised, and each decoder is as good as it is.
    wrong = (decode(spec, llrs).bits if who == "ours" else bits) != sent
    benchmark.extra_info["wrong_frames_in_1000"] = 1000 * wrong.any(axis=1).mean()
    _rate(benchmark, spec)


@pytest.mark.parametrize("name", CODES)
def test_words_in_to_words_out(benchmark, name):
    """The whole golden model: frames unpacked, decoded, packed."""
    spec = code_spec(code(name), iterations=20, llrs_per_beat=8, llr_step_den=2)
    frames, _, _ = _noisy(spec, name)
    benchmark.pedantic(golden, args=(spec, frames), rounds=5, warmup_rounds=1)
    _rate(benchmark, spec)


@pytest.mark.parametrize("name", ("bch-63-36", "ccsds-128-64", "wifi-648-r12"))
def test_training_step(benchmark, name):
    """One step of 120 frames, 5 iterations, an offset an edge, 5-bit messages in the loop."""
    from gatesmith.models.minsum_net import MinSumConfig, MinSumDecoder
    from gatesmith.models.minsum_net.losses import loss_of
    from gatesmith.models.minsum_net.training import Trainer

    trainer = Trainer(MinSumDecoder(MinSumConfig(code=name)).train())
    steps = iter(range(1000))

    def run() -> None:
        llr, words = trainer.batch(next(steps))
        loss = loss_of(trainer.config, trainer.net(llr), words, trainer.net.groups)
        trainer.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        trainer.optimiser.step()

    benchmark.pedantic(run, rounds=20, warmup_rounds=2)


@pytest.mark.parametrize("schedule", ["flooding", "layered"])
@pytest.mark.parametrize("name", ("nr-64-128", "nr-128-256", "nr-256-512", "nr-512-1024"))
def test_spec_to_verilog(benchmark, name, schedule):
    """Generation of one 5G base graph in four sizes: all edges at once, or a block row a clock."""
    from gatesmith.families import family

    the_code = code(name)
    rows = the_code.lifting if schedule == "layered" else 1
    spec = code_spec(the_code, schedule=schedule, rows_per_clock=rows, llrs_per_beat=8)
    text = benchmark.pedantic(family("minsum").verilog, args=(spec,), rounds=1)
    benchmark.extra_info["edges"] = spec.edges
    benchmark.extra_info["verilog_bytes"] = len(text)
