"""What an LSTM chip computes, and how it is built, in integers."""

import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gatesmith.models.errors import UserError, check
from gatesmith.models.frames import Field, FrameFormat
from gatesmith.models.lstm.layer import GATES, Head, LSTMLayer
from gatesmith.models.lstm.layout import (
    bias_memory,
    memories,
    passes,
    stream_bases,
    sum_width,
    weight_memories,
)
from gatesmith.models.names import check_name
from gatesmith.models.options import title, truth
from gatesmith.models.store import read_store, write_store
from gatesmith.models.weights import WeightPort

__all__ = ["CHUNK", "COUNTERS", "COUNTER_BITS", "LSTMSpec"]

FORMAT = "gatesmith-spec"
OUTPUTS = ("scores", "argmax")
PACKINGS = ("plain", "5trits")
MEMORIES = ("rom", "sram", "stream")
COUNTERS = ("taken", "skipped", "clocks")  # words at the end of a frame, modulo 2**32 each
COUNTER_BITS = 32
CHUNK = 32  # bits of a word of the configuration frame

_LAYER_ARRAYS = (
    "weight_x", "weight_h", "scale_x", "scale_h", "bias", "cell_scale", "cell_bias",
)  # fmt: skip
_HEAD_ARRAYS = ("weight", "bias")


