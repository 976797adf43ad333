"""What every reader shares: limits on size and number, conversion to grey 8 bit, blank frames refused.

Grey levels: 8-bit values are kept. Deeper whole numbers are divided by the depth in use, the bits that
hold the frame's largest value (at least 8): a 12-bit scan in a 16-bit file becomes 0 to 255 as
a 12-bit display would show it. Floats from 0 to 1 are multiplied by 255, those from 0 to 255 kept, others
stretched from their minimum to their maximum.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image

from nerve_core.config import settings
from nerve_core.errors import RefusedScan, ScanError
from nerve_core.imaging.clean import to_grey
from nerve_core.imaging.region import find_region
from nerve_core.imaging.scan import Scan

MIN_SIDE = 32
"""Smallest side of a frame, px."""
DAMAGED = "The file is damaged or cut off and cannot be decoded; export or copy the scan again."
NO_PIXELS = "The picture has no pixels: its width or height is zero; export the scan again."


def too_large() -> str:
    """What to say of a frame over the pixel limit."""
    limit = settings().max_pixels
    return f"The picture is larger than the limit of {limit / 1e6:g} million pixels; export it smaller."


@contextmanager
def decoding() -> Iterator[None]:
    """Turn whatever a decoder raises on a damaged file into one sentence of ours.

    Decoders raise anything, with values of the file in the text, and none of it is for the user.
    """
    try:
        yield
    except ScanError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ScanError(too_large()) from None
    except Exception:
        raise ScanError(DAMAGED) from None


def check_size(width: int, height: int) -> None:
    """Raise ScanError unless a frame's sides (px) are within the limits."""
    if width <= 0 or height <= 0:
        raise ScanError(NO_PIXELS)
    if width * height > settings().max_pixels:
        raise ScanError(too_large())
    if min(width, height) < MIN_SIDE:
        raise ScanError(f"The picture is only {width} × {height} px; at least {MIN_SIDE} a side are needed.")


def check_frame_count(n_frames: int) -> None:
    """Raise ScanError unless a file's number of frames is within the limits."""
    limit = settings().max_frames
    if n_frames < 1:
        raise ScanError("The file holds no frame; export the scan again.")
    if n_frames > limit:
        raise ScanError(f"The file has more than {limit} frames, which is the limit; export a shorter clip.")


def to_uint8(samples: np.ndarray) -> np.ndarray:
    """Samples of any depth as uint8 of the same shape, by the rule at the head of this module.

    Raises:
        RefusedScan: for values that are not finite.
    """
    if samples.dtype == np.uint8:
        return samples
    if samples.dtype == bool:
        return samples.astype(np.uint8) * 255
    values = samples.astype(np.result_type(samples.dtype, np.float32))  # float32 holds 16 bits exactly
    if not np.isfinite(values).all():
        raise RefusedScan("The picture holds NaN or infinite values; export the scan again.")
    low, high = float(values.min()), float(values.max())
    if np.issubdtype(samples.dtype, np.integer):
        low = min(low, 0.0)
        top = float(2 ** max(8, int(high - low).bit_length()) - 1)
    elif low >= 0 and high <= 255:
        low, top = 0.0, 1.0 if high <= 1 else 255.0
    else:
        top = max(high - low, np.finfo(np.float32).tiny)
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
        raise RefusedScan("The picture is blank: all its pixels are equal; upload a scan that shows tissue.")
    if details.get("region") is None:
        details["region"] = find_region(grey)
    return Scan(pixels=grey, **details)  # type: ignore[arg-type]
