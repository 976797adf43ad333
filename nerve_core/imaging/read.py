"""Read any upload into scans: PNG, JPEG, TIFF and BMP here, DICOM in ``dicom``; told apart by content.

Grey levels: 8-bit values are kept. Deeper whole numbers are divided by the depth in use, the bits that
hold the frame's largest value (at least 8): a 12-bit scan in a 16-bit file becomes 0 to 255 as
a 12-bit display would show it. Floats from 0 to 1 are multiplied by 255, those from 0 to 255 kept, others
stretched from their minimum to their maximum. Transparent pixels show black behind.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from nerve_core.config import settings
from nerve_core.errors import RefusedScan, ScanError
from nerve_core.imaging.clean import to_grey
from nerve_core.imaging.region import find_region
from nerve_core.imaging.scan import Scan

MIN_SIDE = 32
"""Smallest side of a frame, px."""
FORMATS = ("PNG", "JPEG", "TIFF", "BMP")


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
        """Decode one frame, from 0; safe under concurrent calls.

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
    data = _bytes(source)
    if name is None:
        name = "" if isinstance(source, bytes | bytearray | memoryview) else str(source)
    name = base_name(name)
    if data[128:132] == b"DICM":
        from nerve_core.imaging.dicom import open_dicom

        n_frames, decode = open_dicom(data, name)
    else:
        n_frames, decode = _open_image(data, name)
    return ScanFile(name, n_frames, decode)


def read_scan(source: bytes | str | Path, name: str | None = None, frame: int = 0) -> Scan:
    """One frame of a scan; arguments and errors as in ``open_scan``."""
    return open_scan(source, name).scan(frame)


def base_name(name: str) -> str:
    """File name without folders (of either kind), drive letters and control characters; ``scan`` if none is left."""
    last = re.split(r"[/\\]", name)[-1]
    last = "".join(letter for letter in last if letter.isprintable()).strip()
    return last[-200:] if last.strip(".") else "scan"


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
        raise ScanError(f"The file is larger than the limit of {limit} MB; export a single frame or a shorter clip.")
    if not length:
        raise ScanError("The file is empty; export the scan again.")
    return data


def _open_image(data: bytes, name: str) -> tuple[int, Callable[[int], Scan]]:
    image = _header(data)
    n_frames = _frames(image)
    check_frame_count(n_frames)

    def decode(frame: int) -> Scan:
        return make_scan(_pixels(data, frame), name=name, frame=frame, n_frames=n_frames)

    return n_frames, decode


def _header(data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ScanError(_too_large()) from None
    except Exception:  # decoders raise anything on damaged files, and none of it is for the user
        raise ScanError(
            "The file is not a picture that can be read; upload a PNG, JPEG, TIFF, BMP or DICOM scan."
        ) from None
    check_size(*image.size)
    return image


def _frames(image: Image.Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:
        raise ScanError(DAMAGED) from None


def _pixels(data: bytes, frame: int) -> np.ndarray:
    try:
        image = _header(data)
        if frame:
            image.seek(frame)
            check_size(*image.size)
        if image.getexif().get(0x0112, 1) != 1:
            image = ImageOps.exif_transpose(image)
        image.load()
        return _array(image)
    except ScanError:
        raise
    except Exception:
        raise ScanError(DAMAGED) from None


def _array(image: Image.Image) -> np.ndarray:
    """Samples of a decoded picture: (H, W) of any real dtype, or uint8 (H, W, 3)."""
    if image.mode in ("L", "F") or image.mode.startswith("I") or image.mode == "RGB":
        return np.asarray(image)
    if image.mode == "1":
        return np.asarray(image.convert("L"))
    if "transparency" in image.info or image.mode in ("LA", "PA", "La", "RGBA", "RGBa"):
        rgba = image.convert("RGBA")
        black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
        return np.asarray(Image.alpha_composite(black, rgba).convert("RGB"))
    return np.asarray(image.convert("RGB"))


DAMAGED = "The file is damaged or cut off and cannot be decoded; export or copy the scan again."


def _too_large() -> str:
    limit = settings().max_pixels
    return f"The picture is larger than the limit of {limit / 1e6:g} million pixels; export it at its original size."


def check_size(width: int, height: int) -> None:
    """Raise ScanError unless a frame's sides (px) are within the limits."""
    if width <= 0 or height <= 0:
        raise ScanError("The picture has no pixels; export the scan again.")
    if width * height > settings().max_pixels:
        raise ScanError(_too_large())
    if min(width, height) < MIN_SIDE:
        raise ScanError(f"The picture is only {width} × {height} px; at least {MIN_SIDE} px a side are needed.")


def check_frame_count(n_frames: int) -> None:
    """Raise ScanError unless a file's number of frames is within the limits."""
    limit = settings().max_frames
    if n_frames < 1:
        raise ScanError("The file holds no frame; export the scan again.")
    if n_frames > limit:
        raise ScanError(f"The file has {n_frames} frames, more than the limit of {limit}; export a shorter clip.")


def to_uint8(samples: np.ndarray) -> np.ndarray:
    """Samples of any depth as uint8 of the same shape, by the rule at the head of this module.

    Raises:
        RefusedScan: for values that are not finite.
    """
    if samples.dtype == np.uint8:
        return samples
    if samples.dtype == bool:
        return samples.astype(np.uint8) * 255
    values = samples.astype(np.float64)
    if not np.isfinite(values).all():
        raise RefusedScan("The picture holds values that are not numbers (NaN or infinity); export the scan again.")
    low, high = float(values.min()), float(values.max())
    if np.issubdtype(samples.dtype, np.integer):
        low = min(low, 0.0)
        top = float(2 ** max(8, int(high - low).bit_length()) - 1)
    elif low >= 0 and high <= 255:
        low, top = 0.0, 1.0 if high <= 1 else 255.0
    else:
        top = max(high - low, np.finfo(np.float64).tiny)
    return np.rint((values - low) * (255.0 / top)).astype(np.uint8)


def make_scan(samples: np.ndarray, **details: object) -> Scan:
    """A checked scan from decoded samples.

    Args:
        samples: (H, W) or (H, W, 3) of any real dtype.
        details: further fields of ``Scan``; a ``region`` that is missing or None is searched for.

    Raises:
        RefusedScan: for a blank frame, a photograph, or values that are not finite.
    """
    pixels = to_uint8(samples)
    grey = to_grey(np.ascontiguousarray(pixels)) if pixels.ndim == 3 else np.ascontiguousarray(pixels)
    if int(grey.min()) == int(grey.max()):
        raise RefusedScan("The picture is blank: every pixel has the same value; upload a scan that shows tissue.")
    if details.get("region") is None:
        details["region"] = find_region(grey)
    return Scan(pixels=grey, **details)  # type: ignore[arg-type]
