"""Memory models: figures are read as written, and wrong files are refused in one line."""

import re

import pytest

from gatesmith.flows.silicon.memory import DEFAULT_MODEL, MemoryModel
from gatesmith.models.errors import UserError

TOML = """
technology = "toy"
[sram]
area_um2 = 100
area_um2_per_bit = 2.0
read_fj_per_bit = 3.0
write_fj_per_bit = 4.0
leakage_nw_per_bit = 0.5
source = "measured"
[rom]
area_um2_per_bit = 1.0
read_fj_per_bit = 2.0
leakage_nw_per_bit = 0.0
source = "guessed"
"""


def written(tmp_path, text):
    path = tmp_path / "model.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "old, new, message",
    [
        ('technology = "toy"', "", "technology must be a text, not None"),
        ('technology = "toy"', "technology = 3", "technology must be a text, not 3"),
        ("[rom]", "[flash]", "Unknown key in Memory model {path}: 'flash': there is technology"),
        ("write_fj", "writes_fj", "Unknown key in .* 'writes_fj_per_bit': did you mean 'write_fj"),
        ('source = "measured"', "", "key 'source' of [sram] is missing"),
        ('source = "measured"', 'source = " "', "source of [sram] must be a text, not ' '"),
        ("read_fj_per_bit = 3.0", "", "key 'read_fj_per_bit' of [sram] is missing"),
        ("= 3.0", "= nan", "read_fj_per_bit of [sram] must be a number of at least 0, not nan"),
        ("= 3.0", "= inf", "must be a number of at least 0, not inf"),
        ("= 3.0", "= -1", "must be a number of at least 0, not -1"),
        ("= 3.0", "= true", "must be a number of at least 0, not True"),
        ("= 3.0", "= '3'", "must be a number of at least 0, not '3'"),
        ("= 3.0", "= ", "must be a TOML file"),
    ],
)
def test_rejects_file(old, new, message, tmp_path):
    path = written(tmp_path, TOML.replace(old, new, 1))
    with pytest.raises(UserError) as caught:
        MemoryModel.choose(path)
    text = str(caught.value)
    wanted = re.escape(message.format(path=path)).replace(r"\.\*", ".*")
    assert re.search(wanted, text), text
    assert str(path) in text and "\n" not in text


def test_rejects_file_without_tables(tmp_path):
    with pytest.raises(UserError, match=r" must have a table \[sram\] or \[rom\]$"):
        MemoryModel.choose(written(tmp_path, 'technology = "toy"'))
    with pytest.raises(UserError, match=r": sram must be a table, not 3$"):
        MemoryModel.choose(written(tmp_path, 'technology = "toy"\nsram = 3'))


def test_rejects_missing_file(tmp_path):
    with pytest.raises(UserError, match=r"^Memory model \S+ cannot be read: No such file"):
        MemoryModel.choose(tmp_path / "missing.toml")
    (tmp_path / "model.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"^Memory model \S+ must be a TOML file: "):
        MemoryModel.choose(tmp_path / "model.toml")


def test_rejects_unknown_name():
    with pytest.raises(
        UserError,
        match=r"^Memory model must be flipflop, macro or the path of a \.toml file, not 'dram'$",
    ):
        MemoryModel.choose("dram")


@pytest.mark.parametrize("option", [None, "flipflop"])
def test_flipflop_has_no_macros(option):
    model = MemoryModel.choose(option)
    assert not model.is_macro("sram") and not model.is_macro("rom")
    with pytest.raises(KeyError):
        model.area_um2(8)


def test_known_costs(tmp_path):
    model = MemoryModel.choose(written(tmp_path, TOML))
    assert model.is_macro("sram") and model.is_macro("rom") and not model.is_macro("flipflop")
    assert model.area_um2(10) == 120.0 and model.area_um2(10, count=3) == 320.0
    assert model.area_um2(10, "rom") == 10.0
    assert (model.read_fj(10), model.write_fj(10), model.leakage_nw(10)) == (30.0, 40.0, 5.0)
    assert model.read_fj(10, "rom") == 20.0 and model.write_fj(10, "rom") == 0.0
    assert model.to_json()["macros"]["sram"]["source"] == "measured"


def test_default_gives_the_macros_it_comes_from():
    """The published sizes of the two OpenRAM macros, and their power times clock."""
    model = MemoryModel.choose("macro")
    assert model.area_um2(8192) == pytest.approx(479.78 * 397.5, rel=1e-4)
    assert model.area_um2(16384) == pytest.approx(683.1 * 416.54, rel=1e-4)
    assert model.read_fj(32) == pytest.approx((2.707046 + 2.420102) / 2 * 5156, rel=2e-3)
    assert model.write_fj(32) == pytest.approx((2.553973 + 2.793470) / 2 * 5156, rel=2e-3)
    assert model.leakage_nw(16384) == pytest.approx(1379.771, rel=1e-3)
    assert model.sha256 and not model.is_macro("rom")


def test_changed_copy_of_the_default_is_taken(tmp_path):
    text = DEFAULT_MODEL.read_text().replace("area_um2_per_bit = 11.453", "area_um2_per_bit = 1")
    model = MemoryModel.choose(str(written(tmp_path, text)))
    assert model.area_um2(1000) == 97887.0
    assert model.sha256 != MemoryModel.choose("macro").sha256
