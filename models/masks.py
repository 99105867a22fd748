"""Search for LFSR seeds whose masks suit a layer, and the figures that say how well they do.

A seed's mask is what its LFSR and comparator will draw in silicon, so the only freedom is which
seeds to use. All states of one LFSR lie on one cycle: a run of ``inputs + n`` states holds the
masks of n + 1 seeds as windows, and a running sum gives the fan-in of each at the cost of one.
"""

import math
from dataclasses import dataclass

import numpy as np

from gatesmith.models.errors import UserError
from gatesmith.models.lfsr import PRIMITIVE_TAPS, keep_masks, states

__all__ = ["Lfsr", "MaskReport", "default_lookahead", "draw", "lfsr_for", "report", "search_seeds"]

GENERATORS = ("leap", "paper")
# Fresh bits an input. P(keep | kept so many inputs before) is then within 4 % of P(keep) at the
# sparsities of the paper, as it is with more; with 6 it is 9 % off, and every step costs XORs.
LEAP = 8
RUNS = 256  # LFSR runs a batch
CHUNK = 512  # neurons chosen with one table of overlaps between candidates
SURPLUS = 4  # candidates a neuron to choose from
ROUNDS = 12  # batches of runs before second-best fan-ins are let in


@dataclass(frozen=True, kw_only=True, eq=False)
class Lfsr:
    """What draws a layer's mask: input i of neuron j is kept when state i >= ``threshold``.

    Parameters
    ----------
    taps : tuple of int      Of the Fibonacci LFSR; empty with threshold 0: all inputs are kept.
    leap : int               Register steps an input.
    threshold : int          ceil(sparsity * 2**width).
    seeds : int64 [outputs]  State of each neuron at its first input.
    """

    taps: tuple[int, ...]
    leap: int
    threshold: int
    seeds: np.ndarray

    def mask(self, inputs: int) -> np.ndarray:
        """Kept connections, bool ``[outputs, inputs]``."""
        if self.threshold == 0:
            return np.ones((len(self.seeds), inputs), dtype=bool)
        return keep_masks(self.taps, self.seeds, inputs, self.threshold, self.leap)


@dataclass(frozen=True, kw_only=True)
class MaskReport:
    """Figures of a mask; an overlap is the shared inputs of two neurons over the smaller fan-in."""

    fan_in_min: int
    fan_in_max: int
    dead_inputs: int
    max_overlap: float
    mean_overlap: float
    keep_after_keep: float  # P(input kept | the input before it kept)
    repeated_masks: int  # neurons whose mask another neuron before them has


def default_lookahead(sparsity: float, inputs: int) -> int:
    """Block that the index datapath looks through at once, a power of two from 2 to 64.

    Three kept inputs a block on average, so that seeds without an empty block are common.
    """
    wanted = max(8, min(64, 3 / (1 - sparsity)))
    size = 1 << math.ceil(math.log2(wanted))
    return max(2, min(size, 1 << max(0, inputs - 1).bit_length()))


def lfsr_for(
    kind: str, inputs: int, outputs: int, sparsity: float, leap: int | None = None
) -> tuple[tuple[int, ...], int, int]:
    """Taps, leap and threshold of a layer's LFSR.

    ``paper``: ceil(log2(inputs)) bits, at least 3, one step an input. ``leap``: the narrowest of
    16 to 32 bits whose states outnumber the connections, stepped 8 times an input, which makes
    neighbouring mask bits independent.
    """
    if kind not in GENERATORS:
        raise UserError(f"Generator must be one of {', '.join(GENERATORS)}, not {kind!r}")
    if kind == "paper":
        width, steps = max(3, (inputs - 1).bit_length()), 1
    else:
        width = min(32, max(16, (inputs * outputs - 1).bit_length()))
        steps = LEAP
    threshold = math.ceil(sparsity * 2**width)
    if threshold >= 1 << width:
        raise UserError(
            f"Sparsity must be at most {1 - 2**-width} for a {width}-bit LFSR, not {sparsity!r}"
        )
    return PRIMITIVE_TAPS[width], leap or steps, threshold


