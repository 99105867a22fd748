"""Results kept between runs, by the digest of everything that they depend on."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gatesmith.models.store import write_atomically

__all__ = [
    "cache_folder",
    "cached_bytes",
    "cached_json",
    "cached_values",
    "keep_bytes",
    "keep_json",
]


def cache_folder() -> Path:
    """``$GATESMITH_CACHE``, else ``gatesmith`` in the user's cache folder."""
    chosen = os.environ.get("GATESMITH_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gatesmith"


def _entry(kind: str, key: Any) -> Path:
    text = json.dumps(key, sort_keys=True)
    return cache_folder() / kind / hashlib.sha256(text.encode()).hexdigest()


def cached_bytes(kind: str, key: Any) -> bytes | None:
    """What was kept for the key, or None. An unreadable entry counts as none."""
    try:
        return _entry(kind, key).read_bytes()
    except OSError:
        return None


def keep_bytes(kind: str, key: Any, value: bytes) -> None:
    """Keep a value for the key; a folder that cannot be written only costs time later."""
    try:
        path = _entry(kind, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, value)
    except OSError:
        pass


def cached_json(kind: str, key: Any) -> Any:
    """What :func:`keep_json` kept for the key, or None."""
    try:
        return json.loads(cached_bytes(kind, key) or b"null")
    except ValueError:
        return None


def keep_json(kind: str, key: Any, value: Any) -> None:
    """Keep a JSON value for the key."""
    keep_bytes(kind, key, json.dumps(value).encode())


def cached_values(kind: str) -> Iterator[Any]:
    """All JSON values that were kept of a kind. Unreadable entries are passed over."""
    for path in sorted((cache_folder() / kind).glob("[!.]*")):
        try:
            yield json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
