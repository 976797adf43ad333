"""Sample scans with truth, all simulated: the recipe that writes them and the list that pages show."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, PngImagePlugin

from nerve_core.config import settings
from nerve_core.data.phantom import Phantom, simulate, simulate_sweep
from nerve_core.data.phantom_machines import PROBES
from nerve_core.errors import DataError

SOURCE = "simulated by nerve_core.data.phantom; no patient, no volunteer"
LICENCE = "CC0-1.0"
COLUMNS = (
    "image",
    "mask",
    "mask_vessel",
    "label",
    "severity",
    "group",
    "nerve",
    "site",
    "device",
    "spacing_mm",
    "source",
    "licence",
    "title",
)


@dataclass(frozen=True)
class Sample:
    """One sample scan as the pages list it.

    Attributes:
        title: a line for a menu; it says that the scan is simulated.
        path: the image, PNG or DICOM.
        mask_path: the nerves, 0/255, PNG, or TIFF with a page for each frame.
        site, nerve: where on the body, and the main nerve.
        label: ``affected`` or ``unaffected``.
        severity: 0 when unaffected, up to 1.
        spacing_mm: mm per px, the same in both directions; None when not known.
        device: the simulated scanner.
        licence: terms of use.
    """

    title: str
    path: Path
    mask_path: Path
    site: str
    nerve: str
    label: str
    severity: float
    spacing_mm: float | None
    device: str
    licence: str


@dataclass(frozen=True)
class Recipe:
    """How one sample is made.

    ``form`` is ``png``, ``capture``, ``dicom`` or ``sweep``; ``probe`` is ``linear`` or ``curved``.
    """

    seed: int
    site: str
    severity: float = 0.0
    form: str = "png"
    size: tuple[int, int] = (400, 480)
    probe: str = "linear"

    @property
    def stem(self) -> str:
        state = "affected" if self.severity else "unaffected"
        return f"simulated-{self.site}-{state}" + ("" if self.form == "png" else f"-{self.form}")


RECIPES = (
    Recipe(8, "wrist"),
    Recipe(3, "wrist", 0.8),
    Recipe(3, "elbow"),
    Recipe(6, "elbow", 0.7),
    Recipe(0, "axilla"),
    Recipe(7, "axilla", 0.7),
    Recipe(6, "neck"),
    Recipe(0, "neck", 0.8),
    Recipe(7, "groin"),
    Recipe(8, "popliteal", 0.7),
    Recipe(5, "popliteal", form="dicom"),
    Recipe(4, "groin", 0.8, "capture"),
    Recipe(7, "wrist", 0.9, "sweep", (288, 352)),
    Recipe(3, "ankle"),
    Recipe(2, "forearm", 0.8),
    Recipe(1, "thigh", form="dicom", size=(440, 520), probe="curved"),
)
FRAMES = 24


def list_samples(folder: Path | None = None) -> list[Sample]:
    """The samples in a folder's ``manifest.csv`` (default: the configured folder), in its order.

    A folder without a manifest has no samples.

    Raises:
        DataError: when a row lacks a column or names a file that is not there.
    """
    folder = folder or settings().samples
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        return []
    samples = []
    with manifest.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            try:
                sample = Sample(
                    row["title"],
                    folder / row["image"],
                    folder / row["mask"],
                    row["site"],
                    row["nerve"],
                    row["label"],
                    float(row["severity"] or 0),
                    float(row["spacing_mm"]) if row["spacing_mm"] else None,
                    row["device"],
                    row["licence"],
                )
            except (KeyError, TypeError, ValueError) as problem:
                raise DataError(
                    f"The list of samples {manifest.name} is damaged ({problem}); write it again with "
                    "`python -m nerve_core samples`."
                ) from problem
            for path in (sample.path, sample.mask_path):
                if not path.is_file():
                    raise DataError(
                        f"The sample {path.name} is missing; write it again with "
                        "`python -m nerve_core samples`."
                    )
            samples.append(sample)
    return samples


def write_samples(out: Path, seed: int = 0) -> list[Sample]:
    """Write every sample, its masks and ``manifest.csv`` to a folder; files of the same name are replaced.

    Args:
        out: folder, made when missing.
        seed: 0 writes the samples that come with the project; another one writes others like them.

    Returns:
        The samples in the manifest's order.

    Raises:
        DataError: when the folder cannot be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        rows = [_write(recipe, out, recipe.seed + 1000 * seed) for recipe in RECIPES]
        with (out / "manifest.csv").open("w", newline="", encoding="utf-8") as lines:
            writer = csv.DictWriter(lines, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    except OSError as problem:
        raise DataError(
            f"The samples could not be written to {out}: {problem.strerror or problem}."
        ) from problem
    return list_samples(out)


def _write(recipe: Recipe, out: Path, seed: int) -> dict[str, str]:
    made = {
        "site": recipe.site,
        "affected": recipe.severity > 0,
        "severity": recipe.severity or 0.7,
        "size": recipe.size,
    }
    if recipe.probe != "linear":
        made["machine"] = PROBES[recipe.probe][seed % len(PROBES[recipe.probe])]
    if recipe.form == "sweep":
        frames = simulate_sweep(seed, frames=FRAMES, **made)
    else:
        frames = (simulate(seed, **made),)
    first = frames[0]
    masks = [frame.mask for frame in frames]
    vessels = [frame.vessel_mask for frame in frames]
    image, mask, vessel = recipe.stem + ".png", recipe.stem + "_mask.png", recipe.stem + "_vessels.png"
    spacing, what = f"{first.spacing_mm[0]:.5f}", "scan"
    if recipe.form == "png":
        _save_png(out / image, first.image, first)
    elif recipe.form == "capture":
        # A capture carries no scale: what is known of it must not be used as if it had been read.
        pixels, place = screen_capture(first)
        masks, vessels = [_placed(masks[0], place, pixels.shape)], [_placed(vessels[0], place, pixels.shape)]
        _save_png(out / image, pixels, first)
        what = "screen capture"
    else:
        from nerve_core.data.phantom_dicom import save_dicom

        image = recipe.stem + ".dcm"
        save_dicom(out / image, frames)
        what = "calibrated DICOM" + (f" sweep of {len(frames)} frames" if len(frames) > 1 else "")
    if len(frames) > 1:
        mask, vessel = recipe.stem + "_mask.tif", recipe.stem + "_vessels.tif"
    _save_masks(out / mask, masks)
    _save_masks(out / vessel, vessels)
    state = f"{first.nerve} nerve" if " " not in first.nerve else first.nerve
    title = f"Simulated {what}: {first.site}, {state}, {first.label}"
    return dict(
        zip(
            COLUMNS,
            (
                image,
                mask,
                vessel,
                first.label,
                f"{first.severity:g}",
                f"phantom-{first.site}-{seed}",
                first.nerve,
                first.site,
                first.device,
                spacing,
                SOURCE,
                LICENCE,
                title,
            ),
            strict=True,
        )
    )


def _save_png(path: Path, pixels: np.ndarray, phantom: Phantom) -> None:
    note = PngImagePlugin.PngInfo()
    note.add_text(
        "Description", f"Simulated ultrasound ({phantom.site}, seed {phantom.seed}); not of a patient."
    )
    note.add_text("Copyright", LICENCE)
    Image.fromarray(pixels).save(path, pnginfo=note, optimize=True)


def _save_masks(path: Path, masks: list[np.ndarray]) -> None:
    pages = [Image.fromarray(mask) for mask in masks]
    if path.suffix == ".tif":
        pages[0].save(path, save_all=True, append_images=pages[1:], compression="tiff_deflate")
    else:
        pages[0].save(path, optimize=True)


def _placed(mask: np.ndarray, place: tuple[int, int], shape: tuple[int, ...]) -> np.ndarray:
    canvas = np.zeros(shape[:2], np.uint8)
    canvas[place[0] : place[0] + mask.shape[0], place[1] : place[1] + mask.shape[1]] = mask
    return canvas


def screen_capture(phantom: Phantom) -> tuple[np.ndarray, tuple[int, int]]:
    """A phantom as a photograph of a scanner's screen would hold it.

    Returns:
        RGB uint8 (H, W, 3) with letterbox borders, text, a depth ruler and a coloured probe mark, and the
        (row, column) px at which the scan lies in it.
    """
    height, width = phantom.image.shape
    top, left = 64, 96
    canvas = np.zeros((height + top + 56, width + left + 112, 3), np.uint8)
    canvas[top : top + height, left : left + width] = phantom.image[..., None]
    depth = height * phantom.spacing_mm[0]

    def write(text: str, x: int, y: int, size: float = 0.45, colour: tuple = (205, 205, 205)) -> None:
        cv2.putText(canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)

    write("SIMULATED - NO PATIENT", 12, 22)
    write("Linear 12 MHz   MSK Nerve", 12, 42, 0.4, (150, 150, 150))
    write("MI 0.8  TIs 0.1", canvas.shape[1] - 130, 22, 0.4, (150, 150, 150))
    write(f"D {depth / 10:.1f} cm", 10, top + 30, 0.4)
    write("G 54", 10, top + 50, 0.4)
    write("DR 60", 10, top + 70, 0.4)
    ruler = left + width + 14
    for millimetre in range(0, int(depth) + 1, 5):
        y = top + round(millimetre / phantom.spacing_mm[0])
        cv2.line(canvas, (ruler, y), (ruler + (10 if millimetre % 10 == 0 else 5), y), (190, 190, 190), 1)
        if millimetre % 10 == 0 and millimetre:
            write(str(millimetre // 10), ruler + 16, y + 4, 0.4)
    # The mark that shows which way the probe is held lies over the scan, in colour.
    cv2.circle(canvas, (left + 16, top + 16), 7, (40, 200, 235), 2, cv2.LINE_AA)
    cv2.line(canvas, (left + 16, top + 23), (left + 16, top + 31), (40, 200, 235), 2, cv2.LINE_AA)
    write("1/1", 12, canvas.shape[0] - 18, 0.4, (150, 150, 150))
    return canvas, (top, left)
