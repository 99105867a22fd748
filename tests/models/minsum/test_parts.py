from minsum_designs import code_spec

from gatesmith.models.codes import code
from gatesmith.models.minsum import OPERATION, operations


def test_operations_are_edges_times_iterations():
    assert operations(code_spec(code("bch-63-36"), iterations=5)) == 486 * 5
    assert OPERATION
