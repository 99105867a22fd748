"""Results kept between runs, by the digest of everything that they depend on."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gatesmith.models.store import write_atomically

__all__ = ["cache_folder", "cached_json", "cached_values", "keep_json"]


def cache_folder() -> Path:
    """``$GATESMITH_CACHE``, else ``gatesmith`` in the user's cache folder."""
    chosen = os.environ.get("GATESMITH_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gatesmith"


def _entry(kind: str, key: Any) -> Path:
    text = json.dumps(key, sort_keys=True)
    return cache_folder() / kind / f"{hashlib.sha256(text.encode()).hexdigest()}.json"


def cached_json(kind: str, key: Any) -> Any:
    """What was kept for the key, or None. An unreadable entry counts as none."""
    try:
        return json.loads(_entry(kind, key).read_text())
    except (OSError, ValueError):
        return None


def cached_values(kind: str) -> Iterator[Any]:
    """All that was kept of a kind, by name of entry. Unreadable entries are passed over."""
    for path in sorted((cache_folder() / kind).glob("*.json")):
        try:
            yield json.loads(path.read_text())
        except (OSError, ValueError):
            continue


def keep_json(kind: str, key: Any, value: Any) -> None:
    """Keep a value for the key; a folder that cannot be written only costs time later."""
    try:
        path = _entry(kind, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(value))
    except OSError:
        pass
