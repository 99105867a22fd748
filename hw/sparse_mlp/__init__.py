"""The Core of an LFSR-masked sparse multilayer perceptron."""

from gatesmith.hw.sparse_mlp.core import SparseMLP

__all__ = ["SparseMLP"]
