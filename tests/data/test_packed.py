"""What a manifest becomes for training: pixels, nerves and vessels, fresh or from the copy on disk."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from nerve_core.data.manifest import Row, read_manifest
from nerve_core.data.packed import LONG_SIDE, Packed, pack
from nerve_core.data.phantom import simulate
from nerve_core.errors import DataError


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three phantoms; the second has nobody's word on vessels, the third no contour at all."""
    folder = tmp_path_factory.mktemp("source")
    lines = ["image,mask,mask_vessel,group"]
    for seed in range(3):
        phantom = simulate(seed, site="neck", size=(96, 120))
        for name, pixels in (("", phantom.image), ("-mask", phantom.mask), ("-vessel", phantom.vessel_mask)):
            cv2.imwrite(str(folder / f"{seed}{name}.png"), pixels)
        mask = "" if seed == 2 else f"{seed}-mask.png"
        lines.append(f"{seed}.png,{mask},{'' if seed == 1 else f'{seed}-vessel.png'},p{seed}")
    (folder / "manifest.csv").write_text("\n".join(lines))
    return folder


@pytest.fixture
def rows(source: Path) -> list[Row]:
    return read_manifest(source)


def same(one: Packed, other: Packed) -> bool:
    """Whether two hold the same pixels, masks and vessels."""
    assert len(one) == len(other)
    return all(
        np.array_equal(a, b) if a is not None and b is not None else a is b
        for parts in ("images", "masks", "vessels")
        for a, b in zip(getattr(one, parts), getattr(other, parts), strict=True)
    )


def test_vessels_are_0_and_1_where_marked_and_none_where_not(
    source: Path, rows: list[Row], tmp_path: Path
) -> None:
    for cache in (None, tmp_path, tmp_path):
        packed = pack(rows, cache)
        assert len(packed) == 2
        assert packed.vessels[1] is None
        for index, kind, found in ((0, "mask", packed.masks[0]), (0, "vessel", packed.vessels[0])):
            drawn = cv2.imread(str(source / f"{index}-{kind}.png"), cv2.IMREAD_GRAYSCALE)
            assert found.dtype == np.uint8 and (found == (drawn > 127)).all() and found.any()


def test_the_copy_on_disk_is_the_same(rows: list[Row], tmp_path: Path) -> None:
    assert same(pack(rows), pack(rows, tmp_path)) and same(pack(rows), pack(rows, tmp_path))


def test_large_scans_are_made_smaller_with_all_their_masks(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / "a.png"), rng.integers(20, 200, (300, 2 * LONG_SIDE), np.uint8))
    half = np.zeros((300, 2 * LONG_SIDE), np.uint8)
    half[:, :LONG_SIDE] = 255
    cv2.imwrite(str(tmp_path / "m.png"), half)
    row = {"image": str(tmp_path / "a.png"), "mask": str(tmp_path / "m.png")}
    packed = pack([row | {"mask_vessel": row["mask"]}])
    assert packed.images[0].shape == packed.masks[0].shape == packed.vessels[0].shape == (150, LONG_SIDE)
    assert packed.masks[0].mean() == packed.vessels[0].mean() == 0.5


def test_choosing_keeps_all_parts_together(rows: list[Row]) -> None:
    packed = pack(rows)
    chosen = packed.select([False, True])
    assert (chosen.rows, chosen.vessels) == ([rows[1]], [None]) and chosen.masks[0] is packed.masks[1]
    assert Packed(packed.rows, packed.images, packed.masks).vessels == [None, None]


@pytest.mark.parametrize("kind", ["", "-mask", "-vessel"])
def test_any_changed_file_is_read_again(source: Path, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for path in source.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    rows = read_manifest(folder)
    before = pack(rows, tmp_path / "cache")
    file = folder / f"0{kind}.png"
    cv2.imwrite(str(file), cv2.flip(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE), 1))
    os.utime(file, ns=(0, 0))
    assert not same(before, pack(rows, tmp_path / "cache"))


@pytest.mark.parametrize("column", ["image", "mask", "mask_vessel"])
@pytest.mark.parametrize("cached", [False, True])
def test_a_file_that_is_not_there_is_one_sentence(
    rows: list[Row], tmp_path: Path, column: str, cached: bool
) -> None:
    wrong = [rows[0] | {column: str(tmp_path / "gone.png")}]
    with pytest.raises(DataError, match=r"gone\.png"):
        pack(wrong, tmp_path / "cache" if cached else None)
    assert not list(tmp_path.iterdir())


def test_a_scan_that_cannot_be_read_is_named(rows: list[Row], tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(DataError, match=r"text\.png cannot be packed: The file is not a picture"):
        pack([rows[0] | {"image": str(tmp_path / "text.png")}])


def test_a_copy_on_disk_that_was_altered_is_made_again(
    rows: list[Row], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pack(rows, tmp_path)
    (folder,) = tmp_path.iterdir()
    block = folder / "masks.u8"
    block.write_bytes(bytes(block.stat().st_size))
    assert same(pack(rows, tmp_path), pack(rows)) and "was cut off or altered" in caplog.text
    assert block.read_bytes().count(1)


def test_rows_may_say_more_the_next_time(rows: list[Row], tmp_path: Path) -> None:
    pack(rows, tmp_path)
    told = pack([row | {"split": "val"} for row in rows], tmp_path)
    assert [row["split"] for row in told.rows] == ["val", "val"] and len(list(tmp_path.iterdir())) == 1


def test_every_frame_of_a_sweep_comes_with_its_own_masks(tmp_path: Path) -> None:
    frames = [simulate(seed, site="neck", size=(96, 96)) for seed in range(3)]
    pages = {
        "image": [frame.image for frame in frames],
        "mask": [frame.mask for frame in frames],
        "mask_vessel": [frame.vessel_mask for frame in frames],
    }
    row = {"group": "p"}
    for name, several in pages.items():
        row[name] = str(tmp_path / f"{name}.tif")
        assert cv2.imwritemulti(row[name], several)
    for cache in (None, tmp_path / "cache", tmp_path / "cache"):
        packed = pack([row], cache)
        assert [found["frame"] for found in packed.rows] == ["0", "1", "2"]
        for k, frame in enumerate(frames):
            assert (packed.masks[k] == frame.mask // 255).all()
            assert (packed.vessels[k] == frame.vessel_mask // 255).all()
        assert not np.array_equal(packed.images[0], packed.images[1])
    cv2.imwrite(row["mask"], frames[0].mask)
    (one,) = pack([row]).rows
    assert one == row, "a mask of one page is that of the first frame"
