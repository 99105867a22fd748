"""A bundled language model put to use: bits a character of the bundled text, and text it writes."""

import gzip
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatesmith.families import Family
from gatesmith.models.checkpoint import BUNDLED
from gatesmith.models.errors import UserError
from gatesmith.models.sequences import Text

__all__ = ["TextFound", "bundled_text", "generate", "read_bundled_text"]

STEPS = 1000  # of a frame that is measured; it begins with states of zero
FRAMES = 8  # at once, to bound the memory
PROMPT = "The prince "
CHARACTERS = 200
TEMPERATURE = 0.7
SEED = 0


@dataclass(frozen=True, kw_only=True)
class TextFound:
    """What the golden model made of a text.

    Members
    -------
    characters : int   Read.
    bits : float       A character, on average.
    skipped : float    Part of the columns that were zero and cost nothing.
    """

    characters: int
    bits: float
    skipped: float


def bundled_text(vocabulary: tuple[str, ...]) -> Text:
    """The piece of War and Peace that comes with the package, in symbols of a vocabulary."""
    path = BUNDLED / "war_and_peace_test.txt.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    symbols = _symbols(vocabulary, text)
    return Text(
        name="war-and-peace",
        vocabulary=vocabulary,
        train=symbols[:0],
        valid=symbols[:0],
        test=symbols,
    )


def _symbols(vocabulary: tuple[str, ...], text: str) -> np.ndarray:
    known = {character: symbol for symbol, character in enumerate(vocabulary)}
    unknown = sorted(set(text) - set(known))
    if unknown:
        raise UserError(f"Text must be of the characters of the model, not {unknown[0]!r}")
    return np.array([known[character] for character in text], dtype=np.uint16)


def read_bundled_text(
    entry: Family, spec: Any, vocabulary: tuple[str, ...], characters: int | None = None
) -> TextFound:
    """Bits a character of the golden model over the first characters of the bundled text."""
    text = bundled_text(vocabulary)
    reader = spec.with_options(state=False, outputs="scores", batch=1, steps=STEPS)
    frames = entry.models.dataset_frames(reader, text)
    if characters is not None:
        frames = frames[: max(1, characters // STEPS)]
    bits, taken, skipped = [], 0, 0
    for start in range(0, len(frames), FRAMES):
        chosen = frames[start : start + FRAMES]
        outputs = entry.models.golden(reader, chosen).outputs
        found = entry.models.bits_per_character(reader, chosen, outputs)
        bits.append(found * len(chosen))
        columns = entry.models.counters(reader, outputs)
        taken += int(columns["taken"].sum())
        skipped += int(columns["skipped"].sum())
    return TextFound(
        characters=len(frames) * STEPS,
        bits=sum(bits) / len(frames),
        skipped=skipped / (taken + skipped),
    )


def generate(
    entry: Family,
    spec: Any,
    vocabulary: tuple[str, ...],
    *,
    prompt: str = PROMPT,
    characters: int = CHARACTERS,
    temperature: float = TEMPERATURE,
    seed: int = SEED,
) -> str:
    """The prompt and what the golden model writes after it, a character a frame.

    Each is drawn from the softmax of the scores over the temperature; the states that end a frame
    begin the next.
    """
    writer = spec.with_options(state=True, outputs="scores", batch=1, steps=1)
    rng = np.random.default_rng(seed)
    layout = writer.input_format
    first = layout.length(0)  # the mode, then states
    classes = writer.head.classes
    frame = np.zeros((1, layout.words), dtype=np.int64)
    waiting = _symbols(vocabulary, prompt).tolist()
    scores = np.zeros(classes)
    written: list[int] = []
    while len(written) < len(prompt) + characters:
        if waiting:
            symbol = waiting.pop(0)
        else:
            logits = scores / 2.0**writer.head.fraction / temperature
            weights = np.exp(logits - logits.max())
            symbol = int(rng.choice(classes, p=weights / weights.sum()))
        written.append(symbol)
        frame[0, first] = symbol
        outputs = entry.models.golden(writer, frame).outputs
        scores = entry.models.scores(writer, outputs)[0, 0, 0]
        frame[0, 1:first] = outputs[0, classes + 1 : classes + first]
    return "".join(vocabulary[symbol] for symbol in written)
