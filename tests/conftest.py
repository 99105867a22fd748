"""Settings of all tests."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

# No deadline: a busy machine is no failure. Found counter-examples print how to repeat them.
settings.register_profile("gatesmith", deadline=None, print_blob=True)
settings.load_profile("gatesmith")


@pytest.fixture(autouse=True, scope="session")
def own_surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test finds, or leaves, anything in the cache of the user, or finds his cell libraries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATESMITH_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("PDK_ROOT", str(tmp_path_factory.mktemp("pdks")))
        patch.setattr("gatesmith.flows.silicon.cells.SYSTEM_FOLDERS", ())
        yield
