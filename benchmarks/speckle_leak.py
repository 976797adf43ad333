"""Can the fine speckle alone tell simulated pathology from untouched and sham scans? It must not.

From every scan an original, a sham and an affected image are made. A classifier is shown nothing but the
high-pass speckle (scan minus its Gaussian blur, divided by its local strength) in a crop about the worked-on
nerve, at the network's scale, learns on one part of the groups and is judged on the rest. Two observers are
tried: texture measures with gradient boosting, and a small convolutional network. For comparison the
same is asked of two observers of plain clinical signs: size alone and mean echo alone (severity >= 0.5).

    python benchmarks/speckle_leak.py --manifest FILE... --out checkpoints/speckle_leak.json
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import kurtosis, skew
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from nerve_core.data.pathology import affect, sham

LONG_SIDE = 256
"""Longest side of a scan at the network's scale, px."""

CROP = 48
"""Side of the crop shown to the observers, px at the network's scale."""

VERSIONS = ("original", "sham", "affected")


@dataclass
class Sample:
    """One version of one scan as the observers see it."""

    speckle: np.ndarray  # float32 (CROP, CROP), unit local strength
    version: str
    group: str
    held_out: bool
    severity: float  # of the affected version, for all three
    area: float  # share of the image that the nerve covers
    echo: float  # mean grey level of the nerve over that of the ring around it


def high_pass(image: np.ndarray, sigma: float) -> np.ndarray:
    """Scan (uint8, H×W) minus its blur, over the local standard deviation: float32."""
    whole = image.astype(np.float32)
    fine = whole - cv2.GaussianBlur(whole, (0, 0), sigma)
    return fine / (np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), 3 * sigma)) + 1)


def cut(field: np.ndarray, y: float, x: float) -> np.ndarray:
    """A CROP×CROP piece centred on (y, x), mirrored beyond the border."""
    padded = cv2.copyMakeBorder(field, CROP, CROP, CROP, CROP, cv2.BORDER_REFLECT_101)
    top, left = round(y) + CROP // 2, round(x) + CROP // 2
    return padded[top : top + CROP, left : left + CROP]


def network_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """(width, height) with the longest side at LONG_SIDE px."""
    scale = LONG_SIDE / max(shape)
    return max(round(shape[1] * scale), 1), max(round(shape[0] * scale), 1)


def resized(image: np.ndarray, mask: bool = False) -> np.ndarray:
    """The image at the network's scale."""
    size = network_size(image.shape)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.where(small > 127, 255, 0).astype(np.uint8) if mask else small


def see(image: np.ndarray, nerve: np.ndarray, sigma: float) -> tuple[np.ndarray, float, float]:
    """Speckle crop, relative area and relative echo of a nerve (uint8 0/255) at the network's scale."""
    ys, xs = np.nonzero(nerve)
    near = cv2.dilate(nerve, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15))) > 0
    ring = near & (nerve == 0)
    echo = float(image[nerve > 0].mean()) - float(image[ring].mean() if ring.any() else 0)
    return cut(high_pass(image, sigma), ys.mean(), xs.mean()), float((nerve > 0).mean()), echo


def contiguous_split(groups: list[str], share: float, fold: int, blocks: int = 6) -> set[str]:
    """Held-out groups: ``blocks`` runs of neighbouring groups (as listed) that make up ``share`` of them.

    Neighbouring numbers may be one person, so whole runs are held out and not single groups. Each ``fold``
    holds out other groups.
    """
    ordered = list(dict.fromkeys(groups))
    size = len(ordered) / blocks
    held: set[str] = set()
    for k in range(blocks):
        start = round((k + fold * share) * size)
        held.update(ordered[start : start + max(1, round(share * size))])
    return held


def natural(text: str) -> tuple[int, str]:
    """Sort key: by the number in the name."""
    digits = "".join(c for c in text if c.isdigit())
    return int(digits or 0), text


