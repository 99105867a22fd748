import pytest

from gatesmith.models.options import title, truth


def test_title():
    assert title("rows_per_clock") == "Rows per clock" and title("name") == "Name"


@pytest.mark.parametrize("value, expected", [(1, True), (0, False), ("yes", True), ("no", False)])
def test_truth_of_what_stands_for_it(value, expected):
    assert truth(value) is expected


@pytest.mark.parametrize("value", [None, "maybe", 2, 1.0, [1]])
def test_what_is_no_truth_stays(value):
    assert truth(value) is value
