"""Configuration of a low-bit LSTM and its training."""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gatesmith.models.errors import UserError
from gatesmith.models.sequences import SEQUENCES, TEXTS, shape_of

__all__ = ["OWN_DATA", "RECIPES", "LSTMConfig", "threshold_code"]

OWN_DATA = "own"
WEIGHTS = ("binary", "ternary", "int8", "int12")
HEAD_WEIGHTS = ("binary", "ternary", "int8", "int12")
NORMS = ("weight", "shared-bn")
QUANTISERS = ("deterministic", "stochastic")
SCALES = ("integer", "power")
LARGEST = 65_536  # inputs, cells or classes
MOST_LAYERS = 8


def _check(condition: bool, subject: str, requirement: str, found: object) -> None:
    if not condition:
        raise UserError(f"{subject} must be {requirement}, not {found!r}")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def threshold_code(threshold: float) -> int:
    """State threshold as the chip compares it: floor(128 T + 1/2), of states in Q0.7."""
    return math.floor(128 * threshold + 0.5)


@dataclass(frozen=True, kw_only=True)
class LSTMConfig:
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
                              batch normalisation with statistics shared over time.
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
        names = (*SEQUENCES, OWN_DATA)
        _check(self.data in names, "Data", f"one of {', '.join(names)}", self.data)
        self._check_shape()
        sizes = self.hidden
        _check(
            isinstance(sizes, tuple)
            and 1 <= len(sizes) <= MOST_LAYERS
            and all(_is_int(size) and 1 <= size <= LARGEST for size in sizes),
            "Hidden",
            f"a tuple of 1 to {MOST_LAYERS} layer sizes between 1 and {LARGEST}",
            sizes,
        )
        kinds = self.weights
        if isinstance(kinds, tuple):
            _check(len(kinds) == len(sizes), "Weights", f"one or {len(sizes)} kinds", kinds)
        for kind in kinds if isinstance(kinds, tuple) else (kinds,):
            _check(kind in WEIGHTS, "Weights", f"one of {', '.join(WEIGHTS)}", kind)
        for name, allowed in (
            ("head_weights", (None, *HEAD_WEIGHTS)),
            ("norm", NORMS),
            ("quantiser", QUANTISERS),
            ("scales", SCALES),
        ):
            value = getattr(self, name)
            texts = ", ".join(str(entry).lower() for entry in allowed)
            _check(value in allowed, _title(name), f"one of {texts}", value)
        if self.quantiser == "stochastic" and not set(self.kinds) <= {"binary", "ternary"}:
            raise UserError(
                f"Quantiser must be deterministic for {', '.join(self.kinds)} weights, "
                "not 'stochastic'"
            )
        _check_number(self.state_threshold, "State threshold", 0, True, 1, False)
        _check(
            threshold_code(self.state_threshold) <= 127,
            "State threshold",
            "below 127.5/128",
            self.state_threshold,
        )
        _check_number(self.state_penalty, "State penalty", 0, True, 1000, True)
        for name, low, high in (
            ("seed", 0, (1 << 32) - 1),
            ("epochs", 1, 1_000_000),
            ("batch", 2, 1_000_000),
            ("bptt", 1, 65_536),
            ("scale_bits", 4, 16),
        ):
            self._in_range(name, low, high)
        _check_number(self.learning_rate, "Learning rate", 0, False, 1, True)

    def _check_shape(self) -> None:
        for name, low, high in (("inputs", 1, LARGEST), ("classes", 2, LARGEST)):
            if getattr(self, name) is not None:
                self._in_range(name, low, high)
        for name in ("one_hot", "every_step"):
            value = getattr(self, name)
            _check(value in (None, True, False), _title(name), "true or false", value)
        _check_number(self.input_scale, "Input scale", 0, False, 1e12, True)
        if self.steps is not None:
            self._in_range("steps", 1, 65_536)
        if self.data == OWN_DATA:
            for name in ("inputs", "classes", "steps"):
                value = getattr(self, name)
                _check(value is not None, _title(name), "given for own data", value)
        elif self.data not in TEXTS:
            known = shape_of(self.data)
            for name in ("inputs", "classes", "steps"):
                value, right = getattr(self, name), getattr(known, name)
                _check(value in (None, right), _title(name), f"{right} for {self.data}", value)
        if self.data != OWN_DATA:
            right = self.data in TEXTS
            for name in ("one_hot", "every_step"):
                value = getattr(self, name)
                wanted = f"{str(right).lower()} for {self.data}"
                _check(value in (None, right), _title(name), wanted, value)

    def _in_range(self, name: str, low: int, high: int) -> None:
        value = getattr(self, name)
        _check(
            _is_int(value) and low <= value <= high,
            _title(name),
            f"between {low} and {high}",
            value,
        )

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

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        kinds = list(self.weights) if isinstance(self.weights, tuple) else self.weights
        return {**dataclasses.asdict(self), "hidden": list(self.hidden), "weights": kinds}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "LSTMConfig":
        """The configuration that :meth:`to_json` wrote; UserError for an unknown key."""
        known = {entry.name for entry in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise UserError(f"Configuration key must be one of {sorted(known)}, not {unknown[0]!r}")
        values = dict(values)
        for name in ("hidden", "weights"):
            if isinstance(values.get(name), list):
                values[name] = tuple(values[name])
        return cls(**values)

    @classmethod
    def parse(cls, settings: Iterable[str], base: "LSTMConfig | None" = None) -> "LSTMConfig":
        """``key=value`` texts over a base configuration.

        Sizes and weights of several layers are separated by commas (``hidden=128,128``), None is
        ``none``.
        """
        values = (base or cls()).to_json()
        for setting in settings:
            key, equals, text = setting.partition("=")
            if not equals:
                raise UserError(f"Setting must be key=value, not {setting!r}")
            if key not in values:
                raise UserError(f"Setting must be one of {', '.join(values)}, not {key!r}")
            values[key] = _parse_value(key, text.strip())
        return cls.from_json(values)


_FLOATS = ("input_scale", "state_threshold", "state_penalty", "learning_rate")
_TEXTS = ("data", "head_weights", "norm", "quantiser", "scales")


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _check_number(
    value: object, subject: str, low: float, with_low: bool, high: float, with_high: bool
) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = (
        isinstance(value, (int, float))
        and number
        and (low <= value if with_low else low < value)
        and (value <= high if with_high else value < high)
    )
    wanted = f"{'at least' if with_low else 'above'} {low:g} and "
    wanted += f"{'at most' if with_high else 'below'} {high:g}"
    _check(fits, subject, wanted, value)


def _parse_value(key: str, text: str) -> Any:
    """Value of one setting by the type of its key."""
    if text.lower() == "none":
        return None
    if key in _TEXTS:
        return text
    if key == "weights":
        kinds = tuple(kind for kind in text.split(",") if kind)
        return kinds[0] if len(kinds) == 1 else kinds
    if key in ("one_hot", "every_step"):
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        if key == "hidden":
            return tuple(int(size) for size in text.split(",") if size)
        return float(text) if key in _FLOATS else int(text)
    except ValueError as error:
        kind = "sizes separated by commas" if key == "hidden" else "a number"
        raise UserError(f"{_title(key)} must be {kind}, not {text!r}") from error


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
# state. War and Peace with 512 cells takes more than an hour, MNIST pixel by pixel hours (its first
# epoch learns nothing yet; no later one has been run), the rest minutes.
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
