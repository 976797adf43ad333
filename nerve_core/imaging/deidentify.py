"""De-identification on the way in: a header by a stated profile, everything outside the ultrasound blanked.

What is kept is what is judged: the grey 8-bit frames of :mod:`nerve_core.imaging.read`, in which coloured
screen marks are painted over, with every pixel outside the ultrasound region black, written losslessly.
Reading them again gives the same pixels, scale and frame numbers. Names of files are not kept.

Three things mark the region: where the file states regions of two-dimensional ultrasound, only those; within
them (or in the whole frame) what :func:`nerve_core.imaging.region.find_region` finds; and in that box, small
bright pieces apart from the tissue, such as text in the corner beside a sector, are blanked too. Text written
over the tissue itself is not recognised: a person has to look at the :class:`Preview`.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
from PIL import Image, TiffTags

from nerve_core.errors import RefusedScan, ScanError
from nerve_core.imaging.frames import decoding
from nerve_core.imaging.read import SIGNATURES, ScanFile, open_scan
from nerve_core.imaging.region import BLACK, PIECE_SHARE, find_region
from nerve_core.imaging.scan import Box, Scan

MAX_TOTAL = 1_000_000_000
"""Most pixels of all frames together, px."""
BRIGHT = 96
"""Grey level that text reaches; faint speckle apart from the tissue stays below it."""
TALLEST = 0.05
"""Tallest such piece, as a share of the region's height."""
FULLEST = 0.7
"""Largest share of its box that such a piece may fill; letters leave more open."""
MARGIN = 2
"""Pixels around a blanked piece that go with it."""
_GEOMETRY_TAGS = frozenset(
    (256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 282, 283, 284, 296, 317, 338, 339)
)

WHOLE_FRAME = (
    "Nothing around the ultrasound was found to blank: the whole picture is kept; look whether it holds text."
)
STATED_TEXT = "The file says that text is written into its picture; look at what is left."
UNREADABLE_FRAMES = "{count} frames that are blank or no grey ultrasound were blacked out whole."


@dataclass(frozen=True, eq=False)
class Deidentified:
    """A scan without identity.

    Attributes:
        data: the new file: DICOM for DICOM, else PNG, or TIFF with a page a frame.
        name: a neutral name for it, from its content.
        removed: what was taken out or replaced, in words; names of fields, never their values.
        blanked: share of the pixels that were blanked, 0 to 1.
        cautions: what a person should look at before the file leaves.
    """

    data: bytes = field(repr=False)
    name: str
    removed: tuple[str, ...]
    blanked: float
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class HeaderField:
    """One field of the header before and after; values are for the eyes of who holds the file alone."""

    name: str
    before: str = field(repr=False)
    after: str = field(repr=False)


@dataclass(frozen=True, eq=False)
class Preview:
    """What leaves, and what does not.

    Attributes:
        before, after: uint8 (H, W), the frame as it came and as it leaves.
        fields: of the header; ``after`` is empty for what is removed. Empty for pictures.
        cleaned: the file that would leave.
    """

    before: np.ndarray
    after: np.ndarray
    fields: tuple[HeaderField, ...]
    cleaned: Deidentified


def deidentify(
    data: bytes, name: str = "", *, salt: bytes | None = None, pseudonym: str = "", shift_dates: bool = False
) -> Deidentified:
    """Take identity out of an upload.

    Args:
        data: the file's bytes: anything :func:`nerve_core.imaging.read.open_scan` reads.
        name: the file's name, which is dropped.
        salt: secret from which the new UIDs, pseudonym and shift of dates are made, so that what belongs
            together stays together; None takes :func:`site_salt`.
        pseudonym: what to call the patient in a DICOM header; by default one made from the salt.
        shift_dates: keep dates of a DICOM header, moved back by up to ten years by the same days for a
            patient; else they are removed.

    Raises:
        ScanError: the file cannot be read, or is too large.
        RefusedScan: it is no ultrasound scan.
    """
    from nerve_core.imaging.dicom import looks_like_dicom

    file = open_scan(data, name)
    keep, blanked, cautions = _what_to_keep(file, data)
    frames = _kept_frames(file, keep)
    if looks_like_dicom(data):
        from nerve_core.imaging.deidentify_header import clean_dicom, says_text

        if says_text(data):
            cautions = (*cautions, STATED_TEXT)
        salt = site_salt() if salt is None else salt
        options = {"pseudonym": pseudonym, "shift_dates": shift_dates, "text_may_remain": bool(cautions)}
        with decoding():
            cleaned, removed = clean_dicom(data, frames, file.n_frames, salt, **options)
        extension = ".dcm"
    else:
        removed = _metadata(data)
        cleaned, extension = _picture(frames, file.n_frames)
    if name:
        removed = ("file name", *removed)
    digest = hashlib.sha256(cleaned).hexdigest()[:16]
    return Deidentified(cleaned, f"scan-{digest}{extension}", removed, blanked, cautions)


