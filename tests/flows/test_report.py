"""The report of a design, and of several."""

import json
import re
import shutil
import xml.etree.ElementTree as xml
from collections.abc import Callable
from pathlib import Path

import pytest
from measurements import fpga_report, power_report, timing_report, write
from wellformed import check

from gatesmith.flows import report
from gatesmith.flows.pages.findings import gather

Command = Callable


@pytest.fixture
def design(measured: Path, tmp_path: Path) -> Path:
    """A measured design that a test may change."""
    return shutil.copytree(measured, tmp_path / "d")


def _digest(folder: Path) -> str:
    return json.loads((folder / "design.json").read_text())["verilog_sha256"]


def _complete(folder: Path) -> Path:
    """Give a design all reports there are."""
    digest = _digest(folder)
    write(folder, "power", power_report(digest).to_json())
    write(folder, "timing", timing_report(digest).to_json())
    write(folder, "fpga", fpga_report(digest))
    return folder


def _text(page: str) -> str:
    return " ".join(" ".join(check(page).words).split())


def _pages(folder: Path) -> tuple[str, str]:
    path = report(folder)
    return path.read_text(), path.with_suffix(".md").read_text()


def test_page_needs_nothing_else(design: Path) -> None:
    page, _ = _pages(_complete(design))
    assert not re.search(r"https?:|[\"'(]//|<script|<link|<img|@import|url\(", page)
    check(page)


def test_page_says_what_is_known(design: Path) -> None:
    page, _ = _pages(_complete(design))
    text = _text(page)
    area = json.loads((design / "reports" / "area.json").read_text())["total"]
    for words in (
        "sparse-mlp", "datapath gate", "memory rom", "equal", "355 test images",
        f"{area['gate_equivalents']:,.0f} GE", "0.750 ns", "OpenSTA 2 says 0.750 ns",
        "1 memory macro", "nextpnr 0.9", "77.0 MHz", "another seed moves it",
        "gatesmith lower CKPT -o DIR --set lanes=1", "gatesmith verify DIR --frames 3",
        "gatesmith power DIR --liberty made_up.lib --frames 4 --clock 100",
        "length check of input frames", "argmax",
    ):  # fmt: skip
        assert words in text, words
    assert page.count("<svg") == 4


def test_markdown_has_the_same_figures(design: Path) -> None:
    page, words = _pages(_complete(design))
    page = re.sub(r"<svg.*?</svg>|<style.*?</style>", "", page, flags=re.DOTALL)
    figures = r"\d+(?:[.,]\d+)*"
    pictures = re.sub(r"!\[.*?\]\(.*?\)", "", words)
    assert sorted(re.findall(figures, _text(page))) == sorted(
        # The page has its title twice.
        re.findall(figures, pictures) + re.findall(figures, words.splitlines()[0])
    )


def test_pictures_have_words_and_files(design: Path) -> None:
    page, words = _pages(_complete(design))
    for name in ("structure", "waveform", "area", "energy"):
        path = design / "reports" / f"report-{name}.svg"
        root = xml.fromstring(path.read_text())
        assert [child.tag.rpartition("}")[2] for child in root[:3]] == ["title", "desc", "style"]
        assert root[0].text and root[1].text
        assert f"](report-{name}.svg)" in words
        assert f'id="picture-{name}-title"' in page
    assert len(re.findall("<svg ", page)) == len(re.findall(r"<svg [^>]*role=\"img\"", page))


def test_same_inputs_give_the_same_bytes(design: Path, tmp_path: Path) -> None:
    _complete(design)
    first = _pages(design)
    files = {p.name: p.read_bytes() for p in (design / "reports").glob("report*")}
    assert _pages(design) == first
    moved = shutil.move(design, tmp_path / "elsewhere")
    report(moved)
    assert files == {p.name: p.read_bytes() for p in (moved / "reports").glob("report*")}


def test_missing_parts_are_named_with_their_command(design: Path) -> None:
    for path in (design / "reports").iterdir():
        path.unlink()
    text = _text(_pages(design)[0])
    for command in ("verify DIR", "synth DIR --liberty LIB", "power DIR --liberty LIB"):
        assert f"gatesmith {command}" in text, command
    assert "not verified" in text and text.count("not measured") >= 3
    assert "accuracy of the golden model" in text and "chip" not in text
    assert not (design / "reports" / "report-area.svg").exists()


def test_pictures_of_an_older_page_go(design: Path) -> None:
    report(design)
    assert (design / "reports" / "report-area.svg").exists()
    (design / "reports" / "area.json").unlink()
    report(design)
    assert not (design / "reports" / "report-area.svg").exists()