def draw(
    inputs: int,
    outputs: int,
    sparsity: float,
    *,
    kind: str = "leap",
    leap: int | None = None,
    lookahead: int | None = None,
    seed: int = 0,
) -> Lfsr:
    """LFSR and searched seeds of a layer; sparsity 0 keeps all inputs and has no LFSR."""
    if sparsity == 0:
        zeros = np.zeros(outputs, dtype=np.int64)
        return Lfsr(taps=(), leap=1, threshold=0, seeds=zeros)
    taps, steps, threshold = lfsr_for(kind, inputs, outputs, sparsity, leap)
    block = lookahead or default_lookahead(sparsity, inputs)
    seeds = search_seeds(inputs, outputs, sparsity, taps, steps, threshold, block, seed)
    return Lfsr(taps=taps, leap=steps, threshold=threshold, seeds=seeds)


def search_seeds(
    inputs: int,
    outputs: int,
    sparsity: float,
    taps: tuple[int, ...],
    leap: int,
    threshold: int,
    lookahead: int,
    seed: int,
) -> np.ndarray:
    """Seeds of a layer's neurons, int64 ``[outputs]``; the same arguments give the same seeds.

    In order of weight: every neuron keeps round((1 - sparsity) * inputs) inputs, or the nearest
    number that the LFSR offers; no block of ``lookahead`` inputs is empty (a last block of less
    than half that length may be), so that the index datapath never idles; seeds differ; every
    input is used about equally often; no two neurons share much more than chance lets them.
    When the LFSR has fewer states than the layer has neurons, seeds are used again in turn.
    UserError when no state of the LFSR keeps any input.
    """
    generator = np.random.default_rng(seed)
    target = max(1, round((1 - sparsity) * inputs))
    period = (1 << max(taps)) - 1
    distinct = min(outputs, period)
    chosen: list[np.ndarray] = []
    picked = np.empty((0, inputs), dtype=np.float32)
    for start in range(0, distinct, CHUNK):
        wanted = min(CHUNK, distinct - start)
        taken = np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int64)
        pool = _candidates(
            inputs, target, taps, leap, threshold, lookahead, wanted, taken, generator
        )
        masks = keep_masks(taps, pool, inputs, threshold, leap).astype(np.float32)
        order = _spread(masks, picked, wanted)
        chosen.append(pool[order])
        picked = np.concatenate([picked, masks[order]])
    seeds = np.concatenate(chosen)
    return np.resize(seeds, outputs)