def preview(data: bytes, name: str = "", frame: int = 0, **options: object) -> Preview:
    """What :func:`deidentify` would do to a file, to be looked at before it leaves.

    Args:
        data, name: the upload.
        frame: which to show, from 0.
        options: as for :func:`deidentify`.

    Raises:
        ScanError: as :func:`deidentify`.
    """
    from nerve_core.imaging.dicom import looks_like_dicom

    cleaned = deidentify(data, name, **options)  # type: ignore[arg-type]
    before, after = (open_scan(each, name).scan(frame).pixels for each in (data, cleaned.data))
    fields: tuple[HeaderField, ...] = ()
    if looks_like_dicom(data):
        from nerve_core.imaging.deidentify_header import header_rows

        with decoding():
            fields = tuple(HeaderField(*row) for row in header_rows(data, cleaned.data))
    return Preview(before, after, fields, cleaned)


@cache
def site_salt() -> bytes:
    """``NERVE_DEIDENTIFY_SALT`` as bytes, else a secret of this process: nothing links files of two runs."""
    return os.environ.get("NERVE_DEIDENTIFY_SALT", "").encode() or secrets.token_bytes(32)


def _what_to_keep(file: ScanFile, data: bytes) -> tuple[np.ndarray, float, tuple[str, ...]]:
    """Which pixels of every frame are ultrasound, bool (H, W), the share of the others, and cautions.

    A frame that is refused adds nothing; a file of nothing else is refused.
    """
    boxes = _stated_boxes(data)
    keep: np.ndarray | None = None
    marks: np.ndarray | None = None
    refused, first = 0, None
    total = 0
    for number in range(file.n_frames):
        try:
            pixels = file.scan(number).pixels
        except RefusedScan as fault:
            refused, first = refused + 1, first or fault
            continue
        total += pixels.size
        if total > MAX_TOTAL:
            raise ScanError("The clip has too many pixels to be cleaned at once; export a shorter one.")
        if keep is None or marks is None or keep.shape != pixels.shape:
            if keep is not None:
                raise ScanError("The pages of the file differ in size; export them one by one.")
            keep, marks = np.zeros(pixels.shape, bool), np.zeros(pixels.shape, bool)
        for box in boxes or [(0, 0, *pixels.shape)]:
            _add(pixels, box, keep, marks)
    if keep is None or marks is None:
        assert first is not None
        raise first
    keep &= ~marks
    cautions = []
    if keep.all():
        cautions.append(WHOLE_FRAME)
    if refused:
        cautions.append(UNREADABLE_FRAMES.format(count=refused))
    return keep, float(1 - keep.mean()), tuple(cautions)


def _add(pixels: np.ndarray, box: Box, keep: np.ndarray, marks: np.ndarray) -> None:
    """Enter one frame's ultrasound within a box into ``keep``, bright pieces apart from it into ``marks``."""
    top, left, bottom, right = box
    inner = find_region(np.ascontiguousarray(pixels[top:bottom, left:right]))
    top, left, bottom, right = top + inner[0], left + inner[1], top + inner[2], left + inner[3]
    part = (slice(top, bottom), slice(left, right))
    keep[part] = True
    marks[part] |= _bright_pieces_apart(pixels[part])


