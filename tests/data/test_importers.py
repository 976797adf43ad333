"""Every layout becomes the same kind of set, mask for mask; what cannot be read leaves nothing behind."""

from __future__ import annotations

import csv
import errno
import json
import shutil
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from nerve_core.data.importers import kind_of
from nerve_core.data.importers import write as writing
from nerve_core.data.importers.coco import run_lengths
from nerve_core.data.importers.layout import Layout
from nerve_core.data.importers.polygons import nerve_labels
from nerve_core.data.importers.write import Plan, add_set
from nerve_core.data.manifest import Row, read_manifest
from nerve_core.errors import DataError

SIZE = (60, 80)


def picture(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, SIZE, np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return path


def box(top: int = 10, left: int = 20, bottom: int = 30, right: int = 50) -> np.ndarray:
    """Boolean mask with a rectangle whose last row and column are ``bottom`` and ``right``."""
    mask = np.zeros(SIZE, bool)
    mask[top : bottom + 1, left : right + 1] = True
    return mask


def added(source: Path, out: Path, layout: Layout | None = None, **facts: str) -> list[Row]:
    manifest = add_set(Plan("test", str(source), layout or Layout(), facts=facts), out)
    assert manifest == out / "manifest.csv"
    assert sorted(path.name for path in out.parent.glob(f".{out.name}*")) == []
    return read_manifest(manifest)


def mask_of(row: Row) -> np.ndarray:
    mask = np.asarray(Image.open(row["mask"]))
    assert mask.dtype == np.uint8 and set(np.unique(mask)) <= {0, 255}
    return mask > 0


def test_folders_of_two_labels(tmp_path: Path) -> None:
    picture(tmp_path / "in/affected/ann/1.png")
    picture(tmp_path / "in/affected/ann/2.png")
    picture(tmp_path / "in/unaffected/1.png")
    cv2.imwrite(str(tmp_path / "in/unaffected/1_mask.png"), box().astype(np.uint8))
    assert kind_of(tmp_path / "in") == "folders"
    rows = added(tmp_path / "in", tmp_path / "out", licence="CC0-1.0", site="wrist")
    assert [(row["label"], row["group"]) for row in rows] == [
        ("affected", "ann"), ("affected", "ann"), ("unaffected", "unaffected/1"),
    ]  # fmt: skip
    assert [bool(row["mask"]) for row in rows] == [False, False, True]
    assert (mask_of(rows[2]) == box()).all()
    assert {(row["licence"], row["site"], row["set"]) for row in rows} == {("CC0-1.0", "wrist", "out")}
    assert Path(rows[0]["image"]).read_bytes() == (tmp_path / "in/affected/ann/1.png").read_bytes()


@pytest.mark.parametrize("mask", ["masks/{}.png", "masks/{}_mask.png"])
def test_image_and_mask_folders(tmp_path: Path, mask: str) -> None:
    for name in ("p1_1", "p1_2", "p2_1"):
        picture(tmp_path / "in" / "images" / f"{name}.jpg")
        place = tmp_path / "in" / mask.format(name)
        place.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(place), box().astype(np.uint8) * 255)
    assert kind_of(tmp_path / "in") == "pairs"
    rows = added(tmp_path / "in", tmp_path / "out", Layout(group=r"(p\d+)_"))
    assert [row["group"] for row in rows] == ["p1", "p1", "p2"]
    assert all((mask_of(row) == box()).all() for row in rows)


def test_masks_beside_images_and_empty_ones_left_out(tmp_path: Path) -> None:
    for name, mask in {"1_1": box(), "1_2": np.zeros(SIZE, bool)}.items():
        picture(tmp_path / "in" / f"{name}.tif")
        cv2.imwrite(str(tmp_path / "in" / f"{name}_mask.tif"), mask.astype(np.uint8) * 255)
    layout = Layout("pairs", (("", ""),), group=r"(\d+)_\d+\.\w+$", skip_empty=True)
    (row,) = added(tmp_path / "in", tmp_path / "out", layout)
    assert row["group"] == "1" and row["image"].endswith("1_1.tif")


def test_masks_of_several_classes_need_a_choice(tmp_path: Path) -> None:
    picture(tmp_path / "in/images/1.png")
    mask = box().astype(np.uint8) * 2
    mask[:5] = 1
    (tmp_path / "in/masks").mkdir()
    Image.fromarray(mask).save(tmp_path / "in/masks/1.png")
    with pytest.raises(DataError, match=r"levels 0, 1, 2.*--nerve-value"):
        added(tmp_path / "in", tmp_path / "out")
    (row,) = added(tmp_path / "in", tmp_path / "out", Layout(nerve_value=2))
    assert (mask_of(row) == box()).all()


