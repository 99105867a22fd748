"""What the output words of frames mean: scores, classes, bits a character."""

import numpy as np

from gatesmith.models.errors import UserError, check
from gatesmith.models.frames import PAD
from gatesmith.models.lstm.spec import COUNTERS, LSTMSpec

__all__ = ["bits_per_character", "counters", "predictions", "scores"]


def _answers(spec: LSTMSpec, outputs: np.ndarray) -> np.ndarray:
    """Answers, int64 ``[frames, steps, batch, words]``, :data:`PAD` behind the end of a frame.

    Steps are 1 when only the last one answers.
    """
    layout = spec.output_format
    scores_words = spec.head.classes if spec.outputs == "scores" else 0
    each = spec.batch * (scores_words + 1)
    steps = spec.steps if spec.every_step else 1
    found = outputs[:, : steps * each].reshape(len(outputs), steps, spec.batch, scores_words + 1)
    if not spec.every_step:
        return found
    ended = np.arange(steps) >= layout.repetitions(outputs)[:, None]
    return np.where(ended[:, :, None, None], PAD, found)


def scores(spec: LSTMSpec, outputs: np.ndarray) -> np.ndarray:
    """Scores of the classes, int64 ``[frames, steps, batch, classes]``.

    Steps are 1 when only the last one answers; behind the end of a frame there is
    :data:`gatesmith.models.frames.PAD`. UserError when frames out hold none.
    """
    check(spec.outputs == "scores", "Outputs", "'scores'", spec.outputs)
    return _answers(spec, outputs)[..., :-1]


def predictions(spec: LSTMSpec, outputs: np.ndarray) -> np.ndarray:
    """The class of the first sequence of each frame after its last step, int64 ``[frames]``."""
    found = _answers(spec, outputs)[:, :, 0, -1]
    last = np.zeros(len(outputs), dtype=np.int64)
    if spec.every_step:
        last = spec.output_format.repetitions(outputs) - 1
    return found[np.arange(len(outputs)), last]


def counters(spec: LSTMSpec, outputs: np.ndarray) -> dict[str, np.ndarray]:
    """Columns ``taken`` and ``skipped`` and ``clocks`` of each frame, int64 ``[frames]``."""
    begins = spec.output_format.lengths(outputs) - len(COUNTERS)
    rows = np.arange(len(outputs))
    return {name: outputs[rows, begins + place] for place, name in enumerate(COUNTERS)}


def bits_per_character(
    spec: LSTMSpec, frames: np.ndarray, outputs: np.ndarray, targets: np.ndarray | None = None
) -> float:
    """Bits that a language model needs for a symbol, on average over all that it had to foresee.

    At each step, minus the logarithm to base 2 of the softmax of scores / 2**fraction at the next
    symbol. Frames of one step foresee nothing that they hold.

    Parameters
    ----------
    frames, outputs : int64   Frames in, and the golden model's words out.
    targets : int64 [frames, steps, batch]
        Next symbol of each step, negative where there is none; by default the one that follows in
        the frame, so that the last step has none.

    UserError when the Spec is no language model, or there is no symbol to foresee.
    """
    if not (spec.one_hot and spec.every_step):
        raise UserError("Bits a character need inputs that are symbols and answers at every step")
    if targets is None:
        first = spec.input_format.length(0)
        symbols = frames[:, first:].reshape(len(frames), spec.steps, spec.batch)
        targets = np.full(symbols.shape, PAD)
        targets[:, :-1] = symbols[:, 1:]
    found = scores(spec, outputs)
    there = (targets >= 0) & (found[..., 0] != PAD)
    if not there.any():
        raise UserError("Frames must hold a symbol that follows another, not none")
    logits = found[there] / 2.0**spec.head.fraction  # [symbols, classes]
    chosen = targets[there]
    classes = spec.head.classes
    check(int(chosen.max()) < classes, "Next symbols", f"below {classes}", int(chosen.max()))
    logits -= logits.max(axis=1, keepdims=True)
    logarithms = np.log2(np.exp(logits).sum(axis=1))
    picked = logits[np.arange(len(chosen)), chosen] * np.log2(np.e)
    return float((logarithms - picked).mean())
