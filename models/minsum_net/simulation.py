"""Error rates of decoders over AWGN, with random codewords and what chance leaves open."""

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from numbers import Real
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scipy.special import betaincinv, ndtri  # type: ignore[import-untyped]

from gatesmith.models.codes import Code
from gatesmith.models.errors import UserError, check
from gatesmith.models.minsum_net.channel import draw
from gatesmith.models.store import write_atomically

__all__ = [
    "Decision",
    "Decoder",
    "Point",
    "check_plot",
    "interval",
    "plot",
    "read",
    "simulate",
    "write",
]

CONFIDENCE = 0.95
BATCH = 2000  # frames; what is counted does not depend on the decoder, only on this and the seed


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a decoder says: bits uint8 ``[n, frames]``; iterations, and whether it believes it."""

    bits: np.ndarray
    iterations: np.ndarray | None = None
    satisfied: np.ndarray | None = None


class Decoder(Protocol):
    """Anything that decides frames of a code from channel LLRs, float32 ``[n, frames]``."""

    @property
    def name(self) -> str:
        """For tables and plots."""

    @property
    def code(self) -> Code:
        """What it decodes."""

    def decide(self, llr: np.ndarray) -> Decision:
        """Bits of each frame."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """Error rates of one decoder at one Eb/N0.

    Members
    -------
    decoder, code : str          Names.
    ebn0 : float                 In dB, with the rate of the code: k over the bits sent.
    frames, frame_errors : int   A frame is wrong when any bit is.
    bits, bit_errors : int       Of whole words without shortened bits.
    undetected : int             Wrong frames that the decoder believes; None when it never says.
    squares : int                Sum of squared bit errors of a frame: bits of a frame err together.
    iterations : float           Mean of whole iterations; None for decoders without.
    seed : int
    seconds : float              Of the decoder alone.
    """

    decoder: str
    code: str
    ebn0: float
    frames: int
    frame_errors: int
    bits: int
    bit_errors: int
    squares: int
    undetected: int | None
    iterations: float | None
    seed: int
    seconds: float

    @property
    def fer(self) -> float:
        """Frame error rate."""
        return self.frame_errors / self.frames

    @property
    def ber(self) -> float:
        """Bit error rate."""
        return self.bit_errors / self.bits

    @property
    def fer_interval(self) -> tuple[float, float]:
        """Clopper and Pearson's, of 95 %, as if the number of frames had been given."""
        return interval(self.frame_errors, self.frames)

    @property
    def ber_interval(self) -> tuple[float, float]:
        """Of 95 %, from the spread over frames, whose bits are not independent.

        Without errors the upper end is that of one wrong bit in each frame of ``fer_interval``.
        """
        each = self.bits / self.frames
        if not self.bit_errors:
            return 0.0, self.fer_interval[1] / each
        mean = self.bit_errors / self.frames
        spread = max(self.squares / self.frames - mean**2, 0.0)
        half = float(ndtri((1 + CONFIDENCE) / 2)) * math.sqrt(spread / self.frames)
        return max(mean - half, 0.0) / each, min((mean + half) / each, 1.0)

    def to_json(self) -> dict[str, Any]:
        """All counts and rates as plain values."""
        return asdict(self) | {
            "ber": self.ber,
            "fer": self.fer,
            "ber_interval": list(self.ber_interval),
            "fer_interval": list(self.fer_interval),
        }


