"""The table of error rates, of decoders that are not trained."""

import json

import numpy as np
import pytest
from decoder_tables import untrained
from rich.console import Console

from gatesmith.flows import neural_offset
from gatesmith.flows.neural_offset import GATE, reproduce_neural_offset


@pytest.fixture
def small(monkeypatch):
    """One code, few frames, no training."""
    monkeypatch.setattr(neural_offset, "CODES", ("bch-63-36",))
    monkeypatch.setattr(neural_offset, "FRAMES", dict.fromkeys(neural_offset.LEVELS, 300))
    monkeypatch.setattr(neural_offset, "train_decoders", untrained)
    from gatesmith.models import minsum_net

    tune = minsum_net.tune
    monkeypatch.setattr(minsum_net, "tune", lambda *given: tune(*given, frames=100))


def test_table(small, tmp_path, capsys):
    console = Console(width=200)
    result = reproduce_neural_offset(tmp_path / "t", plot=tmp_path / "p.svg", console=console)
    assert json.loads((tmp_path / "t" / "error-rates.json").read_text()) == result
    assert (tmp_path / "p.svg").read_text().startswith("<?xml")
    (found,) = result["codes"]
    rows = {row["name"]: row for row in found["decoders"]}
    values = {name.split(", ")[0]: row["values"] for name, row in rows.items()}
    assert values["algebraic"] == values["belief propagation"] == values["min-sum"] == 0
    assert rows["an offset an edge and iteration, 5 bits"]["values"] == 5 * 486
    # Weights of pairs, 4,238 an iteration, of edges and twice of variables.
    assert values["weighted belief propagation"] == 5 * (4238 + 486 + 2 * 63)
    # Everyone sees the same words; weights of 1 are belief propagation but for its clipping.
    counts = {name: [p["bit_errors"] for p in row["points"]] for name, row in rows.items()}
    assert {p["frames"] for row in found["decoders"] for p in row["points"]} == {300}
    plain = np.array(counts["belief propagation, float"])
    weighted = np.array(counts["weighted belief propagation, float"])
    assert abs(plain - weighted).max() <= 0.1 * plain.max()
    alike = [
        counts[f"an offset {kind}, 5 bits"] for kind in ("an iteration", "an edge and iteration")
    ]
    assert alike[0] == alike[1] == counts["one offset, 5 bits"]  # all are 1.3 before training
    printed = capsys.readouterr().out
    assert "paper, per edge, digitised" in printed and "7.40e-03" in printed
    assert "Aim" in printed and f"{GATE:.1e}" in printed


def test_aim_is_judged(small, tmp_path, monkeypatch):
    result = reproduce_neural_offset(tmp_path, console=Console(quiet=True))
    assert result["passed"] == all(rate <= GATE for rate in result["reached"].values())
    monkeypatch.setattr(neural_offset, "GATE", 0.0)
    assert not neural_offset._result(result["codes"])["passed"]
    monkeypatch.setattr(neural_offset, "GATE", 1.0)
    assert neural_offset._result(result["codes"])["passed"]
