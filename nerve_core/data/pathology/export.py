"""Write a whole set: for every scan with a contour the original, one sham and one affected image."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from nerve_core.data.manifest import Row, read_manifest
from nerve_core.data.packed import read_mask
from nerve_core.data.pathology.synthesis import Altered, affect, sham
from nerve_core.errors import DataError
from nerve_core.imaging.read import read_scan

OWN_COLUMNS = (
    "image", "mask", "label", "kind", "severity", "sham", "group", "source_image", "nerve_mask", "altered",
)  # fmt: skip
KEPT_COLUMNS = ("nerve", "site", "device", "spacing_mm", "source", "licence")
"""Columns of the source manifest that are carried over where it has them."""


def write_pathology_set(
    manifest: str | Path,
    out: str | Path,
    seed: int = 0,
    severity: tuple[float, float] = (0.3, 1.0),
    limit: int | None = None,
) -> Path:
    """Write the original, a sham and an affected version of every scan with a contour, as PNG.

    The same manifest and seed give the same files: each scan's randomness comes from the seed and its path
    in the manifest alone. The set is written beside ``out`` and put in place when it is complete.

    Args:
        manifest: CSV as in :func:`nerve_core.data.manifest.read_manifest`; rows without contour are skipped,
            and so are those labelled *affected*, of which no healthy original is known.
        out: folder to make; refused when it holds anything.
        seed: of all randomness.
        severity: range from which the severity is drawn evenly.
        limit: write at most so many scans, spread evenly over the manifest; None writes all.

    Returns:
        Path of ``out/manifest.csv`` with ``image, mask, label, kind`` (joined by ``+``), ``severity`` (0
        where unaffected), ``sham`` (0/1), ``group, source_image`` (as in the source manifest),
        ``nerve_mask`` (the worked-on nerve alone), ``altered`` (the pixels that the pathology changed;
        empty where unaffected), and the source's nerve, site, device, scale, source and licence. Paths
        are relative to it.

    Raises:
        DataError: ``out`` is not empty, the severity range is impossible, a mask cannot be
            used, or no row has a contour.
        ScanError: a listed image cannot be read.
    """
    manifest, out = Path(manifest), Path(out)
    low, high = severity
    if not 0 < low <= high <= 1:
        raise DataError(f"Severity must be a range within (0, 1], got {low} to {high}.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out} is not an empty folder; give a new one, nothing is overwritten.")
    rows = [row for row in read_manifest(manifest) if row.get("mask") and row.get("label") != "affected"]
    if limit is not None and limit < len(rows):
        rows = [rows[k] for k in np.unique(np.linspace(0, len(rows) - 1, max(limit, 1)).round().astype(int))]
    home = (manifest if manifest.is_dir() else manifest.parent).resolve()
    kept = [name for name in KEPT_COLUMNS if any(row.get(name) for row in rows)]
    out.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        written = [made for row in rows for made in _versions(row, home, building, seed, severity)]
        if not written:
            raise DataError(
                f"No scan in {manifest.name} has a contour and is not affected already; pathology is written "
                "into contours of unaffected nerves only."
            )
        with (building / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*OWN_COLUMNS, *kept], extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(written)
        building.chmod(0o755)
        os.replace(building, out)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return out / "manifest.csv"


def _versions(
    row: Row, home: Path, folder: Path, seed: int, severity: tuple[float, float]
) -> Iterator[dict[str, str]]:
    """Write the three versions of one scan and give their manifest rows; nothing where the mask is empty."""
    source = Path(os.path.relpath(row["image"], home)).as_posix()
    image = np.array(read_scan(row["image"]).pixels)
    mask = read_mask(row["mask"], image.shape) * np.uint8(255)
    if not mask.any():
        return
    digest = hashlib.sha256(source.encode()).digest()
    rng = np.random.default_rng([seed, int.from_bytes(digest[:8], "little")])
    site = row.get("site") or row.get("nerve", "")
    changed = affect(image, mask, rng, severity=float(rng.uniform(*severity)), site=site)
    control = sham(image, mask, rng, site=site, nerve=changed.nerve)
    _, labels = cv2.connectedComponents((mask > 0).astype(np.uint8))
    untouched = Altered(
        image, mask, np.zeros(mask.shape, bool), changed.nerve, (), 0.0, False,
        np.where(labels == changed.nerve + 1, 255, 0).astype(np.uint8),
    )  # fmt: skip
    stem = f"{Path(source).stem}-{digest.hex()[:8]}"
    for name, version in (("original", untouched), ("sham", control), ("affected", changed)):
        made = dict(row)
        made["image"] = _write(folder, "images", f"{stem}-{name}", version.image)
        made["mask"] = _write(folder, "masks", f"{stem}-{name}", version.mask)
        made["nerve_mask"] = _write(folder, "nerves", f"{stem}-{name}", version.changed)
        made["label"] = "affected" if version.kinds else "unaffected"
        made["kind"] = "+".join(version.kinds)
        made["severity"] = f"{version.severity:.3f}" if version.kinds else "0"
        made["sham"] = str(int(version.sham))
        made["source_image"] = source
        made["altered"] = ""
        if version.kinds:
            made["altered"] = _write(folder, "altered", f"{stem}-{name}", version.altered * np.uint8(255))
        yield made


def _write(folder: Path, kind: str, stem: str, image: np.ndarray) -> str:
    (folder / kind).mkdir(exist_ok=True)
    if not cv2.imwrite(str(folder / kind / f"{stem}.png"), image):
        raise DataError(f"{stem}.png could not be written; check the space left on the disk.")
    return f"{kind}/{stem}.png"
