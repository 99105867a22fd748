"""The verbs: each command of ``gatesmith`` is the function of the same name here."""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatesmith.flows.code import code
    from gatesmith.flows.demo import demo
    from gatesmith.flows.estimate import estimate
    from gatesmith.flows.lower import lower, write_design
    from gatesmith.flows.power import power
    from gatesmith.flows.report import report
    from gatesmith.flows.reproduce import reproduce
    from gatesmith.flows.silicon.cells import cells
    from gatesmith.flows.simulate import simulate
    from gatesmith.flows.synth import synth
    from gatesmith.flows.train import train
    from gatesmith.flows.verify import verify

__all__ = [
    "cells",
    "code",
    "demo",
    "estimate",
    "lower",
    "power",
    "report",
    "reproduce",
    "simulate",
    "synth",
    "train",
    "verify",
    "write_design",
]

_MODULES = {name: name for name in __all__} | {
    "cells": "silicon.cells",
    "write_design": "lower",
}


class _Verbs(ModuleType):
    """This package: a verb is its function, also once the module of that name is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _MODULES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    # On demand, so that one verb does not load the tools of all the others.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


sys.modules[__name__].__class__ = _Verbs
