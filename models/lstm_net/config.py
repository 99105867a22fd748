"""Configuration of a low-bit LSTM and its training."""

import dataclasses
import math
from dataclasses import dataclass

from gatesmith.models.config import Config
from gatesmith.models.errors import UserError, check
from gatesmith.models.lstm.layer import KINDS, LARGEST
from gatesmith.models.options import title
from gatesmith.models.sequences import SEQUENCES, TEXTS, shape_of

__all__ = ["OWN_DATA", "RECIPES", "LSTMConfig", "threshold_code"]

OWN_DATA = "own"
NORMS = ("weight", "shared-bn")
QUANTISERS = ("deterministic", "stochastic")
SCALES = ("integer", "power")
MOST_LAYERS = 8


def threshold_code(threshold: float) -> int:
    """State threshold as the chip compares it: floor(128 T + 1/2), of states in Q0.7."""
    return math.floor(128 * threshold + 0.5)


@dataclass(frozen=True, kw_only=True)
class LSTMConfig(Config):
    """Shape, quantisation and training of a low-bit LSTM; all that a run depends on but the data.

    Parameters
    ----------
    data : str                A name of ``models.sequences.SEQUENCES``, or ``own``.
    inputs, classes : int     Of the net; needed for ``own``. Of a text both are its symbols, and
                              None until it has been read.
    one_hot : bool            Inputs are symbols (``own`` only; else known from the data).
    every_step : bool         Scores after every step, else after the last (``own`` only; a text
                              has them always).
    input_scale : float       What a dense input of 1.0 stands for in the caller's units.
    steps : int               Most steps of a sequence (``own`` only; of a text, steps a frame).
    hidden : tuple of int     Cells of each layer, at least one layer.
    weights : str or tuple    ``binary``, ``ternary``, ``int8`` or ``int12``, or one a layer.
    head_weights : str        Of the classifier; None: ``int8``. On War and Peace, 128 cells, one
                              epoch, ternary ones cost 0.14 bits a character.
    norm : str                ``weight``: a gain a row over the norm of its codes; ``shared-bn``:
                              normalisation by running statistics that all steps share, in
                              training too: no gradient passes through them, as it does in the
                              paper's batch normalisation.
    quantiser : str           ``deterministic``, or ``stochastic`` (binary and ternary): a sample
                              a step of the optimiser, one of them frozen at the end.
    state_threshold : float   States of a smaller magnitude are 0: at least 0, below 1.
    state_penalty : float     Weight of the states' mean magnitude in the loss: drives them to 0.
    scales : str              Row scales: ``integer`` multipliers or ``power``s of two.
    scale_bits : int          Width of integer row scales, 4 to 16.
    seed : int                Of masters, shuffles and samples.
    epochs, batch : int       Passes over the training data, sequences a step.
    learning_rate : float     Of Adam at the start; falls to 0 along a cosine.
    bptt : int                Steps between updates on a text; the state is carried on.
    """

    data: str = "digits"
    inputs: int | None = None
    classes: int | None = None
    one_hot: bool | None = None
    every_step: bool | None = None
    input_scale: float = 1.0
    steps: int | None = None
    hidden: tuple[int, ...] = (64,)
    weights: str | tuple[str, ...] = "ternary"
    head_weights: str | None = None
    norm: str = "weight"
    quantiser: str = "deterministic"
    state_threshold: float = 0.0
    state_penalty: float = 0.0
    scales: str = "integer"
    scale_bits: int = 12
    seed: int = 0
    epochs: int = 60
    batch: int = 50
    learning_rate: float = 0.01
    bptt: int = 64

    def __post_init__(self) -> None:
        self.check_texts("data", (*SEQUENCES, OWN_DATA))
        self._check_shape()
        self.check_sizes("hidden", 1, MOST_LAYERS, LARGEST)
        if isinstance(self.weights, tuple):
            count = len(self.hidden)
            right = len(self.weights) == count
            check(right, "Weights", f"one or {count} kinds", self.weights)
        for kind in self.kinds:
            check(kind in KINDS, "Weights", f"one of {', '.join(KINDS)}", kind)
        self.check_texts("head_weights", (None, *KINDS))
        for name, allowed in (("norm", NORMS), ("quantiser", QUANTISERS), ("scales", SCALES)):
            self.check_texts(name, allowed)
        if self.quantiser == "stochastic" and not set(self.kinds) <= {"binary", "ternary"}:
            raise UserError(
                f"Quantiser must be deterministic for {', '.join(self.kinds)} weights, "
                "not 'stochastic'"
            )
        self.check_number("state_threshold", 0, 1, below=True)
        check(
            threshold_code(self.state_threshold) <= 127,
            "State threshold",
            "below 127.5/128",
            self.state_threshold,
        )
        self.check_number("state_penalty", 0, 1000)
        for name, low, high in (
            ("seed", 0, (1 << 32) - 1),
            ("epochs", 1, 1_000_000),
            ("batch", 2, 1_000_000),
            ("bptt", 1, 65_536),
            ("scale_bits", 4, 16),
        ):
            self.check_integer(name, low, high)
        default = type(self).scale_bits
        fits = self.scales == "integer" or self.scale_bits == default
        self._check_is("scale_bits", fits, f"{default} unless scales are integer")
        self.check_number("learning_rate", 0, 1, above=True)

    def _check_shape(self) -> None:
        for name, low, high in (
            ("inputs", 1, LARGEST),
            ("classes", 2, LARGEST),
            ("steps", 1, 65_536),
        ):
            if getattr(self, name) is not None:
                self.check_integer(name, low, high)
        for name in ("one_hot", "every_step"):
            self.check_truth(name, optional=True)
        self.check_number("input_scale", 0, 1e12, above=True)
        if self.data != OWN_DATA:
            self._check_is("input_scale", self.input_scale == 1, f"1 for {self.data}")
        if self.data == OWN_DATA:
            for name in ("inputs", "classes", "steps"):
                self._check_is(name, getattr(self, name) is not None, "given for own data")
            return
        if self.data not in TEXTS:
            for name in ("inputs", "classes", "steps"):
                right = getattr(shape_of(self.data), name)
                fits = getattr(self, name) in (None, right)
                self._check_is(name, fits, f"{right} for {self.data}")
        text = self.data in TEXTS
        for name in ("one_hot", "every_step"):
            fits = getattr(self, name) in (None, text)
            self._check_is(name, fits, f"{str(text).lower()} for {self.data}")

    def _check_is(self, name: str, fits: bool, wanted: str) -> None:
        check(fits, title(name), wanted, getattr(self, name))

    @property
    def is_text(self) -> bool:
        """A language model: symbols in, scores at every step, the state carried on."""
        return self.data in TEXTS or bool(self.one_hot and self.every_step)

    @property
    def answers_every_step(self) -> bool:
        """Scores after every step, not only after the last."""
        return self.is_text or bool(self.every_step)

    @property
    def symbols(self) -> bool:
        """Whether inputs are symbols."""
        return self.is_text or bool(self.one_hot)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, cells of each layer, classes; UserError while a text has not been read."""
        inputs, classes = self.inputs, self.classes
        if self.data not in (*TEXTS, OWN_DATA):
            known = shape_of(self.data)
            inputs, classes = known.inputs, known.classes
        if inputs is None or classes is None:
            raise UserError(f"Inputs must be the symbols of {self.data}, not None: load it first")
        return (inputs, *self.hidden, classes)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Weights of each layer."""
        kinds = self.weights
        return kinds if isinstance(kinds, tuple) else (kinds,) * len(self.hidden)

    @property
    def head_kind(self) -> str:
        """Weights of the classifier."""
        return self.head_weights or "int8"

    @property
    def most_steps(self) -> int:
        """Most steps of a sequence; of a text, steps of a frame."""
        if self.steps is not None:
            return self.steps
        return self.bptt if self.data in TEXTS else shape_of(self.data).steps