@dataclass(frozen=True, kw_only=True, eq=False)
class LSTMSpec:
    """Stacked LSTM layers and a classifier on one column engine.

    Parameters
    ----------
    layers : tuple of LSTMLayer   In order of data flow.
    head : Head                   Behind the last layer.
    one_hot : bool                Inputs are symbols, one a step; else vectors of int8.
    steps : int                   Most steps of a frame, 1 to 65,536.
    every_step : bool             Answers after every step; else after the last one.
    outputs : str                 ``scores``: all scores and the argmax; ``argmax`` alone.
    state : bool                  Frames begin with initial states and end with the final ones.
    batch : int                   Sequences of a frame, which share each weight column, 1 to 16.
    lanes : int                   Rows of a column a clock, a multiple of 4.
    elementwise : int             Cells a clock; divides lanes / 4 and every layer's cells.
    packing : str                 ``plain``; ``5trits``: five ternary weights in a byte.
    memory : str                  Of weights: ``rom``, ``sram`` (loadable, with all constants) or
                                  ``stream`` (they come over a port of their own).
    offset_bits : int             Zeros that an entry can skip: 2**offset_bits - 1; 1 to 8.
    scale_bits : int              Of integer row scales, two's complement, 4 to 16.
    name : str                    Name of the Verilog top module.
    """

    layers: tuple[LSTMLayer, ...]
    head: Head
    one_hot: bool
    steps: int
    every_step: bool
    outputs: Literal["scores", "argmax"] = "scores"
    state: bool = False
    batch: int = 1
    lanes: int = 16
    elementwise: int = 1
    packing: Literal["plain", "5trits"] = "plain"
    memory: Literal["rom", "sram", "stream"] = "rom"
    offset_bits: int = 4
    scale_bits: int = 12
    name: str = "lstm"

    family = "lstm"

    def __post_init__(self) -> None:
        check(len(self.layers) >= 1, "Layers", "at least 1", len(self.layers))
        for before, after in zip(self.layers, self.layers[1:], strict=False):
            check(after.inputs == before.hidden, "Inputs of a layer",
                  f"the {before.hidden} cells of the layer before", after.inputs)  # fmt: skip
        last = self.layers[-1].hidden
        check(self.head.inputs == last, "Inputs of the head", f"the {last} cells", self.head.inputs)
        kinds = {layer.scale_kind for layer in self.layers}
        check(len(kinds) == 1, "Scale kinds", "the same in all layers", sorted(kinds))
        for name, low, high in (
            ("steps", 1, 65_536),
            ("batch", 1, 16),
            ("lanes", 4, 4096),
            ("elementwise", 1, 1024),
            ("offset_bits", 1, 8),
            ("scale_bits", 4, 16),
        ):
            value = getattr(self, name)
            legal = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
            check(legal, title(name), f"between {low} and {high}", value)
        for name, known in (("outputs", OUTPUTS), ("packing", PACKINGS), ("memory", MEMORIES)):
            value = getattr(self, name)
            check(value in known, title(name), f"one of {', '.join(known)}", value)
        for name in ("one_hot", "every_step", "state"):
            value = getattr(self, name)
            check(isinstance(value, bool), title(name), "yes or no", value)
        ternary = "ternary" in self.kinds
        check(
            self.packing == "plain" or ternary,
            "Packing",
            "plain without ternary weights",
            self.packing,
        )
        self._check_lanes()
        most = (1 << self.scale_bits - 1) - 1
        for layer in self.layers:
            if layer.scale_kind == "integer":
                scale = int(max(abs(layer.scale_x).max(), abs(layer.scale_h).max()))
                check(scale <= most, "Scales", f"at most {most} with {self.scale_bits} bits", scale)
        check_name(self.name)

    def _check_lanes(self) -> None:
        """UserError for lanes that no group of cells fills."""
        below = max(GATES, self.lanes // GATES * GATES)
        check(self.lanes % GATES == 0, "Lanes", f"a multiple of 4, as {below}", self.lanes)
        cells = math.gcd(self.lanes // GATES, *(layer.hidden for layer in self.layers))
        best = max(
            k for k in range(1, cells + 1) if cells % k == 0 and k <= max(self.elementwise, 1)
        )
        check(
            cells % self.elementwise == 0,
            "Elementwise",
            f"a divisor of lanes / 4 and of every layer's cells, as {best}",
            self.elementwise,
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of weights in use, each once."""
        return tuple(dict.fromkeys([*(layer.kind for layer in self.layers), self.head.kind]))

    @property
    def loadable(self) -> bool:
        """Whether weights and constants come over the configuration stream after reset."""
        return self.memory == "sram"

    def _state_fields(self) -> tuple[Field, ...]:
        found = []
        for index, layer in enumerate(self.layers):
            for name, width in (("h", 8), ("c", 16)):
                count = layer.hidden * self.batch
                found.append(
                    Field(name=f"layer{index}.{name}", count=count, width=width, signed=True)
                )
        return tuple(found) if self.state else ()

    @property
    def input_format(self) -> FrameFormat:
        """Frame in: mode (1: dense), initial states if any, then the inputs of each step.

        Words of states and inputs: element after element, of each all sequences.
        """
        inputs = self.layers[0].inputs
        if self.one_hot:
            width = max(1, (inputs - 1).bit_length())
            most = inputs - 1 if inputs - 1 < (1 << width) - 1 else None
            step = Field(name="symbol", count=self.batch, width=width, signed=False, most=most)
        else:
            step = Field(name="input", count=inputs * self.batch, width=8, signed=True)
        mode = Field(name="dense", count=1, width=1, signed=False)
        return FrameFormat(
            fields=(mode, *self._state_fields()), repeated=(step,), repeats=self.steps
        )

    @property
    def score_width(self) -> int:
        """Width of a score, bits."""
        return max(sum_width(self), bias_memory(self).width) + 1

    @property
    def output_format(self) -> FrameFormat:
        """Frame out: answers of each sequence, at every step or once; states if any; counters.

        An answer is a score a class, unless left out, then the index of the greatest (ties: the
        lowest). Counters: columns taken, columns of zeros skipped, clocks of work.
        """
        classes = self.head.classes
        width = max(1, (classes - 1).bit_length())
        score = Field(name="score", count=classes, width=self.score_width, signed=True)
        argmax = Field(name="argmax", count=1, width=width, signed=False)
        answer = (score, argmax) if self.outputs == "scores" else (argmax,)
        counters = tuple(
            Field(name=name, count=1, width=COUNTER_BITS, signed=False) for name in COUNTERS
        )
        tail = (*self._state_fields(), *counters)
        answers = answer * self.batch
        if self.every_step:
            return FrameFormat(fields=(), repeated=answers, repeats=self.steps, tail=tail)
        return FrameFormat(fields=(*answers, *tail))

    @property
    def config_format(self) -> FrameFormat | None:
        """Configuration frame: the words of each memory, in parts of 32 bits, the lowest first.

        Memories: weights of each kind, constants of rows, biases of the head. None unless ``sram``.
        """
        if not self.loadable:
            return None
        return FrameFormat(
            fields=tuple(
                Field(
                    name=memory.name,
                    count=memory.depth * -(-memory.width // CHUNK),
                    width=CHUNK,
                    signed=False,
                )
                for memory in memories(self)
            )
        )

    def config_words(self) -> np.ndarray | None:
        """The configuration frame that holds this Spec's weights, int64 ``[1, words]``."""
        if not self.loadable:
            return None
        parts = []
        for memory in memories(self):
            count = -(-memory.width // CHUNK)
            data = b"".join(word.to_bytes(4 * count, "little") for word in memory.words())
            parts.append(np.frombuffer(data, dtype="<u4").astype(np.int64))
        return np.concatenate(parts)[None, :]

    @property
    def weight_port(self) -> WeightPort | None:
        """The port that weights come over; None unless ``stream``."""
        if self.memory != "stream":
            return None
        found = weight_memories(self)
        return WeightPort(
            width=max(one.width for one in found), depth=sum(one.depth for one in found)
        )

    def weight_words(self) -> list[int]:
        """Words of the weights outside, by address: one kind behind the other."""
        return [word for one in weight_memories(self) for word in one.words()]

    def weight_bursts(self) -> dict[int, int]:
        """Words of the column that begins at each address."""
        bases = stream_bases(self)
        return {
            bases[one.kind] + one.base + column * one.groups: one.groups
            for one in passes(self)
            for column in range(one.columns)
        }

    def with_options(
        self,
        *,
        steps: int | None = None,
        outputs: str | None = None,
        state: bool | int | str | None = None,
        batch: int | None = None,
        lanes: int | None = None,
        elementwise: int | None = None,
        packing: str | None = None,
        memory: str | None = None,
        offset_bits: int | None = None,
        name: str | None = None,
    ) -> "LSTMSpec":
        """The same function built another way; what is None stays.

        ``steps``, ``outputs``, ``state`` and ``batch`` change what a frame holds, not what is
        computed of a sequence. ``state`` may also be 1 and 0, ``yes`` and ``no``. UserError for an
        impossible choice.
        """
        options = {
            "steps": steps,
            "outputs": outputs,
            "state": truth(state),
            "batch": batch,
            "lanes": lanes,
            "elementwise": elementwise,
            "packing": packing,
            "memory": memory,
            "offset_bits": offset_bits,
            "name": name,
        }
        given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
        return replace(self, **given)

    def save(self, path: str | Path) -> None:
        """Write the Spec as safetensors: arrays as tensors, the rest as JSON metadata."""
        meta: dict[str, Any] = {"family": self.family}
        for field in fields(self):
            if field.name not in ("layers", "head"):
                meta[field.name] = getattr(self, field.name)
        arrays: dict[str, np.ndarray] = {}
        meta["layers"] = []
        for index, layer in enumerate(self.layers):
            meta["layers"].append(_plain(layer, _LAYER_ARRAYS))
            arrays |= {f"layer{index}.{name}": getattr(layer, name) for name in _LAYER_ARRAYS}
        meta["head"] = _plain(self.head, _HEAD_ARRAYS)
        arrays |= {f"head.{name}": getattr(self.head, name) for name in _HEAD_ARRAYS}
        write_store(path, FORMAT, meta, arrays)

    @classmethod
    def load(cls, path: str | Path) -> "LSTMSpec":
        """Read a Spec that :meth:`save` wrote; UserError when it is not one."""
        meta, found = read_store(path, FORMAT)
        arrays: dict[str, Any] = dict(found)
        try:
            if meta.pop("family") != cls.family:
                raise KeyError("family")
            plain = {k: v for k, v in meta.items() if k not in ("format", "version")}
            _check_names("keys", plain, {field.name for field in fields(cls)})
            entries, last = plain.pop("layers"), plain.pop("head")
            tensors = {f"layer{k}.{n}" for k in range(len(entries)) for n in _LAYER_ARRAYS}
            _check_names("tensors", arrays, tensors | {f"head.{n}" for n in _HEAD_ARRAYS})
            layers = tuple(
                LSTMLayer(**entry, **{name: arrays[f"layer{k}.{name}"] for name in _LAYER_ARRAYS})
                for k, entry in enumerate(entries)
            )
            head = Head(**last, **{name: arrays[f"head.{name}"] for name in _HEAD_ARRAYS})
            return cls(layers=layers, head=head, **plain)
        except (KeyError, TypeError, ValueError, AttributeError, UserError) as error:
            raise UserError(f"{path}: not the Spec of an LSTM: {error}") from error


def _check_names(what: str, found: dict[str, Any], wanted: set[str]) -> None:
    wrong = sorted(set(found) ^ wanted)
    if wrong:
        known = "is not known" if wrong[0] in found else "is missing"
        raise ValueError(f"of its {what}, {wrong[0]!r} {known}")


def _plain(part: LSTMLayer | Head, arrays: tuple[str, ...]) -> dict[str, Any]:
    return {f.name: getattr(part, f.name) for f in fields(part) if f.name not in arrays}