def test_stale_parts_are_flagged_and_left_out(design: Path) -> None:
    _complete(design)
    old = json.loads((design / "reports" / "area.json").read_text())["total"]
    verilog = design / "rtl" / "sparse_mlp.v"
    verilog.write_text(verilog.read_text() + "// touched\n")
    text = _text(_pages(design)[0])
    assert "not the text that lower wrote" in text
    assert text.count("of other Verilog") >= 4 and "out of date" in text
    named = re.search(r"([\w., -]+) were made from other Verilog and left out", text)
    assert named
    for name in ("verify-icarus.json", "area.json", "timing.json", "power.json", "fpga.json"):
        assert name in named[1], name
    assert f"{old['gate_equivalents']:,.0f}" not in text
    write(design, "power", power_report(gather(design).verilog_sha256).to_json())
    text = _text(_pages(design)[0])
    assert "power.json" not in text and "202 pJ a frame" in text


def test_unequal_is_said_loudly(design: Path) -> None:
    path = design / "reports" / "verify-icarus.json"
    seen = json.loads(path.read_text())
    seen["equal"] = False
    seen["plays"][-1]["mismatches"] = [{"frame": 0, "word": 1, "expected": 2, "got": 3}]
    seen["plays"][-1]["errors"] = ["tlast is <missing>"]
    seen["faults"] = {"a word": False}
    path.write_text(json.dumps(seen))
    page, words = _pages(design)
    assert '<div class="bad">' in page and "NOT EQUAL" in page
    assert "1 mismatches, 1 broken rules, 1 planted faults missed" in _text(page)
    assert "tlast is &lt;missing&gt;" in page and "tlast is &lt;missing&gt;" in words


def test_other_library_is_said(design: Path) -> None:
    _complete(design)
    assert "do not set one against the other" in _text(_pages(design)[0])


def test_macros_are_named_wherever_an_area_is(design: Path, tmp_path: Path) -> None:
    area = json.loads((design / "reports" / "area.json").read_text())
    area["memories"][0]["macro_area_um2"] = 5000.0
    area["library"]["unit"], area["total"]["area_um2"] = "um2", 1000.0
    write(design, "area", area)
    text = _text(_pages(design)[0])
    assert "Memory macros are not in it: 5,000 µm² more" in text
    assert "and 5,000 µm² of memory macros" in text
    other = _text(report([design, design], output=tmp_path / "c.html").read_text())
    assert "µm² with macros" in other and "6,000" in other


def test_other_recipe_is_said(design: Path, measured: Path, tmp_path: Path) -> None:
    _complete(design)
    area = json.loads((design / "reports" / "area.json").read_text())
    area["recipe"], area["library"]["unit"] = "full-adder", "um2"
    write(design, "area", area)
    text = _text(_pages(design)[0])
    assert "Area and timing are of the recipe full-adder" in text
    assert "--recipe full-adder" in text
    other = report([design, measured], output=tmp_path / "c.html").read_text()
    assert "different recipes (default and full-adder)" in other and "<strong>" not in other


def test_hostile_words_are_escaped(design: Path) -> None:
    bad = "<img src=x onerror=alert(1)>|[x](javascript:y)"
    digest = _digest(design)
    power = power_report(digest).to_json()
    power["parts"][0]["label"] = power["frames"]["source"] = power["operation"] = bad
    write(design, "power", power)
    described = json.loads((design / "design.json").read_text())
    described["config"]["data"] = described["checkpoint_sha256"] = bad
    described["options"] = {bad: bad}
    (design / "design.json").write_text(json.dumps(described))
    page, words = _pages(design)
    assert "img" not in check(page).seen
    outside = re.sub(r"`[^`]*`|```.*?```", "", words, flags=re.DOTALL)
    assert "<img" not in outside and "[x](javascript" not in outside


