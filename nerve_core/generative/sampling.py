"""Sets of generated scans on disk, in the layout of every other set."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

from nerve_core.data.augment import resample
from nerve_core.data.manifest import LABELS, Row, is_simulated
from nerve_core.data.packed import Packed
from nerve_core.errors import DataError
from nerve_core.generative.config import GenerateConfig
from nerve_core.generative.contour_maps import contour_maps
from nerve_core.generative.enhance import enhance
from nerve_core.generative.origin import origin_licence
from nerve_core.generative.painter import LATENT
from nerve_core.generative.patches import scaled, to_grey, to_signed

COLUMNS = (
    "image", "mask", "label", "group", "nerve", "site", "device", "simulated", "generated", "method",
    "source", "licence",
)  # fmt: skip

Drawn = tuple[np.ndarray, np.ndarray, Row]
"""Picture and 0/1 mask, uint8 (H, W), and the row they were drawn from, with its label."""


def translated(translate: nn.Module, packed: Packed, side: int) -> Iterator[Drawn]:
    """Every picture restyled, at a long side of ``side`` px; masks and labels stay."""
    for image, mask, row in zip(packed.images, packed.masks, packed.rows, strict=True):
        yield restyle(translate, scaled(image, side)), scaled(mask, side, mask=True), row


def enhanced(network: nn.Module, packed: Packed, side: int) -> Iterator[Drawn]:
    """Every picture enhanced, at its own size; masks and labels stay."""
    for image, mask, row in zip(packed.images, packed.masks, packed.rows, strict=True):
        yield enhance(network, image, side), mask, row


@torch.no_grad()
def restyle(translate: nn.Module, image: np.ndarray) -> np.ndarray:
    """One uint8 picture (H, W) through a translator; its size stays."""
    height, width = image.shape
    grown = cv2.copyMakeBorder(image, 0, -height % 4, 0, -width % 4, cv2.BORDER_REFLECT_101)
    return to_grey(translate(to_signed(grown)[None])[0])[:height, :width]


def painted(
    paint: nn.Module,
    packed: Packed,
    config: GenerateConfig,
    about: dict[str, Any],
    seed: int,
    label: str = "",
    look: str = "",
) -> Iterator[Drawn]:
    """A scan painted for every mask, the long side as the painter has it; one seed, the same pictures.

    Args:
        label: of all; empty alternates.
        look: set to imitate; empty takes one at random for each.

    Raises:
        DataError: for a label or set unknown to the painter.
    """
    names = [one["set"] for one in about["sets"]]
    if look and look not in names:
        raise DataError(f"This painter cannot imitate {look!r}; choose one of {', '.join(names)}.")
    if label and label not in LABELS:
        raise DataError(f"A label is {' or '.join(LABELS)}, not {label!r}.")
    parts = zip(packed.images, packed.masks, packed.vessels, packed.rows, strict=True)
    for index, (image, mask, vessel, row) in enumerate(parts):
        rng = np.random.default_rng([seed, index])
        which = names.index(look) if look else int(rng.integers(len(names)))
        called = label or LABELS[index % 2]
        coded = mask if vessel is None else mask + 2 * vessel
        _, coded, inside = resample(image, coded, config.patch, rng, None)
        nerve, known = coded & 1, None if vessel is None else coded >> 1
        maps = contour_maps(inside, nerve, called == "affected", known, which, len(names))
        code, noise = (
            torch.from_numpy(rng.standard_normal(shape).astype(np.float32))
            for shape in ((1, LATENT), (1, 1, *nerve.shape))
        )
        with torch.no_grad():
            drawn = paint(torch.from_numpy(maps)[None], code, noise)
        # Cut to the region: a black frame around it would set painted scans apart from all others.
        top, left = (int(np.flatnonzero(inside.any(axis))[0]) for axis in (1, 0))
        region = np.s_[top : top + inside.any(1).sum(), left : left + inside.any(0).sum()]
        yield (
            to_grey(drawn[0])[region],
            nerve[region],
            row | {"label": called, "device": f"in the look of {names[which]}"},
        )


def write_set(out: Path, drawn: Iterator[Drawn], about: dict[str, Any]) -> Path:
    """Write generated scans with masks and ``out/manifest.csv``; the folder appears only when all is there.

    Every row has ``generated`` and ``simulated`` 1, so that no figure rests on it, and says in ``licence``
    and ``source`` where it comes from (kind, set and file name of what it was drawn from).

    Raises:
        DataError: the folder holds something already.
    """
    if out.exists() and any(out.iterdir()):
        raise DataError(f"{out} is not empty; choose another folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        with (partial / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, COLUMNS, extrasaction="ignore", restval="")
            table.writeheader()
            for index, (image, mask, row) in enumerate(drawn):
                name = f"{index:05d}"
                for file, pixels in ((f"{name}.png", image), (f"{name}-mask.png", mask * np.uint8(255))):
                    if not cv2.imwrite(str(partial / file), pixels):
                        raise DataError(f"{out} cannot be written; make room on the disk, or choose another.")
                table.writerow(row | _told(row, about) | {"image": f"{name}.png", "mask": f"{name}-mask.png"})
        partial.chmod(0o755)
        if out.exists():
            out.rmdir()
        os.replace(partial, out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return out / "manifest.csv"


def _told(row: Row, about: dict[str, Any]) -> Row:
    kind = "phantom" if is_simulated(row) else "scan"
    return {
        "simulated": "1",
        "generated": "1",
        "method": about["config"]["method"],
        "source": f"{kind} {row.get('set', '')}/{Path(row['image']).name}",
        "licence": origin_licence(row, about),
    }


def chosen(packed: Packed, count: int | None) -> Packed:
    """The first ``count`` pictures; for more than there are, all of them again."""
    places: Sequence[int] = range(len(packed) if count is None else count)
    parts = (packed.rows, packed.images, packed.masks, packed.vessels)
    return Packed(*([part[k % len(packed)] for k in places] for part in parts))
