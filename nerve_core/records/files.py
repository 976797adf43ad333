"""Stored files by the SHA-256 of their content: written whole, locked with a key, checked on reading.

``FOLDER/ab/cdef…`` holds the file whose SHA-256 is ``abcdef…``. A locked file is a header, a nonce and the
AES-256-GCM ciphertext with its tag; header and content address are authenticated with it, so that neither a
changed byte nor one locked file put in another's place goes unnoticed.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nerve_core.files import sync_folder
from nerve_core.imaging.read import SIGNATURES
from nerve_core.records.errors import FileAltered
from nerve_core.records.keys import KeyRing
from nerve_core.records.place import PART, make_folder, stage, write_whole

MAGIC = b"NERVE\x00\x01"
"""First bytes of a locked file; no picture format and no DICOM file begins so."""

NONCE = 12
"""Bytes, random for each writing (NIST SP 800-38D)."""

EXTENSIONS = {"PNG": ".png", "JPEG": ".jpg", "TIFF": ".tif", "BMP": ".bmp"}
"""Ending of a file that leaves the records, by the kind its content shows; anything else is DICOM."""

STALE_S = 3600.0
"""Age, s, from which a file that belongs to nothing is taken for left over rather than just being saved."""


class Staged:
    """Content that lies on the disk under a temporary name, ready to be put in place at once."""

    def __init__(self, store: FileStore, content: bytes) -> None:
        self.store = store
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.size = len(content)
        self.content = content
        self.path: Path | None = None
        self._stage()

    def _stage(self) -> None:
        target = self.store.path_of(self.sha256)
        make_folder(target.parent)
        self.key = self.store.keys.active
        self.path = stage(target.parent, self.store.lock(self.sha256, self.content))

    def put(self) -> None:
        """Give it its name; a file of this content that is there already is replaced by the same content.

        Called while the database is locked for writing, as a change of keys is: where the key was changed
        since the content was brought to the disk, it is locked anew.
        """
        if self.path is None:
            return
        if self.key != self.store.keys.active:
            self.path.unlink(missing_ok=True)
            self._stage()
        target = self.store.path_of(self.sha256)
        os.replace(self.path, target)
        self.path = None
        sync_folder(target.parent)

    def __enter__(self) -> Staged:
        return self

    def __exit__(self, *_: object) -> None:
        if self.path is not None:
            self.path.unlink(missing_ok=True)


class FileStore:
    """Files below one folder.

    Args:
        folder: made at the first writing.
        key_file: None writes in the clear; locked files are read with whichever key they name.
    """

    def __init__(self, folder: Path, key_file: Path | None) -> None:
        self.folder, self.key_file = folder, key_file
        self._keys: tuple[tuple[int, int, int], KeyRing] | None = None

    @property
    def keys(self) -> KeyRing:
        """The keys as the key file has them now: another process may have changed them.

        Raises:
            RecordsError: the key file is missing, open to others, or damaged.
        """
        if self.key_file is None:
            return KeyRing({})
        try:
            found = self.key_file.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError:
            stamp = (0, 0, 0)
        if self._keys is None or self._keys[0] != stamp:
            self._keys = (stamp, KeyRing.read(self.key_file))
        return self._keys[1]

    def path_of(self, sha256: str) -> Path:
        """Where the file of this address lies, if it does."""
        return self.folder / sha256[:2] / sha256[2:]

    def stage(self, content: bytes) -> Staged:
        """Bring content to the disk; use as a context, and call ``put`` to keep it.

        Raises:
            OSError: the disk is full or may not be written.
        """
        return Staged(self, content)

    def read(self, sha256: str) -> bytes:
        """The content of a file, its SHA-256 checked.

        Raises:
            FileAltered: it is missing, was altered, or none of the keys opens it.
        """
        try:
            raw = self.path_of(sha256).read_bytes()
        except FileNotFoundError:
            raise FileAltered(
                "A stored scan is missing from the disk; put the last backup of the files beside the "
                "records, then run `python -m nerve_core records verify`."
            ) from None
        content = self.unlock(sha256, raw)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise FileAltered(
                "A stored scan is not what was saved; it is not shown. Put its file back from the last "
                "backup, then run `python -m nerve_core records verify`."
            )
        return content

    def lock(self, sha256: str, content: bytes) -> bytes:
        """What is written to the disk for a content."""
        keys = self.keys
        name = keys.active
        if name is None:
            return content
        header = MAGIC + bytes([len(name)]) + name.encode("ascii")
        nonce = os.urandom(NONCE)
        sealed = AESGCM(keys.keys[name]).encrypt(nonce, content, header + bytes.fromhex(sha256))
        return header + nonce + sealed

    def unlock(self, sha256: str, raw: bytes) -> bytes:
        """The content of what lies on the disk.

        Raises:
            FileAltered: the key is missing or wrong, or the bytes were altered.
        """
        name = key_of(raw)
        if name is None:
            return raw
        key = self.keys.keys.get(name)
        if key is None:
            raise FileAltered(
                f"A stored scan is locked with the key {name!r}, which is not in the key file; put the key "
                "file that was used when it was saved in its place (NERVE_RECORDS_KEY)."
            )
        start = len(MAGIC) + 1 + len(name)
        header, nonce, sealed = raw[:start], raw[start : start + NONCE], raw[start + NONCE :]
        try:
            return AESGCM(key).decrypt(nonce, sealed, header + bytes.fromhex(sha256))
        except (InvalidTag, ValueError):
            raise FileAltered(
                f"A stored scan was altered, or the key {name!r} is not the one it was locked with; put the "
                "right key file (NERVE_RECORDS_KEY) or the last backup of the file in place."
            ) from None

    def relock(self, sha256: str) -> bool:
        """Lock one file anew under the active key; the old file stays until the new one is whole.

        Returns:
            False where it is locked so already.

        Raises:
            FileAltered: its content cannot be had; nothing is written then.
        """
        path = self.path_of(sha256)
        with path.open("rb") as file:
            beginning = file.read(len(MAGIC) + 33)
        if key_of(beginning) == self.keys.active:
            return False
        write_whole(path, self.lock(sha256, self.read(sha256)))
        return True

    def remove(self, sha256: str) -> bool:
        """Take a file from the disk; False where it was not there."""
        path = self.path_of(sha256)
        if not path.exists():
            return False
        path.unlink()
        sync_folder(path.parent)
        return True

    def addresses(self) -> Iterator[str]:
        """The SHA-256 of every file that lies here, by its name."""
        for path in sorted(self.folder.glob("[0-9a-f][0-9a-f]/*")):
            if re.fullmatch("[0-9a-f]{62}", path.name):
                yield path.parent.name + path.name

    def is_stale(self, path: Path) -> bool:
        """Whether a file is older than any saving takes."""
        try:
            return time.time() - path.stat().st_mtime > STALE_S
        except FileNotFoundError:
            return False

    def leftovers(self) -> list[Path]:
        """Half-written files of broken-off runs."""
        return [path for path in self.folder.glob(f"*/.*{PART}") if self.is_stale(path)]


def extension_of(content: bytes) -> str:
    """Ending by content, whatever the file was called."""
    kinds = (kind for kind, starts in SIGNATURES.items() if content.startswith(starts))
    return EXTENSIONS.get(next(kinds, ""), ".dcm")


def key_of(raw: bytes) -> str | None:
    """Name of the key a file on the disk is locked with; None where it lies in the clear."""
    if not raw.startswith(MAGIC) or len(raw) <= len(MAGIC):
        return None
    start = len(MAGIC) + 1
    return raw[start : start + raw[len(MAGIC)]].decode("ascii", errors="replace")
