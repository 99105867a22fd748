"""Settings of the command line."""

from gatesmith.flows.settings import parse_options


def test_values_by_their_looks() -> None:
    given = ["lanes=8", "sizes=4,2", "state=yes", "dense=no", "memory=rom", "name=no"]
    assert parse_options(given) == {
        "lanes": 8, "sizes": (4, 2), "state": True, "dense": False, "memory": "rom", "name": "no",
    }  # fmt: skip
