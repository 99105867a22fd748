"""The structure that is read from generated Verilog, and its picture."""

import xml.etree.ElementTree as xml
from functools import cache

import pytest
from designs import random_spec

from gatesmith.families import family
from gatesmith.flows.pages.diagram import diagram
from gatesmith.flows.pages.structure import Link, Structure, read_structure

entry = family("sparse-mlp")


@cache
def _structure(memory: str) -> Structure:
    spec = random_spec(1, (6, 5, 3), memory=memory, lanes=2)
    formats = {"s_axis": spec.input_format, "m_axis": spec.output_format}
    if spec.config_format:
        formats["c_axis"] = spec.config_format
    streams = {name: layout.data_width for name, layout in formats.items()}
    found = read_structure(entry.verilog(spec), spec.name, entry.models.parts(spec), streams)
    assert found is not None
    return found


@pytest.mark.parametrize("memory", ["rom", "flipflop"])
def test_frames_pass_guard_layers_and_tail(memory: str) -> None:
    found = _structure(memory)
    streams = [(link.source, link.target) for link in found.links if link.stream]
    way = ["s_axis", "s_guard", "core.layer0", "core.layer1", "core.tail", "m_axis"]
    assert set(zip(way, way[1:], strict=False)) <= set(streams)
    assert [part for part in found.parts if part in way] == way[1:-1], "in order of data flow"
    assert found.inside["core.layer0"] == "core" and "s_guard" not in found.inside
    widths = {(link.source, link.target): link.bits for link in found.links}
    assert widths["s_axis", "s_guard"] == 8 and widths["s_guard", "core.layer0"] == 4
    loading = [("c_axis", "c_guard"), ("c_guard", "core.loader")]
    assert (set(loading) <= set(streams)) == (memory == "flipflop")
    fed = {link.target for link in found.links if link.source == "core.loader"}
    assert fed == ({"core.layer0", "core.layer1"} if memory == "flipflop" else set())


def test_foreign_verilog_has_no_structure() -> None:
    assert read_structure("", "top", {"": "top"}, {}) is None
    text = "module other(a);\n  input a;\nendmodule\n"
    assert read_structure(text, "top", {"": "top"}, {}) is None
    found = read_structure(text, "other", {"": "other"}, {})
    assert found is not None and not found.parts and not found.links


@pytest.mark.parametrize("memory", ["rom", "flipflop"])
def test_diagram_is_svg_with_every_part(memory: str) -> None:
    found = _structure(memory)
    drawing = diagram("chip", found, {part: f"words of <{part}>" for part in found.parts})
    root = xml.fromstring(drawing.standalone())
    words = " ".join(root.itertext())
    for part in found.parts:
        assert part.rpartition(".")[2] in words
    assert "s_axis to s_guard, 8 bits" in words


def test_diagram_of_a_loop_ends() -> None:
    links = (Link("a", "b", 1), Link("b", "a", None))
    diagram("chip", Structure(parts=("a", "b"), inside={}, links=links), {})
