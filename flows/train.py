"""``gatesmith train``: a family's network, trained and written as a checkpoint."""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gatesmith.families import family
from gatesmith.flows.folders import check_writable
from gatesmith.flows.settings import check_keys, split_settings
from gatesmith.models.errors import UserError

__all__ = ["train"]


def train(
    name: str,
    checkpoint: str | Path,
    *,
    data: str | None = None,
    recipe: str | None = None,
    settings: Iterable[str] = (),
    data_dir: str | Path | None = None,
    resume: bool = False,
    baseline: bool = False,
    progress: Callable[[Any], None] | None = None,
) -> dict[str, Any]:
    """Train a family and write the checkpoint; return its metrics.

    Parameters
    ----------
    name : str             Of the family.
    checkpoint : path      File to write, ``*.safetensors``; it appears whole or not at all.
    data : str             Data set; None: the recipe's.
    recipe : str           Named preset to start from; None: the defaults of the configuration.
    settings : texts       ``key=value`` over the recipe.
    data_dir : path        Folder with the data sets that are files.
    resume : bool          Go on with an interrupted training of the same configuration.
    baseline : bool        Also train a dense float net of the same shape, to compare with.
    progress : callable    Gets a report after each epoch.

    UserError for anything the user can mend.
    """
    settings = list(settings)
    check_writable(checkpoint)
    if Path(checkpoint).is_dir():
        raise UserError(f"{checkpoint}: is a folder; give the name of a file")
    entry = family(name)
    config_class = getattr(entry.net, f"{entry.prefix}Config")
    known = [field.name for field in dataclasses.fields(config_class)]
    given = split_settings(settings)
    check_keys("key", given, known)
    if data is not None and given.get("data", data) != data:
        raise UserError(f"Data must be named once, not as {data!r} and {given['data']!r}")
    base = None
    if recipe is not None:
        check_keys("recipe", [recipe], entry.net.RECIPES)
        base = entry.net.RECIPES[recipe]
    if data is not None:
        settings.append(f"data={data}")
    return entry.net.train(  # type: ignore[no-any-return]
        config_class.parse(settings, base),
        checkpoint,
        data_dir,
        resume=resume,
        baseline=baseline,
        progress=progress,
    )
