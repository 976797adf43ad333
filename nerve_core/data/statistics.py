"""Numbers that describe each scan of a manifest: how large, where, how deep and how bright its nerve is."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nerve_core.data.manifest import Row
from nerve_core.data.packed import read_mask
from nerve_core.errors import DataError, NerveCoreError
from nerve_core.imaging.read import open_scan
from nerve_core.imaging.scan import Scan, Spacing

if TYPE_CHECKING:
    import pandas as pd

RING = (0.15, 0.65)
"""Where the ring around a nerve begins and ends, in radii of a circle of the nerve's area."""

Key = tuple[str, str, str, int, int]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ScanNumbers:
    """What is measured of one scan; None where there is no contour or no scale.

    Shares and echo are taken within the part of the frame that shows ultrasound.

    Attributes:
        problem: why the scan could not be measured, one sentence; empty when it was.
        frame, n_frames: the frame measured, from 0 (the middle one of a loop), and how many the file has.
        width_px, height_px: of the whole frame.
        nerves: contours in the frame.
        area_px, area_share: all nerves together, px² and share of the ultrasound region (0 to 1).
        area_mm2: the same in mm², where the file or the manifest states a scale.
        x_share, depth_share: centre of the largest nerve, 0 left or top to 1 right or bottom of the region.
        depth_mm: depth of that centre below the top of the region, mm.
        echo_inside: mean grey level (0 to 255) inside the nerves.
        echo_ring: mean grey level of the ring around them, see ``RING``.
        echo_region: mean grey level of the whole region.
    """

    problem: str = ""
    frame: int = 0
    n_frames: int = 1
    width_px: int = 0
    height_px: int = 0
    nerves: int = 0
    area_px: int = 0
    area_share: float | None = None
    area_mm2: float | None = None
    x_share: float | None = None
    depth_share: float | None = None
    depth_mm: float | None = None
    echo_inside: float | None = None
    echo_ring: float | None = None
    echo_region: float | None = None


def measure(scan: Scan, mask: np.ndarray | None, spacing_mm: Spacing | None = None) -> ScanNumbers:
    """The numbers of one frame.

    Args:
        scan: the frame.
        mask: bool (H, W), True in nerves; None where the scan has no contour.
        spacing_mm: (row, column) mm per px to use where the scan states none.
    """
    assert scan.region is not None
    top, left, bottom, right = scan.region
    pixels = scan.pixels[top:bottom, left:right]
    height, width = scan.pixels.shape
    whole = {
        "frame": scan.frame,
        "n_frames": scan.n_frames,
        "width_px": width,
        "height_px": height,
        "echo_region": float(pixels.mean()),
    }
    if mask is None or not mask.any():
        return ScanNumbers(**whole)
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    x, y = (float(value) for value in centres[largest])
    spacing = scan.spacing_at(y, x) or spacing_mm
    area = int((labels > 0).sum())
    nerve = mask[top:bottom, left:right]
    ring = _ring(nerve, int(stats[largest, cv2.CC_STAT_AREA]))
    return ScanNumbers(
        **whole,
        nerves=count - 1,
        area_px=area,
        area_share=area / pixels.size,
        area_mm2=area * spacing[0] * spacing[1] if spacing else None,
        # Pixel centres lie at whole numbers, so the region's left edge is half a pixel before its first one.
        x_share=(x + 0.5 - left) / (right - left),
        depth_share=(y + 0.5 - top) / (bottom - top),
        depth_mm=(y + 0.5 - top) * spacing[0] if spacing else None,
        echo_inside=float(pixels[nerve].mean()) if nerve.any() else None,
        echo_ring=float(pixels[ring].mean()) if ring.any() else None,
    )


def _ring(nerve: np.ndarray, area: int) -> np.ndarray:
    """Bool (H, W): the tissue around the nerves, apart from their bright rim."""
    radius = max(float(np.sqrt(area / np.pi)), 4.0)
    away = cv2.distanceTransform(1 - nerve.astype(np.uint8), cv2.DIST_L2, 5)
    return (away > RING[0] * radius) & (away <= RING[1] * radius)


