"""A min-sum decoder in plain integers, message by message: nothing of the golden model is used."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Answer", "reference", "words"]


@dataclass
class Answer:
    """Of one frame: posteriors, whole iterations done, whether the decision is a code word."""

    posteriors: list[int]
    iterations: int
    satisfied: bool


def clamp(value: int, most: int) -> int:
    """Nearest integer from -most to most."""
    return max(-most, min(most, value))


def reference(spec: Any, llrs: list[int]) -> Answer:
    """Decode a frame from the Spec's fields alone."""
    most = 2 ** (spec.message_bits - 1) - 1
    rows: list[list[int]] = [[] for _ in range(spec.checks)]
    for check, variable in zip(spec.edge_check.tolist(), spec.edge_variable.tolist(), strict=True):
        rows[check].append(variable)
    channel = [clamp(value, most) for value in llrs]
    back = {(check, variable): 0 for check, row in enumerate(rows) for variable in row}
    edge = {pair: number for number, pair in enumerate(back)}
    parameters, groups = spec.parameters.tolist(), spec.groups.tolist()

    def total(variable: int) -> int:
        return channel[variable] + sum(
            back[check, variable] for check, row in enumerate(rows) if variable in row
        )

    def satisfied() -> bool:
        bits = [total(variable) < 0 for variable in range(spec.variables)]
        return all(sum(bits[variable] for variable in row) % 2 == 0 for row in rows)

    def learned(size: int, parameter: int) -> int:
        if spec.update == "offset":
            return size - parameter if size > parameter else 0
        if spec.update == "normalised":
            # Nearest to size * parameter / 2**scale_bits, halves up.
            return min(
                most, (2 * size * parameter + 2**spec.scale_bits) // 2 ** (spec.scale_bits + 1)
            )
        return size

    def compute(time: int, chosen: range) -> None:
        sent = {
            (check, variable): clamp(total(variable) - back[check, variable], most)
            for check in chosen
            for variable in rows[check]
        }
        for check in chosen:
            for variable in rows[check]:
                others = [sent[check, other] for other in rows[check] if other != variable]
                size = min((abs(value) for value in others), default=most)
                negative = sum(value < 0 for value in others) % 2
                row = parameters[time] if len(parameters) > 1 else parameters[0]
                size = learned(size, row[groups[edge[check, variable]]])
                back[check, variable] = -size if negative else size

    step = spec.checks if spec.schedule == "flooding" else spec.rows_per_clock
    done = 0
    while done < spec.iterations and not (spec.early_stop and satisfied()):
        for first in range(0, spec.checks, step):
            compute(done, range(first, min(first + step, spec.checks)))
        done += 1
    posteriors = [total(variable) for variable in range(spec.variables)]
    return Answer(posteriors=posteriors, iterations=done, satisfied=satisfied())


def llrs_of(spec: Any, frame: list[int]) -> list[int]:
    """LLRs of a frame, taken out of its words bit by bit."""
    width = spec.message_bits
    found = []
    for word in frame:
        for place in range(spec.llrs_per_beat):
            value = (word >> place * width) & (2**width - 1)
            found.append(value - 2**width if value >= 2 ** (width - 1) else value)
    return found[: spec.variables]


def words(spec: Any, frame: list[int]) -> list[int]:
    """The words out for a frame in; those of 64 bits as the wires carry them, two's complement."""
    answer = reference(spec, llrs_of(spec, frame))
    chosen = spec.information.tolist() if spec.outputs == "information" else range(spec.variables)
    bits = [int(answer.posteriors[variable] < 0) for variable in chosen]
    width = spec.bits_per_beat
    found = [answer.iterations, int(answer.satisfied)]
    for first in range(0, len(bits), width):
        word = sum(bit << place for place, bit in enumerate(bits[first : first + width]))
        found.append(word - 2**64 if word >= 2**63 else word)
    return found + (answer.posteriors if spec.posteriors else [])
