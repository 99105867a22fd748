"""From a trained decoder to the Spec that computes the same."""

from typing import Any

import numpy as np
import torch

from gatesmith.models.errors import UserError
from gatesmith.models.minsum import MinSumSpec
from gatesmith.models.minsum_net.net import SCALE_BITS, MinSumDecoder

__all__ = ["lower"]


@torch.no_grad()
def lower(net: MinSumDecoder, **options: Any) -> MinSumSpec:
    """The Spec that computes what the net computes in evaluation mode.

    ``options`` are those of :meth:`MinSumSpec.with_options`. A ``schedule`` or ``rows_per_clock``
    other than the net's is legal, and decodes otherwise than it was trained. UserError for options
    that do not fit, and for a net that only floats can compute.
    """
    config, code = net.config, net.code
    if config.relaxation:
        raise UserError("Relaxation must be false to lower: a decoder on the chip has no filter")
    if config.update == "sum-product":
        raise UserError("Update must be plain, offset or normalised to lower, not 'sum-product'")
    if config.message_bits is None:
        raise UserError("Message bits must be 3 to 8 to lower, not none: see MinSumDecoder.to_bits")
    values = net.values().cpu().numpy().astype(np.float64)
    if config.update == "normalised":
        values = values * (1 << SCALE_BITS)
    fraction = config.step_fraction
    options.setdefault("name", "minsum")
    spec = MinSumSpec(
        variables=code.n,
        checks=code.m,
        edge_check=code.checks,
        edge_variable=code.variables,
        lifting=code.lifting,
        message_bits=config.message_bits,
        update=config.update,  # type: ignore[arg-type]
        parameters=np.rint(values).astype(np.int16),
        groups=net.columns,
        scale_bits=SCALE_BITS,
        iterations=config.iterations,
        llr_step_num=fraction.numerator,
        llr_step_den=fraction.denominator,
        information=code.information,
        schedule=config.schedule,  # type: ignore[arg-type]
        rows_per_clock=(config.rows or code.lifting) if config.schedule == "layered" else 1,
    )
    return spec.with_options(**options)
