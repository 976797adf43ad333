"""A manifest packed into one folder that is read without decoding; as TFRecord too, where wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from nerve_core.data.manifest import PATH_COLUMNS, Row, read_manifest
from nerve_core.data.packed import contoured, decode
from nerve_core.data.shards import Item, check_free, read_shards, write_shards
from nerve_core.data.tfrecord import write_tfrecords
from nerve_core.errors import DataError

Progress = Callable[[str, float], None]


def write_packed_set(
    manifest: str | Path, out: Path, tfrecord: bool = False, progress: Progress | None = None
) -> int:
    """Pack every row that has a contour; the folder appears only when all of it is there.

    Left-overs of a run that was killed are taken away by the next one.

    Args:
        manifest: as :func:`nerve_core.data.manifest.read_manifest` takes it.
        out: folder to make; refused when it holds anything.
        tfrecord: also write ``out/tfrecord/*.tfrecord``.
        progress: told what is being done (``pack`` or ``tfrecord``) and its share from 0 to 1.

    Returns:
        Number of entries written: the contoured rows, of sweeps every frame.

    Raises:
        DataError: the manifest or a file of it cannot be used, ``out`` is not empty, another process is
            packing it, or the disk is full; nothing is left behind then.
    """
    check_free(out)
    manifest = Path(manifest)
    rows = contoured(read_manifest(manifest))
    _check_unique(rows)
    home = (manifest if manifest.is_dir() else manifest.parent).resolve()
    written = 0

    def more(folder: Path) -> None:
        nonlocal written
        items = read_shards(folder)
        written = len(items)
        if tfrecord:
            told = None if progress is None else lambda share: progress("tfrecord", share)
            write_tfrecords(items, folder / "tfrecord", told)

    write_shards(_items(rows, home, progress), out, more)
    return written


def _check_unique(rows: Sequence[Row]) -> None:
    """Raise DataError when an image is listed twice, which would count double or stand on two sides."""
    seen: set[str] = set()
    for row in rows:
        if row["image"] in seen:
            raise DataError(
                f"{Path(row['image']).name} is listed more than once; keep one row an image "
                "(data check names them all)."
            )
        seen.add(row["image"])


def _items(rows: Sequence[Row], home: Path, progress: Progress | None) -> Iterator[Item]:
    for number, row in enumerate(rows, start=1):
        paths = {column: _listed(row[column], home) for column in PATH_COLUMNS if row.get(column)}
        for item in decode(row):
            yield item._replace(row=item.row | paths)
        if progress is not None:
            progress("pack", number / len(rows))


def _listed(path: str, home: Path) -> str:
    """A path below the manifest's folder relative to it, so that no place on this machine is written down."""
    return Path(path).relative_to(home).as_posix() if Path(path).is_relative_to(home) else path
