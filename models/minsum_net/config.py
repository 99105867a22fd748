"""Configuration of a neural min-sum decoder and its training."""

import dataclasses
from dataclasses import dataclass
from fractions import Fraction

from gatesmith.models.config import Config
from gatesmith.models.errors import UserError, check

__all__ = ["LOSSES", "RECIPES", "TYINGS", "UPDATES", "MinSumConfig"]

UPDATES = ("plain", "offset", "normalised", "sum-product")
TYINGS = ("edge", "check", "degree", "iteration", "scalar", "recurrent")
LOSSES = ("cross-entropy", "syndrome", "frame-error")
SCHEDULES = ("flooding", "layered")
STARTS = {"plain": 0.0, "offset": 1.0, "normalised": 0.5, "sum-product": 0.0}
FINEST = 4096  # denominator of the LLR step


@dataclass(frozen=True, kw_only=True)
class MinSumConfig(Config):
    """Code, decoder, quantisation and training; all that a run depends on.

    Parameters
    ----------
    code : str             As :func:`gatesmith.models.codes.code` knows it, or path of an alist.
    iterations : int       1 to 1000, unrolled.
    update : str           Of the check nodes: ``plain`` minimum, minus an ``offset``,
                           ``normalised`` by a factor, or ``sum-product`` (float only).
    tying : str            Learned values: one an ``edge``, ``check``, ``degree`` of a check or
                           ``iteration``, each anew every iteration; ``recurrent``: one an edge for
                           all iterations; ``scalar``: one.
    positivity : str       ``softplus`` or ``relu`` of a master keeps learned values at least 0.
    start : float          Learned values before training, offsets in LLR; None: 1 for an offset,
                           1/2 for a factor.
    spread : float         Standard deviation of the masters around it, from the seed.
    relaxation : bool      Messages pass a low-pass filter with one learned factor (float only).
    message_bits : int     Width of messages and channel LLRs, 3 to 8; None: float.
    llr_step : float       LLR of one step, a fraction with a denominator up to 4096. Offsets are
                           not free of scale: a decoder belongs to its step.
    schedule : str         ``flooding``, or ``layered``: rows of checks one after another.
    round_from : float     Part of the training after which learned values are rounded too, 0 to 1;
                           messages always are. Rounded from the start they hover about the middle
                           between two steps, which costs error rate.
    rows : int             Rows that update together in ``layered``; None: those of a block of a
                           quasi-cyclic code, else 1.
    loss : str             ``cross-entropy`` of the posteriors, ``syndrome``: a hinge on the soft
                           syndrome, ``frame-error``: chance of a wrong bit, all averaged over the
                           iterations.
    mix : float            Part of cross-entropy in the other two, 0 to 1.
    words : str            Train on ``random`` codewords, or on the all-``zero`` word.
    ebn0_low, ebn0_high    Eb/N0 in dB of training; a batch is spread evenly over whole steps.
    ebn0_points : int      Those steps.
    steps, batch : int     Of the optimiser; frames a step.
    learning_rate : float  Of Adam at the start; falls to 0 along a cosine.
    seed : int             Of codewords, noise and masters.
    """

    code: str = "bch-63-36"
    iterations: int = 5
    update: str = "offset"
    tying: str = "edge"
    positivity: str = "softplus"
    start: float | None = None
    spread: float = 0.0
    relaxation: bool = False
    message_bits: int | None = 5
    llr_step: float = 0.75
    round_from: float = 0.75
    schedule: str = "flooding"
    rows: int | None = None
    loss: str = "cross-entropy"
    mix: float = 0.5
    words: str = "random"
    ebn0_low: float = 1.0
    ebn0_high: float = 6.0
    ebn0_points: int = 6
    steps: int = 3000
    batch: int = 120
    learning_rate: float = 0.03
    seed: int = 0

    def __post_init__(self) -> None:
        check(isinstance(self.code, str) and bool(self.code), "Code", "a name", self.code)
        for name, allowed in (
            ("update", UPDATES),
            ("tying", TYINGS),
            ("positivity", ("softplus", "relu")),
            ("schedule", SCHEDULES),
            ("loss", LOSSES),
            ("words", ("random", "zero")),
        ):
            self.check_texts(name, allowed)
        for name, least, most in (
            ("iterations", 1, 1000),
            ("message_bits", 3, 8),
            ("rows", 1, 1 << 20),
            ("ebn0_points", 1, 1000),
            ("steps", 1, 100_000_000),
            ("batch", 1, 1_000_000),
            ("seed", 0, (1 << 32) - 1),
        ):
            if getattr(self, name) is not None or name not in ("message_bits", "rows"):
                self.check_integer(name, least, most)
        self.check_truth("relaxation")
        for name, low, high in (
            ("spread", 0.0, 10.0),
            ("mix", 0.0, 1.0),
            ("round_from", 0.0, 1.0),
            ("ebn0_low", -20.0, 40.0),
            ("ebn0_high", -20.0, 40.0),
            ("learning_rate", 1e-9, 1.0),
            ("llr_step", 1 / FINEST, 64.0),
            ("start", 0.0, 100.0),
        ):
            if getattr(self, name) is not None or name != "start":
                self.check_number(name, low, high)
        self._check_together()

    def _check_together(self) -> None:
        check(
            self.ebn0_low <= self.ebn0_high,
            "Ebn0 low",
            f"at most ebn0_high, {self.ebn0_high:g}",
            self.ebn0_low,
        )
        check(
            float(self.step_fraction) == self.llr_step,
            "Llr step",
            f"a fraction with a denominator up to {FINEST}",
            self.llr_step,
        )
        check(
            self.rows is None or self.schedule == "layered",
            "Rows",
            "none unless the schedule is layered",
            self.rows,
        )
        for name, wrong in (
            ("Update", self.update == "sum-product"),
            ("Relaxation", self.relaxation),
        ):
            if wrong and self.message_bits is not None:
                found = self.update if name == "Update" else self.relaxation
                raise UserError(
                    f"{name} {str(found).lower()} needs message_bits=none: it is for float "
                    f"decoders only, not for {self.message_bits} bits"
                )

    @property
    def step_fraction(self) -> Fraction:
        """The LLR step as the fraction that travels with the integers."""
        return Fraction(self.llr_step).limit_denominator(FINEST)

    @property
    def quantised(self) -> bool:
        """Integers inside, as the chip has them."""
        return self.message_bits is not None

    @property
    def learned(self) -> bool:
        """Whether check nodes have a learned value."""
        return self.update in ("offset", "normalised")

    @property
    def first(self) -> float:
        """Learned values before training."""
        return STARTS[self.update] if self.start is None else self.start


