"""Calibration of the verdict on validation groups, through the same path that predictions take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from nerve_core.data.manifest import is_simulated, read_manifests
from nerve_core.data.packed import read_mask
from nerve_core.data.pathology import affect, sham
from nerve_core.imaging.read import read_scan
from nerve_core.imaging.scan import Scan
from nerve_core.inference.backends import best_backend
from nerve_core.inference.predictor import Predictor

SEED = 4711
"""Of the pathology written into the validation scans; neither training nor the final test uses it."""

MOST = 240
"""Most scans used, spread evenly over the validation rows."""


def calibrate(folder: Path, manifests: Sequence[str | Path]) -> dict[str, float]:
    """Fit slope and bias of the verdict's logit (Platt 1999) and store them in the checkpoint's config.

    Every scan is judged as it is or as a sham, and with a pathology; the nerve that was worked on is looked
    up among the predicted contours, so that the contour's errors are part of what is calibrated. Scans in
    which it was not found are left out.

    Args:
        folder: a checkpoint.
        manifests: those it was trained on; the real scans of its validation groups are used.

    Returns:
        ``slope, bias, n``; slope 1 and bias 0 when too few nerves were found to fit anything.
    """
    predictor = Predictor(folder, "cpu", best_backend("cpu"))
    groups = set(predictor.config["split"]["val"])
    rows = [
        row
        for row in read_manifests(manifests)
        if row["mask"] and row["group"] in groups and not is_simulated(row)
    ]
    logits: list[float] = []
    labels: list[int] = []
    chosen = [rows[k] for k in np.unique(np.linspace(0, len(rows) - 1, min(MOST, len(rows))).astype(int))]
    for k, row in enumerate(chosen):
        scan = read_scan(row["image"])
        mask = read_mask(row["mask"], scan.pixels.shape) * np.uint8(255)
        rng = np.random.default_rng([SEED, k])
        image = np.array(scan.pixels)
        changed = affect(image, mask, rng, site=row.get("site", ""))
        healthy = sham(image, mask, rng, site=row.get("site", ""), nerve=changed.nerve)
        for label, version in ((1, changed), (0, healthy)):
            found = predictor.find(Scan(version.image, region=scan.region))
            overlap = [int((nerve & (version.changed > 127)).sum()) for nerve in found]
            if overlap and max(overlap) > 0:
                logits.append(predictor.logit(version.image, found[int(np.argmax(overlap))]))
                labels.append(label)
    fitted = {"slope": 1.0, "bias": 0.0, "n": len(labels)}
    if len(set(labels)) == 2 and len(labels) >= 40:
        model = LogisticRegression(class_weight="balanced", C=1e6)
        model.fit(np.array(logits)[:, None], labels)
        fitted |= {"slope": float(model.coef_[0, 0]), "bias": float(model.intercept_[0])}
    path = folder / "config.json"
    config = json.loads(path.read_text()) | {"calibration": fitted}
    partial = path.with_suffix(".json.part")
    partial.write_text(json.dumps(config, indent=1) + "\n")
    partial.replace(path)
    return fitted