def interval(errors: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Clopper and Pearson's interval of a probability, from errors in independent trials."""
    check(0 <= errors <= trials and trials > 0, "Errors", f"0 to {trials}", errors)
    tail = (1 - confidence) / 2
    low = float(betaincinv(errors, trials - errors + 1, tail)) if errors else 0.0
    high = float(betaincinv(errors + 1, trials - errors, 1 - tail)) if errors < trials else 1.0
    return low, high


def simulate(
    decoder: Decoder,
    ebn0: Iterable[float],
    *,
    target_errors: int = 100,
    max_frames: int = 1_000_000,
    min_frames: int = 0,
    seed: int = 0,
    batch: int = BATCH,
    zero: bool = False,
    assumed: float | None = None,
    progress: Callable[[Point], None] | None = None,
) -> list[Point]:
    """Decode random codewords until enough frames are wrong; one :class:`Point` an Eb/N0.

    Parameters
    ----------
    ebn0 : floats         In dB.
    target_errors : int   Wrong frames to stop after, at the end of a batch.
    max_frames : int      To stop after in any case.
    min_frames : int      Not to stop before.
    seed : int            Two decoders of one code with the same seed and batch see the same frames.
    batch : int           Frames at once.
    zero : bool           All-zero words instead, to show what they hide.
    assumed : float       Eb/N0 that LLRs are scaled for, in dB; None: the true one.
    progress : callable   Gets the point as it stands after each batch.

    UserError for nonsense.
    """
    levels = [_level(entry) for entry in ebn0]
    check(bool(levels), "Eb/N0", "at least one value", levels)
    for name, value, least in (
        ("Target errors", target_errors, 1),
        ("Max frames", max_frames, 1),
        ("Min frames", min_frames, 0),
        ("Batch", batch, 1),
        ("Seed", seed, 0),
    ):
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
        check(whole, name, f"a whole number of at least {least}", value)
    if assumed is not None:
        assumed = _level(assumed)
    found = []
    for level in levels:
        found.append(
            _point(decoder, level, target_errors, max_frames, min_frames, seed, batch, zero,
                   assumed, progress)
        )  # fmt: skip
    return found


def _level(value: float) -> float:
    number = isinstance(value, Real) and not isinstance(value, bool)
    check(number and -20 <= value <= 40, "Eb/N0", "between -20 and 40 dB", value)
    return float(value)


def _point(
    decoder: Decoder,
    level: float,
    target_errors: int,
    max_frames: int,
    min_frames: int,
    seed: int,
    batch: int,
    zero: bool,
    assumed: float | None,
    progress: Callable[[Point], None] | None,
) -> Point:
    code = decoder.code
    counted = np.setdiff1d(np.arange(code.n), code.shortened)
    frames = wrong_frames = wrong_bits = squares = undetected = rounds = 0
    seconds, knows, counts = 0.0, False, False
    stream = round(1000 * level) + 1_000_000
    number = 0
    while True:
        now = min(batch, max_frames - frames)
        random = np.random.default_rng((seed, 3, stream, number))
        sent = draw(code, level, now, random, zero=zero, assumed=assumed)
        start = time.perf_counter()
        decision = decoder.decide(sent.llr)
        seconds += time.perf_counter() - start
        errors = (decision.bits[counted] != sent.words[counted]).sum(axis=0, dtype=np.int64)
        wrong = errors > 0
        frames, number = frames + now, number + 1
        wrong_frames += int(wrong.sum())
        wrong_bits += int(errors.sum())
        squares += int((errors**2).sum())
        if decision.satisfied is not None:
            knows, undetected = True, undetected + int((wrong & decision.satisfied).sum())
        if decision.iterations is not None:
            counts, rounds = True, rounds + int(decision.iterations.sum())
        point = Point(
            decoder=decoder.name,
            code=code.name,
            ebn0=level,
            frames=frames,
            frame_errors=wrong_frames,
            bits=frames * len(counted),
            bit_errors=wrong_bits,
            squares=squares,
            undetected=undetected if knows else None,
            iterations=rounds / frames if counts else None,
            seed=seed,
            seconds=seconds,
        )
        if progress is not None:
            progress(point)
        if frames >= max_frames or (wrong_frames >= target_errors and frames >= min_frames):
            return point


def write(path: str | Path, points: Sequence[Point]) -> None:
    """Write points as JSON, whole or not at all."""
    text = json.dumps({"format": "gatesmith-simulation", "points": [p.to_json() for p in points]})
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(Path(path), text + "\n")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error


def read(path: str | Path) -> list[Point]:
    """The points that :func:`write` wrote; UserError for another file."""
    names = set(Point.__dataclass_fields__)
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        if found["format"] != "gatesmith-simulation":
            raise ValueError("format")
        return [
            Point(**{k: v for k, v in entry.items() if k in names}) for entry in found["points"]
        ]
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path}: not the result of a simulation: {error}") from error


def check_plot(path: str | Path) -> None:
    """UserError unless a plot can have this name."""
    named = Path(path).suffix in (".svg", ".png", ".pdf")
    check(named, "Plot", "named *.svg, *.png or *.pdf", str(path))


def plot(
    path: str | Path,
    points: Sequence[Point],
    published: Mapping[str, Mapping[float, float]] | None = None,
) -> None:
    """Draw bit (dashed) and frame error rates over Eb/N0 with their intervals: svg, png or pdf.

    ``published`` are frame error rates of others, by name and Eb/N0 in dB: crosses, no line.
    """
    import matplotlib
    from matplotlib.figure import Figure

    check_plot(path)
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    for index, name in enumerate(dict.fromkeys(point.decoder for point in points)):
        own = sorted((p for p in points if p.decoder == name), key=lambda p: p.ebn0)
        x, colour = [p.ebn0 for p in own], f"C{index % 10}"
        for kind, style in (("fer", "-"), ("ber", "--")):
            y = [getattr(p, kind) for p in own]
            ends = [getattr(p, f"{kind}_interval") for p in own]
            bars = [[v - low for v, (low, _) in zip(y, ends, strict=True)],
                    [high - v for v, (_, high) in zip(y, ends, strict=True)]]  # fmt: skip
            axes.errorbar(
                x, y, yerr=bars, fmt=f"o{style}", color=colour, markersize=3, capsize=2,
                label=name if kind == "fer" else None,
            )  # fmt: skip
    for index, (name, rates) in enumerate((published or {}).items()):
        axes.plot(list(rates), list(rates.values()), "x+1234"[index % 6], color="black", label=name)
    axes.set_yscale("log", nonpositive="mask")
    axes.set_xlabel("Eb/N0, dB")
    axes.set_ylabel("frame error rate; dashed: bit error rate")
    axes.grid(True, which="both", alpha=0.3)
    figure.legend(loc="outside lower left", ncols=2, fontsize=8)
    # Texts stay texts, and the same picture gives the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "gatesmith", "svg.fonttype": "none"}):
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, metadata={"Date": None} if Path(path).suffix == ".svg" else None)
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror}") from error
