import pytest

from gatesmith.models.weights import WeightPort


@pytest.mark.parametrize("name", ["width", "depth"])
def test_rejects_sizes(name):
    with pytest.raises(ValueError, match=f"^{name.title()} must be at least 1, not 0$"):
        WeightPort(**({"width": 8, "depth": 2} | {name: 0}))


@pytest.mark.parametrize(
    ("width", "depth", "data_width", "address_width", "request_width"),
    [(1, 1, 8, 1, 8), (8, 256, 8, 8, 8), (9, 257, 16, 9, 16), (130, 70000, 136, 17, 24)],
)
def test_streams_are_whole_bytes(width, depth, data_width, address_width, request_width):
    port = WeightPort(width=width, depth=depth)
    assert (port.data_width, port.address_width) == (data_width, address_width)
    assert port.request_width == request_width
