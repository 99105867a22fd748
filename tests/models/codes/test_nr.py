"""Codes of 5G, against the tables and the encoder of Sionna."""

import csv
import hashlib
import time
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from gatesmith.models.codes import ldpc
from gatesmith.models.codes.nr import base_graph, lifting_size
from gatesmith.models.errors import UserError

SIONNA = find_spec("sionna")
needs_sionna = pytest.mark.skipif(SIONNA is None, reason="sionna-no-rt is not installed")

# The last one is of base graph 1.
SIZES = [(64, 128), (128, 256), (512, 1024), (20, 22), (100, 300), (600, 900), (300, 400)]


def _table(graph: int) -> np.ndarray:
    path = files("gatesmith.models.codes").joinpath(f"tables/nr-bg{graph}.txt")
    return np.loadtxt(str(path), dtype=np.int64)


@needs_sionna
@pytest.mark.parametrize("graph", [1, 2])
def test_tables_of_sionna(graph):
    (folder,) = SIONNA.submodule_search_locations
    with open(Path(folder, f"phy/fec/ldpc/codes/5G_bg{graph}.csv"), newline="") as file:
        lines = list(csv.reader(file, delimiter=";"))[2:]
    row, rows = "", []
    for line in lines:
        row = line[0].strip() or row  # given where it changes
        rows.append([int(row), *map(int, line[1:10])])
    assert np.array_equal(_table(graph), rows)


def test_tables_of_a_third_source():
    # All 16 tables of KyrieTan/Neural-Protograph-LDPC-Decoding were compared, entry by entry.
    digests = [hashlib.sha256(_table(graph).astype("<i2")).hexdigest()[:16] for graph in (1, 2)]
    assert digests == ["ae823e9167259579", "ebf5ad9c14cd9517"]
    assert [len(_table(graph)) for graph in (1, 2)] == [316, 197]


@needs_sionna
def test_words_of_sionna():
    torch = pytest.importorskip("torch")
    from sionna.phy.fec.ldpc import LDPC5GEncoder

    for k, n in SIZES:
        encoder = LDPC5GEncoder(k, n, device="cpu")
        bits = np.random.default_rng(k).integers(0, 2, (5, k))
        expected = encoder(torch.tensor(bits, dtype=torch.float32)).numpy()
        for code in (ldpc(f"nr-{k}-{n}"), ldpc(f"nr-{k}-{n}-trim")):
            assert np.array_equal(code.encode(bits)[:, code.sent], expected), code.name
        code = ldpc(f"nr-{k}-{n}")
        assert encoder.pcm.shape == (code.m, code.n) and encoder.pcm.nnz == code.edges
        assert (encoder.pcm.tocsr()[code.checks, code.variables] == 1).all(), code.name


@pytest.mark.parametrize(
    "name, lifting, m, n, edges",
    [
        ("nr-64-128", 11, 462, 572, 2167),
        ("nr-128-256", 22, 924, 1144, 4334),
        ("nr-512-1024", 64, 2688, 3328, 12608),
        ("nr-512-1024-trim", 64, 640, 1280, 4288),
        ("nr-64-128-trim", 11, 88, 198, 638),
    ],
)
def test_figures(name, lifting, m, n, edges):
    code = ldpc(name)
    k, sent = map(int, name.split("-")[1:3])
    assert (code.name, code.lifting, code.m, code.n, code.edges) == (name, lifting, m, n, edges)
    assert code.rank == m and code.k == k and len(code.sent) == sent
    assert np.array_equal(code.information, np.arange(k))
    assert np.array_equal(code.shortened, np.arange(k, 10 * lifting))
    assert np.array_equal(code.punctured[: 2 * lifting], np.arange(2 * lifting))
    assert len(code.punctured) == n - sent - len(code.shortened)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_trimmed_tells_nothing(size):
    """All that goes are variables that are not sent, and have one check each, and those checks."""
    whole, trimmed = (ldpc(f"nr-{size[0]}-{size[1]}{end}") for end in ("", "-trim"))
    kept = (whole.checks < trimmed.m) & (whole.variables < trimmed.n)
    assert np.array_equal(whole.checks[kept], trimmed.checks)
    assert np.array_equal(whole.variables[kept], trimmed.variables)
    assert np.array_equal(whole.sent, trimmed.sent)
    gone = np.arange(trimmed.n, whole.n)
    assert np.isin(gone, whole.punctured).all() and (whole.variable_degrees[gone] == 1).all()
    rows = np.sort(whole.checks[whole.variables >= trimmed.n])
    assert np.array_equal(rows, np.arange(trimmed.m, whole.m))


