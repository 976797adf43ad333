"""What the classical methods learn from the training groups: the prior, and the pixel classifiers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression

from nerve_core.data.packed import read_mask
from nerve_core.errors import DataError
from nerve_core.evaluation.classical.candidates import GRID, Prior, Ranker, second_order
from nerve_core.evaluation.classical.classifiers import PixelModels, fit_models
from nerve_core.evaluation.classical.edges import Canny, canny
from nerve_core.evaluation.classical.growing import Growing, region_growing
from nerve_core.evaluation.classical.regions import CLICK_FEATURES, FEATURES, describe
from nerve_core.evaluation.classical.registry import method_of
from nerve_core.evaluation.classical.thresholds import AdaptiveThreshold, Otsu, adaptive_threshold, otsu
from nerve_core.evaluation.classical.view import View, view_of
from nerve_core.evaluation.progress import Progress
from nerve_core.imaging.click import random_click
from nerve_core.imaging.read import read_scan
from nerve_core.imaging.scan import Scan

Row = Mapping[str, str]
Read = Callable[[str], Scan]

EXAMPLES = 40
"""Most regions of a scan from which the prior learns to choose."""


def rows_on(rows: Sequence[Row], side: str) -> list[Row]:
    """Contoured rows of one side of the split.

    Args:
        rows: with the column ``split``, as ``training_rows`` gives them.
        side: ``train`` or ``val``; test rows are never learned from or tuned on.

    Raises:
        DataError: a row has no ``split``, or none is left.
    """
    if side not in ("train", "val"):
        raise DataError(f"Classical methods learn from train and are tuned on val, not on {side!r}.")
    if any("split" not in row for row in rows):
        raise DataError("Every row needs its split; make the rows with training_rows.")
    kept = [row for row in rows if row["split"] == side and row.get("mask")]
    if not kept:
        raise DataError(f"No contoured row is on the side {side!r} of the split; add scans with contours.")
    return kept


def training_views(
    rows: Sequence[Row], clicked: bool, seed: int = 0, read: Read = read_scan
) -> Iterator[tuple[View, np.ndarray]]:
    """Pictures and true masks uint8 0/1 (H, W) of the training rows.

    Args:
        rows: with their ``split``; others than training rows are left out.
        clicked: with a click as a person might place it; the mask is then of the nerve clicked.
        seed: of the clicks.
        read: makes a scan of a file.
    """
    for number, row in enumerate(rows_on(rows, "train")):
        scan = read(row["image"])
        mask = read_mask(row["mask"], scan.pixels.shape).astype(np.uint8)
        click = None
        if clicked:
            click = random_click(mask, np.random.default_rng([seed, number]))
            if click is None:
                continue
            labels = cv2.connectedComponents(mask)[1]
            mask = (labels == labels[round(click[1]), round(click[0])]).astype(np.uint8)
        view = view_of(scan, click)
        small = (view.from_scan(mask) >= 0.5).astype(np.uint8)
        if small.any():
            yield view, small


def fit_prior(
    rows: Sequence[Row], seed: int = 0, read: Read = read_scan, progress: Progress | None = None
) -> Prior:
    """Learn from the contours of the training rows how nerves look among other regions.

    Raises:
        DataError: no training row shows a nerve.
    """
    plain = list(training_views(rows, False, seed, read))
    if not plain:
        raise DataError("No training scan shows a nerve; give scans with contours.")
    location = np.mean(
        [cv2.resize(m.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA) for _, m in plain], 0
    )
    nerves = [nerve for _, mask in plain for nerve in _nerves(mask)]
    shares = [np.count_nonzero(nerve) / nerve.size for nerve in nerves]
    blank = {
        count: Ranker(np.zeros(count), np.ones(count), np.zeros(count * (count + 3) // 2), 0.0)
        for count in (len(FEATURES), len(FEATURES) + len(CLICK_FEATURES))
    }
    first = Prior(
        location.astype(np.float32),
        float(np.percentile(shares, 1)),
        float(np.median(shares)),
        float(np.percentile(shares, 99)),
        float(np.median([_elongation(nerve) for nerve in nerves])),
        *blank.values(),
    )
    rankers = []
    for clicked in (False, True):
        views = training_views(rows, True, seed, read) if clicked else plain
        features: list[np.ndarray] = []
        overlaps: list[float] = []
        for number, (view, mask) in enumerate(views):
            rng = np.random.default_rng([seed, number, int(clicked)])
            places = first.places(view)
            nerves = _nerves(mask)
            for region in _examples(view, first, rng):
                features.append(describe(view, region, places))
                overlaps.append(max(dice(region, nerve) for nerve in nerves))
            if progress is not None:
                progress(number + 1 + clicked * len(plain), 2 * len(plain))
        if not features:
            raise DataError("No region could be found in the training scans; give scans that show something.")
        rankers.append(fit_ranker(np.array(features), np.array(overlaps)))
    sizes = (first.smallest, first.typical, first.largest, first.elongation)
    return Prior(first.location, *sizes, *rankers)


def fit_ranker(features: np.ndarray, overlaps: np.ndarray) -> Ranker:
    """A logistic model of the overlap: each region counts as good by its overlap and as bad by the rest.

    Args:
        features: (N, F).
        overlaps: (N,), 0 to 1.
    """
    mean, scale = features.mean(0), features.std(0) + 1e-6
    table = second_order((features - mean) / scale)
    model = LogisticRegression(C=0.05, max_iter=500)
    labels = np.repeat([1, 0], len(table))
    model.fit(np.concatenate([table, table]), labels, np.concatenate([overlaps, 1 - overlaps]) + 1e-6)
    return Ranker(mean, scale, model.coef_[0], float(model.intercept_[0]))


def fit_pixel_models(
    name: str, rows: Sequence[Row], prior: Prior, seed: int = 0, read: Read = read_scan
) -> PixelModels:
    """Fit a superpixel classifier of the registry on the training rows.

    Raises:
        DataError: the method does not learn, or there is nothing to learn from.
    """
    entry = method_of(name)
    if entry.estimator is None:
        raise DataError(f"{entry.title} has nothing to fit; only tune it.")
    views = (training_views(rows, clicked, seed, read) for clicked in (False, True))
    return fit_models(entry.estimator, *views, prior, entry.most, seed)


def dice(found: np.ndarray, true: np.ndarray) -> float:
    """Sørensen–Dice coefficient of two masks, 1 when both are empty."""
    total = np.count_nonzero(found) + np.count_nonzero(true)
    return 2 * np.count_nonzero((found > 0) & (true > 0)) / total if total else 1.0


def _nerves(mask: np.ndarray) -> list[np.ndarray]:
    count, labels = cv2.connectedComponents(mask)
    return [(labels == k).astype(np.uint8) for k in range(1, count)]


def _elongation(mask: np.ndarray) -> float:
    (_, (a, b), _) = cv2.minAreaRect(np.argwhere(mask)[:, ::-1].astype(np.float32))
    return max(a + 1, b + 1) / (min(a, b) + 1)


def _examples(view: View, prior: Prior, rng: np.random.Generator) -> list[np.ndarray]:
    """What several methods propose, with settings drawn at random.

    True contours are not among them: no method proposes anything so smooth, and a prior that has seen them
    looks for smoothness before everything else (on validation scans it chose worse).
    """
    sigma, opening = float(rng.choice((1.5, 3.0, 5.0))), float(rng.choice((0.01, 0.02, 0.035)))
    pool = [
        *otsu(view, prior, Otsu(sigma, int(rng.integers(2, 5)), opening)),
        *canny(view, prior, Canny(sigma)),
        *region_growing(view, prior, Growing(sigma, float(rng.uniform(0.3, 1.0)), opening)),
    ]
    for side in ("dark", "bright"):
        how = AdaptiveThreshold(sigma, float(rng.choice((0.06, 0.1, 0.16))), float(rng.uniform(0, 0.3)), side)
        pool += adaptive_threshold(view, prior, how)
    if view.click is not None:
        # Beside a click the question is which of the regions near it, so the far ones teach little.
        x, y = (round(value) for value in view.click)
        reach = max(3, round(prior.radius(view)))
        near = np.s_[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        pool = [region for region in pool if region[near].any()]
    most = 2 * prior.largest * view.grey.size
    pool = [region for region in pool if prior.least(view) <= np.count_nonzero(region) <= most]
    return [pool[k] for k in rng.permutation(len(pool))[:EXAMPLES]]
