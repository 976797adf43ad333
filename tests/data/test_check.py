"""What the check finds in a set, with each fault put there on purpose, and nothing in a sound set."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from nerve_core.data.check import Finding, check_rows, check_table
from nerve_core.data.check_duplicates import NONE, Fingerprints, near_duplicates
from nerve_core.data.check_text import burnt_in_text
from nerve_core.data.manifest import Row


def tissue(seed: int, size: tuple[int, int] = (160, 200)) -> np.ndarray:
    """Smooth bright and dark patches under speckle, uint8 (H, W), another picture for each seed."""
    rng = np.random.default_rng(seed)
    patches = cv2.resize(rng.uniform(30, 160, (6, 7)).astype(np.float32), size[::-1])
    return np.clip(patches + rng.normal(0, 12, size), 5, 255).astype(np.uint8)


@pytest.fixture
def rows(tmp_path: Path) -> list[Row]:
    """A sound set: six scans of three groups, masks with a nerve, both labels."""
    found = []
    mask = np.zeros((160, 200), np.uint8)
    mask[60:90, 80:120] = 255
    for k in range(6):
        cv2.imwrite(str(tmp_path / f"{k}.png"), tissue(k))
        cv2.imwrite(str(tmp_path / f"{k}-mask.png"), mask)
        label = "affected" if k % 2 else "unaffected"
        place = {"image": str(tmp_path / f"{k}.png"), "mask": str(tmp_path / f"{k}-mask.png")}
        found.append({**place, "label": label, "group": f"p{k // 2}", "set": "a"})
    return found


def only(findings: list[Finding], kind: str) -> Finding:
    (found,) = [finding for finding in findings if finding.kind == kind]
    assert found.message[-1] == "."
    return found


def test_a_sound_set_has_no_findings_and_progress_reaches_the_end(rows: list[Row]) -> None:
    told: list[float] = []
    assert check_rows(rows, told.append) == []
    assert told == sorted(told) and len(told) == len(rows) and told[-1] == 1


def test_files_that_cannot_be_used(rows: list[Row]) -> None:
    Path(rows[1]["image"]).write_bytes(b"no picture")
    Path(rows[2]["image"]).unlink()
    Path(rows[3]["mask"]).unlink()
    Path(rows[4]["mask"]).write_bytes(b"no picture")
    found = [finding for finding in check_rows(rows) if finding.kind == "unreadable"]
    assert sorted(index for finding in found for index in finding.rows) == [1, 2, 3, 4]
    assert all(finding.serious for finding in found)
    assert any("mask file is not there" in finding.message and finding.rows == (3,) for finding in found)


def test_masks_of_another_size_and_without_a_nerve(rows: list[Row]) -> None:
    cv2.imwrite(rows[0]["mask"], np.full((160, 100), 255, np.uint8))
    cv2.imwrite(rows[5]["mask"], np.zeros((160, 200), np.uint8))
    findings = check_rows(rows)
    size, empty = only(findings, "size-mismatch"), only(findings, "empty-mask")
    assert (size.rows, size.serious, empty.rows, empty.serious) == ((0,), True, (5,), False)
    assert findings[0] == size, "serious findings come first"


def sweep(path: Path, frames: list[np.ndarray]) -> str:
    assert cv2.imwritemulti(str(path), frames)
    return str(path)


def test_every_frame_of_a_sweep_must_be_readable(rows: list[Row], tmp_path: Path) -> None:
    frames = [tissue(50 + k) for k in range(4)]
    mask = cv2.imread(rows[0]["mask"], cv2.IMREAD_GRAYSCALE)
    rows[0]["image"] = sweep(tmp_path / "s.tif", frames)
    rows[0]["mask"] = sweep(tmp_path / "m.tif", [0 * mask, mask, mask, mask])
    assert check_rows(rows) == [], "the first frame may be without a nerve"
    rows[0]["image"] = sweep(tmp_path / "s.tif", [*frames[:3], np.zeros_like(frames[0])])
    found = only(check_rows(rows), "unreadable")
    assert found.rows == (0,) and "of its 4 frames, number 3 (from 0): The picture is blank" in found.message
    assert check_rows([rows[0] | {"mask": ""}, *rows[1:]]) == [], "no contour is lost with a blank frame"


def test_a_damaged_frame_in_the_middle_is_found(rows: list[Row], tmp_path: Path) -> None:
    frames = [Image.fromarray(tissue(60 + k)) for k in range(3)]
    path = tmp_path / "s.tif"
    frames[0].save(path, save_all=True, append_images=frames[1:], compression="tiff_adobe_deflate")
    data = bytearray(path.read_bytes())
    with Image.open(path) as written:
        written.seek(1)
        start = written.tag_v2[273][0]
    data[start : start + 400] = bytes(400)
    path.write_bytes(data)
    found = only(check_rows([rows[0] | {"image": str(path), "mask": ""}, *rows[1:]]), "unreadable")
    assert found.rows == (0,) and "number 1 (from 0)" in found.message


def test_a_mask_with_another_number_of_pages(rows: list[Row], tmp_path: Path) -> None:
    mask = cv2.imread(rows[0]["mask"], cv2.IMREAD_GRAYSCALE)
    rows[0]["image"] = sweep(tmp_path / "s.tif", [tissue(70 + k) for k in range(3)])
    rows[0]["mask"] = sweep(tmp_path / "m.tif", [mask, mask])
    found = only(check_rows(rows), "size-mismatch")
    assert found.rows == (0,) and found.serious and "number of pages" in found.message
    rows[0]["mask"] = sweep(tmp_path / "m.tif", [mask, mask, mask[:-1]])
    assert "of another size" in only(check_rows(rows), "size-mismatch").message
    rows[0]["mask"] = rows[1]["mask"]
    assert check_rows(rows) == []


def test_near_copies_across_groups_straddle_any_split(rows: list[Row]) -> None:
    copy = cv2.convertScaleAbs(cv2.imread(rows[0]["image"], cv2.IMREAD_GRAYSCALE), alpha=1.1, beta=3)
    cv2.imwrite(rows[4]["image"], copy)
    findings = check_rows(rows)
    assert only(findings, "near-duplicate").rows == (0, 4)
    torn = only(findings, "straddling")
    assert torn.rows == (0, 4) and torn.serious and "p0 with p2" in torn.message
    one_side = [row | {"split": "train"} for row in rows]
    assert [finding.kind for finding in check_rows(one_side)] == ["near-duplicate"]


def test_near_copies_within_a_group_are_no_leak(rows: list[Row]) -> None:
    cv2.imwrite(rows[1]["image"], tissue(0)[:, ::-1][:, ::-1])
    (finding,) = check_rows(rows)
    assert (finding.kind, finding.serious, finding.rows) == ("near-duplicate", False, (0, 1))


def test_a_group_on_two_sides(rows: list[Row]) -> None:
    sides = ["train", "train", "train", "test", "val", "val"]
    table = [row | {"split": side} for row, side in zip(rows, sides, strict=True)]
    found = only(check_table(table), "straddling")
    assert (found.rows, found.serious) == ((2, 3), True) and "p1" in found.message


def test_repeated_rows_and_missing_groups(rows: list[Row]) -> None:
    table = [*rows, rows[2] | {"label": "affected"}, rows[0] | {"image": "other.png", "group": ""}]
    findings = check_table(table)
    repeated, missing = only(findings, "duplicate-row"), only(findings, "missing-group")
    assert repeated.rows == (2, 6) and "1 of them with differing" in repeated.message
    assert missing.rows == (7,) and missing.serious


def test_every_image_its_own_group_is_worth_a_look(rows: list[Row]) -> None:
    table = [row | {"group": str(k)} for k, row in enumerate(rows)]
    assert not only(check_table(table), "missing-group").serious
    assert check_table([row | {"simulated": "1"} for row in table]) == []


def test_imbalance(rows: list[Row]) -> None:
    table = [row | {"label": "unaffected"} for row in rows]
    assert "All 6" in only(check_table(table), "imbalance").message
    many = [dict(rows[0], image=f"{k}.png", label="affected" if k < 2 else "unaffected") for k in range(12)]
    found = only(check_table(many), "imbalance")
    assert (found.rows, found.serious) == ((0, 1), False) and "5.0 to 1" in found.message
    assert not check_table([row | {"label": ""} for row in rows])


@pytest.mark.parametrize("scale", [0.4, 0.7, 1.0])
def test_writing_is_found_on_black_and_tissue_is_not_writing(scale: float) -> None:
    frame = np.zeros((300, 400), np.uint8)
    frame[60:280, 40:360] = tissue(1, (220, 320))
    assert not burnt_in_text(frame)
    written = cv2.putText(frame.copy(), "M 31-05", (50, 40), cv2.FONT_HERSHEY_SIMPLEX, scale, 230, 1)
    assert burnt_in_text(written)


def test_coloured_writing_is_found_though_reading_paints_it_over(rows: list[Row]) -> None:
    frame = np.zeros((220, 300, 3), np.uint8)
    frame[50:210, 50:250] = tissue(40)[..., None]
    cv2.putText(frame, "SMITH J", (60, 35), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 230, 250), 1, cv2.LINE_8)
    cv2.imwrite(rows[3]["image"], frame)
    rows[3]["mask"] = ""
    found = only(check_rows(rows), "burnt-in-text")
    assert found.rows == (3,) and not found.serious


def test_copies_are_found_among_many_others() -> None:
    prints = Fingerprints(300)
    for k in range(299):
        prints.add(k, tissue(100 + k, (64, 80)))
    prints.add(299, cv2.resize(tissue(150, (64, 80)), (96, 80)))
    cluster = near_duplicates(prints)
    assert np.flatnonzero(cluster != NONE).tolist() == [50, 299]
