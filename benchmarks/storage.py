"""How many scans a second come from loose files, from a NumPy archive and from packed, mapped shards.

Every way gives image and nerve mask of each scan in memory, in an order drawn anew each round; the ways take
turns within a round, and the ratios are those of one round, of which the median is given. Time is that of the
processor, one thread, so that other work of the machine does not count. All files have been read before and
come from the system's cache, so no disk is measured.

    python -m benchmarks.storage                     # on 150 phantoms, made for the purpose
    python -m benchmarks.storage --manifest FILE...  # on your own
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from nerve_core.data.manifest import Row, read_manifests
from nerve_core.data.packed import contoured, decode
from nerve_core.data.phantom_set import write_phantom_set
from nerve_core.data.shards import Item, read_shards, write_shards

RESULT = Path(__file__).parent / "results" / "storage.json"
PHANTOMS = 150
Way = Callable[[int], tuple[np.ndarray, np.ndarray]]
"""Image and mask of a scan by its number, both copied out of whatever holds them."""


def measure(rows: Sequence[Row], folder: Path, rounds: int) -> dict[str, Any]:
    """Time every way over all scans, ``rounds`` times.

    Args:
        rows: contoured rows of single scans.
        folder: an empty one, for the packed copies.
        rounds: at least 1.

    Returns:
        JSON-ready: what was read, medians of images a second, ratios to loose files, seconds of the opening.
    """
    items = [next(decode(row)) for row in rows]
    write_shards(items, folder / "shards")
    arrays = {f"i{k}": item.image for k, item in enumerate(items)}
    np.savez(folder / "set.npz", **arrays, **{f"m{k}": item.mask for k, item in enumerate(items)})
    started = time.perf_counter()
    shards = read_shards(folder / "shards")
    opening = time.perf_counter() - started
    with np.load(folder / "set.npz") as stored:
        ways: dict[str, Way] = {
            "reader": lambda k: _pixels(next(decode(rows[k]))),
            "plain decoding": lambda k: (_picture(rows[k]["image"]), _picture(rows[k]["mask"])),
            "npz": lambda k: (stored[f"i{k}"], stored[f"m{k}"]),
            "shards": lambda k: _pixels(shards[k]),
        }
        for k, item in enumerate(items):  # all of them give the same, and from here on files are in memory
            for name in ("reader", "npz", "shards"):
                assert all(map(np.array_equal, ways[name](k), (item.image, item.mask))), name
            ways["plain decoding"](k)
        rates = _rates(ways, len(items), rounds)
    return {
        "scans": len(items),
        "sides_px": sorted({f"{item.image.shape[1]}x{item.image.shape[0]}" for item in items})[:8],
        "megapixels": round(sum(item.image.size for item in items) / 1e6, 1),
        "loose_mb": round(sum(_size(row["image"]) + _size(row["mask"]) for row in rows) / 1e6, 1),
        "npz_mb": round(_size(folder / "set.npz") / 1e6, 1),
        "shards_mb": round(sum(_size(path) for path in (folder / "shards").iterdir()) / 1e6, 1),
        "rounds": rounds,
        "cores": os.cpu_count(),
        "images_per_second": {name: round(float(np.median(found))) for name, found in rates.items()},
        "shards_over": {
            name: round(float(np.median(rates["shards"] / found)), 1)
            for name, found in rates.items()
            if name != "shards"
        },
        "open_and_verify_shards_s": round(opening, 3),
    }


def _rates(ways: dict[str, Way], count: int, rounds: int) -> dict[str, np.ndarray]:
    """Images a second of processor time of each way in each round."""
    rng = np.random.default_rng(0)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        names = list(ways) if number % 2 else list(ways)[::-1]
        order = rng.permutation(count).tolist()
        for name in names:
            times = 20 if name == "shards" else 1  # one pass over them is too short to time
            started = time.process_time()
            for k in order * times:
                ways[name](k)
            rates[name].append(times * count / (time.process_time() - started))
    return {name: np.array(found) for name, found in rates.items()}


def _pixels(item: Item) -> tuple[np.ndarray, np.ndarray]:
    return np.array(item.image), np.array(item.mask)


def _picture(path: str) -> np.ndarray:
    """A picture by OpenCV alone: no region searched, nothing checked."""
    return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE)


def _size(path: str | Path) -> int:
    return Path(path).stat().st_size


def main() -> None:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--manifest", type=Path, nargs="+", metavar="FILE", help="own PNG scans (default: phantoms)"
    )
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="default 7")
    parser.add_argument("--out", type=Path, default=RESULT, metavar="FILE", help="default %(default)s")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifests = options.manifest or [write_phantom_set(folder / "phantoms", PHANTOMS)]
        found = measure(contoured(read_manifests(manifests)), folder, max(options.rounds, 1))
    said = "your own manifest" if options.manifest else f"{PHANTOMS} phantoms of write_phantom_set"
    result = {"what": said, **found}
    text = json.dumps(result, indent=1)
    print(text)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
