import pytest

from gatesmith.models.errors import UserError
from gatesmith.models.names import check_name


@pytest.mark.parametrize("name", ["net", "_1", "Layer_2", "table_", "logic"])
def test_accepts(name):
    check_name(name)


@pytest.mark.parametrize("name", ["", "3x", "a-b", "a.b", "a b", "é", "x\n", "wire", "table", "tb"])
def test_rejects(name):
    with pytest.raises(
        UserError, match="^Name must be a Verilog identifier, no keyword and not tb"
    ):
        check_name(name)
