"""Random decoders for the tests."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from gatesmith.models.codes import Code
from gatesmith.models.minsum import MinSumSpec
from gatesmith.models.minsum.inputs import llr_frames

__all__ = [
    "UPDATES",
    "block_specs",
    "code_spec",
    "matrix_spec",
    "quasi_cyclic_matrix",
    "random_frames",
    "random_matrix",
    "specs",
]

UPDATES = ("plain", "offset", "normalised")
TYINGS = ("scalar", "recurrent", "iteration", "degree", "check", "edge")


def random_matrix(rng: np.random.Generator, checks: int, variables: int) -> np.ndarray:
    """Few or many ones, none of the rows and columns empty; some columns repeat, some rows too."""
    matrix = (rng.random((checks, variables)) < rng.uniform(0.1, 0.9)).astype(np.uint8)
    if rng.random() < 0.3:
        matrix[:, rng.integers(variables)] = matrix[:, rng.integers(variables)]
    if rng.random() < 0.3:
        matrix[rng.integers(checks)] = matrix[rng.integers(checks)]
    for row in range(checks):
        if rng.random() < 0.1:
            matrix[row] = 0
        if not matrix[row].any():
            matrix[row, rng.integers(variables)] = 1
    for column in np.flatnonzero(~matrix.any(axis=0)):
        matrix[rng.integers(checks), column] = 1
    return matrix


def quasi_cyclic_matrix(rng: np.random.Generator, rows: int, columns: int, size: int) -> np.ndarray:
    """Blocks that are 0, a cyclic shift, or the sum of two."""
    matrix = np.zeros((rows * size, columns * size), dtype=np.uint8)
    bases = random_matrix(rng, rows, columns)
    for row, column in np.argwhere(bases):
        for _ in range(rng.integers(1, 3)):
            shift = np.roll(np.eye(size, dtype=np.uint8), rng.integers(size), axis=1)
            matrix[row * size : (row + 1) * size, column * size : (column + 1) * size] |= shift
    return matrix


def _tied(
    rng: np.random.Generator, tying: str, most: int, iterations: int, matrix: np.ndarray
) -> dict[str, np.ndarray]:
    """Parameters and groups of a way to tie them."""
    checks = np.nonzero(matrix)[0]
    degrees = matrix.sum(axis=1)
    groups = {
        "edge": np.arange(len(checks)),
        "check": checks,
        "degree": np.unique(degrees, return_inverse=True)[1][checks],
    }.get(tying, np.zeros(len(checks), dtype=int))
    times = 1 if tying in ("scalar", "recurrent") else iterations
    if tying == "recurrent":
        groups = np.arange(len(checks))
    shape = (times, int(groups.max()) + 1)
    high = rng.choice([min(2, most), most])  # small ones let more through
    return {"parameters": rng.integers(0, high, shape, endpoint=True), "groups": groups}


def matrix_spec(matrix: np.ndarray, seed: int = 0, **options: Any) -> MinSumSpec:
    """A decoder of a dense matrix with random parameters; options are those of the Spec.

    ``tying`` besides: how parameters are tied.
    """
    rng = np.random.default_rng(seed)
    values: dict[str, Any] = dict(message_bits=5, update="offset", iterations=3) | options
    tying = values.pop("tying", "scalar")
    checks, variables = np.nonzero(matrix)
    most = (1 << values["message_bits"] - 1) - 1
    if values["update"] == "normalised":
        most = (2 << values.get("scale_bits", 4)) - 1
    tied: dict[str, Any] = {
        "parameters": np.zeros((1, 1), dtype=int),
        "groups": np.zeros(len(checks), dtype=int),
    }
    if values["update"] != "plain":
        tied = _tied(rng, tying, most, values["iterations"], matrix)
    code = Code.from_matrix(matrix)
    return MinSumSpec(
        **{
            "variables": matrix.shape[1],
            "checks": matrix.shape[0],
            "edge_check": checks,
            "edge_variable": variables,
            "information": code.information,
            **tied,
            **values,
        }
    )


def code_spec(code: Code, parameter: int = 1, **options: Any) -> MinSumSpec:
    """A decoder of a code with one parameter; options are those of the Spec."""
    values: dict[str, Any] = dict(message_bits=5, update="offset", iterations=5) | options
    if values["update"] == "plain":
        parameter = 0
    return MinSumSpec(
        **{
            "variables": code.n,
            "checks": code.m,
            "edge_check": code.checks,
            "edge_variable": code.variables,
            "information": code.information,
            "lifting": code.lifting,
            "parameters": np.full((1, 1), parameter),
            "groups": np.zeros(code.edges, dtype=int),
            **values,
        }
    )


@st.composite
def specs(draw: Any) -> MinSumSpec:
    """Any small decoder."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    lifting = draw(st.sampled_from([1, 1, 1, 2, 3, 4]))
    if lifting > 1:
        rows, columns = draw(st.integers(1, 2)), draw(st.integers(1, 3))
        matrix = quasi_cyclic_matrix(rng, rows, columns, lifting)
        rows_per_clock = draw(st.sampled_from([k for k in range(1, 5) if lifting % k == 0]))
    else:
        matrix = random_matrix(rng, draw(st.integers(1, 7)), draw(st.integers(1, 12)))
        rows_per_clock = draw(st.integers(1, len(matrix)))
    return _drawn(
        draw,
        matrix,
        seed,
        lifting=lifting,
        schedule=draw(st.sampled_from(["flooding", "layered"])),
        rows_per_clock=rows_per_clock,
        stages=draw(st.integers(1, 2)),
        posteriors=draw(st.booleans()),
    )


@st.composite
def block_specs(draw: Any) -> MinSumSpec:
    """Any small decoder of one block a clock."""
    seed, lifting = draw(st.integers(0, 2**32 - 1)), draw(st.integers(2, 8))
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    matrix = quasi_cyclic_matrix(np.random.default_rng(seed), rows, columns, lifting)
    return _drawn(
        draw,
        matrix,
        seed,
        lifting=lifting,
        schedule="layered",
        memory="sram",
        rows_per_clock=lifting,
    )


def _drawn(draw: Any, matrix: np.ndarray, seed: int, **options: Any) -> MinSumSpec:
    """Whatever else there is to choose."""
    message_bits = draw(st.integers(3, 8))
    outputs = draw(st.sampled_from(["word", "information"]))
    if Code.from_matrix(matrix).k == 0:
        outputs = "word"
    most = 64 // message_bits
    if options.get("memory") == "sram":
        most = min(most, options["lifting"])
    return matrix_spec(
        matrix,
        seed,
        message_bits=message_bits,
        update=draw(st.sampled_from(UPDATES)),
        tying=draw(st.sampled_from(TYINGS)),
        scale_bits=draw(st.integers(1, 8)),
        iterations=draw(st.integers(1, 5)),
        early_stop=draw(st.booleans()),
        llrs_per_beat=draw(st.integers(1, most)),
        outputs=outputs,
        bits_per_beat=draw(st.integers(1, 64)),
        **options,
    )


def random_frames(spec: MinSumSpec, count: int, seed: int = 0) -> np.ndarray:
    """Frames of small and large LLRs, zeros and the ends of the range among them."""
    rng = np.random.default_rng(seed)
    shape = (count, spec.variables)
    reach = rng.integers(1, spec.most, (count, 1), endpoint=True)
    llrs = rng.integers(-reach, reach, shape, endpoint=True)
    ends = rng.choice([-spec.most - 1, -spec.most, 0, spec.most], shape)
    llrs = np.where(rng.random(shape) < 0.1, ends, llrs)
    return llr_frames(spec, llrs)