def _posteriors(code, llrs, iterations=6):
    """Min-sum, all checks at once: integers ``[n]`` in, sums ``[n]`` out."""
    messages = np.zeros(code.edges, dtype=np.int64)
    starts = np.cumsum(code.check_degrees) - code.check_degrees
    for _ in range(iterations):
        sums = llrs + np.bincount(code.variables, messages, code.n).astype(np.int64)
        sent = sums[code.variables] - messages
        size = abs(sent)
        least = np.minimum.reduceat(size, starts)[code.checks]
        ties = np.add.reduceat(size == least, starts)[code.checks]
        second = np.minimum.reduceat(np.where(size == least, 1 << 40, size), starts)[code.checks]
        other = np.where((size == least) & (ties == 1), second, least)
        negative = np.bitwise_xor.reduceat(sent < 0, starts)[code.checks] ^ (sent < 0)
        messages = np.where(negative, -other, other)
    return llrs + np.bincount(code.variables, messages, code.n).astype(np.int64)


@pytest.mark.parametrize("size", [(64, 128), (100, 300), (300, 400)])
def test_trimmed_codes_decode_alike(size):
    whole, trimmed = (ldpc(f"nr-{size[0]}-{size[1]}{end}") for end in ("", "-trim"))
    generator = np.random.default_rng(7)
    llrs = np.zeros(whole.n, dtype=np.int64)
    llrs[whole.sent] = generator.integers(-9, 20, size[1])
    llrs[whole.shortened] = 1000
    found = _posteriors(whole, llrs)[: trimmed.n]
    assert np.array_equal(found, _posteriors(trimmed, llrs[: trimmed.n]))
    assert not np.array_equal(found, llrs[: trimmed.n])


def test_base_graphs_and_lifting_sizes():
    # TS 38.212: 6.2.2 (graph) and 5.2.2 with table 5.3.2-1 (Z).
    assert [base_graph(k, n) for k, n in [(292, 300), (293, 400), (293, 440)]] == [2, 1, 2]
    assert [base_graph(k, n) for k, n in [(3824, 6000), (3840, 6000), (4000, 16000)]] == [2, 1, 2]
    assert [lifting_size(k, 2) for k in (12, 64, 192, 193, 560, 561, 640, 641)] == [
        *(2, 11, 32, 26, 72, 64, 72, 72)
    ]
    assert [lifting_size(k, 1) for k in (22, 44, 45, 8448)] == [2, 2, 3, 384]


def test_is_quick():
    start = time.perf_counter()
    code = ldpc("nr-512-1024")
    assert code.rank == 2688 and code.girth == 6 and code.four_cycles == 0
    code.encode(np.zeros((100, 512), dtype=np.uint8))
    assert time.perf_counter() - start < 3  # 0.2 s on a machine at rest


@pytest.mark.parametrize(
    "name, words",
    [
        ("nr-11-64", ["k of a 5G code must be from 12 to 8448", "not 11"]),
        ("nr-9000-20000", ["8448", "not 9000"]),
        ("nr-64-64", ["with k = 64 must be from 70 to 504", "Z = 11", "not 64"]),
        ("nr-64-505", ["not 505"]),
        ("nr-8000-40000", ["at a rate of 1/4 or less must be at most 3840, not 8000"]),
    ],
)
def test_refuses(name, words):
    with pytest.raises(UserError) as error:
        ldpc(name)
    for word in words:
        assert word in str(error.value)
