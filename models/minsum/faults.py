"""Single planted faults, for tests of the checks themselves."""

from dataclasses import replace

import numpy as np

from gatesmith.models.minsum.layout import check_degrees, variable_degrees
from gatesmith.models.minsum.spec import ITERATIONS, MinSumSpec

__all__ = ["faults"]


def faults(spec: MinSumSpec) -> dict[str, MinSumSpec]:
    """Specs that differ from the given one by a single mistake a generator could make.

    Not every one need change an answer on given frames; compare the golden models to know.
    """
    found: dict[str, MinSumSpec] = {}
    moved = _moved_edge(spec)
    if moved is not None:
        found["edges: one at another variable"] = moved
    found |= _parameters(spec)
    if spec.iterations > 1:
        # The width of the word `iterations` must stay, so one more only where it fits.
        fewer = spec.iterations - 1
        bits = spec.iterations.bit_length()
        if fewer.bit_length() == bits:
            found["iterations: one too few"] = spec.with_options(iterations=fewer)
        elif (spec.iterations + 1).bit_length() == bits and spec.iterations < ITERATIONS:
            found["iterations: one too many"] = spec.with_options(iterations=spec.iterations + 1)
    other = "layered" if spec.schedule == "flooding" else "flooding"
    found[f"schedule: {other}"] = spec.with_options(schedule=other, memory="flipflop")
    found["early stop: the other way"] = replace(spec, early_stop=not spec.early_stop)
    variables = spec.out_variables
    if spec.outputs == "information" and len(variables) > 1:
        information = spec.information.copy()
        information[[0, 1]] = information[[1, 0]]
        found["outputs: two bits swapped"] = replace(spec, information=information)
    return found


def _parameters(spec: MinSumSpec) -> dict[str, MinSumSpec]:
    """Wrong parameters, or the wrong function of them."""
    found: dict[str, MinSumSpec] = {}
    parameters, most = spec.parameters, spec.parameter_most
    times, columns = parameters.shape
    if spec.update == "plain":
        found["update: an offset of 1"] = replace(
            spec, update="offset", parameters=np.ones((1, 1), np.int16)
        )
        return found
    step = 1 if spec.update == "offset" else max(1, 1 << spec.scale_bits >> 2)
    name = "offset" if spec.update == "offset" else "numerator"
    column = int(spec.groups[spec.edges // 2])
    changed = parameters.copy()
    row = times - 1
    changed[row, column] += step if changed[row, column] + step <= most else -step
    found[f"parameters: one {name}"] = replace(spec, parameters=changed)
    if times > 1:
        turned = np.roll(parameters, 1, axis=0)
        if (turned != parameters).any():
            found["parameters: of the iteration before"] = replace(spec, parameters=turned)
    if columns > 1 and (parameters != parameters[:, :1]).any():
        groups = np.roll(spec.groups, 1)
        found["parameters: of the edge before"] = replace(spec, groups=groups)
    if parameters.any():
        plain = np.zeros((1, 1), np.int16)
        found["update: plain"] = replace(
            spec, update="plain", parameters=plain, groups=np.zeros_like(spec.groups)
        )
    return found


def _moved_edge(spec: MinSumSpec) -> MinSumSpec | None:
    """One edge of a check at a variable that the check does not have; None when there is none.

    No variable loses its last edge, and the width of the posteriors stays as it is.
    """
    degrees = variable_degrees(spec)
    lengths = check_degrees(spec)
    middle = spec.checks // 2
    for row in [*range(middle, spec.checks), *range(middle)]:
        mine = np.flatnonzero(spec.edge_check == row)
        if lengths[row] == spec.variables:
            continue
        free = np.setdiff1d(np.arange(spec.variables), spec.edge_variable[mine])
        for edge in mine[degrees[spec.edge_variable[mine]] > 1].tolist():
            for variable in free.tolist():
                changed = degrees.copy()
                changed[spec.edge_variable[edge]] -= 1
                changed[variable] += 1
                if int(changed.max()).bit_length() != int(degrees.max()).bit_length():
                    continue
                edges = spec.edge_variable.copy()
                edges[edge] = variable
                # Parameters stay with the places of a row, whichever variables they lead to.
                edges[mine] = np.sort(edges[mine])
                return replace(spec, edge_variable=edges, lifting=1, memory="flipflop")
    return None
