"""Trained models of low-complexity hardware in, proven Verilog out."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatesmith.flows.design import pack, unpack

__all__ = ["pack", "unpack"]


def __getattr__(name: str) -> Any:
    # On demand, so that importing a Spec does not import the flows.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gatesmith.flows import design

    return getattr(design, name)
