import numpy as np
from hypothesis import given
from minsum_designs import code_spec, matrix_spec, specs

from gatesmith.models.codes import code
from gatesmith.models.minsum.layout import (
    check_degrees,
    first_edges,
    is_quasi_cyclic,
    row_groups,
    variable_degrees,
    variable_edges,
)


@given(specs())
def test_edges_by_check_and_by_variable(spec):
    checks, variables = spec.edge_check.tolist(), spec.edge_variable.tolist()
    firsts = first_edges(spec).tolist()
    assert len(firsts) == spec.checks + 1 and firsts[-1] == spec.edges
    for check in range(spec.checks):
        assert check_degrees(spec)[check] == checks.count(check)
        assert set(checks[firsts[check] : firsts[check + 1]]) == {check}
    found = variable_edges(spec)
    assert len(found) == spec.variables
    for variable, edges in enumerate(found):
        assert variable_degrees(spec)[variable] == variables.count(variable)
        assert edges.tolist() == [e for e, v in enumerate(variables) if v == variable]


@given(specs())
def test_row_groups_take_every_check_once_in_order(spec):
    groups = row_groups(spec)
    assert [check for group in groups for check in group] == list(range(spec.checks))
    assert all(len(group) == spec.rows_per_clock for group in groups[:-1])


def test_blocks_of_cyclic_shifts():
    ccsds = code_spec(code("ccsds-128-64"))
    assert is_quasi_cyclic(ccsds, 16) and not is_quasi_cyclic(ccsds, 32)
    assert not is_quasi_cyclic(ccsds, 24), "does not divide the rows"
    assert is_quasi_cyclic(matrix_spec(np.ones((4, 8), dtype=int)), 4)
