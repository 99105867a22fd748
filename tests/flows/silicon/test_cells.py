"""Cell libraries: the right one is found first, and a broken file costs a row, not the list."""

import gzip
import os

import pytest
from rich.console import Console

from gatesmith.flows.silicon import cells as module
from gatesmith.flows.silicon.cells import cells, default_library, find_libraries
from gatesmith.flows.silicon.liberty import GENERIC_LIBRARY

HEAD = (
    "  nom_voltage : {volts};\n  nom_temperature : 25.0;\n  operating_conditions (typical) {{ }}\n"
)


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No library of this machine is found."""
    monkeypatch.setattr(module, "SYSTEM_FOLDERS", (tmp_path / "qflow",))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GATESMITH_CACHE", str(tmp_path / "cache"))
    for name in ("PDK_ROOT", "PDK"):
        monkeypatch.delenv(name, raising=False)


def liberty(name, volts=1.8):
    """Our generic library under another name, with a supply."""
    text = GENERIC_LIBRARY.read_text()
    start = text.index("library (gatesmith_generic) {") + len("library (gatesmith_generic) {")
    return f"library ({name}) {{\n{HEAD.format(volts=volts)}{text[start:]}"


def install(root, pdk, library, *corners, content=None):
    """Liberty files in the layout of open_pdks; the paths."""
    folder = root / pdk / "libs.ref" / library / "lib"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{library}{corner}.lib" for corner in corners]
    for path in paths:
        path.write_text(liberty(path.stem) if content is None else content)
    return paths


def printed(*liberty):
    console = Console(file=open(os.devnull, "w"), record=True, width=300)
    cells(liberty, console=console)
    return console.export_text()


def test_without_any_says_how_to_get_one():
    assert default_library() is None and find_libraries() == []
    text = printed()
    assert "generic gates" in text and "ciel" in text and "qflow-tech-osu035" in text


def test_prefers_the_typical_corner_of_the_nominal_voltage(tmp_path, monkeypatch):
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    corners = ("__ff_100C_1v65", "__ss_n40C_1v28", "__tt_100C_1v80", "__tt_025C_1v80")
    *_, typical = install(tmp_path, "sky130A", "sky130_fd_sc_hd", *corners)
    wanted = install(tmp_path, "ihp-sg13g2", "sg13g2_stdcell", "_fast_1p32V_m40C", "_typ_1p20V_25C")
    gf = install(
        tmp_path, "gf180mcuD", "gf180mcu_fd_sc_mcu7t5v0", "__tt_025C_1v80", "__tt_025C_5v00"
    )
    install(tmp_path, "sky130A", "sky130_fd_io", "__tt_025C_1v80")
    found = find_libraries()
    assert [library.path for library in found] == [typical, gf[1], wanted[1]]
    assert default_library() == typical
    assert (found[0].process, found[0].corner) == ("130 nm", "tt_025C_1v80")
    assert (found[0].voltage, found[0].temperature) == (1.8, 25.0)
    assert found[0].nand2_area == 1.0 and found[0].cells > 5
    monkeypatch.setenv("PDK", "ihp-sg13g2")
    assert default_library() == wanted[1]


def test_finds_versions_of_ciel_once(tmp_path, monkeypatch):
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    version = tmp_path / "ciel" / "sky130" / "versions" / "0a1b2c"
    install(version, "sky130A", "sky130_fd_sc_hd", "__tt_025C_1v80")
    assert [library.path.parts[-6] for library in find_libraries()] == ["0a1b2c"]
    (tmp_path / "sky130A").symlink_to(version / "sky130A")
    enabled = tmp_path / "sky130A/libs.ref/sky130_fd_sc_hd/lib/sky130_fd_sc_hd__tt_025C_1v80.lib"
    assert [library.path for library in find_libraries()] == [enabled]


@pytest.mark.parametrize("home", [".ciel", ".volare"])
def test_looks_where_the_managers_put_pdks(home, tmp_path):
    (path,) = install(tmp_path / "home" / home, "sky130A", "sky130_fd_sc_hd", "__tt_025C_1v80")
    assert default_library() == path


def test_system_libraries_come_after_pdks(tmp_path, monkeypatch):
    for name in ("osu018", "osu035"):
        (tmp_path / "qflow" / name).mkdir(parents=True)
        (tmp_path / "qflow" / name / f"{name}_stdcells.lib").write_text(liberty(f"{name}_stdcells"))
    assert [library.process for library in find_libraries()] == ["350 nm", "180 nm"]
    assert default_library().name == "osu035_stdcells.lib"
    assert find_libraries()[0].corner == "typical"
    monkeypatch.setenv("PDK_ROOT", str(tmp_path / "pdk"))
    install(tmp_path / "pdk", "ihp-sg13g2", "sg13g2_stdcell", "_typ_1p20V_25C")
    assert [library.name for library in find_libraries()][0] == "sg13g2_stdcell_typ_1p20V_25C"


@pytest.mark.parametrize("content", ["", "module no(); endmodule", "library (cut) {\n  cell (A) {"])
def test_broken_file_is_a_row_that_says_why(content, tmp_path, monkeypatch):
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    (broken,) = install(tmp_path, "sky130A", "sky130_fd_sc_hd", "__tt_025C_1v80", content=content)
    (other,) = install(tmp_path, "sky130A", "sky130_fd_sc_hd", "__tt_100C_1v80")
    assert default_library() == other
    problem = find_libraries()[0].problem
    assert problem.startswith("must be") and "\n" not in problem
    text = printed()
    assert f"{broken}: skipped: must be" in text and f"* {other}: what commands take" in text


def test_missing_and_unreadable_folders_are_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PDK_ROOT", str(tmp_path / "nowhere"))
    assert find_libraries() == []
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PDK_ROOT", str(tmp_path / "file"))
    assert find_libraries() == []


def test_given_files_come_first(tmp_path, monkeypatch):
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    install(tmp_path, "sky130A", "sky130_fd_sc_hd", "__tt_025C_1v80")
    mine = tmp_path / "mine.lib.gz"
    mine.write_bytes(gzip.compress(liberty("mine", volts=0.9).encode()))
    text = printed(mine, tmp_path / "missing.lib")
    assert "* mine" in text and "0.9" in text
    assert f"{tmp_path / 'missing.lib'}: skipped: cannot be read: No such file" in text
    assert f"* {mine}: what commands take with this option." in text


def test_second_listing_parses_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    (path,) = install(tmp_path, "sky130A", "sky130_fd_sc_hd", "__tt_025C_1v80")
    first = find_libraries()
    with monkeypatch.context() as patch:
        patch.setattr(module, "read_library", None)
        assert find_libraries() == first
    path.write_text(liberty("sky130_other"))
    assert find_libraries()[0].name == "sky130_other"


def test_command(tmp_path, monkeypatch, gatesmith):
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    install(tmp_path, "sky130A", "sky130_fd_sc_hd", "__tt_025C_1v80")
    outcome = gatesmith("cells")
    assert outcome.code == 0 and "what commands take." in outcome.out
