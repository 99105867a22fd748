from dataclasses import replace

import numpy as np
import pytest
from lstm_designs import random_frames, random_spec

from gatesmith.models.lstm import faults, golden
from gatesmith.models.lstm.layer import KINDS


@pytest.mark.parametrize("scale_kind", ["integer", "power"])
@pytest.mark.parametrize("kind", KINDS)
def test_faults_keep_the_frames_and_most_of_them_show(kind, scale_kind):
    spec = random_spec(
        3, (5, 8, 3), kind=kind, scale_kind=scale_kind, norm=kind == "int8", state=True
    )
    frames = random_frames(spec, 60)
    right = golden(spec, frames).outputs
    found = faults(spec)
    shown = {name for name, one in found.items() if (golden(one, frames).outputs != right).any()}
    for name, one in found.items():
        assert one.input_format == spec.input_format, name
        assert one.output_format == spec.output_format, name
        assert one.config_format == spec.config_format, name
    missed = set(found) - shown
    assert len(missed) <= 2, missed
    for part in ("weight of x", "weight of h", "scale of x", "bias", "gates i and f", "offset"):
        assert any(part in name for name in shown), part


def test_faults_at_the_ends_of_their_ranges():
    """What cannot grow shrinks, and what is all zero becomes something."""
    spec = random_spec(1, (2, 2, 1), elementwise=1, lanes=4, offset_bits=1, threshold=127)
    layer = spec.layers[0]
    zero = np.zeros_like(layer.weight_h)
    top = np.full_like(layer.bias, 2047)
    ends = replace(layer, weight_h=zero, bias=top, scale_x=top, scale_h=top, shift=40)
    spec = replace(spec, layers=(ends,))
    found = faults(spec)
    assert (found["layer 0: sign of one weight of h"].layers[0].weight_h == 1).sum() == 1
    assert found["layer 0: one bias"].layers[0].bias.min() == 2047 - 48
    assert found["layer 0: one scale of x"].layers[0].scale_x.min() < 2047
    assert found["layer 0: threshold off by one"].layers[0].threshold == 126
    assert found["lists: width of the offset"].offset_bits == 2
    assert "layer 0: shift too long" not in found
    assert "layer 0: scales of x and h swapped" not in found
    assert "head: weights of two classes swapped" not in found