_BCH = MinSumConfig(code="bch-63-36", iterations=5, start=1.3)
_CCSDS = MinSumConfig(
    code="ccsds-128-64",
    iterations=20,
    tying="iteration",
    llr_step=0.5,
    start=0.5,
    ebn0_low=2.0,
    ebn0_high=4.0,
    ebn0_points=5,
    schedule="layered",
    loss="frame-error",
    steps=800,
)
_WIFI = dataclasses.replace(
    _CCSDS,
    code="wifi-648-r12",
    iterations=10,
    ebn0_low=1.0,
    ebn0_high=2.5,
    ebn0_points=4,
    steps=300,
)
_WIFI_FAST = dataclasses.replace(
    _WIFI, code="wifi-648-r56", ebn0_low=3.0, ebn0_high=4.5, ebn0_points=4
)


def _bch(code: str) -> dict[str, MinSumConfig]:
    """Recipes of one code: 5 bits unless the name says float."""
    found = {}
    for tying in ("edge", "iteration", "scalar"):
        found[f"{code}-{tying}"] = dataclasses.replace(_BCH, code=code, tying=tying)
    for tying in ("edge", "iteration"):
        name = f"{code}-normalised-{tying}"
        found[name] = dataclasses.replace(
            _BCH, code=code, tying=tying, update="normalised", start=0.3
        )
    for name in list(found):
        found[f"{name}-float"] = dataclasses.replace(found[name], message_bits=None)
    return found


# A name that does not say float is trained with the 5-bit quantiser in the loop.
RECIPES: dict[str, MinSumConfig] = {
    **_bch("bch-63-36"),
    **_bch("bch-63-45"),
    "ccsds-128-64": _CCSDS,
    "wifi-648-r12": _WIFI,
    "wifi-648-r56": _WIFI_FAST,
}
