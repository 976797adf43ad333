"""The results that ship with the program and that its pages show: a Parquet file a task, costs as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nerve_core.config import settings
from nerve_core.errors import DataError
from nerve_core.evaluation.results import OF_SCAN, ResultsStore

if TYPE_CHECKING:
    import pandas as pd

TASKS = ("contours", "verdict", "robustness")


def publish(store: ResultsStore, folder: Path | None = None) -> list[Path]:
    """Write every task's images that the store holds, and the costs; each file appears whole or not at all.

    Figures are kept in single precision, as fine as anything measured here. Of shipped weights only what
    their present version was measured at is written.

    Args:
        store: to publish.
        folder: where to; by default the results that ship.
    """
    from nerve_core.evaluation.methods import version_of

    def is_present(method: str, setup: str) -> bool:
        version = version_of(method)
        return not version or setup.split(", ")[0] in version

    folder = folder or settings().results
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for task in TASKS:
        frame = store.frame(task)
        frame = frame[[is_present(*run) for run in zip(frame["method"], frame["setup"], strict=True)]]
        if len(frame):
            numbers = frame.select_dtypes("float64").columns
            frame = frame.astype(dict.fromkeys(numbers, "float32")).reset_index(drop=True)
            path = folder / f"benchmark-{task}.parquet"
            partial = path.with_name(f".{path.name}.partial")
            frame.to_parquet(partial, compression="zstd", index=False)
            partial.replace(path)
            written.append(path)
    path = folder / "benchmark-costs.json"
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(store.costs(), indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
    return [*written, path]


def published(task: str, folder: Path | None = None) -> pd.DataFrame | None:
    """One line an image of a task, as :meth:`ResultsStore.frame` gives it; None where nothing is published.

    What only some methods' lines say of a scan (``OF_SCAN``) is said in every line of it.

    Raises:
        DataError: the file is damaged.
    """
    import pandas as pd

    path = (folder or settings().results) / f"benchmark-{task}.parquet"
    if not path.is_file():
        return None
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError):
        raise DataError(
            f"{path.name} is damaged; write it again with python -m nerve_core benchmark publish."
        ) from None
    if task == "robustness":  # a shifted scan is another picture
        return frame
    for name in OF_SCAN:
        if name in frame:
            known = frame.groupby(["set", "image", "frame"])[name].transform("first")
            frame[name] = frame[name].fillna(known)
    return frame


def published_costs(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """Costs by method; empty where nothing is published.

    Raises:
        DataError: the file is damaged.
    """
    path = (folder or settings().results) / "benchmark-costs.json"
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        raise DataError(
            f"{path.name} is damaged; write it again with python -m nerve_core benchmark publish."
        ) from None
