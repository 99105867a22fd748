"""What :func:`simulate` can run: nets, float baselines, golden models, the algebraic decoder."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from gatesmith.models.codes import Code
from gatesmith.models.errors import UserError
from gatesmith.models.minsum import MinSumSpec
from gatesmith.models.minsum.decoding import decode
from gatesmith.models.minsum.inputs import quantise
from gatesmith.models.minsum_net.bounded import BoundedDistance
from gatesmith.models.minsum_net.config import MinSumConfig
from gatesmith.models.minsum_net.net import MinSumDecoder
from gatesmith.models.minsum_net.simulation import BATCH, Decision, Point, simulate

__all__ = [
    "BASELINES",
    "AlgebraicDecoder",
    "GoldenDecoder",
    "NetDecoder",
    "baseline",
    "choose_device",
    "tune",
]

BASELINES = ("sum-product", "min-sum", "offset", "normalised")
OFFSETS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5)
FACTORS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def choose_device() -> torch.device:
    """A GPU when torch sees one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class NetDecoder:
    """A net, quantised or not, on a GPU when there is one."""

    def __init__(self, net: Any, name: str, *, early_stop: bool = False) -> None:
        self.device = choose_device()
        self.net, self.name, self.early_stop = net.eval().to(self.device), name, early_stop

    @property
    def code(self) -> Code:
        """Of the net."""
        return self.net.code  # type: ignore[no-any-return]

    def decide(self, llr: np.ndarray) -> Decision:
        """Bits of each frame of ``[n, frames]``."""
        found = self.net.decode(torch.from_numpy(llr).to(self.device), self.early_stop)
        return Decision(
            bits=found.bits.cpu().numpy(),
            iterations=found.iterations.cpu().numpy(),
            satisfied=found.satisfied.cpu().numpy(),
        )


class AlgebraicDecoder:
    """Hard decisions and bounded-distance decoding of a BCH code."""

    name = "algebraic"

    def __init__(self, code: Code) -> None:
        self.code, self.algebra = code, BoundedDistance(code)

    def decide(self, llr: np.ndarray) -> Decision:
        """Bits of each frame of ``[n, frames]``."""
        bits, good = self.algebra.decode((llr < 0).astype(np.uint8))
        return Decision(bits=bits, satisfied=good)


@dataclass(frozen=True, kw_only=True)
class GoldenDecoder:
    """The golden model of a Spec, from channel LLRs.

    Parameters
    ----------
    spec : MinSumSpec
    code : Code         That it was lowered from: codewords and rate.
    """

    spec: MinSumSpec
    code: Code
    name: str = "golden"

    def decide(self, llr: np.ndarray) -> Decision:
        """Bits of each frame of ``[n, frames]``."""
        steps = quantise(self.spec, llr)
        found = decode(self.spec, np.ascontiguousarray(steps.T))
        return Decision(
            bits=np.ascontiguousarray(found.bits.T),
            iterations=found.iterations,
            satisfied=found.satisfied,
        )


def baseline(
    code: Code,
    kind: str,
    iterations: int,
    *,
    value: float | None = None,
    rows: int | None = None,
    name: str | None = None,
) -> NetDecoder:
    """A float decoder without training.

    ``kind`` is one of :data:`BASELINES`; ``value`` is the offset in LLR, or the factor; with
    ``rows`` it is layered, so many at once, else flooding.
    """
    if kind not in BASELINES:
        raise UserError(f"Baseline must be one of {', '.join(BASELINES)}, not {kind!r}")
    if (value is not None) != (kind in ("offset", "normalised")):
        raise UserError(f"Value of {kind} must be given for offset and normalised only")
    config = MinSumConfig(
        code=code.name,
        iterations=iterations,
        update="plain" if kind == "min-sum" else kind,
        tying="scalar",
        positivity="relu",
        start=value,
        message_bits=None,
        schedule="flooding" if rows is None else "layered",
        rows=rows,
    )
    shown = kind if value is None else f"{kind} {value:g}"
    shown += "" if rows is None else ", layered"
    return NetDecoder(MinSumDecoder(config, code), name or shown)


def tune(
    code: Code, kind: str, iterations: int, ebn0: float, *, frames: int = 10_000, seed: int = 1000
) -> tuple[float, list[Point]]:
    """The value of ``offset`` or ``normalised`` of the least frame error rate, and all tried.

    On frames of their own: a value must not be chosen on the frames that it is judged by.
    """
    values = {"offset": OFFSETS, "normalised": FACTORS}.get(kind)
    if values is None:
        raise UserError(f"Only offset and normalised can be tuned, not {kind!r}")
    points = [
        simulate(
            baseline(code, kind, iterations, value=value), [ebn0], target_errors=frames,
            max_frames=frames, seed=seed, batch=min(BATCH, frames),
        )[0]
        for value in values
    ]  # fmt: skip
    best = min(range(len(values)), key=lambda k: (points[k].fer, points[k].ber))
    return values[best], points
