"""The bundled checkpoints: what their files say of them is so."""

import pytest

from gatesmith.models.checkpoint import BUNDLED as FOLDER
from gatesmith.models.minsum_net import (
    RECIPES,
    GoldenDecoder,
    load_checkpoint,
    lower,
    read_metrics,
    simulate,
)
from gatesmith.models.minsum_net.training import EPOCH, TEST_SEED

BUNDLED = {
    "bch-63-36-edge": "minsum_bch_63_36_edge",
    "ccsds-128-64": "minsum_ccsds_128_64",
    "wifi-648-r56": "minsum_wifi_648_r56",
}


@pytest.mark.parametrize("recipe", BUNDLED)
def test_bundled_is_of_its_recipe(recipe):
    path = FOLDER / f"{BUNDLED[recipe]}.safetensors"
    net = load_checkpoint(path)
    assert net.config == RECIPES[recipe] and path.stat().st_size < 100_000
    assert len(net.history) == net.config.steps // EPOCH
    spec = lower(net)
    assert spec.message_bits == 5 and spec.parameters.max() > 0


@pytest.mark.parametrize("recipe", BUNDLED)
def test_error_rates_are_those_that_the_file_says(recipe):
    """On other frames, within what chance leaves open; better than min-sum."""
    path = FOLDER / f"{BUNDLED[recipe]}.safetensors"
    net, metrics = load_checkpoint(path), read_metrics(path)
    level = {"bch-63-36-edge": 5.0, "ccsds-128-64": 3.0, "wifi-648-r56": 4.0}[recipe]
    key = f"{level:g} dB"
    decoder = GoldenDecoder(spec=lower(net, early_stop=False), code=net.code)
    (point,) = simulate(
        decoder, [level], target_errors=20_000, max_frames=20_000, seed=TEST_SEED + 1
    )
    for rate in ("ber", "fer"):
        low, high = getattr(point, f"{rate}_interval")
        assert 0.9 * low < metrics[f"test_{rate}"][key] < 1.1 * high
        assert metrics[f"test_{rate}"][key] < 0.7 * metrics[f"min_sum_test_{rate}"][key]
    if recipe == "bch-63-36-edge":
        assert point.ber <= 7.5e-3  # the gate of the paper's curve
