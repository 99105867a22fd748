"""Runs over seeds: resumed, tabulated, and refused when the results are not ours."""

import json

import pytest
from rich.console import Console

from gatesmith.flows.sparse_accuracy import accuracy_table, reproduce_sparse_accuracy
from gatesmith.models.errors import UserError


def test_rejects_recipe(tmp_path):
    with pytest.raises(UserError, match="^Recipe must be one of digits-64-p50, .*, not 'cifar'$"):
        reproduce_sparse_accuracy(tmp_path, recipes=["cifar"])


def test_rejects_seeds(tmp_path):
    with pytest.raises(UserError, match="^Seeds must be at least 1, not 0$"):
        reproduce_sparse_accuracy(tmp_path, recipes=["digits-64-p50"], seeds=0)


@pytest.mark.parametrize("content", ["", "[]", '{"format": "x"}', '{"runs": {"a": 3}}'])
def test_rejects_foreign_results(tmp_path, content):
    (tmp_path / "accuracy.json").write_text(content)
    with pytest.raises(UserError, match="not the results of this command"):
        reproduce_sparse_accuracy(tmp_path, recipes=["digits-64-p50"])


def test_finished_runs_are_not_repeated(tmp_path):
    seen = []

    def progress(run, report):
        seen.append((run, report.epoch))

    options = {"recipes": ["digits-64-p50"], "epochs": 2, "progress": progress}
    reproduce_sparse_accuracy(tmp_path, seeds=1, **options)
    assert seen == [("digits-64-p50-s0", 1), ("digits-64-p50-s0", 2)]
    found = reproduce_sparse_accuracy(tmp_path, seeds=2, **options)
    assert seen[2:] == [("digits-64-p50-s1", 1), ("digits-64-p50-s1", 2)]
    assert json.loads((tmp_path / "accuracy.json").read_text()) == found
    console = Console(record=True, width=200)
    console.print(accuracy_table(found))
    text = console.export_text()
    assert "digits-64-p50" in text and "1266" in text
