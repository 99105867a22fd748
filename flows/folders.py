"""Results that appear whole or not at all, and are refused before the work is done."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gatesmith.models.errors import UserError
from gatesmith.models.store import write_atomically

__all__ = ["appearing", "check_free", "check_writable", "make_folder", "write_json"]


def check_writable(path: str | Path) -> None:
    """UserError unless a file or folder of that name can be made, with the folders above it."""
    try:
        parent = Path(path).absolute().parent
        while not parent.exists():
            parent = parent.parent
        if not parent.is_dir():
            raise UserError(f"{path}: cannot be written: {parent} is not a folder")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error
    if not os.access(parent, os.W_OK | os.X_OK):
        raise UserError(f"{path}: cannot be written: {parent} is not writable")


def check_free(directory: str | Path) -> None:
    """UserError unless a folder of that name can appear: there is none, or an empty one."""
    directory = Path(directory)
    check_writable(directory)
    try:
        if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
            raise UserError(f"{directory}: is not a folder; choose another name")
        if directory.is_dir() and any(directory.iterdir()):
            raise UserError(f"{directory}: is not empty; remove it or choose another folder")
    except OSError as error:
        raise UserError(f"{directory}: cannot be read: {error.strerror}") from error


def make_folder(path: Path) -> None:
    """Make a folder unless it is there; UserError when it cannot be, or cannot be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot be made: {error.strerror}") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise UserError(f"{path}: cannot be written")


def write_json(path: str | Path, content: dict[str, Any]) -> None:
    """Write a result, and the folders above it; UserError when that cannot be."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(Path(path), json.dumps(content, indent=1) + "\n")
    except OSError as error:
        raise UserError(f"{path} must be writable: {error.strerror}") from error


@contextmanager
def appearing(directory: Path) -> Iterator[Path]:
    """A folder to fill, that takes its name when all went well and vanishes otherwise."""
    work = None
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}."))
        yield work
        work.chmod(0o777 & ~_umask())
        work.rename(directory)
        work = None
    except OSError as error:
        raise UserError(f"{directory}: cannot be written: {error.strerror}") from error
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
