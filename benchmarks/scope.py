"""Fit the learned gate of some weights and measure it: what is refused of pictures it should not judge.

    python -m benchmarks.scope --data DIR --pictures DIR --weights research [--manifest FILE…]

``DIR`` of ``--data`` holds one folder a set, ``muscle`` among them; further manifests (phantoms) count as
sets too. ``--pictures`` holds ``fit/KIND/`` and ``test/KIND/`` with pictures that are no ultrasound
(photographs, screenshots, drawings, CT, MR, X-ray), from sources that differ between the two. The gate is
fitted to training groups, its thresholds to validation groups, and measured on test groups; muscle is judged
by a gate that has not seen the recording. ``scope.safetensors`` goes beside the weights, the figures into
``benchmarks/results/trust.json`` under ``scope``. With ``--features FILE`` what the network computes is kept
for the next time.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from benchmarks.regenerate import sets_in, write_json
from nerve_core.config import ROOT
from nerve_core.errors import DataError, ScanError
from nerve_core.evaluation.evaluate import read_rows, sides_of
from nerve_core.evaluation.progress import on_stderr
from nerve_core.evaluation.scope_fit import fit_scope
from nerve_core.evaluation.verdicts import rate
from nerve_core.imaging.frames import make_scan
from nerve_core.imaging.gate import check_quality
from nerve_core.imaging.read import read_scan
from nerve_core.imaging.scan import Scan
from nerve_core.inference.scope import FOREIGN, MUSCLE, UNFAMILIAR, Scope

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor

TARGET = ROOT / "benchmarks" / "results" / "trust.json"
SAMPLES = ROOT / "data" / "samples"
MARGIN = 0.02
"""By how much every shipped sample must stay within reach."""
VARIED = 2
"""Every so many-th scan is also learned from in a varied copy; of muscle, every one."""


def main(argv: Sequence[str] | None = None) -> int:
    """Fit, store, measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scope")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="one folder a set of scans")
    parser.add_argument("--pictures", type=Path, required=True, metavar="DIR", help="fit/ and test/ by kind")
    parser.add_argument("--manifest", type=Path, nargs="*", default=[], metavar="FILE", help="further sets")
    parser.add_argument("--weights", metavar="NAME", help="which weights (default: the configured ones)")
    parser.add_argument("--features", type=Path, metavar="FILE", help="keep features here (npz)")
    args = parser.parse_args(argv)
    from nerve_core.inference.predictor import get_predictor

    predictor = get_predictor(args.weights)
    sets = sets_in(args.data) | {path.parent.name: path for path in args.manifest}
    if "muscle" not in sets:
        raise DataError(f"{args.data} has no set muscle; the gate cannot be fitted without it.")
    features = Features(predictor, args.features)
    sets |= {"samples": SAMPLES / "manifest.csv"}
    learned = {each["set"] for each in predictor.config["sets"]} | {"samples"}
    used = {name: path for name, path in sets.items() if name in learned or name == "muscle"}
    table = {name: of_set(path, predictor, features, name == "muscle") for name, path in used.items()}
    pictures = {part: of_pictures(args.pictures / part, features) for part in ("fit", "test")}
    features.save()
    scans = {name: rows for name, rows in table.items() if name in learned}
    gate = fit(scans, pictures["fit"], table["muscle"])
    gate.save(predictor.folder, f"{predictor.name} {predictor.version}")
    figures = measure(gate, scans, pictures, table["muscle"])
    kept = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    own = kept.get(predictor.name, {})
    write_json(TARGET, kept | {predictor.name: own | {"version": predictor.version, "scope": figures}})
    return 0


class Features:
    """What the contour network sees in pictures, computed once."""

    def __init__(self, predictor: Predictor, file: Path | None) -> None:
        self.predictor, self.file, self.told = predictor, file, on_stderr("pictures")
        self.known: dict[str, np.ndarray] = {}
        if file is not None and file.exists():
            with np.load(file) as stored:
                self.known = dict(zip(stored["key"].tolist(), stored["features"], strict=True))

    def of(self, key: str, scan: Scan) -> np.ndarray:
        """float32 (F,) of a scan under a key of its own."""
        if key not in self.known:
            self.known[key] = self.predictor.features(scan)
        return self.known[key]

    def save(self) -> None:
        """Keep them for the next time, where a file was named."""
        if self.file is not None:
            np.savez(self.file, key=list(self.known), features=np.stack(list(self.known.values())))


Table = dict[str, np.ndarray]
"""Columns ``features`` (N, F), ``group``, ``side``, ``varied`` (bool) and ``poor`` (bool: refused for its
quality), one row a picture."""


def of_set(manifest: Path, predictor: Predictor, features: Features, muscle: bool) -> Table:
    """Features of all scans of a set, and of varied copies of some."""
    rows, found = read_rows(manifest), []
    sides = sides_of(rows, predictor.config)
    simulated = bool(rows) and rows[0].get("simulated") == "1"
    for k, (row, side) in enumerate(zip(rows, sides, strict=True)):
        key = f"{manifest.parent.name}/{Path(row['image']).name}"
        scan = read_scan(row["image"])
        if manifest.parent == SAMPLES:  # shipped to be tried: they must pass, and say nothing of other scans
            side = "train"
        elif simulated:  # made afresh, so that no split lists them
            side = (
                ("val", "test", "test")[number]
                if (number := zlib.crc32(row["group"].encode()) % 10) < 3
                else "train"
            )
        group = f"{manifest.parent.name}/{row['group']}"
        found.append((features.of(key, scan), group, side, False, check_quality(scan) is not None))
        if muscle or k % VARIED == 0:
            varied = vary(inside(scan), np.random.default_rng([1, k]))
            found.append((features.of(f"{key} varied", Scan(varied)), group, side, True, False))
        features.told(k + 1, len(rows))
    return as_table(found)


