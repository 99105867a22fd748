"""Check nodes against their definition, and their gradients against finite differences."""

import numpy as np
import pytest
import torch

from gatesmith.models.codes import Code, bch
from gatesmith.models.minsum_net.graph import (
    extrinsic_minimum,
    extrinsic_sum_product,
    groups_of,
    signs_of_others,
    tied,
)


def by_definition(x, most):
    """Signed least magnitude of the others, one edge at a time."""
    found = np.empty_like(x)
    for row in range(x.shape[0]):
        for edge in range(x.shape[1]):
            for frame in range(x.shape[2]):
                others = np.delete(x[row, :, frame], edge)
                sign = -1 if (others < 0).sum() % 2 else 1
                found[row, edge, frame] = sign * np.abs(others).min(initial=most)
    return found


@pytest.mark.parametrize("degree", [1, 2, 3, 8])
def test_minimum_is_that_of_the_others(degree):
    random = np.random.default_rng(degree)
    x = random.integers(-7, 8, (3, degree, 50)).astype(np.float32)
    found = extrinsic_minimum(torch.from_numpy(x), 7.0).numpy()
    assert np.array_equal(found, by_definition(x, 7.0))


def test_duplicate_minima():
    """Pitfall 4: by index or by value, the second minimum is the first when two are equal."""
    x = torch.tensor([3.0, -2.0, 2.0, 5.0])[None, :, None]
    assert extrinsic_minimum(x, 15.0).flatten().tolist() == [-2, 2, -2, -2]


def test_sign_of_zero_is_positive():
    """Pitfall 3: a zero says nothing, but its sign must not erase those of the others."""
    x = torch.tensor([0.0, -2.0, 3.0])[None, :, None]
    assert signs_of_others(x).flatten().tolist() == [-1, 1, -1]
    assert extrinsic_minimum(x, 15.0).flatten().tolist() == [-2, 0, 0]
    minus = torch.tensor([-0.0, -2.0, 3.0])[None, :, None]
    assert torch.equal(signs_of_others(minus), signs_of_others(x))


def test_gradient_of_the_minimum():
    x = torch.randn(4, 6, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: extrinsic_minimum(v, 1e6), x)


def test_gradient_is_shared_among_equals():
    x = torch.tensor([1.0, 1.0, 4.0])[None, :, None].requires_grad_()
    extrinsic_minimum(x, 15.0)[0, 2].sum().backward()
    assert x.grad.flatten().tolist() == [0.5, 0.5, 0]


def test_sum_product_is_the_product_of_tangents():
    x = 3 * torch.randn(5, 7, 40, dtype=torch.float64)
    products = torch.stack(
        [torch.tanh(x[:, [k for k in range(7) if k != e]] / 2).prod(1) for e in range(7)], dim=1
    )
    assert torch.allclose(extrinsic_sum_product(x, 1e6), 2 * torch.atanh(products), atol=1e-6)


def test_sum_product_of_extreme_messages():
    x = torch.tensor([1e6, -1e6, 0.0, 30.0])[None, :, None].requires_grad_()
    found = extrinsic_sum_product(x, 1e6)
    found.sum().backward()
    assert torch.isfinite(found).all() and torch.isfinite(x.grad).all()
    assert found[0, :2].abs().max() < 1e-6 and found[0, 2] < -15


def test_gradient_of_sum_product():
    x = torch.randn(3, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: extrinsic_sum_product(v, 1e6), x)


def test_groups():
    code = bch(15, 7)
    (whole,) = groups_of(code, "flooding", None)
    assert np.array_equal(whole.edges, np.arange(code.edges))
    groups = groups_of(code, "layered", 3)
    assert [len(g.blocks) for g in groups] == [1, 1, 1]
    assert np.array_equal(np.concatenate([g.edges for g in groups]), np.arange(code.edges))
    assert np.array_equal(code.checks[groups[2].edges], code.checks[code.checks >= 6])


def test_blocks_of_different_degrees():
    matrix = np.array([[1, 1, 1, 0], [1, 0, 0, 1], [0, 1, 1, 1], [0, 0, 1, 0]])
    code = Code.from_matrix(matrix)
    (group,) = groups_of(code, "flooding", None)
    assert [block[2] for block in group.blocks] == [1, 2, 3]
    assert np.array_equal(np.sort(group.edges), np.arange(code.edges))
    assert np.array_equal(group.variables, code.variables[group.edges])
    assert tied(code, "degree").tolist() == [2, 2, 2, 1, 1, 2, 2, 2, 0]
    assert tied(code, "check").tolist() == code.checks.tolist()
    assert tied(code, "iteration").tolist() == tied(code, "scalar").tolist() == [0] * 9
    assert tied(code, "edge").tolist() == tied(code, "recurrent").tolist() == list(range(9))