def test_no_simulator_only_costs_the_waveform(
    design: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    text = _text(_pages(design)[0])
    assert "No waveform: iverilog was not found; apt-get install iverilog" in text


def _damage(path: Path, how: str) -> None:
    content = json.loads(path.read_text())
    if how == "no JSON":
        path.write_text("{")
    elif how == "no text":
        path.write_bytes(b"\xff\xfe\x00")
    elif how == "foreign":
        path.write_text('["gatesmith"]')
    elif how == "of another kind":
        path.write_text(json.dumps(content | {"format": "gatesmith-design"}))
    elif how == "of another version":
        path.write_text(json.dumps(content | {"version": 99}))
    elif how == "empty":
        head = ("format", "version", "verilog_sha256")
        path.write_text(json.dumps({key: content[key] for key in head}))
    elif how == "of strings":
        values = {k: v if isinstance(v, str | int) else "x" for k, v in content.items()}
        path.write_text(json.dumps(values))
    else:
        path.unlink()
        path.mkdir()


DAMAGES = ("no JSON", "no text", "foreign", "of another kind", "of another version", "empty",
           "of strings", "a folder")  # fmt: skip


@pytest.mark.parametrize("how", DAMAGES)
def test_refuses_damaged_reports(gatesmith: Command, measured: Path, tmp_path: Path, how: str
) -> None:  # fmt: skip
    for kind in ("area", "timing", "verify-icarus", "power", "fpga"):
        folder = _complete(shutil.copytree(measured, tmp_path / kind))
        path = folder / "reports" / f"{kind}.json"
        _damage(path, how)
        before = {p.name for p in folder.rglob("*")}
        gatesmith("report", folder).check_refused(str(path))
        assert {p.name for p in folder.rglob("*")} == before


def test_refuses_places(gatesmith: Command, design: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    gatesmith("report", design, "-o", tmp_path / "x.pdf").check_refused("*.html", "x.pdf")
    gatesmith("report", design, "-o", file / "x.html").check_refused("not a folder")
    gatesmith("report", design, "-o", "/proc/x.html").check_refused("/proc/x.html")
    (tmp_path / "d.html").mkdir()
    gatesmith("report", design, "-o", tmp_path / "d.html").check_refused("is a folder")
    gatesmith("report", design, design / "missing").check_refused("not a design folder")
    assert gatesmith("report", design, "--data-dir", tmp_path).code == 0  # digits need none
    assert file.read_text() == "mine" and not (tmp_path / "x.pdf").exists()


def test_command_says_where(gatesmith: Command, design: Path) -> None:
    outcome = gatesmith("report", design)
    assert outcome.code == 0
    assert outcome.out == f"wrote {design}/reports/report.html and report.md\n"


def _several(measured: Path, tmp_path: Path) -> list[Path]:
    """Three designs of one library: small, frugal, and worse than the first."""
    folders = []
    for name, gates, energy in (("small", 1.0, 4.0), ("frugal", 3.0, 1.0), ("worse", 2.0, 5.0)):
        folder = _complete(shutil.copytree(measured, tmp_path / name))
        area = json.loads((folder / "reports" / "area.json").read_text())
        area["library"] |= {"sha256": "0" * 64, "name": "made_up"}
        area["total"]["gate_equivalents"] = 1000 * gates
        write(folder, "area", area)
        power = power_report(_digest(folder)).to_json()
        power["total"]["pj_per_frame"] = 100 * energy
        write(folder, "power", power)
        folders.append(folder)
    return folders


def test_comparison_ranks_and_plots(measured: Path, tmp_path: Path) -> None:
    path = report(_several(measured, tmp_path), output=tmp_path / "c.html")
    page = path.read_text()
    check(page)
    rows = re.findall(r"<tr>(<th scope=\"row\">[ABC] .*?)</tr>", page)
    assert [row.rpartition("<td>")[2] for row in rows] == ["yes</td>", "yes</td>", "no</td>"]
    assert "<strong>1,000</strong>" in rows[0] and "<strong>100</strong>" in rows[1]
    assert "<strong>" not in rows[2]
    assert page.count("<circle") == 3
    assert (tmp_path / "c.md").exists() and (tmp_path / "c-scatter.svg").exists()
    assert not re.search(r"https?:|[\"'(]//", page)


def test_comparison_of_libraries_does_not_rank(measured: Path, tmp_path: Path) -> None:
    folders = _several(measured, tmp_path)
    power = power_report(_digest(folders[0])).to_json()
    power["library"] |= {"sha256": "1" * 64, "name": "other"}
    write(folders[0], "power", power)
    page = report(folders, output=tmp_path / "c.html").read_text()
    assert "different cell libraries (made_up and other)" in page
    assert "<strong>" not in page and "<circle" not in page


def test_comparison_names_what_is_missing(
    gatesmith: Command, measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = _several(measured, tmp_path)
    (folders[1] / "reports" / "power.json").unlink()
    monkeypatch.chdir(tmp_path)
    outcome = gatesmith("report", *(folder.name for folder in folders[:2]))
    assert outcome.out == "wrote report-comparison.html and report-comparison.md\n"
    page = Path("report-comparison.html").read_text()
    assert "gatesmith power frugal --liberty LIB" in page and "No plot" in page
