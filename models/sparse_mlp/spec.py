"""What a sparse MLP chip computes, in integers."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gatesmith.models.errors import UserError, check
from gatesmith.models.frames import Field, FrameFormat
from gatesmith.models.names import check_name
from gatesmith.models.sparse_mlp.layer import SparseLayer
from gatesmith.models.store import read_store, write_store

__all__ = ["DATAPATHS", "MEMORIES", "SparseMLPSpec"]

FORMAT = "gatesmith-spec"
DATAPATHS = ("gate", "index", "unrolled")
MEMORIES = ("rom", "flipflop", "sram")
UNROLLED_WEIGHTS = 1 << 16  # kept weights of an unrolled layer, at most
UNROLLED_REGISTERS = 64

_LAYER_ARRAYS = ("seeds", "weights", "bias")


@dataclass(frozen=True, kw_only=True, eq=False)
class SparseMLPSpec:
    """A chain of sparse layers that ends in class scores and their argmax.

    Parameters
    ----------
    layers : tuple of SparseLayer   In order of data flow; only the last has ``output_bits`` 0.
    datapath : str   ``gate`` visits every input, ``index`` only the kept ones, ``unrolled``
                     computes whole layers at once, with the weights built into adders.
    memory : str     Of weights and biases: ``rom`` (constant), ``flipflop`` or ``sram`` (loadable).
    name : str       Name of the Verilog top module.
    depth : int      Unrolled: adders in a row beyond the least possible; None is no bound.
    pipeline : int   Unrolled: registers inside each layer, beside the one behind it, 0 to 64.
    """

    layers: tuple[SparseLayer, ...]
    datapath: Literal["gate", "index", "unrolled"] = "gate"
    memory: Literal["rom", "flipflop", "sram"] = "rom"
    name: str = "sparse_mlp"
    depth: int | None = None
    pipeline: int = 0

    family = "sparse-mlp"

    def __post_init__(self) -> None:
        check(self.datapath in DATAPATHS, "Datapath", f"one of {DATAPATHS}", self.datapath)
        check(self.memory in MEMORIES, "Memory", f"one of {MEMORIES}", self.memory)
        check_name(self.name)
        check(len(self.layers) >= 1, "Layers", "at least 1", len(self.layers))
        for index, layer in enumerate(self.layers):
            last = index == len(self.layers) - 1
            check(
                (layer.output_bits == 0) == last,
                f"Output bits of layer {index}",
                "0 for the last layer and 1 to 8 for the others",
                layer.output_bits,
            )
        for before, after in zip(self.layers, self.layers[1:], strict=False):
            check(
                (after.inputs, after.input_bits) == (before.outputs, before.output_bits),
                "Inputs and input bits of a layer",
                f"the outputs of the layer before {(before.outputs, before.output_bits)}",
                (after.inputs, after.input_bits),
            )
        self._check_unrolled()

    def _check_unrolled(self) -> None:
        """UserError for what the unrolled datapath cannot be."""
        depth, pipeline = self.depth, self.pipeline
        legal = depth is None or (isinstance(depth, int) and depth >= 0)
        check(legal, "Depth", "a number from 0 on, or 'unlimited'", depth)
        legal = isinstance(pipeline, int) and 0 <= pipeline <= UNROLLED_REGISTERS
        check(legal, "Pipeline", f"between 0 and {UNROLLED_REGISTERS}", pipeline)
        if self.datapath != "unrolled":
            return
        check(self.memory == "rom", "Memory", "'rom' for the unrolled datapath", self.memory)
        for index, layer in enumerate(self.layers):
            kept = int(layer.fan_in.sum())
            check(
                kept <= UNROLLED_WEIGHTS,
                f"Kept weights of layer {index}",
                f"at most {UNROLLED_WEIGHTS} for the unrolled datapath",
                kept,
            )

    @property
    def loadable(self) -> bool:
        """Whether weights and biases come over the configuration stream after reset."""
        return self.memory != "rom"

    @property
    def input_format(self) -> FrameFormat:
        """Frame in: the activations of the first layer."""
        first = self.layers[0]
        return FrameFormat(
            fields=(Field(name="input", count=first.inputs, width=first.input_bits, signed=False),)
        )

    @property
    def output_format(self) -> FrameFormat:
        """Frame out: a score a class, then the index of the greatest score (ties: the lowest)."""
        last = self.layers[-1]
        width = max(1, (last.outputs - 1).bit_length())
        return FrameFormat(
            fields=(
                Field(
                    name="score",
                    count=last.outputs,
                    width=last.acc_width(self.loadable),
                    signed=True,
                ),
                Field(name="argmax", count=1, width=width, signed=False),
            )
        )

    @property
    def weight_port(self) -> None:
        """None: all weights lie inside."""
        return None

    @property
    def config_format(self) -> FrameFormat | None:
        """Configuration frame: for each layer the lanes' weight memories, then their biases.

        Lane after lane; ``depth`` weight words and ``groups`` bias words a lane. None for ``rom``.
        """
        if not self.loadable:
            return None
        parts = []
        for index, layer in enumerate(self.layers):
            parts.append(
                Field(
                    name=f"layer{index}.weight",
                    count=layer.lanes * layer.depth,
                    width=layer.weight_bits,
                    signed=layer.weight_kind != "binary",
                )
            )
            parts.append(
                Field(
                    name=f"layer{index}.bias",
                    count=layer.lanes * layer.groups,
                    width=layer.bias_width(True),
                    signed=True,
                )
            )
        return FrameFormat(fields=tuple(parts))

    def config_words(self) -> np.ndarray | None:
        """The configuration frame that holds this Spec's weights, int64 ``[1, words]``."""
        if not self.loadable:
            return None
        parts = []
        for layer in self.layers:
            weights = layer.lane_weights
            parts.append((weights > 0) if layer.weight_kind == "binary" else weights)
            parts.append(layer.by_lane(layer.bias))
        return np.concatenate([part.astype(np.int64).ravel() for part in parts])[None, :]

    def with_options(
        self,
        *,
        datapath: str | None = None,
        memory: str | None = None,
        lanes: int | str | Sequence[int] | None = None,
        lookahead: int | None = None,
        depth: int | str | None = None,
        pipeline: int | None = None,
        name: str | None = None,
    ) -> "SparseMLPSpec":
        """The same function built another way; what is None stays.

        ``lanes`` is one number for all layers (no more than the layer's outputs are used), a
        number for each layer, or ``"all"``; ``depth`` is a number or ``"unlimited"``. The unrolled
        datapath has no use for ``lanes`` and ``lookahead``, the others none for ``depth`` and
        ``pipeline``. UserError for an impossible choice.
        """
        count = len(self.layers)
        if lanes is None:
            wanted: list[int] = [layer.lanes for layer in self.layers]
        elif lanes == "all":
            wanted = [layer.outputs for layer in self.layers]
        elif isinstance(lanes, str):
            raise UserError(
                f"Lanes must be a number, a number for each layer, or 'all', not {lanes!r}"
            )
        elif isinstance(lanes, int):
            wanted = [min(lanes, layer.outputs) for layer in self.layers]
        else:
            wanted = list(lanes)
            check(
                len(wanted) == count, "Lanes", f"one number or {count}, one a layer", tuple(wanted)
            )
        layers = tuple(
            replace(
                layer,
                lanes=number,
                lookahead=layer.lookahead if lookahead is None else lookahead,
            )
            for layer, number in zip(self.layers, wanted, strict=True)
        )
        return SparseMLPSpec(
            layers=layers,
            datapath=self.datapath if datapath is None else datapath,  # type: ignore[arg-type]
            memory=self.memory if memory is None else memory,  # type: ignore[arg-type]
            name=self.name if name is None else name,
            depth=self.depth if depth is None else None if depth == "unlimited" else depth,  # type: ignore[arg-type]
            pipeline=self.pipeline if pipeline is None else pipeline,
        )

    def save(self, path: str | Path) -> None:
        """Write the Spec as safetensors: arrays as tensors, the rest as JSON metadata."""
        plain = [f.name for f in fields(SparseLayer) if f.name not in _LAYER_ARRAYS]
        meta = {
            "family": self.family,
            "name": self.name,
            "datapath": self.datapath,
            "memory": self.memory,
            "depth": self.depth,
            "pipeline": self.pipeline,
            "layers": [{name: getattr(layer, name) for name in plain} for layer in self.layers],
        }
        arrays = {
            f"layer{k}.{name}": getattr(layer, name)
            for k, layer in enumerate(self.layers)
            for name in _LAYER_ARRAYS
        }
        write_store(path, FORMAT, meta, arrays)

    @classmethod
    def load(cls, path: str | Path) -> "SparseMLPSpec":
        """Read a Spec that :meth:`save` wrote; UserError when it is not one."""
        meta, arrays = read_store(path, FORMAT)
        named: dict[str, Any] = arrays
        try:
            layers = tuple(
                SparseLayer(
                    **{**entry, "taps": tuple(entry["taps"])},
                    **{name: named[f"layer{k}.{name}"] for name in _LAYER_ARRAYS},
                )
                for k, entry in enumerate(meta["layers"])
            )
            return cls(
                layers=layers,
                datapath=meta["datapath"],
                memory=meta["memory"],
                name=meta["name"],
                # Specs written before there was an unrolled datapath have neither.
                depth=meta.get("depth"),
                pipeline=meta.get("pipeline", 0),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path}: not the Spec of a sparse MLP: {error}") from error
