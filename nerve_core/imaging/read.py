"""Read any upload into scans: PNG, JPEG, TIFF and BMP here, DICOM in ``dicom``; told apart by content.

Transparent pixels show black behind them; a picture turned by its EXIF tag is turned back; how deep
pictures become 8 bit is said in ``frames``.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from nerve_core.config import settings
from nerve_core.errors import ScanError
from nerve_core.imaging.frames import NO_PIXELS, check_frame_count, check_size, decoding, make_scan
from nerve_core.imaging.scan import Scan

SIGNATURES = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "BMP": (b"BM",),
}
"""First bytes of each picture format that is read."""
NOT_AN_IMAGE = "The file is not a picture that can be read; upload a PNG, JPEG, TIFF, BMP or DICOM scan."
MAX_NAME = 200
"""Longest file name kept, characters."""
_EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True, eq=False)
class ScanFile:
    """An opened file; a frame is decoded when it is asked for, so a long cine costs no memory.

    Attributes:
        name: base name of the file, without folders.
        n_frames: number of frames, at least 1.
    """

    name: str
    n_frames: int
    _decode: Callable[[int], Scan]

    def scan(self, frame: int = 0) -> Scan:
        """Decode one frame, counted from 0; safe under concurrent calls.

        Raises:
            ScanError: for a damaged frame or a frame number the file does not have.
            RefusedScan: for a blank frame or a colour photograph.
        """
        if not 0 <= frame < self.n_frames:
            raise ScanError(f"There is no frame {frame}: the file has {self.n_frames}, counted from 0.")
        return self._decode(frame)


def open_scan(source: bytes | str | Path, name: str | None = None) -> ScanFile:
    """Open a scan from its bytes or its path.

    Args:
        source: the file's bytes, or where it is.
        name: name to show; only its base name is kept. By default the path's, or ``scan``.

    Raises:
        ScanError: in one sentence, whatever is wrong with the file.
        RefusedScan: for a readable file that is no ultrasound scan.
    """
    from nerve_core.imaging.dicom import looks_like_dicom, open_dicom

    data = _bytes(source)
    if name is None:
        name = "" if isinstance(source, bytes | bytearray | memoryview) else str(source)
    name = base_name(name)
    n_frames, decode = open_dicom(data, name) if looks_like_dicom(data) else _open_image(data, name)
    return ScanFile(name, n_frames, decode)


def read_scan(source: bytes | str | Path, name: str | None = None, frame: int = 0) -> Scan:
    """One frame of a scan; arguments and errors as in ``open_scan``."""
    return open_scan(source, name).scan(frame)


def base_name(name: str) -> str:
    """File name without folders (of either kind) and control characters; ``scan`` when nothing is left."""
    last = re.split(r"[/\\]", name)[-1]
    last = "".join(letter for letter in last if letter.isprintable()).strip()
    return last[-MAX_NAME:] if last.strip(". ") else "scan"


def _bytes(source: bytes | str | Path) -> bytes:
    limit = settings().max_upload_mb
    if isinstance(source, bytes | bytearray | memoryview):
        data, length = bytes(source), len(source)
    else:
        try:
            length = Path(source).stat().st_size
            data = Path(source).read_bytes() if length <= limit * 2**20 else b""
        except (OSError, ValueError):
            raise ScanError("The file cannot be opened; check that it exists and may be read.") from None
    if length > limit * 2**20:
        raise ScanError(f"The file is larger than the limit of {limit} MB; export a frame or a shorter clip.")
    if not length:
        raise ScanError("The file is empty; export the scan again.")
    return data


def _open_image(data: bytes, name: str) -> tuple[int, Callable[[int], Scan]]:
    """Number of frames of a picture file, and how to decode one."""
    kind = next((kind for kind, starts in SIGNATURES.items() if data.startswith(starts)), None)
    if kind is None:
        raise ScanError(NOT_AN_IMAGE)
    if kind == "PNG" and len(data) >= 24 and 0 in struct.unpack(">II", data[16:24]):
        raise ScanError(NO_PIXELS)  # Pillow does not tell this from other damage
    with decoding():
        n_frames = _count_frames(_header(data, kind))
    check_frame_count(n_frames)

    def decode(frame: int) -> Scan:
        with decoding():
            samples = _samples(data, kind, frame)
        return make_scan(samples, name=name, frame=frame, n_frames=n_frames)

    return n_frames, decode


def _header(data: bytes, kind: str) -> Image.Image:
    """The picture with only its header read, within the size limits."""
    image = Image.open(io.BytesIO(data), formats=[kind])
    check_size(*image.size)
    return image


def _count_frames(image: Image.Image) -> int:
    """Number of frames, counted no further than one over the limit."""
    if not getattr(image, "is_animated", False):
        return 1
    beyond = settings().max_frames + 1
    for frame in range(1, beyond):  # one by one: after a leap Pillow miscounts the pages of a TIFF
        try:
            image.seek(frame)
        except EOFError:
            return frame
    return beyond


def _samples(data: bytes, kind: str, frame: int) -> np.ndarray:
    """Decoded picture: (H, W) of any real dtype, or uint8 (H, W, 3)."""
    image = _header(data, kind)
    if frame:
        image.seek(frame)
        check_size(*image.size)
    if image.getexif().get(_EXIF_ORIENTATION, 1) != 1:
        image = ImageOps.exif_transpose(image)
    if "transparency" in image.info or image.mode in ("LA", "PA", "La", "RGBA", "RGBa"):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image).convert("RGB")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode not in ("L", "F", "RGB") and not image.mode.startswith("I"):
        image = image.convert("RGB")
    return np.asarray(image)