def spacing_of(row: Row) -> Spacing | None:
    """(row, column) mm per px as the manifest states it: one number, or two for rows and columns.

    None where the column is missing or empty. Raises DataError for anything else.
    """
    text = row.get("spacing_mm", "").strip()
    if not text:
        return None
    try:
        numbers = [float(part) for part in text.strip("()[]").replace(",", " ").replace(";", " ").split()]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or not all(0 < number < 10 for number in numbers):
        raise DataError(
            f"The manifest gives {text!r} as spacing_mm; give mm per px: one number, or one each for row and "
            "column."
        )
    return numbers[0], numbers[-1]


def look(row: Row, frame: int | None = None) -> tuple[Scan, np.ndarray | None]:
    """One frame of a row and its contour.

    Args:
        row: a manifest row with absolute paths.
        frame: from 0; None takes the middle one, where a loop shows what it was made for.

    Returns:
        The scan, and a bool mask (H, W), None where the row names none.

    Raises:
        ScanError: the image cannot be used.
        DataError: the mask cannot be used.
    """
    file = open_scan(Path(row["image"]))
    scan = file.scan(file.n_frames // 2 if frame is None else frame)
    if not row.get("mask"):
        return scan, None
    return scan, _mask(row["mask"], scan)


def _mask(path: str, scan: Scan) -> np.ndarray:
    if scan.n_frames == 1:
        return read_mask(path, scan.pixels.shape)
    name = Path(path).name
    try:
        read, pages = cv2.imreadmulti(path, scan.frame, 1, flags=cv2.IMREAD_GRAYSCALE)
    except cv2.error:
        read, pages = False, ()
    if not read or not pages:
        raise DataError(f"The mask {name} has no page {scan.frame + 1}; give a TIFF with a page a frame.")
    if pages[0].shape != scan.pixels.shape:
        raise DataError(f"The mask {name} and its scan differ in size; give both the same size.")
    return pages[0] > pages[0].max() // 2


def measure_row(row: Row) -> ScanNumbers:
    """The numbers of a row's scan; what is wrong with it goes into ``problem`` instead of being raised."""
    try:
        return measure(*look(row), spacing_of(row))
    except NerveCoreError as error:
        return ScanNumbers(problem=str(error))


def key_of(row: Row) -> Key:
    """What a row's numbers depend on: its files, their times of change and the scale stated."""
    image, mask = row["image"], row.get("mask", "")
    return image, mask, row.get("spacing_mm", ""), _changed(image), _changed(mask)


def _changed(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns if path else 0
    except (OSError, ValueError):
        return 0


def measure_rows(
    rows: Sequence[Row],
    known: MutableMapping[Key, ScanNumbers] | None = None,
    progress: Progress | None = None,
) -> list[ScanNumbers]:
    """Numbers of every row, in order.

    Args:
        rows: manifest rows with absolute paths.
        known: numbers found earlier, by ``key_of``; used and added to, so that a scan is read once.
        progress: called with (done, all) before each scan that has to be read.
    """
    known = {} if known is None else known
    found = []
    for index, row in enumerate(rows):
        key = key_of(row)
        if key not in known:
            if progress is not None:
                progress(index, len(rows))
            known[key] = measure_row(row)
        found.append(known[key])
    return found


def spread(rows: Sequence[Row], most: int) -> list[int]:
    """Indices of at most ``most`` rows, evenly spread, so that a huge set is described by a fair part."""
    if len(rows) <= most:
        return list(range(len(rows)))
    return [int(index) for index in np.linspace(0, len(rows) - 1, most).round()]


def frame_of(rows: Sequence[Row], numbers: Sequence[ScanNumbers]) -> pd.DataFrame:
    """A table with the manifest's columns and the numbers beside them, one row a scan.

    Where both have a column of one name, the manifest's is called ``manifest_NAME``.
    """
    import pandas as pd

    fields = set(ScanNumbers.__dataclass_fields__)
    records = [
        {f"manifest_{name}" if name in fields else name: value for name, value in row.items()}
        | asdict(number)
        for row, number in zip(rows, numbers, strict=True)
    ]
    return pd.DataFrame.from_records(records)
