"""``data pack``: one folder from a manifest, whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import cv2
import numpy as np
import pytest

from nerve_core.cli import main
from nerve_core.data import packed_set
from nerve_core.data.manifest import read_manifest
from nerve_core.data.packed import pack
from nerve_core.data.packed_set import write_packed_set
from nerve_core.data.shards import read_shards
from nerve_core.errors import DataError


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Four scans, the last without a contour, the second with vessels."""
    folder = tmp_path / "in"
    folder.mkdir()
    rng = np.random.default_rng(0)
    mask = np.zeros((64, 80), np.uint8)
    mask[20:40, 30:50] = 255
    lines = ["image,mask,mask_vessel,group,site"]
    for k in range(4):
        cv2.imwrite(str(folder / f"{k}.png"), rng.integers(10, 200, (64, 80), np.uint8))
        cv2.imwrite(str(folder / f"{k}-m.png"), np.roll(mask, k, 0))
        drawn = "" if k == 3 else f"{k}-m.png"
        lines.append(f"{k}.png,{drawn},{'0-m.png' if k == 1 else ''},p{k},wrist")
    (folder / "manifest.csv").write_text("\n".join(lines))
    return folder / "manifest.csv"


def test_a_packed_set_is_what_training_reads(manifest: Path, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    out = tmp_path / "out"
    assert write_packed_set(manifest, out, True, lambda what, share: told.append((what, share))) == 3
    assert told[2] == ("pack", 1) and told[-1] == ("tfrecord", 1)
    items, packed = read_shards(out), pack(read_manifest(manifest))
    for k, item in enumerate(items):
        assert np.array_equal(item.image, packed.images[k]) and np.array_equal(item.mask, packed.masks[k])
        assert item.row["image"] == f"{k}.png" and item.row["mask"] == f"{k}-m.png"
        assert (item.row["group"], item.row["site"], item.row["set"]) == (f"p{k}", "wrist", "in")
    assert [item.vessels is None for item in items] == [True, False, True]
    assert [path.name for path in (out / "tfrecord").iterdir()] == ["scans-00000-of-00001.tfrecord"]
    assert str(tmp_path) not in (out / "index.json").read_text(), "places on this machine stay out"


def test_training_takes_a_packed_set_as_it_takes_a_manifest(manifest: Path, tmp_path: Path) -> None:
    write_packed_set(manifest, tmp_path / "out")
    fresh = pack(read_manifest(manifest))
    (tmp_path / "out").rename(tmp_path / "moved")
    rows = read_manifest(tmp_path / "moved")
    for path in manifest.parent.iterdir():
        path.unlink()
    packed = pack([row | {"split": "train"} for row in rows], tmp_path / "cache")
    for one, two, three, four in zip(fresh.images, packed.images, fresh.masks, packed.masks, strict=True):
        assert np.array_equal(one, two) and np.array_equal(three, four)
    for row, before in zip(packed.rows, fresh.rows, strict=True):
        assert (row["group"], row["set"], row["split"]) == (before["group"], before["set"], "train")
    chosen = pack(rows[1:2])
    assert np.array_equal(chosen.images[0], fresh.images[1]) and chosen.vessels[0] is not None
    with (tmp_path / "moved" / "masks.u8").open("ab") as file:
        file.write(b"1")
    with pytest.raises(DataError, match=r"masks\.u8 in the packed set .* was cut off or altered"):
        pack(rows)


def test_packed_and_loose_sets_together(manifest: Path, tmp_path: Path) -> None:
    write_packed_set(manifest, tmp_path / "out")
    both = [*read_manifest(tmp_path / "out"), *read_manifest(manifest)]
    for cache in (None, tmp_path / "cache", tmp_path / "cache"):
        packed = pack(both, cache)
        assert [bool(row.get("packed")) for row in packed.rows] == [False] * 3 + [True] * 3
        assert all(np.array_equal(packed.images[k], packed.images[k + 3]) for k in range(3))


def test_the_command(manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["data", "pack", str(manifest), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    printed = capsys.readouterr()
    assert printed.out.strip() == str(tmp_path / "out") and "3 contoured scans" in printed.err
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert "tfrecord" not in before
    assert main(words) == 1
    assert "not empty" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (lambda folder: (folder / "1.png").unlink(), r"1\.png cannot be packed: The file cannot be opened"),
        (lambda folder: (folder / "1.png").write_bytes(b"no"), r"1\.png cannot be packed: .*not a picture"),
        (lambda folder: (folder / "2-m.png").unlink(), r"mask 2-m\.png cannot be read"),
        (
            lambda folder: cv2.imwrite(str(folder / "2-m.png"), np.zeros((5, 6), np.uint8)),
            r"mask 2-m\.png is 6×5 px but its scan is 80×64",
        ),
        (lambda folder: (folder / "manifest.csv").write_text("image,group\n3.png,p"), "No row .* has a mask"),
        (
            lambda folder: (folder / "manifest.csv").write_text(
                "image,mask,group\n" + "1.png,1-m.png,p\n" * 2
            ),
            r"1\.png is listed more than once",
        ),
    ],
)
def test_what_cannot_be_packed_is_named_and_leaves_nothing(
    manifest: Path, tmp_path: Path, broken: object, says: str
) -> None:
    broken(manifest.parent)
    with pytest.raises(DataError, match=says):
        write_packed_set(manifest, tmp_path / "out", True)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_disk_that_fills_up_under_the_tfrecords_leaves_nothing(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(packed_set, "write_tfrecords", full)
    with pytest.raises(DataError, match=r"disk .* is full"):
        write_packed_set(manifest, tmp_path / "out", True)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
