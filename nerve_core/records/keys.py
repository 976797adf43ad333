"""The keys under which stored files are locked: several by name, the last one locks what is new.

The key file is text, a key a line: its name, a space, and 32 bytes in base64. Only its owner may read it.
Without a key file nothing is locked. Whoever loses the key file loses the files: keep a copy of it apart from
the backups of the records.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from nerve_core.records.errors import RecordsError
from nerve_core.records.place import write_whole

KEY_BYTES = 32
"""AES-256."""


@dataclass(frozen=True)
class KeyRing:
    """Keys by name, in the order of the file.

    Attributes:
        keys: 32 bytes each; empty locks nothing.
    """

    keys: dict[str, bytes]

    @property
    def active(self) -> str | None:
        """Name of the key that locks new files."""
        return next(reversed(self.keys), None)

    @classmethod
    def read(cls, path: Path | None) -> KeyRing:
        """The keys of a file; an empty ring where no file is set.

        Raises:
            RecordsError: the file is missing, open to others, or holds no proper keys.
        """
        if path is None:
            return cls({})
        try:
            others = path.stat().st_mode & 0o077
            lines = path.read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError):
            raise RecordsError(
                "The key file of the records (NERVE_RECORDS_KEY) cannot be read; put it back, or make one "
                "with `python -m nerve_core records rotate-key`."
            ) from None
        if others and os.name == "posix":
            raise RecordsError(
                "The key file of the records may be read by others; run `chmod 600` on it, then try again."
            )
        keys: dict[str, bytes] = {}
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.startswith("#"):
                continue
            name, _, text = line.strip().partition(" ")
            try:
                key = base64.b64decode(text, validate=True)
            except binascii.Error:
                key = b""
            if len(key) != KEY_BYTES or not proper(name) or name in keys:
                raise RecordsError(
                    f"Line {number} of the key file is no key; it needs a name of its own, a space, and 32 "
                    "bytes in base64."
                )
            keys[name] = key
        if not keys:
            raise RecordsError(
                "The key file of the records holds no key; make one with `python -m nerve_core records "
                "rotate-key`."
            )
        return cls(keys)

    def write(self, path: Path) -> None:
        """Put these keys into a file that only its owner may read, whole or not at all."""
        text = "".join(f"{name} {base64.b64encode(key).decode()}\n" for name, key in self.keys.items())
        write_whole(path, text.encode("ascii"))

    def with_new(self) -> KeyRing:
        """The same keys and a new random one, which from now on locks."""
        taken = [int(name[1:]) for name in self.keys if name[:1] == "k" and name[1:].isdecimal()]
        return KeyRing({**self.keys, f"k{max(taken, default=0) + 1}": secrets.token_bytes(KEY_BYTES)})

    def only_active(self) -> KeyRing:
        """The locking key alone, once no file needs the others."""
        return KeyRing({name: key for name, key in self.keys.items() if name == self.active})


def proper(name: str) -> bool:
    """Whether a word may name a key: 1 to 32 letters, digits, dashes, underscores."""
    return 0 < len(name) <= 32 and name.isascii() and name.replace("-", "").replace("_", "").isalnum()
