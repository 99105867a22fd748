"""The bundled checkpoints: what their files say of them is so."""

import dataclasses
from pathlib import Path

import pytest

import gatesmith.models
from gatesmith.models import sequences
from gatesmith.models.lstm_net import RECIPES, accuracy, load_checkpoint, lower, read_metrics

FOLDER = Path(gatesmith.models.__file__).parent / "checkpoints"
BUNDLED = {
    "digits-64": "lstm_digits_64",
    "japanese-vowels-32": "lstm_japanese_vowels_32",
    "mnist-rows-100": "lstm_mnist_rows_100",
    "war-and-peace-128": "lstm_war_and_peace_128",
    "war-and-peace-512": "lstm_war_and_peace_512",
}


@pytest.mark.parametrize("recipe", BUNDLED)
def test_bundled_is_of_its_recipe(recipe):
    path = FOLDER / f"{BUNDLED[recipe]}.safetensors"
    net = load_checkpoint(path)
    config = net.config
    if config.is_text:
        assert config.inputs == config.classes == len(net.vocabulary) == 83
        config = dataclasses.replace(config, inputs=None, classes=None)
    assert config == RECIPES[recipe]
    assert [entry["epoch"] for entry in net.history] == list(range(1, config.epochs + 1))
    assert path.stat().st_size < 1_000_000
    spec = lower(net)
    assert {layer.kind for layer in spec.layers} == {"ternary"} and spec.layers[0].threshold == 13


def test_digits_are_as_accurate_as_the_file_says():
    path = FOLDER / "lstm_digits_64.safetensors"
    found = accuracy(load_checkpoint(path), sequences.load("digits").test)
    assert found == read_metrics(path)["test_accuracy"] > 0.98
