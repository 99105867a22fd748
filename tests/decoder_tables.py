"""Decoders for the tests of tables, as they are before training: a training takes a minute."""

from typing import Any

import torch

from gatesmith.models.minsum_net import MinSumDecoder, WeightedBP
from gatesmith.models.minsum_net.checkpoint import save_checkpoint
from gatesmith.models.minsum_net.training import Trainer


def untrained(configs: Any, folder: Any, console: Any) -> dict[str, Any]:
    """In the place of ``train_decoders``."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.safetensors" for name in configs}
    for name, config in configs.items():
        if config.update == "sum-product":
            trainer = Trainer(WeightedBP(config))
            for weights in trainer.net.parameters():
                weights.grad = torch.zeros_like(weights)
            trainer.optimiser.step()  # which moves nothing, but has the state of one that did
            trainer.save(paths[name])
        else:
            save_checkpoint(MinSumDecoder(config), paths[name])
    return paths
