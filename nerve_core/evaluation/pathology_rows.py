"""Pathology written into the scans of a set, in a folder that passes."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from nerve_core.evaluation.evaluate import read_rows
from nerve_core.evaluation.scoring import LISTED

SEED = 20250102
"""Of the pathology written into test scans; training uses others."""


@contextmanager
def pathology_rows(
    rows: Sequence[Mapping[str, str]], home: Path, seed: int = SEED
) -> Iterator[list[dict[str, str]]]:
    """Rows of the original, a sham and an affected version of each contoured scan, while the context lasts.

    The randomness of a scan follows from its path in the manifest. The rows are therefore listed under the
    name of their set, not under wherever that lies on this machine.

    Args:
        rows: of one set, from ``read_rows``.
        home: folder of that set.
        seed: of all randomness.
    """
    from nerve_core.data.pathology.export import write_pathology_set

    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / home.name
        link.symlink_to(home.resolve(), target_is_directory=True)
        manifest = Path(folder) / "sources.csv"
        with manifest.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, list(rows[0]), extrasaction="ignore")
            table.writeheader()
            for row in rows:
                if row["mask"]:
                    paths = {key: str(Path(home.name) / row[LISTED[key]]) for key in ("image", "mask")}
                    table.writerow({**row, **paths})
        out = Path(folder) / "set"
        write_pathology_set(manifest, out, seed=seed)
        yield read_rows(out / "manifest.csv")
