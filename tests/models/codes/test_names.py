"""Codes by one string."""

import pytest

from gatesmith.models.codes import Code, bch, code
from gatesmith.models.codes.names import EXAMPLES
from gatesmith.models.errors import UserError


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example(name):
    assert code(name).name == name


def test_a_path(tmp_path, monkeypatch):
    path = tmp_path / "mine.alist"
    bch(15, 7).to_alist(path)
    assert isinstance(code(str(path)), Code) and code(str(path)).name == "mine"
    path.rename(tmp_path / "mine.txt")
    assert code(str(tmp_path / "mine.txt")).k == 7
    monkeypatch.chdir(tmp_path)
    assert code("./mine.txt").k == 7


@pytest.mark.parametrize(
    "name, hint",
    [
        ("ccsds", "'ccsds-128-64'"),
        ("nr", "'nr-64-128'"),
        ("nr-64", "'nr-64-128'"),
        ("ccsds-128-46", "'ccsds-128-64'"),
        ("wifi_648_r12", "'wifi-648-r12'"),
        ("WIFI-648-R56", "'wifi-648-r56'"),
        ("wimax-576-r34", "'wimax-576-r34b'"),
        ("bch63-36", "'bch-63-36'"),
        ("nr-512-1024-trimmed", "'nr-512-1024-trim'"),
    ],
)
def test_did_you_mean(name, hint):
    with pytest.raises(UserError, match=f"not '{name}'; did you mean {hint}\\?$"):
        code(name)


@pytest.mark.parametrize("name", ["", "turbo", "bch-६३-36", "64-128"])
def test_says_what_there_is(name):
    with pytest.raises(UserError) as error:
        code(name)
    for word in ("bch-N-K", "nr-K-N", "ccsds-128-64", "wimax-576-r12", "alist", repr(name)):
        assert word in str(error.value)


def test_passes_on_what_is_wrong_with_a_size():
    with pytest.raises(UserError, match="k of a BCH code with n = 63"):
        code("bch-63-37")
    with pytest.raises(UserError, match="k of a 5G code"):
        code("nr-5-10")
    with pytest.raises(UserError, match="none.alist: no such file"):
        code("none.alist")
