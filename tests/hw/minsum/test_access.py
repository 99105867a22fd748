"""Rows find their variables where the posteriors have moved to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from minsum_designs import code_spec, matrix_spec, quasi_cyclic_matrix, random_matrix

from gatesmith.hw.minsum.access import Access
from gatesmith.models.codes import code
from gatesmith.models.minsum.layout import row_groups


def check_walk(spec):
    """Follow the variables through an iteration, and look at what each port reads."""
    access, groups = Access.of(spec), row_groups(spec)
    assert len(groups) == access.phases * access.steps
    held = home = np.arange(spec.variables)  # variable at each place
    seen = []
    for number, rows in enumerate(groups):
        places = access.places[number // access.steps]
        for slot, row in enumerate(rows):
            ports = np.flatnonzero(access.edges[number, slot] >= 0)
            edges = access.edges[number, slot, ports]
            assert np.array_equal(np.sort(edges), np.flatnonzero(spec.edge_check == row))
            assert np.array_equal(held[places[slot, ports]], spec.edge_variable[edges])
            seen += edges.tolist()
        last = number == len(groups) - 1
        source = access.back if last and access.back is not None else access.moved
        held = held if source is None else held[source]
    assert np.array_equal(held, home)
    assert sorted(seen) == list(range(spec.edges))
    return access


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 9))
def test_any_matrix(seed, checks, variables):
    matrix = random_matrix(np.random.default_rng(seed), checks, variables)
    rows = 1 + seed % checks
    check_walk(matrix_spec(matrix, schedule="layered", rows_per_clock=rows))


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 4), st.sampled_from([2, 3, 4]))
def test_quasi_cyclic(seed, rows, columns, size):
    matrix = quasi_cyclic_matrix(np.random.default_rng(seed), rows, columns, size)
    for each in range(1, size + 1):
        if size % each == 0:
            spec = matrix_spec(matrix, schedule="layered", lifting=size, rows_per_clock=each)
            access = check_walk(spec)
            assert (access.moved is None) == (each == size)


@pytest.mark.parametrize("rows, steps", [(1, 27), (3, 9), (27, 1), (2, 1)])
def test_cyclic(rows, steps):
    """A port reads one place alone, unless the last group is short."""
    spec = code_spec(code("bch-63-36"), schedule="layered", rows_per_clock=rows)
    access = check_walk(spec)
    assert (access.steps, access.phases) == (steps, 14 if rows == 2 else 1)


def test_ports_read_few_places():
    spec = code_spec(code("ccsds-128-64"), schedule="layered", lifting=1)
    access = check_walk(spec)
    read = [len(np.unique(access.places[:, 0, port])) for port in range(8)]
    assert sum(read) <= 1.5 * spec.variables
