"""Sionna's decoder on integers held in floats: exact, and independent of ours."""

from typing import Any

import numpy as np

__all__ = ["sionna"]


def sionna(
    spec: Any,
    llrs: np.ndarray,
    *,
    hard: bool = False,
    saturate: bool = False,
    precision: str = "double",
) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors (or bits with ``hard``), int64 ``[frames, variables]``, and the largest messages.

    Those are the greatest magnitudes that a frame's variables ever sent, int64 ``[frames]``: up to
    the M of the Spec nothing has saturated. With ``saturate`` messages are clamped there, by a hook
    of Sionna's. Its LLRs are ln p(1) / p(0), so signs turn around; nothing else is clipped. One
    parameter for all edges; early stops are unknown to it. Integers below 2**24 are exact in
    ``single`` precision, too.
    """
    import torch
    from sionna.phy.fec.ldpc.decoding import LDPCBPDecoder, cn_update_offset_minsum

    assert spec.update != "normalised" and spec.parameters.size == 1
    offset = float(spec.parameters.item())
    largest: list[Any] = []

    def watch(messages: Any, iteration: int, posteriors: Any) -> Any:
        largest.append(messages.abs().amax(dim=(1, 2)))
        return messages.clamp(-spec.most, spec.most) if saturate else messages

    def check_nodes(messages: Any, mask: Any, llr_clipping: Any = None) -> Any:
        return cn_update_offset_minsum(messages, mask, llr_clipping, offset=offset)

    matrix = np.zeros((spec.checks, spec.variables))
    matrix[spec.edge_check, spec.edge_variable] = 1
    schedule: Any = "flooding"
    if spec.schedule == "layered":
        assert spec.checks % spec.rows_per_clock == 0
        schedule = np.arange(spec.checks).reshape(-1, spec.rows_per_clock)
    decoder = LDPCBPDecoder(
        matrix,
        cn_update=check_nodes,
        cn_schedule=schedule,
        hard_out=hard,
        num_iter=spec.iterations,
        llr_max=None,
        v2c_callbacks=[watch],
        precision=precision,
        device="cpu",
    )
    channel = np.clip(llrs, -spec.most, spec.most)
    answers, greatest = [], []
    batch = max(50, 200_000 // spec.edges)  # faster than larger ones
    kind = torch.float64 if precision == "double" else torch.float32
    with torch.no_grad():
        for first in range(0, len(llrs), batch):
            largest.clear()
            part = torch.tensor(-channel[first : first + batch], dtype=kind)
            found = decoder(part).numpy()
            answers.append((found if hard else -found).astype(np.int64))
            assert np.array_equal(abs(found), abs(answers[-1])), "integers stay integers"
            greatest.append(torch.stack(largest).amax(dim=0).numpy().astype(np.int64))
    return np.concatenate(answers), np.concatenate(greatest)