def labelme(path: Path, image: str, *shapes: tuple[str, str, list[list[float]]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = [{"label": label, "shape_type": kind, "points": points} for label, kind, points in shapes]
    path.write_text(json.dumps({"imagePath": image, "imageData": "x" * 99, "shapes": drawn}))


CORNERS = [[20, 10], [50, 10], [50, 30], [20, 30]]


def test_labelme(tmp_path: Path) -> None:
    for k in (1, 2, 3):
        picture(tmp_path / f"in/images/{k}.jpg")
    labelme(tmp_path / "in/json/1.json", "..\\images\\1.jpg", ("median nerve", "polygon", CORNERS))
    labelme(tmp_path / "in/json/2.json", "2.jpg", ("median nerve", "rectangle", [[50, 30], [20, 10]]))
    labelme(tmp_path / "in/json/3.json", "3.jpg", ("artery", "circle", [[20, 20], [25, 20]]))
    assert kind_of(tmp_path / "in") == "labelme"
    rows = added(tmp_path / "in", tmp_path / "out")
    assert [bool(row["mask"]) for row in rows] == [True, True, False]
    assert (mask_of(rows[0]) == box()).all() and (mask_of(rows[1]) == box()).all()
    rows = added(tmp_path / "in", tmp_path / "other", Layout(nerve_labels=("artery",)))
    assert mask_of(rows[2]).sum() == pytest.approx(np.pi * 5.5**2, rel=0.05), "the rim included"


def test_labels_that_do_not_tell_the_nerve() -> None:
    assert nerve_labels({"Ulnar", "ulnar artery", "muscle"}, ()) == {"Ulnar"}
    assert nerve_labels({"shenjing"}, ()) == {"shenjing"}
    with pytest.raises(DataError, match=r"--nerve-label: dongmai, shenjing"):
        nerve_labels({"shenjing", "dongmai"}, ())
    with pytest.raises(DataError, match="No contour is labelled nerf"):
        nerve_labels({"nerve"}, ["nerf"])


@pytest.mark.parametrize(
    "shape",
    [("nerve", "polygon", [[1, 2], [3, 4]]), ("nerve", "line", CORNERS), ("nerve", "polygon", [["a"]])],
)
def test_labelme_contours_that_cannot_be_drawn(
    tmp_path: Path, shape: tuple[str, str, list[list[float]]]
) -> None:
    picture(tmp_path / "in/1.jpg")
    labelme(tmp_path / "in/1.json", "1.jpg", shape)
    with pytest.raises(DataError, match=r"1\.json cannot be drawn"):
        added(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def packed(counts: list[int]) -> str:
    """Run lengths as the COCO API packs them (``rleToString`` of its C code)."""
    text = ""
    for index, value in enumerate(counts):
        value -= counts[index - 2] if index > 2 else 0
        more = True
        while more:
            code, value = value & 0x1F, value >> 5
            more = value != -1 if code & 0x10 else value != 0
            text += chr((code | 0x20 if more else code) + 48)
    return text


def lengths(mask: np.ndarray) -> list[int]:
    flat = np.concatenate([[False], mask.ravel(order="F")])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff(np.concatenate([[0], edges, [mask.size]])).tolist()


def test_coco_polygons_and_run_lengths(tmp_path: Path) -> None:
    for k in range(4):
        picture(tmp_path / f"in/images/{k}.png")
    drawn = [
        [[20, 10, 50, 10, 50, 30, 20, 30]],
        {"size": list(SIZE), "counts": lengths(box())},
        {"size": list(SIZE), "counts": packed(lengths(box()))},
    ]
    table = {
        "images": [{"id": k, "file_name": f"images/{k}.png"} for k in range(4)],
        "annotations": [{"image_id": k, "category_id": 1, "segmentation": one} for k, one in enumerate(drawn)]
        + [{"image_id": 0, "category_id": 2, "segmentation": [[0, 0, 9, 0, 9, 9]]}],
        "categories": [{"id": 1, "name": "Nerve"}, {"id": 2, "name": "vein"}],
    }
    (tmp_path / "in/annotations.json").write_text(json.dumps(table))
    assert kind_of(tmp_path / "in") == "coco"
    rows = added(tmp_path / "in", tmp_path / "out")
    assert [bool(row["mask"]) for row in rows] == [True, True, True, False]
    assert all((mask_of(row) == box()).all() for row in rows[:3])
    table["images"].append({"id": 9, "file_name": "lost.png"})
    (tmp_path / "in/annotations.json").write_text(json.dumps(table))
    with pytest.raises(DataError, match=r"lost\.png"):
        added(tmp_path / "in", tmp_path / "other")


@pytest.mark.parametrize("seed", range(5))
def test_packed_run_lengths_of_any_mask(seed: int) -> None:
    mask = np.random.default_rng(seed).random(SIZE) < (0.01, 0.2, 0.5, 0.9, 0.999)[seed]
    assert (run_lengths({"size": SIZE, "counts": packed(lengths(mask))}, SIZE) == mask).all()


def test_dicom_folder_groups_patients_without_naming_them(tmp_path: Path) -> None:
    from pydicom import dcmread

    sample = next(path for path in sorted(Path("data/samples").glob("*.dcm")) if "sweep" not in path.name)
    (tmp_path / "in/day1").mkdir(parents=True)
    for k, patient in enumerate(["SMITH-1", "JONES-2", "SMITH-1"]):
        dataset = dcmread(sample)
        dataset.PatientID = patient
        dataset.save_as(tmp_path / f"in/day1/IM{k}")
    report = dcmread(sample)
    report.Modality = "SR"
    report.save_as(tmp_path / "in/report.dcm")
    assert kind_of(tmp_path / "in") == "dicom"
    rows = added(tmp_path / "in", tmp_path / "out")
    assert [row["group"] for row in rows] == ["patient-1", "patient-2", "patient-1"]
    assert all(row["image"].endswith(".dcm") for row in rows)
    assert "SMITH" not in (tmp_path / "out/manifest.csv").read_text()


def test_a_set_with_a_manifest_keeps_its_columns(tmp_path: Path) -> None:
    picture(tmp_path / "in/a/1.png")
    cv2.imwrite(str(tmp_path / "in/1.png"), box().astype(np.uint8) * 255)
    (tmp_path / "in/manifest.csv").write_text(
        "image,mask,group,label,age,site\na/1.png,1.png,p1,affected,44,wrist\n"
    )
    (row,) = added(tmp_path / "in", tmp_path / "out", site="neck")
    assert (row["group"], row["label"], row["age"], row["site"]) == ("p1", "affected", "44", "wrist")
    assert (mask_of(row) == box()).all()


def test_the_masks_of_vessels_come_along(tmp_path: Path) -> None:
    for name in ("1", "2"):
        picture(tmp_path / f"in/{name}.png")
        cv2.imwrite(str(tmp_path / f"in/{name}-v.png"), box().astype(np.uint8) * 255)
    (tmp_path / "in/manifest.csv").write_text("image,group,mask_vessel\n1.png,p,1-v.png\n2.png,q,\n")
    one, other = added(tmp_path / "in", tmp_path / "out")
    assert other["mask_vessel"] == "" and Path(one["mask_vessel"]).is_relative_to(tmp_path / "out")
    assert (mask_of({"mask": one["mask_vessel"]}) == box()).all()
    (tmp_path / "in/1-v.png").unlink()
    with pytest.raises(DataError, match=r"lists 1-v\.png, which is not in the set"):
        added(tmp_path / "in", tmp_path / "again")


def test_two_that_add_the_same_set_do_not_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(tmp_path / "in/affected/1.png")
    inside: list[str] = []
    plan, out = Plan("test", str(tmp_path / "in"), Layout()), tmp_path / "out"

    def copy(source: Path, target: Path) -> None:
        with pytest.raises(DataError, match="Another process is making"):
            add_set(plan, out)
        inside.append(target.name)
        target.write_bytes(Path(source).read_bytes())

    monkeypatch.setattr(writing.shutil, "copyfile", copy)
    add_set(plan, out)
    assert len(inside) == 1 and len(read_manifest(out)) == 1
    with pytest.raises(DataError, match="not empty"):
        add_set(plan, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_a_wrapped_archive_and_names_that_clash(tmp_path: Path) -> None:
    for name in ("a/b.png", "a_b.png", "A_B.PNG"):
        picture(tmp_path / "in" / name)
    archive = shutil.make_archive(str(tmp_path / "set"), "zip", tmp_path, "in")
    rows = added(Path(archive), tmp_path / "out")
    assert len({row["image"].lower() for row in rows}) == 3 and all(
        Path(row["image"]).is_file() for row in rows
    )


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    picture(tmp_path / "in/1.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/notes.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty"):
        added(tmp_path / "in", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["notes.txt"]


def test_left_overs_of_a_killed_run_are_taken_away(tmp_path: Path) -> None:
    picture(tmp_path / "in/1.png")
    (tmp_path / ".out.adding/set").mkdir(parents=True)
    assert len(added(tmp_path / "in", tmp_path / "out")) == 1


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda place: None, "nothing at"),
        (lambda place: place.mkdir(), "no scans"),
        (lambda place: place.write_text("text"), "neither a folder nor a zip"),
        (lambda place: zipfile.ZipFile(place, "w").close(), "no scans"),
    ],
)
def test_sources_that_are_none(tmp_path: Path, make: object, says: str) -> None:
    make(tmp_path / "in")
    with pytest.raises(DataError, match=says):
        added(tmp_path / "in", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir() if path.name != "in"] == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(tmp_path / "in/1.png")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing.shutil, "copyfile", full)
    with pytest.raises(DataError, match="full"):
        added(tmp_path / "in", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_the_manifest_is_plain_csv(tmp_path: Path) -> None:
    picture(tmp_path / "in/1.png")
    added(tmp_path / "in", tmp_path / "out", device='a, "b"')
    with (tmp_path / "out/manifest.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["device"] == 'a, "b"' and row["image"] == "images/1.png"
