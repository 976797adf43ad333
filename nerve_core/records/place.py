"""Writing where patients' data lies: whole files that only their owner may read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from nerve_core.files import sync_folder

PART = ".part"
"""Ending of a file that is still being written; one left over by a broken-off run is never read."""


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, that only the owner may enter."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def stage(folder: Path, content: bytes) -> Path:
    """Write a temporary file of rights 0600 and flush it to the disk; nothing is left where that fails."""
    handle, name = tempfile.mkstemp(prefix=".", suffix=PART, dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def write_whole(path: Path, content: bytes) -> None:
    """Put content under a name at once: a reader sees the old file or the new one, also after a power cut."""
    staged = stage(path.parent, content)
    try:
        os.replace(staged, path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
