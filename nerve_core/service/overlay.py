"""Scans with their outlines drawn in, as PNG files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from nerve_core.errors import NerveCoreError
from nerve_core.imaging.read import base_name
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import AFFECTED, UNAFFECTED, Prediction

# Blue, green, red; told apart by colour-blind eyes as well (Okabe & Ito 2008).
_COLOURS = {AFFECTED: (0, 94, 213), UNAFFECTED: (233, 180, 86)}
_UNDECIDED = (66, 228, 240)


class OverlayError(NerveCoreError):
    """The folder for overlays cannot be made or written."""


class OverlayFolder:
    """Writes one overlay a scan into a folder, never two under one name.

    Args:
        folder: made when missing.
        sources: the files that are predicted; none of them is ever written over.

    Raises:
        OverlayError: the folder cannot be made.
    """

    def __init__(self, folder: Path, sources: Iterable[str]) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise OverlayError(_sentence(folder, fault)) from fault
        self._folder = folder
        self._taken = {Path(os.path.realpath(source)) for source in sources}

    def write(self, source: str, scan: Scan, prediction: Prediction) -> Path:
        """Draw one prediction and write it, complete or not at all.

        The name is the source's without folders: ``NAME_overlay.png``, then ``NAME_2_overlay.png``.

        Raises:
            OverlayError: the folder is full or may not be written.
        """
        done, png = cv2.imencode(".png", draw_overlay(scan, prediction))
        assert done
        stem = Path(base_name(source)).stem
        number, target = 1, self._place(f"{stem}_overlay.png")
        while target in self._taken:
            number += 1
            target = self._place(f"{stem}_{number}_overlay.png")
        self._taken.add(target)
        try:
            _write_atomically(target, png.tobytes())
        except OSError as fault:
            raise OverlayError(_sentence(self._folder, fault)) from fault
        return target

    def _place(self, name: str) -> Path:
        return Path(os.path.realpath(self._folder)) / name


def draw_overlay(scan: Scan, prediction: Prediction) -> np.ndarray:
    """The scan with each nerve outlined in the colour of its verdict, and the verdict in words below.

    Returns:
        uint8 (H, W, 3), blue, green, red, of the scan's size.
    """
    picture = cv2.cvtColor(np.asarray(scan.pixels), cv2.COLOR_GRAY2BGR)
    height, width = scan.pixels.shape
    thickness = max(1, round(max(height, width) / 400))
    for nerve in prediction.nerves:
        outline = np.rint(nerve.contour).astype(np.int32).reshape(-1, 1, 2)
        colour = _COLOURS.get(nerve.verdict, _UNDECIDED)
        cv2.polylines(picture, [outline], True, colour, thickness, cv2.LINE_AA)
    p = "" if prediction.p_affected is None else f" {prediction.p_affected:.2f}"
    words = f"{prediction.verdict}{p} - research use only"
    size = width / (20 * len(words))
    place = (round(width * 0.02), height - max(3, round(10 * size)))
    cv2.putText(picture, words, place, cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, words, place, cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), 1, cv2.LINE_AA)
    return picture


def _write_atomically(target: Path, data: bytes) -> None:
    handle, partial = tempfile.mkstemp(suffix=".part", prefix=".", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(partial, 0o644)
        os.replace(partial, target)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _sentence(folder: Path, fault: OSError) -> str:
    return f"The overlay folder {folder} cannot be written ({fault.strerror or type(fault).__name__})."
