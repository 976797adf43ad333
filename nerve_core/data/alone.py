"""One at a time: two commands that make the same folder must not mix their files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nerve_core.errors import DataError

try:
    import fcntl
except ImportError:  # Windows
    import msvcrt


@contextmanager
def alone_with(out: Path, wait: bool = False) -> Iterator[None]:
    """Hold the right to make ``out`` while the block runs.

    The right is a lock on the hidden file ``.NAME.lock`` beside it. The system takes it back when the process
    ends, even when it is killed, so nothing stale is ever in the way.

    Args:
        out: the folder or file that is going to be made.
        wait: for another process to finish, instead of giving up.

    Raises:
        DataError: another process is making it now, and there was no waiting.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    path = out.parent / f".{out.name}.lock"
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if _take(handle) and _is_still(handle, path):
            break
        os.close(handle)
        if not wait and path.exists():
            raise DataError(f"Another process is making {out} now; wait until it is done, or stop it.")
        time.sleep(0.05)
    try:
        yield
    finally:
        _give_back(handle, path)


def _take(handle: int) -> bool:
    """Whether the lock could be had at once."""
    try:
        if os.name == "nt":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_still(handle: int, path: Path) -> bool:
    """Whether the locked file is the one that bears the name: who had it before may have taken it away."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _give_back(handle: int, path: Path) -> None:
    if os.name == "nt":  # an open file cannot be taken away there
        os.close(handle)
        try:
            path.unlink(missing_ok=True)
        except PermissionError:
            return  # somebody else holds it already
    else:
        path.unlink(missing_ok=True)
        os.close(handle)
