"""LDPC codes of standards: each matrix against a second source, and what is known of each."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from gatesmith.models.codes import ldpc
from gatesmith.models.codes.standards import LDPC
from gatesmith.models.errors import UserError

SIONNA = find_spec("sionna")  # not imported, which would load torch

# n, k, Z, edges, girth, 4-cycles, degrees of checks and of variables.
FIGURES = {
    "ccsds-128-64": (128, 64, 16, 512, 6, 0, {8}, {3, 5}),
    "wifi-648-r12": (648, 324, 27, 2376, 6, 0, {7, 8}, {2, 3, 12}),
    "wifi-648-r23": (648, 432, 27, 2376, 6, 0, {11}, {2, 3, 4, 6, 8}),
    "wifi-648-r34": (648, 486, 27, 2376, 4, 54, {14, 15}, {2, 3, 4, 6}),
    "wifi-648-r56": (648, 540, 27, 2376, 6, 0, {22}, {2, 3, 4}),
    "wimax-576-r12": (576, 288, 24, 1824, 6, 0, {6, 7}, {2, 3, 6}),
    "wimax-576-r34b": (576, 432, 24, 2112, 6, 0, {14, 15}, {2, 3, 6}),
    "wimax-576-r56": (576, 480, 24, 1920, 4, 48, {20}, {2, 3, 4}),
}

# Digests of matrices that others keep; where the source is a table of shifts, of what it lifts to.
SECOND_SOURCES = {
    "ccsds-128-64": "b5e530b206707f8c",  # aff3ct/configuration_files, yoniLc/ECCT: alist
    "wifi-648-r12": "4184952fb89db443",  # jirimilos/802.11ad-phy-sim
    "wifi-648-r23": "2c5392a743c3271f",  # jirimilos/802.11ad-phy-sim
    "wifi-648-r34": "8fa45792095eee3e",  # jirimilos/802.11ad-phy-sim
    "wifi-648-r56": "91842cf49e703d2e",  # aff3ct/configuration_files, ghy1228/LDPC_Error_Floor
    "wimax-576-r12": "ddc5ae841c85fa5b",  # aff3ct/configuration_files, each block turned around
    "wimax-576-r34b": "67718a61dd88fbdf",  # ghy1228/LDPC_Error_Floor
    "wimax-576-r56": "73690a1087cd1fc5",  # aff3ct/configuration_files
}


def test_every_code_is_here():
    assert set(FIGURES) == set(SECOND_SOURCES) == set(LDPC)


@pytest.mark.parametrize("name", LDPC)
def test_figures(name):
    n, k, lifting, edges, girth, cycles, of_checks, of_variables = FIGURES[name]
    code = ldpc(name)
    assert (code.name, code.n, code.k, code.lifting) == (name, n, k, lifting)
    assert code.m == code.rank == n - k and code.edges == edges
    assert code.girth == girth and code.four_cycles == cycles and not code.cyclic
    assert set(code.check_degrees) == of_checks and set(code.variable_degrees) == of_variables
    assert np.array_equal(code.information, np.arange(k))
    assert np.array_equal(code.sent, np.arange(n))


@pytest.mark.parametrize("name", LDPC)
def test_second_source(name):
    matrix = ldpc(name).matrix()
    if name == "wimax-576-r12":
        matrix = matrix.reshape(12, 24, 24, 24)[:, ::-1, :, ::-1].reshape(288, 576)
    digest = hashlib.sha256(np.packbits(matrix)).hexdigest()[:16]
    assert digest == SECOND_SOURCES[name]


@pytest.mark.skipif(SIONNA is None, reason="sionna-no-rt is not installed")
def test_matrix_of_sionna():
    (folder,) = SIONNA.submodule_search_locations
    with np.load(Path(folder, "phy/fec/ldpc/codes/example_codes.npz"), allow_pickle=True) as file:
        assert np.array_equal(ldpc("wifi-648-r12").matrix(), file["pcm_4"])


@pytest.mark.parametrize("name", LDPC)
def test_words(name):
    code = ldpc(name)
    bits = np.random.default_rng(1).integers(0, 2, (30, code.k), dtype=np.uint8)
    words = code.encode(bits)
    assert np.array_equal(words[:, : code.k], bits)
    assert not (words.astype(int) @ code.matrix().T % 2).any()


def test_refuses_a_name():
    with pytest.raises(UserError, match="LDPC code must be one of ccsds.*, not 'wifi-648-r13'"):
        ldpc("wifi-648-r13")
