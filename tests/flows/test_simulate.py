"""Simulating from the command line: a checkpoint, a design, decoders beside it, bad input."""

import json

import pytest

from gatesmith.flows import simulate
from gatesmith.flows.simulate import _code
from gatesmith.models.minsum_net import MinSumConfig, MinSumDecoder, lower, save_checkpoint


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    """Checkpoint of a small decoder, not trained."""
    path = tmp_path_factory.mktemp("decoder") / "bch.safetensors"
    save_checkpoint(MinSumDecoder(MinSumConfig(code="bch-15-7", tying="scalar")), path)
    return path


def test_simulates_a_checkpoint(gatesmith, decoder, tmp_path):
    result, plot = tmp_path / "points.json", tmp_path / "points.svg"
    found = gatesmith(
        "simulate", decoder, "--ebn0", "3,5", "--target-errors", "50", "--max-frames", "4000",
        "--against", "algebraic", "--against", "min-sum", "-o", result, "--plot", plot,
    )  # fmt: skip
    assert found.code == 0 and "algebraic" in found.out and "min-sum" in found.out
    points = json.loads(result.read_text())["points"]
    assert [(p["decoder"], p["ebn0"]) for p in points] == [
        (name, level) for name in ("bch", "algebraic", "min-sum") for level in (3.0, 5.0)
    ]
    assert all(p["frame_errors"] >= 50 or p["frames"] == 4000 for p in points)
    assert plot.stat().st_size > 1000


def test_float_checkpoint(tmp_path):
    path = tmp_path / "float.safetensors"
    save_checkpoint(MinSumDecoder(MinSumConfig(code="bch-15-7", message_bits=None)), path)
    (point,) = simulate(path, [5.0], max_frames=500)
    assert point.frames == 500 and point.decoder == "float"


def test_code_of_a_design(tmp_path):
    """By its name where the edges agree, else by its edges."""
    net = MinSumDecoder(MinSumConfig(code="bch-15-7"))
    spec = lower(net)
    assert _code(tmp_path, {"config": {"code": "bch-15-7"}}, spec).name == "bch-15-7"
    for config in ({"code": "bch-15-11"}, {"code": "gone.alist"}, {}, None):
        found = _code(tmp_path, {"config": config}, spec)
        assert (found.matrix() == net.code.matrix()).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--ebn0", "4;5"), ("--ebn0 must be numbers separated by commas", "4;5")),
        (("--ebn0", ""), ("--ebn0 must be numbers",)),
        (("--ebn0", "nan"), ("Eb/N0 must be between -20 and 40 dB",)),
        (("--ebn0", "4", "--target-errors", "0"), ("Target errors must be",)),
        (("--ebn0", "4", "--max-frames", "0"), ("Max frames must be",)),
        (("--ebn0", "4", "--against", "best"), ("Unknown decoder 'best'", "algebraic")),
        (("--ebn0", "4", "--plot", "a.txt", "--max-frames", "10"), ("Plot must be named",)),
    ],
)
def test_refuses(gatesmith, decoder, arguments, words):
    gatesmith("simulate", decoder, *arguments).check_refused(*words)


def test_refuses_other_files(gatesmith, checkpoint, tmp_path):
    gatesmith("simulate", checkpoint, "--ebn0", "4").check_refused("family must be minsum")
    gatesmith("simulate", tmp_path, "--ebn0", "4").check_refused("not a design folder")
    gatesmith("simulate", tmp_path / "none", "--ebn0", "4").check_refused("no such file")
