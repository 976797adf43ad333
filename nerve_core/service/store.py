"""Keeping uploads, where a site has configured a folder for them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from nerve_core.errors import NerveCoreError
from nerve_core.files import sync_folder

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"II*\x00", ".tif"),
    (b"MM\x00*", ".tif"),
    (b"II+\x00", ".tif"),
    (b"MM\x00+", ".tif"),
    (b"BM", ".bmp"),
)


class StorageError(NerveCoreError):
    """The upload folder cannot take the file (full, missing rights, not a folder)."""


def extension_of(data: bytes) -> str:
    """File extension by content, whatever the sender called the file; ``.dcm`` when no picture format."""
    if data[128:132] == b"DICM":
        return ".dcm"
    return next((extension for signature, extension in _SIGNATURES if data.startswith(signature)), ".dcm")


def store_upload(data: bytes, folder: Path) -> Path:
    """Keep an upload under the SHA-256 of its content, so that no patient name reaches the disk.

    Written to a temporary name, flushed to the disk and renamed: a file under its final name is always
    complete, also after a power cut. The same content is kept once. Only the owner may read it.

    Args:
        data: the file's bytes.
        folder: made when missing.

    Returns:
        Where the file lies.

    Raises:
        StorageError: the folder cannot take it; nothing half-written is left behind.
    """
    target = folder / (hashlib.sha256(data).hexdigest() + extension_of(data))
    partial: str | None = None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if target.exists():
            return target
        handle, partial = tempfile.mkstemp(suffix=".part", prefix=".", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
        partial = None
        sync_folder(folder)
    except OSError as fault:
        raise StorageError(
            f"The upload could not be stored ({fault.strerror or type(fault).__name__}); "
            "ask the administrator to check the upload folder."
        ) from fault
    finally:
        if partial is not None:
            Path(partial).unlink(missing_ok=True)
    return target
