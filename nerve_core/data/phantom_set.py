"""A set of phantoms on disk, for training: every site in turn, half of them with pathology."""

from __future__ import annotations

import csv
import multiprocessing
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from nerve_core.data.phantom import MOST_TILT_DEG, depth_limits, simulate, simulate_sweep
from nerve_core.data.phantom_anatomy import SITES
from nerve_core.data.phantom_dicom import save_dicom, save_masks
from nerve_core.data.phantom_machines import PROBES, Machine
from nerve_core.errors import DataError

COLUMNS = (
    "image", "mask", "label", "group", "nerve", "site", "device", "simulated", "licence", "mask_vessel",
)  # fmt: skip

ANY_PROBE = "any"
CURVED_SHARE = 0.25
"""Share of curved probes where any may be used and the site lies deep enough for one."""

FRAMES, STEP_MM = 20, 0.8
"""Frames of a sweep, and how far apart they are along the limb."""

SWEEP_SEEDS = 10_000_000
"""Sweeps use seeds so far beyond those of the phantoms beside them that no body is in both."""

EACH = 24
"""Fewest phantoms worth a process of their own."""


def write_phantom_set(
    out: Path,
    count: int,
    seed: int = 0,
    size: tuple[int, int] = (384, 384),
    *,
    sites: Sequence[str] = (),
    probe: str = ANY_PROBE,
    sweeps: int = 0,
    processes: int | None = None,
) -> Path:
    """Write ``count`` phantoms as PNG and ``sweeps`` as multi-frame DICOM, with masks of nerves and vessels.

    Depth, scanner and tilt of the probe are drawn anew for each, over a wider range than is usual at the
    site, so that a nerve may fill a quarter of a picture or a hundredth. The same arguments give the same
    files, in whatever number of processes.

    Args:
        out: folder to make; refused when it holds anything.
        count: phantoms, at least 1 (0 where there are sweeps); each is a group of its own.
        seed: of the first phantom; the samples that ship use seeds from 0, so keep away from those.
        size: (height, width) px.
        sites: keys of ``phantom_anatomy.SITES``, in turn; none means all.
        probe: ``linear``, ``curved``, or ``any``: mostly linear, curved for some scans of deep sites.
        sweeps: sweeps of ``FRAMES`` frames, a row each: calibrated DICOM, TIFF masks with a page a frame.
        processes: None takes one a processor, as far as there is work for them.

    Returns:
        Path of ``out/manifest.csv``, with ``simulated`` 1 in every row.

    Raises:
        DataError: the folder holds something, or an argument is out of range.
    """
    if count < 0 or sweeps < 0 or count + sweeps < 1:
        raise DataError(f"At least 1 phantom or sweep is needed, got {count} and {sweeps}.")
    if seed < 0:
        raise DataError(f"The seed of a set of phantoms must be 0 or more, not {seed}.")
    if probe not in (ANY_PROBE, *PROBES):
        raise DataError(f"There is no probe '{probe}'; choose one of {', '.join((*PROBES, ANY_PROBE))}.")
    for site in sites:
        if site not in SITES:
            raise DataError(f"There is no phantom of the site '{site}'; choose one of {', '.join(SITES)}.")
    if out.is_file() or (out.exists() and any(out.iterdir())):
        raise DataError(f"{out} is not empty; choose another folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    jobs = [
        _Job(partial, tuple(sites) or tuple(SITES), k, seed, size, probe, sweep)
        for total, sweep in ((count, False), (sweeps, True))
        for k in range(total)
    ]
    if processes is None:
        processes = min(len(os.sched_getaffinity(0)), (count + sweeps * FRAMES) // EACH)
    try:
        with (partial / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            table.writerows(_written(jobs, processes))
        partial.chmod(0o755)
        if out.exists():
            out.rmdir()
        os.replace(partial, out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return out / "manifest.csv"


def size_from(text: str) -> tuple[int, int]:
    """(height, width) px from ``256`` or ``256x320``.

    Raises:
        DataError: for anything else.
    """
    found = re.fullmatch(r"\s*(\d{1,5})(?:\s*[x×]\s*(\d{1,5}))?\s*", text)
    if not found:
        raise DataError(f"The size '{text}' is not understood; give 256, or height x width as in 256x320.")
    return int(found[1]), int(found[2] or found[1])


@dataclass(frozen=True)
class _Job:
    """What one process needs to know to write one phantom or sweep: the ``k``-th of its kind."""

    folder: Path
    sites: tuple[str, ...]
    k: int
    seed: int
    size: tuple[int, int]
    probe: str
    sweep: bool


def _written(jobs: Sequence[_Job], processes: int) -> Iterator[tuple[str, ...]]:
    """Rows of the manifest, in order, as they are written."""
    if processes < 2 or len(jobs) < 2:
        yield from map(_write, jobs)
        return
    # Fresh processes: a copy of this one could stop dead where it holds threads of a network library.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(jobs)), fresh, cv2.setNumThreads, (1,)) as pool:
        chunk = max(1, min(16, len(jobs) // (4 * processes)))
        yield from pool.map(_write, jobs, chunksize=chunk)


def _drawn(job: _Job, site: str) -> dict[str, Any]:
    """Scanner, depth and tilt of one phantom, as arguments of `simulate`."""
    rng = np.random.default_rng([job.seed, job.k, int(job.sweep), 1])
    deep = SITES[site].depth_mm[1] >= 30
    kind = job.probe
    if kind == ANY_PROBE:
        kind = "curved" if deep and rng.random() < CURVED_SHARE else "linear"
    # What is shallow is looked at with a small curved probe, not with one made for the belly.
    choice = [m for m in PROBES[kind] if kind == "linear" or deep or m.radius_mm < 30]
    machine: Machine = choice[int(rng.integers(len(choice)))]
    least, most = depth_limits(site)
    usual = SITES[site].depth_mm
    if machine.radius_mm:
        low, high = usual[0], min(1.9 * usual[1], most)
    else:
        low, high = least, min(1.7 * usual[1], most)
    depth = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    tilt = float(np.clip(rng.normal(0, 4), -MOST_TILT_DEG, MOST_TILT_DEG)) if rng.random() < 0.6 else 0.0
    return {"machine": machine, "depth_mm": depth, "tilt_deg": tilt}


def _write(job: _Job) -> tuple[str, ...]:
    """Write one phantom or sweep; its row of the manifest."""
    site = job.sites[job.k % len(job.sites)]
    rng = np.random.default_rng([job.seed, job.k, 1] if job.sweep else [job.seed, job.k])
    asked = {
        "site": site,
        "affected": bool(rng.random() < 0.5),
        "severity": float(rng.uniform(0.3, 1)),
        "size": job.size,
        **_drawn(job, site),
    }
    if job.sweep:
        seed = job.seed + SWEEP_SEEDS + job.k
        frames = simulate_sweep(seed, frames=FRAMES, step_mm=STEP_MM, **asked)
        image, mask, vessels = (f"sweep-{job.k:05d}{end}" for end in (".dcm", "-mask.tif", "-vessels.tif"))
        save_dicom(job.folder / image, frames)
        save_masks(job.folder / mask, [frame.mask for frame in frames])
        save_masks(job.folder / vessels, [frame.vessel_mask for frame in frames])
        phantom = frames[0]
    else:
        seed = job.seed + job.k
        phantom = simulate(seed, **asked)
        image, mask, vessels = (f"{job.k:05d}{end}.png" for end in ("", "-mask", "-vessels"))
        for name, pixels in ((image, phantom.image), (mask, phantom.mask), (vessels, phantom.vessel_mask)):
            (job.folder / name).write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    group = f"phantom-{seed}"
    return image, mask, phantom.label, group, phantom.nerve, site, phantom.device, "1", "CC0-1.0", vessels
