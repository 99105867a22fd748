"""Training: learns, resumes bit for bit, refuses what it cannot train."""

import dataclasses

import numpy as np
import pytest
import torch

from gatesmith.models.codes import bch
from gatesmith.models.errors import UserError
from gatesmith.models.minsum_net import (
    GoldenDecoder,
    MinSumConfig,
    MinSumDecoder,
    baseline,
    fit,
    load_checkpoint,
    lower,
    read_metrics,
    resume_path,
    simulate,
    train,
)
from gatesmith.models.minsum_net import training as module
from gatesmith.models.minsum_net.training import Trainer

SHORT = MinSumConfig(code="bch-15-7", iterations=3, steps=120, batch=60, ebn0_low=2.0)


@pytest.fixture(autouse=True)
def few_frames(monkeypatch):
    """Metrics from fewer frames."""
    monkeypatch.setattr(module, "TEST_FRAMES", 1000)
    monkeypatch.setattr(module, "VALID_FRAMES", 500)
    monkeypatch.setattr(module, "EPOCH", 40)


class Stop(Exception):
    pass


def stop_after(epoch):
    def progress(report):
        if report.epoch == epoch:
            raise Stop

    return progress


def test_per_edge_offsets_pass_the_gate():
    """BCH(63,36), 5 iterations, 5 dB, random codewords: a BER of at most 7.5e-3.

    With a small part of the recipe's steps; min-sum has 1.9e-2 there.
    """
    code = bch(63, 36)
    config = MinSumConfig(steps=120, start=1.3)
    net = fit(MinSumDecoder(config, code), validate=1000)
    decoder = GoldenDecoder(spec=lower(net, early_stop=False), code=code)
    (point,) = simulate(decoder, [5.0], target_errors=20_000, max_frames=20_000)
    (plain,) = simulate(baseline(code, "min-sum", 5), [5.0], max_frames=4000, target_errors=4000)
    assert point.ber <= 7.5e-3 < 0.5 * plain.ber and point.fer < 0.8 * plain.fer


def test_train_writes_a_checkpoint(tmp_path):
    path, reports = tmp_path / "net.safetensors", []
    metrics = train(SHORT, path, baseline=True, progress=reports.append)
    assert [r.epoch for r in reports] == [1, 2, 3] and {r.epochs for r in reports} == {3}
    assert reports[-1].loss < reports[0].loss and reports[0].valid_fer is None
    assert reports[-1].valid_fer > 0 and list(metrics["test_ber"]) == ["4 dB", "5 dB", "6 dB"]
    assert metrics["test_fer"]["6 dB"] < metrics["test_fer"]["4 dB"]
    assert {"sum_product_test_fer", "min_sum_test_ber"} < set(metrics)
    assert read_metrics(path) == metrics and list(tmp_path.iterdir()) == [path]
    assert [entry["epoch"] for entry in load_checkpoint(path).history] == [1, 2, 3]


def test_train_without_learned_values(tmp_path):
    config = dataclasses.replace(SHORT, update="plain")
    assert train(config, tmp_path / "net.safetensors")["test_ber"]["6 dB"] < 0.1


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"tying": "iteration", "positivity": "relu", "words": "zero"},
        {"update": "normalised", "schedule": "layered", "tying": "check"},
        {"message_bits": None, "relaxation": True, "loss": "frame-error"},
        {"loss": "syndrome", "mix": 0.5, "tying": "degree", "learning_rate": 0.1},
    ],
)
def test_every_way_learns(values):
    """The loss on frames that it has not seen falls."""
    start = 1.5 if "update" in values else 2.0
    config = dataclasses.replace(SHORT, **values, start=start)
    held = Trainer(MinSumDecoder(dataclasses.replace(config, batch=6000)))
    llr, words = held.batch(10**6)
    before, after = (
        float(module.loss_of(config, net.train()(llr), words, net.groups).detach())
        for net in (MinSumDecoder(config), fit(MinSumDecoder(config)))
    )
    assert after < before