def _candidates(
    inputs: int,
    target: int,
    taps: tuple[int, ...],
    leap: int,
    threshold: int,
    lookahead: int,
    wanted: int,
    taken: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """At least ``wanted`` new seeds, the best found, ascending; more when many are as good."""
    enough = max(SURPLUS * wanted, 1024)
    period = (1 << max(taps)) - 1
    seeds, ranks = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    for _ in range(ROUNDS):
        if period <= 4096:
            found = states(taps, np.arange(1, period + 1), inputs, leap)
        else:
            starts = generator.integers(1, period + 1, RUNS)
            found = states(taps, starts, inputs + max(inputs, 256) - 1, leap)
        new_seeds, new_ranks = _rank(found, inputs, target, threshold, lookahead)
        fresh = ~np.isin(new_seeds, taken)
        seeds, first = np.unique(np.concatenate([seeds, new_seeds[fresh]]), return_index=True)
        ranks = np.concatenate([ranks, new_ranks[fresh]])[first]
        if period <= 4096 or np.count_nonzero(ranks == 0) >= enough:
            break
    if not len(seeds):
        raise UserError(f"LFSR {taps} with threshold {threshold} must keep an input of {inputs}")
    if len(seeds) < wanted:
        # Only a tiny LFSR gets here: its states that keep nothing must serve too.
        rest = np.setdiff1d(np.arange(1, period + 1), np.concatenate([seeds, taken]))
        seeds = np.concatenate([seeds, rest[: wanted - len(seeds)]])
        return np.sort(seeds)
    best = np.sort(ranks)[wanted - 1]
    if best == 0:
        perfect = seeds[ranks == 0]
        return np.sort(generator.permutation(perfect)[:enough])
    # Not enough perfect ones: all of the better ranks and those that share the last one needed.
    return seeds[ranks <= best]


def _rank(
    runs: np.ndarray, inputs: int, target: int, threshold: int, lookahead: int
) -> tuple[np.ndarray, np.ndarray]:
    """Seeds among the states of some runs and how far from wanted they are, 0 is perfect.

    Twice the distance of the fan-in, plus one when a block is empty. Of each run the states
    count whose whole window of ``inputs`` states is in it; seeds that keep nothing are left out.
    """
    kept = np.zeros((len(runs), runs.shape[1] + 1), dtype=np.int32)
    np.cumsum(runs >= threshold, axis=1, out=kept[:, 1:])
    windows = runs.shape[1] - inputs + 1
    fan_in = kept[:, inputs:] - kept[:, :windows]
    distance = abs(fan_in - target)
    # Far-off seeds matter only when the states are few and all of them are listed.
    near = (distance <= 2) if windows > 1 else np.ones_like(distance, dtype=bool)
    run, first = np.nonzero(near & (fan_in > 0))
    empty = np.zeros(len(run), dtype=bool)
    for begin in range(0, inputs, lookahead):
        length = min(lookahead, inputs - begin)
        if 2 * length >= lookahead:
            empty |= kept[run, first + begin + length] == kept[run, first + begin]
    return runs[run, first], 2 * distance[run, first].astype(np.int64) + empty


def _spread(masks: np.ndarray, picked: np.ndarray, wanted: int) -> np.ndarray:
    """Rows of ``masks`` chosen one after another; float32 0/1 ``[candidates, inputs]``.

    Each time the row whose inputs are used least so far, among those that share with no chosen
    row more than a limit; the limit rises when no row is left under it.
    """
    shared = masks @ masks.T
    usage = masks @ picked.sum(axis=0)
    worst = (masks @ picked.T).max(axis=1) if len(picked) else np.zeros(len(masks))
    fan_in = masks.sum(axis=1)
    density = float(fan_in.mean()) / masks.shape[1]
    mean = float(fan_in.mean()) * density
    # Three standard deviations above what two random masks share (hypergeometric).
    limit = mean + 3 * math.sqrt(mean) * (1 - density)
    order = np.empty(wanted, dtype=np.int64)
    for index in range(wanted):
        while True:
            cost = np.where(worst <= limit, usage, np.inf)
            best = int(cost.argmin())
            if np.isfinite(cost[best]):
                break
            limit += 1
        order[index] = best
        # A neuron on few inputs adds less to the usage than one on many; balance per input.
        usage += shared[best]
        worst = np.maximum(worst, shared[best])
        worst[best] = usage[best] = np.inf
    return order


def report(mask: np.ndarray) -> MaskReport:
    """Figures of a mask, bool ``[outputs, inputs]``."""
    kept = mask.astype(np.float32)
    fan_in = mask.sum(axis=1)
    shared = kept @ kept.T
    smaller = np.maximum(np.minimum.outer(fan_in, fan_in), 1)
    pairs = (shared / smaller)[np.triu_indices(len(mask), 1)]
    before = int(mask[:, :-1].sum())
    return MaskReport(
        fan_in_min=int(fan_in.min()),
        fan_in_max=int(fan_in.max()),
        dead_inputs=int(np.count_nonzero(~mask.any(axis=0))),
        max_overlap=float(pairs.max(initial=0)),
        mean_overlap=float(pairs.mean()) if len(pairs) else 0.0,
        keep_after_keep=float((mask[:, 1:] & mask[:, :-1]).sum() / before) if before else 0.0,
        repeated_masks=len(mask) - len(np.unique(mask, axis=0)),
    )
