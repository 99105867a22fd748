"""The table of dense and sparse states, on tiny random LSTMs."""

import io
import json

import numpy as np
import pytest
from lstm_designs import random_spec
from rich.console import Console

from gatesmith.families import family
from gatesmith.flows import sparse_state
from gatesmith.flows.sparse_state import image_steps, measure, reproduce_sparse_state, text_steps
from gatesmith.models.errors import UserError
from gatesmith.models.lstm import trace


@pytest.fixture
def small(monkeypatch, tmp_path_factory):
    """One place of the text in each stream; a cache of its own."""
    monkeypatch.setenv("GATESMITH_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(sparse_state, "PLACES", 1)


def symbols_spec(**options):
    return random_spec(
        1, (5, 8, 4), one_hot=True, every_step=True, steps=12, threshold=40, outputs="argmax",
        **options,
    )  # fmt: skip


def test_rejects_layers():
    spec = random_spec(1, (5, 8, 8, 4))
    with pytest.raises(UserError, match=r"^Layers must be 1, not 2$"):
        measure(family("lstm"), spec, np.zeros((1, 4, 5), np.int64), 0)


def test_text_steps_known_answer(small):
    spec = random_spec(1, (5, 8, 4), one_hot=True, steps=3, batch=2)
    steps = text_steps(spec, np.arange(20), 1)
    assert steps.tolist() == [[[0, 10], [1, 11], [2, 12]]]


def test_image_steps_known_answer():
    spec = random_spec(1, (2, 8, 4), steps=2, batch=2)
    images = np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 9], [9, 9]]])
    assert image_steps(spec, images, 1).tolist() == [[[1, 5, 2, 6], [3, 7, 4, 8]]]


def test_symbols(small):
    spec = symbols_spec(batch=2)
    steps = np.random.default_rng(0).integers(0, 5, (2, 12, 2))
    row = measure(family("lstm"), spec, steps, 4)
    frames = np.concatenate([np.zeros((2, 1), np.int64), steps.reshape(2, -1)], axis=1)
    read = trace(spec, frames)[0].states[:, 3:11]
    assert row["zeros"] == (read == 0).mean()
    assert row["joint_zeros"] == pytest.approx(1 - (read != 0).any(axis=2).mean())
    dense, sparse = row["dense"], row["sparse"]
    assert dense["columns"] == {"x": 2.0, "h": 8.0, "head": 8.0}
    assert dense["columns_skipped"] == 0
    assert sparse["columns"]["x"] == 2.0
    assert sparse["columns"]["h"] == pytest.approx(8 * (1 - row["joint_zeros"]))
    assert sparse["columns_taken"] + sparse["columns_skipped"] == dense["columns_taken"]
    # Columns of x and h: 4 words of 8 lanes, 2 bits each; of the head, 1 word.
    assert dense["weight_bits"] == (2 + 8) * 4 * 16 + 8 * 16
    apart = {name: dense["columns"][name] * words for name, words in (("x", 64), ("h", 64))}
    assert dense["weight_bits_apart"] == apart | {"head": 128}
    assert row["weight_bits_dense_12"] == 6 * dense["weight_bits"]
    assert sparse["clocks"] < dense["clocks"]
    assert row["speed_up"] == dense["clocks"] / sparse["clocks"]


def test_dense_inputs(small):
    spec = random_spec(1, (5, 8, 4), steps=6, batch=1, threshold=40)
    steps = np.random.default_rng(0).integers(0, 3, (2, 6, 5))
    row = measure(family("lstm"), spec, steps, 0)
    assert row["dense"]["columns"]["x"] == 5
    # Pruning leaves the columns of inputs that are not 0.
    assert row["sparse"]["columns"]["x"] == (steps != 0).sum() / 12
    assert row["sparse"]["columns"]["h"] < row["dense"]["columns"]["h"] == 8


def test_a_wrong_chip_is_an_error(small):
    spec = symbols_spec(batch=1)
    entry = family("lstm")
    other = next(iter(entry.models.faults(spec).values()))

    class Wrong:
        models = entry.models

        @staticmethod
        def verilog(spec):
            return entry.verilog(other)

    steps = np.random.default_rng(0).integers(0, 5, (2, 12, 1))
    with pytest.raises(UserError, match=r"^lstm: the simulation must equal the golden model: "):
        measure(Wrong, spec, steps, 4)


def test_more_steps_of_the_golden_model_count_alike(small):
    spec = symbols_spec(batch=1)
    steps = np.random.default_rng(0).integers(0, 5, (2, 12, 1))
    row = measure(family("lstm"), spec, steps, 4)
    more = sparse_state.speed_up(family("lstm"), spec, steps, 4)
    assert more["steps"] == 16
    assert more["dense"] == row["dense"]["clocks"] and more["sparse"] == row["sparse"]["clocks"]


def test_rejects_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="no such folder; expected one with data sets$"):
        reproduce_sparse_state(data_dir=tmp_path / "no")


def test_a_damaged_text_is_an_error(tmp_path):
    (tmp_path / "war_and_peace.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UserError, match=r"war_and_peace.txt: cannot be read as UTF-8"):
        reproduce_sparse_state(data_dir=tmp_path)


def test_table_on_bundled_digits(small, monkeypatch, tmp_path):
    monkeypatch.setattr(sparse_state, "CASES", ())
    monkeypatch.setattr(sparse_state, "BATCHES", (1,))
    monkeypatch.setattr(sparse_state, "IMAGES", 1)
    case = sparse_state.Case(checkpoint="lstm_digits_64", data="digits", lanes=4, elementwise=1)
    monkeypatch.setattr(sparse_state, "DIGITS_CASE", case)
    console = Console(record=True, width=160, file=io.StringIO())
    output = tmp_path / "results" / "sparse-state.json"
    result = reproduce_sparse_state(output=output, console=console)
    assert json.loads(output.read_text()) == result
    (row,) = result["ours"]
    assert row["training_log"]["test_accuracy"] == pytest.approx(0.986, abs=1e-3)
    assert row["cells"] == 64 and not row["one_hot"]
    assert row["more"]["steps"] == sparse_state.MORE_IMAGES * 8
    text = console.export_text()
    assert "5.2x" in text and "98.59 %" in text