_DIGITS = LSTMConfig(data="digits", hidden=(64,), state_threshold=0.1)
_ROWS = LSTMConfig(
    data="mnist-rows",
    hidden=(100,),
    epochs=5,
    batch=100,
    learning_rate=0.01,
    state_threshold=0.1,
    state_penalty=1.0,
)
_VOWELS = LSTMConfig(
    data="japanese-vowels",
    hidden=(32,),
    epochs=60,
    batch=16,
    learning_rate=0.01,
    state_threshold=0.1,
    state_penalty=0.5,
)
_TEXT = LSTMConfig(
    data="war-and-peace",
    hidden=(128,),
    epochs=6,
    batch=16,
    bptt=50,
    learning_rate=0.015,
    state_threshold=0.1,
    state_penalty=2.0,
)
_TEXT_512 = dataclasses.replace(
    _TEXT, hidden=(512,), epochs=30, batch=32, learning_rate=0.01, state_penalty=8.0
)


def _dense(config: LSTMConfig, weights: str) -> LSTMConfig:
    """The same with every state kept."""
    return dataclasses.replace(config, weights=weights, state_threshold=0.0, state_penalty=0.0)


# Ternary weights and pruned states unless the name says otherwise: -ternary and -binary keep every
# state. War and Peace with 512 cells takes more than an hour, MNIST pixel by pixel many hours, the
# rest minutes.
RECIPES: dict[str, LSTMConfig] = {
    "digits-64": _DIGITS,
    "japanese-vowels-32": _VOWELS,
    "mnist-rows-100": _ROWS,
    "mnist-pixels-100": dataclasses.replace(
        _ROWS, data="mnist-pixels", learning_rate=0.005, state_penalty=0.0
    ),
    "war-and-peace-128": _TEXT,
    "war-and-peace-128-ternary": _dense(_TEXT, "ternary"),
    "war-and-peace-128-binary": _dense(_TEXT, "binary"),
    "war-and-peace-512": _TEXT_512,
    "war-and-peace-512-ternary": _dense(_TEXT_512, "ternary"),
    "war-and-peace-512-binary": _dense(_TEXT_512, "binary"),
}
