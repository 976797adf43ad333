import shutil
import subprocess
from dataclasses import replace

import cv2
import highdicom as hd
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import UltrasoundMultiFrameImageStorage

from nerve_core.clinical import shape
from nerve_core.clinical.dicom_seg import covered_most, segment_areas_px, segmentation
from nerve_core.clinical.dicom_source import source_image
from nerve_core.clinical.dicom_sr import areas_mm2, report
from nerve_core.clinical.measure import measure
from nerve_core.errors import DataError
from nerve_core.imaging.deidentify import deidentify
from nerve_core.imaging.read import open_scan
from nerve_core.inference.prediction import NO_NERVE, NOTICE, Nerve, Prediction
from tests.imaging.build import dicom, region, tissue

SPACING = (0.2, 0.1)


def circle(radius: float, x: float, y: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1).astype(np.float32)


def prediction(nerves: int, size=(120, 160)) -> Prediction:
    mask = np.zeros(size, np.uint8)
    found = []
    for number in range(nerves):
        outline = circle(11.3 + number, 40.4 + 60 * number, 60.7)
        cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 255)
        found.append(
            Nerve(outline, tuple(outline.mean(axis=0)), shape.area(outline), None, 0.9, 0.8 - number / 2)
        )
    chances = cv2.GaussianBlur((mask / 255).astype(np.float32), (0, 0), 1.5)
    verdict = "affected" if nerves else NO_NERVE
    return Prediction(chances, mask, tuple(found), verdict, 0.8 if nerves else None, "research 1.2")


def upload(many: bool) -> bytes:
    frames = np.stack([tissue(seed=seed) for seed in range(3)]) if many else tissue()
    more = {"FrameTime": "40", "FrameIncrementPointer": 0x00181063} if many else {}
    if many:
        more["SOPClassUID"] = UltrasoundMultiFrameImageStorage
    more |= {"PatientID": "P-7", "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.4"}
    return dicom(frames, SequenceOfUltrasoundRegions=[region((0, 0, 120, 160), 0.01, 0.02)], **more)


def both(data: bytes, frame: int, nerves: int, tmp_path):
    scan, said = open_scan(data).scan(frame), prediction(nerves)
    source = source_image(data, scan)
    segments = segmentation(source, scan, said) if nerves else None
    made = report(source, scan, said, segments)
    for name, each in (("seg", segments), ("sr", made)):
        if each is not None:
            each.save_as(tmp_path / f"{name}.dcm")
    return scan, said, source


@pytest.mark.parametrize("radius", [3.2, 8.0, 20.7])
def test_a_segment_has_the_area_of_its_outline(radius):
    for shift in np.linspace(0, 1, 7):
        outline = circle(radius, 60 + shift, 50 + shift / 2)
        mask = covered_most(outline, (120, 160))
        assert abs(mask.sum() - shape.area(outline)) <= 0.5
        rows, columns = np.nonzero(mask)
        assert np.abs([columns.mean() - outline[:, 0].mean(), rows.mean() - outline[:, 1].mean()]).max() < 0.4


def test_an_outline_at_the_edge_stays_in_the_picture():
    assert covered_most(circle(10, 2, 118), (120, 160)).any()


@pytest.mark.parametrize(("many", "frame"), [(False, 0), (True, 2)])
@pytest.mark.parametrize("nerves", [1, 2])
def test_pydicom_and_highdicom_read_the_measured_areas(many, frame, nerves, tmp_path):
    scan, said, source = both(upload(many), frame, nerves, tmp_path)
    measured = [measure(scan, said, nerve).area for nerve in said.nerves]
    plain = dcmread(tmp_path / "seg.dcm")
    assert np.array(segment_areas_px(plain)) * 0.02 == pytest.approx(measured, abs=0.1)
    segments = hd.seg.segread(tmp_path / "seg.dcm")
    numbers = segments.segment_numbers
    stacks = [segments.get_pixels_by_source_frame, segments.get_pixels_by_source_instance]
    if many:
        planes = stacks[0](source.SOPInstanceUID, [frame + 1], segment_numbers=numbers)
    else:
        planes = stacks[1]([source.SOPInstanceUID], segment_numbers=numbers)
    assert planes.shape == (1, 120, 160, nerves)
    assert planes.sum(axis=(0, 1, 2)) * 0.02 == pytest.approx(measured, abs=0.1)
    stated = dcmread(tmp_path / "sr.dcm")
    assert areas_mm2(stated) == pytest.approx(measured, abs=1e-3)
    assert stated.PatientID == plain.PatientID == "P-7" and stated.StudyInstanceUID == "1.2.3"


def items(dataset):
    for item in dataset.get("ContentSequence", ()):
        yield item
        yield from items(item)