def make_samples(
    manifests: list[Path], limit: int, seed: int, at_network_scale: bool, sigma: float, fold: int = 0
) -> list[Sample]:
    """All three versions of up to ``limit`` scans a manifest, spread evenly over its groups."""
    samples: list[Sample] = []
    for manifest in manifests:
        with manifest.open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row.get("mask")]
        rows.sort(key=lambda row: natural(row["group"]))
        held = contiguous_split([row["group"] for row in rows], 0.3, fold)
        for number in np.unique(np.linspace(0, len(rows) - 1, min(limit, len(rows))).round().astype(int)):
            row = rows[number]
            image = cv2.imread(str(manifest.parent / row["image"]), cv2.IMREAD_GRAYSCALE)
            mask = cv2.imread(str(manifest.parent / row["mask"]), cv2.IMREAD_GRAYSCALE)
            if at_network_scale:
                image, mask = resized(image), resized(mask, mask=True)
            if (mask > 0).sum() < 60:
                continue
            rng = np.random.default_rng([seed, number])
            changed = affect(image, mask, rng, site=row.get("site", ""))
            control = sham(image, mask, rng, site=row.get("site", ""), nerve=changed.nerve)
            _, labels = cv2.connectedComponents((mask > 0).astype(np.uint8))
            before = np.where(labels == changed.nerve + 1, 255, 0).astype(np.uint8)
            pairs = ((image, before), (control.image, control.changed), (changed.image, changed.changed))
            small = [(resized(i), resized(m, mask=True)) for i, m in pairs]
            if any((m > 0).sum() < 30 for _, m in small):
                continue
            for version, (picture, nerve) in zip(VERSIONS, small, strict=True):
                speckle, area, echo = see(picture, nerve, sigma)
                group = f"{manifest.parent.name}:{row['group']}"
                samples.append(
                    Sample(speckle, version, group, row["group"] in held, changed.severity, area, echo)
                )
    return samples


def texture_measures(speckle: np.ndarray) -> np.ndarray:
    """Local strength, shape of the distribution, autocorrelation lengths and spectrum bands of a crop."""
    out: list[float] = []
    half = CROP // 4
    centre = speckle[half:-half, half:-half]
    for part in (speckle, centre):
        out += [part.std(), float(kurtosis(part, None)), float(skew(part, None)), np.abs(part).mean()]
        flat = part - part.mean()
        power = float((flat * flat).mean()) + 1e-9
        out += [float((flat[:, k:] * flat[:, :-k]).mean()) / power for k in (1, 2, 3, 4, 6)]
        out += [float((flat[k:] * flat[:-k]).mean()) / power for k in (1, 2, 3, 4, 6)]
        out += [
            float((flat[1:, 1:] * flat[:-1, :-1]).mean()) / power,
            float((flat[1:, :-1] * flat[:-1, 1:]).mean()) / power,
        ]
        spectrum = np.abs(np.fft.fft2(flat)) ** 2
        frequency = np.hypot(np.fft.fftfreq(part.shape[0])[:, None], np.fft.fftfreq(part.shape[1])[None])
        total = spectrum.sum() + 1e-9
        edges = np.linspace(0, 0.5, 9)
        out += [
            float(spectrum[(frequency >= a) & (frequency < b)].sum() / total)
            for a, b in itertools.pairwise(edges)
        ]
    local = cv2.blur(speckle * speckle, (9, 9))
    out += [float(local.std()), float(np.sqrt(local[half:-half, half:-half].mean() / (local.mean() + 1e-9)))]
    return np.array(out, np.float32)


def boosted(train: list[Sample], test: list[Sample], truth: Callable[[Sample], int], seed: int) -> np.ndarray:
    """Scores of gradient boosting on texture measures."""
    model = HistGradientBoostingClassifier(
        max_iter=150,
        learning_rate=0.05,
        max_leaf_nodes=15,
        l2_regularization=1.0,
        class_weight="balanced",
        random_state=seed,
    )
    model.fit(np.stack([texture_measures(s.speckle) for s in train]), [truth(s) for s in train])
    return model.predict_proba(np.stack([texture_measures(s.speckle) for s in test]))[:, 1]