def _bright_pieces_apart(pixels: np.ndarray) -> np.ndarray:
    """Boxes around bright pieces outside the hull of the tissue, bool (H, W)."""
    found = np.zeros(pixels.shape, bool)
    lit = cv2.threshold(np.ascontiguousarray(pixels), BLACK, 255, cv2.THRESH_BINARY)[1]
    lit = cv2.morphologyEx(lit, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, centres = cv2.connectedComponentsWithStats(lit, connectivity=8)
    if count < 3:
        return found
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    large = areas >= PIECE_SHARE * areas.max()
    large[0] = False
    points = cv2.findNonZero(large[labels].astype(np.uint8))
    hull = cv2.convexHull(points)
    bright = np.zeros(count, bool)
    bright[np.unique(labels[pixels >= BRIGHT])] = True
    for number in np.flatnonzero(bright & ~large):
        if number == 0 or cv2.pointPolygonTest(hull, tuple(map(float, centres[number])), False) >= 0:
            continue
        x, y, width, height = stats[number, :4]
        filled = float((pixels[y : y + height, x : x + width] > BLACK).mean())
        if height > TALLEST * pixels.shape[0] or filled > FULLEST:
            continue  # tissue beside a shadow, or skin over gel: writing is neither that tall nor that full
        found[max(0, y - MARGIN) : y + height + MARGIN, max(0, x - MARGIN) : x + width + MARGIN] = True
    return found


def _stated_boxes(data: bytes) -> list[Box]:
    """Regions of two-dimensional ultrasound that a DICOM file states, (top, left, bottom, right) px."""
    from nerve_core.imaging.dicom import looks_like_dicom

    if not looks_like_dicom(data):
        return []
    from nerve_core.imaging.deidentify_header import stated_boxes

    with decoding():
        return stated_boxes(data)


def _kept_frames(file: ScanFile, keep: np.ndarray) -> Callable[[int], np.ndarray]:
    """How to make a frame with only the ultrasound left, uint8 (H, W); black where it is refused."""

    def frame(number: int) -> np.ndarray:
        try:
            scan: Scan = file.scan(number)
        except RefusedScan:
            return np.zeros(keep.shape, np.uint8)
        return np.where(keep, scan.pixels, 0).astype(np.uint8)

    return frame


def _picture(frames: Callable[[int], np.ndarray], n_frames: int) -> tuple[bytes, str]:
    """PNG of one frame, TIFF of several, with nothing but the pixels in them; and the file's extension."""
    stream = io.BytesIO()
    first = Image.fromarray(frames(0))
    if n_frames == 1:
        first.save(stream, "PNG")
        return stream.getvalue(), ".png"
    rest = (Image.fromarray(frames(number)) for number in range(1, n_frames))
    first.save(stream, "TIFF", save_all=True, append_images=rest, compression="tiff_deflate")
    return stream.getvalue(), ".tif"


def _metadata(data: bytes) -> tuple[str, ...]:
    """What a picture file carries besides its pixels, in words; names, never values."""
    kind = next(kind for kind, starts in SIGNATURES.items() if data.startswith(starts))
    with decoding():
        image = Image.open(io.BytesIO(data), formats=[kind])
        image.load()
        named = _named(image)
    return tuple(dict.fromkeys(named))


def _named(image: Image.Image) -> Sequence[str]:
    found = [f"picture text {key}" for key in getattr(image, "text", {}) if str(key).isprintable()]
    known = {"exif": "EXIF", "icc_profile": "colour profile", "comment": "comment", "xmp": "XMP"}
    known |= {"XML:com.adobe.xmp": "XMP", "photoshop": "Photoshop data", "dpi": "resolution"}
    found += [word for key, word in known.items() if key in image.info]
    found += ["EXIF"] if len(image.getexif()) and image.format != "TIFF" else []
    for tag in getattr(image, "tag_v2", None) or ():
        if tag not in _GEOMETRY_TAGS:
            found.append(f"TIFF tag {TiffTags.lookup(tag).name}")
    return found
