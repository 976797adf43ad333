"""Sample scans: complete, valid, reproducible and honest about what they are."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from nerve_core.data import samples as module
from nerve_core.data.phantom import simulate, simulate_sweep
from nerve_core.data.phantom_dicom import save_dicom
from nerve_core.data.samples import RECIPES, Recipe, list_samples, screen_capture, write_samples
from nerve_core.errors import DataError

SHIPPED = Path(__file__).parents[2] / "data" / "samples"
FEW = (
    Recipe(1, "elbow", size=(128, 160)),
    Recipe(2, "neck", 0.6, size=(128, 160)),
    Recipe(3, "wrist", 0.8, "sweep", (128, 160)),
    Recipe(4, "groin", form="dicom", size=(128, 160)),
    Recipe(5, "groin", 0.8, "capture", (200, 240)),
)


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(module, "RECIPES", FEW)
    monkeypatch.setattr(module, "FRAMES", 3)


def pixels_of(path: Path) -> np.ndarray:
    return pydicom.dcmread(path).pixel_array if path.suffix == ".dcm" else np.asarray(Image.open(path))


def pages_of(path: Path) -> np.ndarray:
    with Image.open(path) as pages:
        found = []
        for index in range(getattr(pages, "n_frames", 1)):
            pages.seek(index)
            found.append(np.array(pages))
    return np.stack(found)


def test_shipped_samples_cover_what_pages_need():
    samples = list_samples(SHIPPED)
    assert len(samples) == len(RECIPES)
    assert {sample.label for sample in samples} == {"affected", "unaffected"}
    assert len({sample.site for sample in samples}) >= 6
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 6e6
    for sample in samples:
        assert "simulated" in sample.title.lower() and "simulated" in sample.path.name
        assert sample.licence == "CC0-1.0" and "simulated" in sample.device
        pixels, masks = pixels_of(sample.path), pages_of(sample.mask_path)
        if sample.path.suffix == ".png" or pixels.ndim == 2:
            pixels = pixels[None]
        assert masks.shape == pixels.shape[:3]
        assert set(np.unique(masks)) == {0, 255} and all(mask.any() for mask in masks)
        assert (sample.severity > 0) == (sample.label == "affected")


def test_shipped_dicom_states_the_scale_of_the_manifest():
    files = [sample for sample in list_samples(SHIPPED) if sample.path.suffix == ".dcm"]
    assert len(files) == 3
    for sample in files:
        data = pydicom.dcmread(sample.path)
        region = data.SequenceOfUltrasoundRegions[0]
        assert region.PhysicalUnitsXDirection == region.PhysicalUnitsYDirection == 3
        assert region.PhysicalDeltaX * 10 == pytest.approx(sample.spacing_mm, abs=1e-5)
        assert region.PhysicalDeltaY * 10 == pytest.approx(sample.spacing_mm, abs=1e-5)
    assert max(int(pydicom.dcmread(sample.path).get("NumberOfFrames", 1)) for sample in files) >= 24


def test_project_reads_its_own_samples():
    from nerve_core.imaging.read import open_scan

    for sample in list_samples(SHIPPED):
        opened = open_scan(sample.path)
        scan = opened.scan(opened.n_frames - 1)
        assert scan.pixels.shape == pages_of(sample.mask_path).shape[1:]
        if sample.path.suffix == ".dcm":
            height, width = scan.pixels.shape
            assert scan.spacing_at(height // 2, width // 2) == pytest.approx(
                (sample.spacing_mm,) * 2, abs=1e-5
            )
        else:
            assert scan.spacing_mm is None


def test_writing_twice_gives_the_same_bytes(few, tmp_path):
    for name in ("one", "two"):
        assert len(write_samples(tmp_path / name)) == len(FEW)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 3 * len(FEW) + 1
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    write_samples(tmp_path / "three", seed=1)
    assert sorted(path.name for path in (tmp_path / "three").iterdir()) == files
    assert (tmp_path / "three" / files[1]).read_bytes() != (tmp_path / "one" / files[1]).read_bytes()


def test_manifest_has_the_columns_of_the_contract(few, tmp_path):
    write_samples(tmp_path)
    with (tmp_path / "manifest.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert {
        "image",
        "mask",
        "label",
        "group",
        "nerve",
        "site",
        "device",
        "spacing_mm",
        "source",
        "licence",
        "title",
    } <= set(rows[0])
    assert len({row["group"] for row in rows}) == len(rows)
    assert all("simulated" in row["source"] for row in rows)


def test_dicom_has_the_modules_of_ultrasound(tmp_path):
    frames = simulate_sweep(1, size=(128, 128), frames=3)
    save_dicom(tmp_path / "many.dcm", frames)
    save_dicom(tmp_path / "one.dcm", frames[:1])
    many, one = pydicom.dcmread(tmp_path / "many.dcm"), pydicom.dcmread(tmp_path / "one.dcm")
    for data in (many, one):
        for keyword in (
            "SOPClassUID",
            "SOPInstanceUID",
            "StudyInstanceUID",
            "SeriesInstanceUID",
            "Modality",
            "Manufacturer",
            "ImageType",
            "PhotometricInterpretation",
            "SequenceOfUltrasoundRegions",
            "PatientName",
            "PatientID",
            "StudyID",
            "SeriesNumber",
            "InstanceNumber",
        ):
            assert data.get(keyword), keyword
        for keyword in (
            "PatientBirthDate",
            "PatientSex",
            "StudyDate",
            "StudyTime",
            "AccessionNumber",
            "ReferringPhysicianName",
        ):
            assert keyword in data, keyword
        assert data.Modality == "US" and "Simulated" in str(data.PatientName)
        assert data.file_meta.TransferSyntaxUID.is_compressed
    assert many.SOPClassUID.name == "Ultrasound Multi-frame Image Storage"
    assert many.NumberOfFrames == 3 and many.FrameTime > 0 and many.FrameIncrementPointer == 0x00181063
    assert one.SOPClassUID.name == "Ultrasound Image Storage" and "NumberOfFrames" not in one
    assert np.array_equal(many.pixel_array, np.stack([frame.image for frame in frames]))
    assert np.array_equal(one.pixel_array, frames[0].image)


def test_screen_capture_keeps_the_scan_and_adds_a_coloured_mark():
    phantom = simulate(2, size=(200, 240))
    canvas, (top, left) = screen_capture(phantom)
    inner = canvas[top : top + 200, left : left + 240]
    assert np.array_equal(inner[60:, :, 1], phantom.image[60:])
    coloured = canvas.max(2).astype(int) - canvas.min(2) > 60
    assert 20 < coloured.sum() < 1000
    assert (canvas[:, :8] == 0).all() and canvas[:top].max() > 100


def test_no_manifest_no_samples(tmp_path):
    assert list_samples(tmp_path) == []


@pytest.mark.parametrize("damage", ["column", "file", "number"])
def test_damaged_list_says_how_to_mend_it(few, tmp_path, damage):
    write_samples(tmp_path)
    manifest = tmp_path / "manifest.csv"
    text = manifest.read_text()
    if damage == "column":
        manifest.write_text(text.replace("title", "heading"))
    elif damage == "number":
        manifest.write_text(text.replace("0.6", "much"))
    else:
        (tmp_path / "simulated-elbow-unaffected.png").unlink()
    with pytest.raises(DataError, match="python -m nerve_core samples"):
        list_samples(tmp_path)


def test_command_writes_and_refuses(few, tmp_path, capsys):
    from nerve_core.cli import main

    assert main(["samples", "--out", str(tmp_path / "made")]) == 0
    assert capsys.readouterr().out.count("Simulated") == len(FEW)
    (tmp_path / "file").write_text("x")
    assert main(["samples", "--out", str(tmp_path / "file")]) == 1
    assert "could not be written" in capsys.readouterr().err
