"""From a file to its prediction: the one way in for the command line and the REST service."""

from __future__ import annotations

import logging
import math
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nerve_core.errors import NerveCoreError, RefusedScan, ScanError
from nerve_core.imaging.read import open_scan
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NOT_ASSESSABLE, Prediction

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor

Point = tuple[float, float]
"""(x, y) in px of the scan: x counts columns from the left, y rows from the top."""

_log = logging.getLogger(__name__)
_NUMBER = re.compile(r"[0-9]{1,9}")


class RequestError(NerveCoreError):
    """A field beside the file (point, frame) that cannot be used."""


def parse_point(text: str) -> Point:
    """Read ``"x,y"`` in px of the scan.

    Raises:
        RequestError: unless the text is two finite numbers, none negative, with a comma between them.

    >>> parse_point("120, 80.5")
    (120.0, 80.5)
    """
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y) and x >= 0 and y >= 0):
        raise RequestError(
            "The point must be two numbers x,y in pixels from the top left corner, such as 120,80."
        )
    return x, y


def parse_frame(text: str) -> int:
    """Read a frame number, counted from 0.

    Raises:
        RequestError: unless the text is a whole number of at most nine digits.
    """
    if not _NUMBER.fullmatch(text.strip()):
        raise RequestError("The frame must be a whole number, counted from 0.")
    return int(text)


def judge(
    predictor: Predictor,
    source: bytes | Path,
    name: str,
    frame: int = 0,
    click: Point | None = None,
) -> tuple[Scan, Prediction]:
    """Read one frame and predict it.

    Args:
        predictor: the loaded model.
        source: the file's bytes, or where it lies.
        name: base name of the file.
        frame: which frame of the file, from 0.
        click: point inside the nerve of interest, or None.

    Returns:
        The scan and its prediction; ``timings_ms`` gains ``read``, and ``total`` includes it.

    Raises:
        RequestError: the click lies outside the scan.
        RefusedScan: the picture must not be judged; the verdict is ``not assessable``.
        ScanError: the file, or that frame of it, cannot be used.
    """
    started = time.perf_counter()
    scan = _read(source, name, frame)
    read_ms = (time.perf_counter() - started) * 1e3
    height, width = scan.pixels.shape
    if click is not None and not (click[0] < width and click[1] < height):
        raise RequestError(
            f"The point {click[0]:g},{click[1]:g} lies outside the scan, which is {width} x {height} pixels."
        )
    prediction = predictor.predict(scan, click=click)
    if prediction.verdict == NOT_ASSESSABLE:
        raise RefusedScan(prediction.reason or "The scan cannot be assessed; record it again.")
    timings = {"read": read_ms, **prediction.timings_ms}
    timings["total"] = prediction.timings_ms.get("total", 0.0) + read_ms
    return scan, replace(prediction, timings_ms=timings)


def _read(source: bytes | Path, name: str, frame: int) -> Scan:
    try:
        return open_scan(source, name).scan(frame)
    except NerveCoreError:
        raise
    except MemoryError as fault:
        raise ScanError("The file needs more memory than this machine has; send a smaller one.") from fault
    except Exception as fault:
        # A decoder may fail in ways its authors did not foresee. Its message may quote patient data from
        # the header, so only the kind of fault is logged.
        _log.warning("a decoder failed with %s", type(fault).__name__)
        raise ScanError("The file is damaged and cannot be decoded; export it again.") from fault
