"""Arrays and JSON metadata in one safetensors file, which cannot carry code."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from gatesmith.models.errors import UserError

__all__ = ["read_store", "write_atomically", "write_store"]

VERSION = 1
PICKLES = (b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05")  # a zip of pickles, or one of a protocol


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all, text as UTF-8. Its folder must exist."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def write_store(
    path: str | Path, kind: str, meta: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    """Write arrays and metadata of a named kind; the file appears whole or not at all.

    UserError when the folder cannot be written. Equal content gives equal bytes.
    """
    path = Path(path)
    text = json.dumps({"format": kind, "version": VERSION, **meta}, sort_keys=True)
    data = save(
        {k: np.ascontiguousarray(v) for k, v in arrays.items()}, metadata={"gatesmith": text}
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error


def read_store(path: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Metadata and arrays of a file that :func:`write_store` wrote with this kind.

    UserError when the file is missing, damaged, of another kind or version, or holds NaN or
    infinity.
    """
    try:
        with open(path, "rb") as stream:
            head = stream.read(8)
        # Safetensors begin with a length of 8 bytes, which may look like a pickle's first two.
        if head[:2] in PICKLES and head[3:] != bytes(5):
            raise UserError(
                f"{path}: is a pickle, as torch.save writes it, which could run code; "
                f"expected a {kind} in safetensors"
            )
        with safe_open(str(path), framework="numpy") as file:
            text = (file.metadata() or {}).get("gatesmith")
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise UserError(f"{path}: is a folder; expected a {kind}") from error
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{path}: not a readable safetensors file ({error}); expected a {kind}"
        ) from error
    try:
        meta = json.loads(text) if text else None
    except ValueError:
        meta = None
    if not isinstance(meta, dict) or meta.get("format") != kind:
        found = meta.get("format") if isinstance(meta, dict) else "a foreign safetensors file"
        raise UserError(f"{path}: expected a {kind}, found {found}")
    if meta.get("version") != VERSION:
        raise UserError(f"{path}: {kind} version must be {VERSION}, not {meta.get('version')!r}")
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise UserError(f"{path}: tensor {name!r} must be finite, but holds NaN or infinity")
    return meta, arrays
