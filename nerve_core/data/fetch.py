"""Bring a set here: download with resume, verify its checksum, unpack with nothing let out of the folder."""

from __future__ import annotations

import errno
import hashlib
import shutil
import stat
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from nerve_core.errors import DataError

CHUNK = 2**20
BOMB_RATIO = 200
"""How many times its own size an archive may unpack to; scans and masks together stay far below."""
BOMB_SIZE = 2**30
"""Bytes up to which any archive may unpack, whatever the ratio."""
TIMEOUT = 60
"""Seconds without an answer after which a download is given up for now."""
Progress = Callable[[float], None]


def is_url(source: str) -> bool:
    """Whether a source is an address to download from rather than a path."""
    return "://" in source


@contextmanager
def room_on_disk(place: Path) -> Iterator[None]:
    """Turn a full disk, quota or file-size limit into one sentence."""
    try:
        yield
    except OSError as fault:
        if fault.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise DataError(
            f"The disk of {place} is full; free some space, or choose another folder with --out."
        ) from None


def download(url: str, folder: Path, progress: Progress | None = None) -> Path:
    """Download a file into a folder, going on where an earlier try broke off.

    What has come so far is kept as ``NAME.part``; it is continued only when the server says that the file is
    still the same (its ETag or date), and the file gets its own name only when it is whole.

    Args:
        url: an ``http`` or ``https`` address.
        folder: made when missing.
        progress: told the share that is here, from 0 to 1, where the server states the size.

    Returns:
        Path of the whole file.

    Raises:
        DataError: the address cannot be reached, the connection broke off, or the disk is full.
    """
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.netloc:
        raise DataError(f"The address {url!r} is not one to download from; give http://, https:// or a path.")
    name = PurePosixPath(unquote(address.path)).name.replace("\\", "_").lstrip(".") or "download"
    whole, part, mark = (folder / f"{name}{ending}" for ending in ("", ".part", ".part.tag"))
    if whole.exists():
        return whole
    with room_on_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _receive(url, part, mark, progress)
        except urllib.error.HTTPError as fault:
            raise DataError(f"{url} answers {fault.code} {fault.reason}; check the address.") from None
        except (urllib.error.URLError, TimeoutError, ConnectionError, EOFError) as fault:
            reason = getattr(fault, "reason", None) or fault
            raise DataError(
                f"The download from {address.netloc} broke off ({reason}); run the same command to go on."
            ) from None
        except OSError:
            part.unlink(missing_ok=True)
            mark.unlink(missing_ok=True)
            raise
        part.rename(whole)
        mark.unlink(missing_ok=True)
    return whole


def _receive(url: str, part: Path, mark: Path, progress: Progress | None) -> None:
    have = part.stat().st_size if part.exists() and mark.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "nerve_core", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", mark.read_text())
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as fault:
        if fault.code != 416:  # nothing left to send: begin again
            raise
        part.unlink()
        return _receive(url, part, mark, progress)
    with answer:
        if answer.status != 206:
            have = 0
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else None
        if total and total - have > shutil.disk_usage(part.parent).free:
            raise OSError(errno.ENOSPC, "No space left on device")
        tag = answer.headers.get("ETag", "")
        tag = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")
        if tag:
            mark.write_text(tag)
        else:
            mark.unlink(missing_ok=True)
        with part.open("ab" if have else "wb") as file:
            while piece := answer.read(CHUNK):
                file.write(piece)
                have += len(piece)
                if progress is not None and total:
                    progress(have / total)
        if total is not None and have < total:
            raise EOFError(f"{have:,} of {total:,} bytes came")


def verify(path: Path, sha256: str) -> None:
    """Raise DataError unless a file has the checksum (hexadecimal)."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256.lower():
        raise DataError(
            f"{path.name} is not the file the catalogue knows (its SHA-256 is {found[:12]}…, expected "
            f"{sha256[:12].lower()}…); download it again from the source."
        )


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or a tar, compressed or not."""
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip or tar into a folder, all of it or nothing.

    Every name is looked at before the first file is written: an archive with a path that leads out of the
    folder, a link or a device is refused as a whole.

    Raises:
        DataError: the archive is damaged, locked or unsafe, or the disk is full; the folder is gone then.
    """
    try:
        with room_on_disk(folder.parent):
            folder.mkdir(parents=True)
            if zipfile.is_zipfile(archive):
                _unzip(archive, folder)
            elif tarfile.is_tarfile(archive):
                _untar(archive, folder)
            else:
                raise DataError(f"{archive.name} is neither a zip nor a tar; give one, or a folder.")
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, EOFError, ValueError):
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(f"{archive.name} is damaged or cut off; download it again.") from None
    except (RuntimeError, NotImplementedError):
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(
            f"{archive.name} is locked or packed in an unusual way; unpack it yourself."
        ) from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _unzip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        members = packed.infolist()
        for member in members:
            _check_name(archive, member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise _unsafe(archive, member.filename)
        _check_size(archive, folder, sum(member.file_size for member in members))
        for member in members:
            packed.extract(member, folder)


def _untar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as packed:
        total = 0
        for member in packed:
            _check_name(archive, member.name)
            if not (member.isfile() or member.isdir()):
                raise _unsafe(archive, member.name)
            total += member.size
            _check_size(archive, folder, total)
        packed.extractall(folder, filter="data")


def _check_name(archive: Path, name: str) -> None:
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in name:
        raise _unsafe(archive, name)


def _unsafe(archive: Path, name: str) -> DataError:
    return DataError(
        f"{archive.name} holds {name[:80]!r}, a link or a path that leads out of its folder; nothing was "
        "unpacked. Do not use this archive."
    )


def _check_size(archive: Path, folder: Path, size: int) -> None:
    """Raise before anything is unpacked: DataError for a bomb, OSError for more than the disk holds."""
    if size > BOMB_SIZE and size > BOMB_RATIO * archive.stat().st_size:
        raise DataError(
            f"{archive.name} would unpack to {size / 2**30:,.1f} GB, more than {BOMB_RATIO} times its own "
            "size, as an archive made to fill disks does; if you trust it, unpack it yourself."
        )
    if size > shutil.disk_usage(folder).free:
        raise OSError(errno.ENOSPC, "No space left on device")