def name(item) -> str:
    return item.ConceptNameCodeSequence[0].CodeMeaning if item.get("ConceptNameCodeSequence") else ""


def test_the_report_says_verdict_probability_notice_and_refers_to_segment_and_image(tmp_path):
    _, _, source = both(upload(True), 1, 1, tmp_path)
    read = hd.sr.srread(tmp_path / "sr.dcm")
    group = read.content.get_planar_roi_measurement_groups()[0]
    segments = dcmread(tmp_path / "seg.dcm")
    pointed = group.referenced_segmentation_frame
    assert pointed.referenced_sop_instance_uid == segments.SOPInstanceUID
    assert group.tracking_uid == segments.SegmentSequence[0].TrackingUID
    said = {one.name.meaning: one.value.meaning for one in group.get_qualitative_evaluations()}
    assert said == {"Verdict of the network": "Looks affected"}
    sizes = {one.name.meaning: one.value for one in group.get_measurements()}
    assert sizes["Probability of looking affected"] == 0.8 and sizes["Perimeter"] > 0
    images = [item for item in items(dcmread(tmp_path / "sr.dcm")) if "Source Image" in name(item)]
    reference = images[0].ReferencedSOPSequence[0]
    assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert reference.ReferencedFrameNumber == 2
    texts = [item.TextValue for item in dcmread(tmp_path / "sr.dcm").ContentSequence if "TextValue" in item]
    assert NOTICE in texts


def test_no_nerve_is_a_report_without_a_segmentation(tmp_path):
    scan, said, source = both(upload(False), 0, 0, tmp_path)
    groups = hd.sr.srread(tmp_path / "sr.dcm").content.get_image_measurement_groups()
    assert groups[0].get_qualitative_evaluations()[0].value.meaning == "No nerve found"
    with pytest.raises(DataError, match="no nerve"):
        segmentation(source, scan, said)
    with pytest.raises(DataError, match="segmentation"):
        report(source, scan, prediction(1))


def test_without_a_scale_areas_are_in_pixels():
    data = dicom(tissue())
    scan, said = open_scan(data).scan(), prediction(1)
    source = source_image(data, scan)
    made = report(source, scan, said, segmentation(source, scan, said))
    assert areas_mm2(made) == [] and "{pixels}2" in str(made)


def test_the_same_result_is_the_same_object():
    data = upload(False)
    scan, said = open_scan(data).scan(), prediction(1)
    uids = []
    for one in (said, said, replace(said, model="research 1.3")):
        source = source_image(data, scan)
        segments = segmentation(source, scan, one)
        uids.append((segments.SOPInstanceUID, report(source, scan, one, segments).SOPInstanceUID))
    assert uids[0] == uids[1] and not set(uids[0]) & set(uids[2])


def validated(path) -> list[str]:
    run = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False)
    return [line for line in run.stderr.splitlines() if line.startswith("Error")]


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dciodvfy is missing: apt-get install dicom3tools")
@pytest.mark.parametrize(
    ("many", "frame", "nerves"), [(False, 0, 2), (True, 2, 1), (False, 0, 0), (None, 0, 1)]
)
def test_a_validator_accepts_them(many, frame, nerves, tmp_path):
    if many is None:  # of a picture
        data = cv2.imencode(".png", tissue())[1].tobytes()
        scan = replace(open_scan(data).scan(), spacing_mm=SPACING)
        source = source_image(data, scan, "P-1")
        source.save_as(tmp_path / "us.dcm", enforce_file_format=True)
        segments = segmentation(source, scan, prediction(1))
        segments.save_as(tmp_path / "seg.dcm")
        report(source, scan, prediction(1), segments).save_as(tmp_path / "sr.dcm")
        again = open_scan(tmp_path / "us.dcm").scan()
        assert again.spacing_mm == pytest.approx(SPACING) and np.array_equal(again.pixels, scan.pixels)
    else:
        data = upload(many)
        (tmp_path / "clean.dcm").write_bytes(deidentify(data, "x").data)
        both(data, frame, nerves, tmp_path)
    files = sorted(tmp_path.glob("*.dcm"))
    assert len(files) >= 2
    assert {path.name: validated(path) for path in files} == {path.name: [] for path in files}


@pytest.mark.skipif(not shutil.which("dsrdump"), reason="dsrdump is missing: apt-get install dcmtk")
def test_a_second_reader_reads_the_report(tmp_path):
    both(upload(True), 1, 2, tmp_path)
    run = subprocess.run(["dsrdump", str(tmp_path / "sr.dcm")], capture_output=True, text=True, check=True)
    assert run.stdout.count('NUM:(,,"Area")') == 2 and 'CODE:(,,"Verdict of the network")' in run.stdout
