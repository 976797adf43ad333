"""A manifest judged with one predictor: rows in, figures and a table of images out."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nerve_core.errors import DataError
from nerve_core.evaluation.progress import Progress
from nerve_core.evaluation.scoring import LISTED, Gate, Predicts, Scored, score_file
from nerve_core.evaluation.severity import pathology_figures
from nerve_core.evaluation.summary import summarise, summarise_click
from nerve_core.imaging.read import ScanFile

PER_IMAGE = ("image", "group", "dice", "p_affected", "verdict", "label")
SPLITS = ("all", "train", "val", "test")


def evaluate(
    manifest: Path | str | Sequence[Path | str],
    predictor: Predicts,
    *,
    clicks: bool = False,
    per_image: Path | None = None,
    split: str = "all",
    limit: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Judge every row of one or several manifests with the predictor, the quality gate off.

    Of a sweep, a file of several frames whose mask has a page for each, every frame counts as an image, with
    the group and the label of its row; intervals are by group, so that near-copies do not narrow them.

    Args:
        manifest: manifest file, folder with ``affected/`` and ``unaffected/``, or several of them.
        predictor: gives the predictions; safe to call from ``workers`` threads at once.
        clicks: also predict with one click where the largest true nerve is thickest.
        per_image: CSV to write with one line an image or frame, or None.
        split: ``train``, ``val`` or ``test`` keeps the rows on that side of the project's group split,
            ``all`` every row.
        limit: use at most this many rows, spread evenly over the manifest, a sweep counting as one; None
            for all.
        workers: threads that predict at once; the result does not depend on it.
        progress: told after each row.

    Returns:
        JSON-ready figures: those of the contract, ``errors`` (rows that could not be used), ``refused``
        (scans the gate would refuse), ``click`` (the same figures with a click, None without ``clicks``)
        and ``pathology`` (by severity, kind and sham, None without those columns).

    Raises:
        DataError: a manifest cannot be read, or no row is left.
    """
    rows = chosen(read_rows(manifest), split=split, limit=limit, config=getattr(predictor, "config", None))
    scored = score_rows(rows, predictor, clicks=clicks, workers=workers, progress=progress)
    if per_image is not None:
        write_per_image(per_image, scored)
    figures = summarise(scored)
    click = summarise_click(scored)
    if click is not None:
        click["pathology"] = pathology_figures(scored, click=True)
    return figures | {
        "split": split,
        "limit": limit,
        "pathology": pathology_figures(scored),
        "click": click,
    }


def read_rows(manifest: Path | str | Sequence[Path | str]) -> list[dict[str, str]]:
    """Rows of one or several manifests, one after the other.

    Returns:
        The rows of ``read_manifest``, their paths absolute, with the paths as the manifest gives
        them under the keys ``LISTED``; those of a plain folder are relative to it.

    Raises:
        DataError: a manifest cannot be read.
    """
    from nerve_core.data.manifest import read_manifest

    paths = [manifest] if isinstance(manifest, str | Path) else list(manifest)
    rows: list[dict[str, str]] = []
    for path in map(Path, paths):
        found = read_manifest(path)
        table = path / "manifest.csv" if path.is_dir() else path
        if table.is_file():
            with table.open(newline="", encoding="utf-8-sig") as file:
                lines = [
                    {column: line.get(column) or "" for column in LISTED} for line in csv.DictReader(file)
                ]
        else:
            lines = [
                {"image": os.path.relpath(row["image"], path.resolve()), "mask": row["mask"]} for row in found
            ]
        for row, line in zip(found, lines, strict=True):
            rows.append(row | {LISTED[column]: value for column, value in line.items() if column in row})
    return rows


