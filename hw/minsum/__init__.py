"""The Core of a min-sum decoder: flooding or layered."""

from gatesmith.hw.minsum.core import MinSum

__all__ = ["MinSum"]
