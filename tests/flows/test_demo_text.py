"""Texts that the demo of a language model reads and writes."""

import numpy as np
import pytest

from gatesmith.families import family
from gatesmith.flows.demo import bundled_checkpoint
from gatesmith.flows.demo_text import bundled_text, generate, read_bundled_text
from gatesmith.models.errors import UserError

ENTRY = family("lstm")
NET = ENTRY.net.load_checkpoint(bundled_checkpoint(ENTRY))
SPEC = ENTRY.net.lower(NET)


def test_rejects_characters_that_the_model_does_not_know() -> None:
    with pytest.raises(UserError, match=r"^Text must be of the characters of the model, not 'з'$"):
        generate(ENTRY, SPEC, NET.vocabulary, prompt="князь")


def test_bundled_text_is_of_the_vocabulary() -> None:
    text = bundled_text(NET.vocabulary)
    assert len(text.test) == 60_000 and text.test.max() < len(NET.vocabulary)


def test_text_goes_on_as_one_frame_would() -> None:
    """Near temperature 0 the greatest score is drawn: the same as in one frame of all steps."""
    written = generate(ENTRY, SPEC, NET.vocabulary, characters=20, temperature=1e-3)
    assert written.startswith("The prince ") and len(written) == len("The prince ") + 20
    symbols = [NET.vocabulary.index(character) for character in written]
    whole = SPEC.with_options(state=False, batch=1, steps=len(symbols))
    frame = np.array([[0, *symbols]])
    found = ENTRY.models.scores(whole, ENTRY.models.golden(whole, frame).outputs)[0, :, 0]
    assert found.argmax(axis=1)[10:-1].tolist() == symbols[11:]


def test_the_seed_decides_the_text() -> None:
    first, again, other = (
        generate(ENTRY, SPEC, NET.vocabulary, characters=30, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_reads_the_bundled_text() -> None:
    found = read_bundled_text(ENTRY, SPEC, NET.vocabulary, 2000)
    assert found.characters == 2000
    assert found.bits == pytest.approx(2.0704778, abs=1e-6)
    assert found.skipped == pytest.approx(0.6955233, abs=1e-6)