def chosen(
    rows: Sequence[Mapping[str, str]],
    split: str = "all",
    limit: int | None = None,
    config: Mapping[str, Any] | None = None,
) -> list[Any]:
    """Rows on one side of the group split, at most ``limit`` of them spread evenly in their order.

    Args:
        rows: of one or several manifests.
        split: ``all``, or the side to keep.
        limit: None keeps all of that side.
        config: of the weights; their own record of the split is used where there is one.

    Raises:
        DataError: no row is left, or the split is unknown.
    """
    if split not in SPLITS:
        raise DataError(f"There is no split {split!r}; use {', '.join(SPLITS)}.")
    kept = list(rows)
    if split != "all":
        kept = [row for row, side in zip(kept, sides_of(kept, config or {}), strict=True) if side == split]
    if not kept:
        raise DataError(f"No row of the manifest is in the split {split!r}; check the manifest or use all.")
    if limit is not None and limit < len(kept):
        if limit < 1:
            raise DataError("The limit must be at least 1 image.")
        kept = [kept[index * len(kept) // limit] for index in range(limit)]
    return kept


def sides_of(rows: Sequence[Mapping[str, str]], config: Mapping[str, Any]) -> list[str]:
    """``train``, ``val`` or ``test`` for each row, as the weights were trained.

    A checkpoint records the groups it held back (``split``) and its sets (``sets``): a part of a manifest
    then falls on the same sides as the whole, and a set it never saw is all test, but for groups on which a
    setting was chosen. Without that record the project's split of the rows given is used.
    """
    from nerve_core.data.splits import assign

    recorded = config.get("split")
    if not recorded:
        return assign(rows)
    seen = {part["set"] for part in config.get("sets", ())}
    side_of = {group: side for side in ("val", "test") for group in recorded.get(side, ())}
    return [side_of.get(row["group"], "train" if row.get("set") in seen else "test") for row in rows]


def score_rows(
    rows: Sequence[Mapping[str, str]],
    predictor: Predicts,
    *,
    clicks: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
    open_file: Callable[[str], ScanFile] | None = None,
    gate: Gate | None = None,
) -> list[Scored]:
    """Score rows in their order, of a sweep every frame; ``progress`` is told after each row.

    ``open_file`` and ``gate`` default to those of the imaging room.
    """
    if open_file is None:
        from nerve_core.imaging.read import open_scan as open_file
    if gate is None:
        from nerve_core.imaging.gate import check_quality as gate

    def one(row: Mapping[str, str]) -> list[Scored]:
        return score_file(row, predictor, open_file, gate, click=clicks)

    if workers <= 1:
        return _watched(map(one, rows), len(rows), progress)
    with ThreadPoolExecutor(workers) as pool:
        return _watched(pool.map(one, rows), len(rows), progress)


def _watched(results: Iterable[list[Scored]], total: int, progress: Progress | None) -> list[Scored]:
    found: list[Scored] = []
    for done, result in enumerate(results, start=1):
        found += result
        if progress is not None:
            progress(done, total)
    return found


def write_per_image(path: Path, scored: Sequence[Scored]) -> None:
    """Write one CSV line an image or frame of a sweep, whole or not at all.

    Columns: ``image, group, dice, p_affected, verdict, label``, with a click ``dice_click, dice_pointed,
    p_affected_click, verdict_click``, then the manifest's own, and ``frame`` where there are sweeps. Cells of
    a row that could not be used, and ``p_affected`` where no nerve was found, are empty; ``error`` says why.

    Raises:
        DataError: the file cannot be written.
    """
    own = list(dict.fromkeys(name for one in scored for name in one.listed if name not in PER_IMAGE))
    clicked = any(one.click_answer is not None for one in scored)
    extra = ["dice_click", "dice_pointed", "p_affected_click", "verdict_click"] if clicked else []
    columns = [*PER_IMAGE, *extra, "error", *[name for name in own if name not in (*extra, "error")]]
    path = Path(path)
    partial = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", newline="", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            partial = Path(file.name)
            table = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
            table.writeheader()
            table.writerows(per_image_line(one) for one in scored)
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(0o644)
        partial.replace(path)
    except OSError as error:
        if partial is not None:
            partial.unlink(missing_ok=True)
        raise DataError(f"{path} cannot be written ({error.strerror}); choose another place.") from error


def per_image_line(one: Scored) -> dict[str, Any]:
    """One line of the table of images."""
    line: dict[str, Any] = {**one.listed, "error": one.error or ""}
    for answer, suffix in ((one.answer, ""), (one.click_answer, "_click")):
        if answer is None:
            continue
        line[f"dice{suffix}"] = "" if answer.contour is None else f"{answer.contour.dice:.6f}"
        line[f"p_affected{suffix}"] = "" if answer.p_affected is None else f"{answer.p_affected:.6f}"
        line[f"verdict{suffix}"] = answer.verdict
        if answer.pointed is not None:
            line["dice_pointed"] = f"{answer.pointed.dice:.6f}"
    return line