def test_frames_are_random_words_of_every_level():
    trainer = Trainer(MinSumDecoder(SHORT))
    llr, words = trainer.batch(0)
    assert 0.4 < words.mean() < 0.6
    assert not bch(15, 7).syndrome(words.numpy().T.astype(np.uint8)).any()
    levels = (llr * (1 - 2 * words)).mean(0).reshape(-1, 6).mean(0)
    assert levels[-1] > levels[0]
    again, other = trainer.batch(0)[0], trainer.batch(1)[0]
    assert torch.equal(llr, again) and not torch.equal(llr, other)
    zero = Trainer(MinSumDecoder(dataclasses.replace(SHORT, words="zero")))
    assert not zero.batch(0)[1].any()


def test_gradient_is_bounded_on_a_long_code():
    """Pitfall 11: untied values of a long code, many iterations, a rate far too high."""
    config = MinSumConfig(
        code="wifi-648-r12", iterations=20, message_bits=None, update="normalised", start=1.0,
        steps=4, batch=12, learning_rate=0.5,
    )  # fmt: skip
    net = MinSumDecoder(config)
    Trainer(net).run_epoch()
    assert torch.isfinite(net.master).all() and (net.master - net.master.mean()).abs().max() < 5


def test_loss_that_is_not_finite_is_refused(monkeypatch):
    monkeypatch.setattr(module, "loss_of", lambda *_: next(iter(net.parameters())).sum() * np.nan)
    net = MinSumDecoder(SHORT)
    with pytest.raises(UserError, match="^Loss and gradient must be finite.*smaller learning_rate"):
        fit(net)


def test_objective_of_frames_trades_bits_for_frames():
    """Pitfall 7: cross-entropy lowers BER and may raise FER; the frame-error loss is for FER."""
    code, points = bch(63, 36), []
    for loss in ("cross-entropy", "frame-error"):
        config = MinSumConfig(
            tying="iteration", start=1.3, steps=100, loss=loss, mix=0.0, message_bits=None,
            ebn0_low=4.0, ebn0_high=4.0, ebn0_points=1, learning_rate=0.1,
        )  # fmt: skip
        net = fit(MinSumDecoder(config, code), validate=1000)
        decoder = GoldenDecoder(spec=lower(net.to_bits(8, 0.125), early_stop=False), code=code)
        points += simulate(decoder, [4.0], target_errors=10_000, max_frames=10_000)
    assert points[1].fer < points[0].fer and points[1].ber > points[0].ber


@pytest.mark.parametrize(
    "values", [{}, {"schedule": "layered"}, {"message_bits": None, "relaxation": True}]
)
def test_resume_is_bit_identical(tmp_path, values):
    config = dataclasses.replace(SHORT, **values)
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    train(config, whole)
    with pytest.raises(Stop):
        train(config, broken, progress=stop_after(2))
    assert resume_path(broken).is_file() and not broken.exists()
    seen = []
    train(config, broken, resume=True, progress=seen.append)
    assert [r.epoch for r in seen] == [3]
    first, second = load_checkpoint(whole), load_checkpoint(broken)
    for (name, a), b in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    # A finished training is read, not repeated.
    assert train(config, broken, resume=True, progress=stop_after(1))["steps"] == 120


def test_resume_rejects_another_configuration(tmp_path):
    path = tmp_path / "net.safetensors"
    with pytest.raises(Stop):
        train(SHORT, path, progress=stop_after(1))
    other = dataclasses.replace(SHORT, seed=1)
    with pytest.raises(UserError, match="belongs to a training with another configuration$"):
        train(other, path, resume=True)
    resume_path(path).write_bytes(b"broken")
    with pytest.raises(UserError, match="not a readable safetensors file"):
        train(SHORT, path, resume=True)
    resume_path(path).unlink()
    train(SHORT, path)
    with pytest.raises(UserError, match="was trained with another configuration$"):
        train(other, path, resume=True)


def test_rejects(tmp_path):
    with pytest.raises(UserError, match=r"^Checkpoint must be named \*.safetensors, not 'net.pt'"):
        train(SHORT, tmp_path / "net.pt")
    with pytest.raises(UserError, match="^Update must be offset or normalised to be trained"):
        fit(MinSumDecoder(dataclasses.replace(SHORT, update="plain")))
    with pytest.raises(UserError, match="^Code must be .*, not 'golay'"):
        train(dataclasses.replace(SHORT, code="golay"), tmp_path / "net.safetensors")
