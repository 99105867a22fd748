"""The net: known answers, gradients, and equality with the golden model bit for bit."""

import numpy as np
import pytest
import torch

from gatesmith.models import data
from gatesmith.models.errors import UserError
from gatesmith.models.sparse_mlp import golden, hidden
from gatesmith.models.sparse_mlp_net import SparseLinear, SparseMLP, SparseMLPConfig, fit, lower
from gatesmith.models.sparse_mlp_net.net import Requantiser, Scores


def digits(part: str, bits: int = 4) -> np.ndarray:
    found = data.load("digits")
    return data.quantise(getattr(found, f"{part}_x"), found.levels, bits)


def assert_equals_golden(net: SparseMLP, frames: np.ndarray) -> None:
    """Every hidden activation, score and argmax."""
    spec = lower(net)
    *inner, scores = (a.numpy() for a in net.eval().activations(torch.from_numpy(frames)))
    for index, (ours, theirs) in enumerate(zip(inner, hidden(spec, frames), strict=True)):
        assert np.array_equal(ours, theirs), f"hidden layer {index}"
    outputs = golden(spec, frames).outputs
    assert np.array_equal(scores, outputs[:, :-1])
    assert np.array_equal(net(torch.from_numpy(frames)).numpy().argmax(axis=1), outputs[:, -1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 4, 0.5), r"^Inputs and outputs must be at least 1, not \(0, 4\)$"),
        ((4, 4, 1.0), "^Sparsity must be at least 0 and below 1, not 1.0$"),
        ((4, 4, float("nan")), "^Sparsity must be at least 0 and below 1, not nan$"),
    ],
)
def test_rejects_shape(arguments, message):
    with pytest.raises(UserError, match=message):
        SparseLinear(*arguments)


def test_rejects_weights():
    with pytest.raises(UserError, match="^Weights must be one of .*, not 'float'$"):
        SparseLinear(4, 4, 0.5, weights="float")


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ("binary", [-1, -1, -1, 1, 1, 1]),
        ("ternary", [-1, -1, 0, 0, 0, 1]),
        ("int8", [-127, -51, -25, 0, 25, 127]),
    ],
)
def test_quantised_weights(weights, expected):
    linear = SparseLinear(6, 1, 0, weights=weights)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[-1.0, -0.4, -0.2, 0.0, 0.2, 1.0]]))
    assert linear.quantised().tolist() == [expected]


def test_gradient_reaches_the_dense_masters():
    linear = SparseLinear(32, 4, 0.75)
    x = torch.randn(5, 32)
    linear(x).sum().backward()
    assert torch.allclose(linear.weight.grad, x.sum(dim=0).expand(4, 32))
    assert torch.equal(linear.quantised() != 0, (linear.quantised() != 0) & (linear.mask == 1))
    linear.weight.data.mul_(9)
    linear.clip_()
    assert linear.weight.abs().max() <= 1


def test_requantiser_rounds_and_clips():
    tail = Requantiser(1, 2)
    tail.shift.fill_(3)
    tail.mean.fill_(5.0)
    acc = torch.arange(-20, 40)[:, None]
    expected = np.clip(np.floor((acc.numpy() - 5) / 8 + 0.5), 0, 3)
    assert np.array_equal(tail.exact(acc).numpy(), expected)


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_requantiser_trains_as_it_evaluates(bits):
    torch.manual_seed(bits)
    tail = Requantiser(4, bits)
    acc = (900 * torch.randn(4000, 4)).round()
    trained = tail(acc)
    assert trained.min() == 0 and trained.max() == 2**bits - 1
    # The mean is folded rounded, so a value at a border may differ by one step.
    difference = (tail.exact(acc.long()) - trained).abs()
    assert difference.max() <= 1 and difference.mean() < 0.1


def test_scores_order_classes_as_the_logits_do():
    torch.manual_seed(1)
    tail = Scores(5, 4.0)
    tail.offset.data.normal_()
    acc = torch.randint(-900, 900, (1000, 5)).float()
    logits = tail(acc)
    assert (logits.argmax(1) == tail.exact(acc.long()).argmax(1)).float().mean() > 0.99


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("weights", ["binary", "ternary", "int8"])
def test_net_equals_golden_on_the_digits_test_set(weights, bits, sparsity):
    config = SparseMLPConfig(
        hidden=(40, 33), sparsity=sparsity, weights=weights, activation_bits=bits, epochs=2
    )
    net = fit(SparseMLP(config), digits("train"), data.load("digits").train_y)
    assert_equals_golden(net, digits("test"))


@pytest.mark.parametrize("generator", ["leap", "paper"])
@pytest.mark.parametrize(("inputs", "sizes"), [(1, ()), (3, (1,)), (17, (5, 31, 2)), (65, (8,))])
def test_net_equals_golden_on_awkward_shapes(generator, inputs, sizes):
    config = SparseMLPConfig(
        data="own",
        inputs=inputs,
        classes=3,
        hidden=sizes,
        input_bits=3,
        generator=generator,
        epochs=2,
        batch=32,
    )
    random = np.random.default_rng(inputs)
    x, y = random.integers(0, 8, (200, inputs)), random.integers(0, 3, 200)
    assert_equals_golden(fit(SparseMLP(config), x, y), x)


def test_net_equals_golden_beyond_float32():
    """8-bit weights on 8-bit inputs: sums pass 2**24, where float32 would round."""
    config = SparseMLPConfig(
        data="own", inputs=1200, hidden=(6,), sparsity=0, weights="int8", activation_bits=8
    )
    net = SparseMLP(config)
    with torch.no_grad():
        net.linears[0].weight.fill_(1.0)
        net.linears[0].weight[:, ::2] = 126 / 127
    frames = np.random.default_rng(5).integers(200, 256, (50, 1200))
    sums = net.linears[0].exact(torch.from_numpy(frames), 255)
    assert sums.max() > 1 << 24 and (sums % 2).any()
    assert_equals_golden(net, frames)


def test_lower_options():
    net = SparseMLP(SparseMLPConfig(hidden=(32, 16), sparsity=0.9))
    spec = lower(net, datapath="index", memory="sram", lanes=24, lookahead=4, name="tiny")
    assert (spec.datapath, spec.memory, spec.name) == ("index", "sram", "tiny")
    assert [layer.lanes for layer in spec.layers] == [24, 16, 10]
    assert {layer.lookahead for layer in spec.layers} == {4}
    assert [layer.lanes for layer in lower(net, lanes="all").layers] == [32, 16, 10]
    assert [layer.lanes for layer in lower(net, lanes=(3, 2, 1)).layers] == [3, 2, 1]
    with pytest.raises(UserError, match="^Lanes must be between 1 and 32, not 0$"):
        lower(net, lanes=0)


def test_dense_layers_have_no_lfsr():
    spec = lower(SparseMLP(SparseMLPConfig(hidden=(8,), sparsity=0.5, classifier_sparsity=0)))
    assert spec.layers[0].taps and spec.layers[0].threshold == 1 << 15
    assert spec.layers[1].taps == () and spec.layers[1].threshold == 0
