"""Runs over seeds: resumed, tabulated, and refused when the results are not ours."""

import json

import pytest
from rich.console import Console

from gatesmith.flows.reproduce_accuracy import accuracy_table, reproduce_accuracy
from gatesmith.models.errors import UserError


def test_rejects_recipe(tmp_path):
    with pytest.raises(UserError, match="^Recipe must be one of digits-64-p50, .*, not 'cifar'$"):
        reproduce_accuracy(tmp_path, recipes=["cifar"])


def test_rejects_seeds(tmp_path):
    with pytest.raises(UserError, match="^Seeds must be at least 1, not 0$"):
        reproduce_accuracy(tmp_path, recipes=["digits-64-p50"], seeds=0)


@pytest.mark.parametrize("content", ["", "[]", '{"format": "x"}', '{"runs": {"a": 3}}'])
def test_rejects_foreign_results(tmp_path, content):
    (tmp_path / "accuracy.json").write_text(content)
    with pytest.raises(UserError, match="not the results of this command"):
        reproduce_accuracy(tmp_path, recipes=["digits-64-p50"])


def test_finished_runs_are_not_repeated(tmp_path):
    seen = []

    def progress(run, report):
        seen.append((run, report.epoch))

    recipes = ["digits-64-p50"]
    reproduce_accuracy(tmp_path, recipes=recipes, seeds=1, epochs=2, progress=progress)
    assert seen == [("digits-64-p50-s0", 1), ("digits-64-p50-s0", 2)]
    found = reproduce_accuracy(tmp_path, recipes=recipes, seeds=2, epochs=2, progress=progress)
    assert seen[2:] == [("digits-64-p50-s1", 1), ("digits-64-p50-s1", 2)]
    assert json.loads((tmp_path / "accuracy.json").read_text()) == found
    console = Console(record=True, width=200)
    console.print(accuracy_table(found))
    text = console.export_text()
    assert "digits-64-p50" in text and "1266" in text