def of_pictures(folder: Path, features: Features) -> dict[str, Table]:
    """Features of the pictures of each kind, in grey: most colours the reader refuses alone."""
    kinds: dict[str, Table] = {}
    for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
        found = []
        for path in sorted(kind.iterdir()):
            grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            try:
                scan = make_scan(grey) if grey is not None and min(grey.shape) >= 32 else None
            except ScanError:
                scan = None
            if scan is not None:
                key = f"{folder.name}/{kind.name}/{path.name}"
                found.append(
                    (features.of(key, scan), key, folder.name, False, check_quality(scan) is not None)
                )
        kinds[kind.name] = as_table(found)
    if not kinds:
        raise DataError(f"{folder} holds no folder of pictures; make one a kind.")
    return kinds


def as_table(found: Sequence[tuple[np.ndarray, str, str, bool, bool]]) -> Table:
    columns = zip(*found, strict=True)
    return {
        name: np.array(column)
        for name, column in zip(("features", "group", "side", "varied", "poor"), columns, strict=True)
    }


def inside(scan: Scan) -> np.ndarray:
    """The ultrasound region alone."""
    top, left, bottom, right = scan.region or (0, 0, *scan.pixels.shape)
    return scan.pixels[top:bottom, left:right]


def vary(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A copy as another setting of the machine might show it: part, gain, contrast, focus, depth gain."""
    height, width = image.shape
    share = rng.uniform(0.6, 1.0)
    rows, columns = int(height * share), int(width * min(1, share * rng.uniform(0.9, 1.1)))
    y, x = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
    part = image[y : y + rows, x : x + columns].astype(np.float32) / 255
    part = part ** rng.uniform(0.6, 1.6) * rng.uniform(0.7, 1.3)
    if rng.random() < 0.3:
        part = cv2.GaussianBlur(part, (0, 0), rng.uniform(0.5, 1.5))
    if rng.random() < 0.3:
        part = part * np.linspace(1, rng.uniform(0.3, 1), rows)[:, None]
    turned = part[:, ::-1] if rng.random() < 0.5 else part
    return np.ascontiguousarray((np.clip(turned, 0, 1) * 255).astype(np.uint8))


def fit(scans: Mapping[str, Table], pictures: Mapping[str, Table], muscle: Table, but: str = "") -> Scope:
    """The gate, without the muscle recording ``but``."""
    parts = {
        side: [(name, rows["features"][rows["side"] == side]) for name, rows in scans.items()]
        for side in ("train", "val")
    }
    joined = {side: np.concatenate([part for _, part in found]) for side, found in parts.items()}
    names = {
        side: np.concatenate([[name] * len(part) for name, part in found]) for side, found in parts.items()
    }
    gate = fit_scope(
        joined["train"],
        names["train"],
        joined["val"],
        names["val"],
        np.concatenate([rows["features"] for rows in pictures.values()]),
        muscle["features"][muscle["group"] != but],
    )
    if "samples" in scans:  # whatever else is unfamiliar, what is shipped to be tried is not
        farthest = float(gate.scores(scans["samples"]["features"])[UNFAMILIAR].max())
        gate = replace(gate, reach=gate.reach + np.float32(max(0.0, farthest + MARGIN)))
    return gate


def measure(
    gate: Scope,
    scans: Mapping[str, Table],
    pictures: Mapping[str, Mapping[str, Table]],
    muscle: Table,
) -> dict[str, Any]:
    """Shares refused (or answered *no nerve found* for want of scope), each with its interval by group."""
    refused = {name: of_test(gate, rows) for name, rows in scans.items() if name != "samples"}
    every = {
        key: np.concatenate([rows[key] for rows in pictures["test"].values()])
        for key in ("features", "group", "poor")
    }
    recordings: list[tuple[str, bool, bool]] = []
    for recording in np.unique(muscle["group"]):
        own = (muscle["group"] == recording) & ~muscle["varied"]
        scores = fit(scans, pictures["fit"], muscle, but=recording).scores(muscle["features"][own])
        unseen = scores[UNFAMILIAR] > 0
        hit = unseen | (scores[FOREIGN] > 0) | (scores[MUSCLE] > 0) | muscle["poor"][own]
        recordings += [(recording, bool(one), bool(far)) for one, far in zip(hit, unseen, strict=True)]
    names = [name for name, _, _ in recordings]
    return {
        "fitted": {
            "scans": {name: int((rows["side"] == "train").sum()) for name, rows in scans.items()},
            "pictures": {kind: len(rows["group"]) for kind, rows in pictures["fit"].items()},
        },
        "scans": refused,
        "not_ultrasound": {
            "all": flagged(gate, every),
            **{kind: flagged(gate, rows) for kind, rows in pictures["test"].items()},
        },
        "muscle": rate(np.array([hit for _, hit, _ in recordings], float), names),
        "muscle_recordings": {
            "refused": sum(
                bool(np.mean([hit for name, hit, _ in recordings if name == one]) >= 0.5)
                for one in set(names)
            ),
            "of": len(set(names)),
        },
        "muscle_as_unknown": rate(np.array([far for _, _, far in recordings], float), names),
    }


def of_test(gate: Scope, rows: Table) -> dict[str, Any]:
    """Share of test scans that would be refused."""
    own = (rows["side"] == "test") & ~rows["varied"]
    return flagged(gate, {key: column[own] for key, column in rows.items()})


def flagged(gate: Scope, rows: Table) -> dict[str, Any]:
    scores = gate.scores(rows["features"])
    hit = np.any([score > 0 for score in scores.values()], axis=0) | rows["poor"]
    return rate(hit.astype(float), rows["group"].tolist())


if __name__ == "__main__":
    sys.exit(main())