def convolved(
    train: list[Sample], test: list[Sample], truth: Callable[[Sample], int], seed: int, epochs: int
) -> np.ndarray:
    """Scores of a small convolutional network on the crops, mirrored and shifted in training."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for into, out in ((1, 16), (16, 32), (32, 48)):
        layers += [
            nn.Conv2d(into, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
        ]
        layers += [nn.BatchNorm2d(out), nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(48, 1))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)
    x = torch.from_numpy(np.stack([s.speckle for s in train]))[:, None].to(device)
    y = torch.tensor([float(truth(s)) for s in train], device=device)
    weight = (1 - y.mean()) / y.mean()
    steps = epochs * (len(train) // 64 + 1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    for _ in range(steps):
        pick = torch.randint(len(train), (64,), device=device)
        batch = x[pick]
        if torch.rand(1) < 0.5:
            batch = batch.flip(-1)
        batch = batch.roll(tuple(torch.randint(-3, 4, (2,)).tolist()), (-2, -1))
        loss = nn.functional.binary_cross_entropy_with_logits(model(batch)[:, 0], y[pick], pos_weight=weight)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    model.eval()
    seen = torch.from_numpy(np.stack([s.speckle for s in test]))[:, None].to(device)
    with torch.no_grad():
        return (
            torch.cat([model(part)[:, 0] + model(part.flip(-1))[:, 0] for part in seen.split(256)])
            .cpu()
            .numpy()
        )


def judged(
    score: np.ndarray, test: list[Sample], truth: Callable[[Sample], int], rng: np.random.Generator
) -> dict[str, object]:
    """AUC with a 95 % interval from resampling groups."""
    y = np.array([truth(s) for s in test])
    groups = np.array([s.group for s in test])
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    drawn = []
    for _ in range(500):
        at = np.concatenate([members[k] for k in rng.integers(len(members), size=len(members))])
        if 0 < y[at].sum() < at.size:
            drawn.append(roc_auc_score(y[at], score[at]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {
        "auc": round(float(roc_auc_score(y, score)), 3),
        "ci95": [round(float(low), 3), round(float(high), 3)],
        "n": int(y.size),
        "positive": int(y.sum()),
        "groups": len(members),
    }


QUESTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "affected_vs_rest": (VERSIONS, "affected"),
    "affected_vs_sham": (("sham", "affected"), "affected"),
    "sham_vs_original": (("original", "sham"), "sham"),
}


def figures(options: argparse.Namespace, sigma: float) -> dict[str, object]:
    """Every question put to every observer at one strength of the high-pass."""
    rng = np.random.default_rng(options.seed)
    samples = make_samples(
        options.manifest, options.limit, options.seed, not options.native, sigma, options.fold
    )
    result: dict[str, object] = {}
    for name, (versions, positive) in QUESTIONS.items():

        def truth(sample: Sample, positive: str = positive) -> int:
            return int(sample.version == positive)

        train = [s for s in samples if s.version in versions and not s.held_out]
        test = [s for s in samples if s.version in versions and s.held_out]
        entry: dict[str, object] = {
            "n_train": len(train),
            "texture": judged(boosted(train, test, truth, options.seed), test, truth, rng),
        }
        if not options.skip_network:
            entry["network"] = judged(
                convolved(train, test, truth, options.seed, options.epochs), test, truth, rng
            )
        result[name] = entry
        print(sigma, name, json.dumps(entry), flush=True)
    clear = [s for s in samples if s.held_out and s.severity >= 0.5]

    def affected(sample: Sample) -> int:
        return int(sample.version == "affected")

    result["size_alone"] = judged(np.array([s.area for s in clear]), clear, affected, rng)
    result["echo_alone"] = judged(np.array([-s.echo for s in clear]), clear, affected, rng)
    print(sigma, "size", result["size_alone"], "echo", result["echo_alone"], flush=True)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, help="write the figures here as JSON")
    parser.add_argument("--limit", type=int, default=400, help="scans a manifest, spread over its groups")
    parser.add_argument(
        "--sigma",
        type=float,
        nargs="+",
        default=[1.0, 1.75],
        help="blur taken off, px at the network's scale; the second lets fascicle borders through",
    )
    parser.add_argument("--fold", type=int, default=1, help="held-out groups; 0 served to tune the synthesis")
    parser.add_argument("--native", action="store_true", help="synthesise at native size, then resize")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--skip-network", action="store_true", help="texture measures only")
    options = parser.parse_args()

    result: dict[str, object] = {
        "made_at": "native size" if options.native else "network size",
        "crop_px": CROP,
        "fold": options.fold,
        "scans_a_set_at_most": options.limit,
    }
    for sigma in options.sigma:
        result[f"sigma_{sigma}_px"] = figures(options, sigma)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main()
