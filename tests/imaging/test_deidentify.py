import io

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from pydicom import dcmread

from nerve_core.cli import main
from nerve_core.errors import RefusedScan, ScanError
from nerve_core.imaging.deidentify import STATED_TEXT, deidentify, preview
from nerve_core.imaging.read import open_scan
from tests.imaging.build import PATIENT, dicom, encode, region, tissue

SALT = b"salt of the tests"
BOX = (40, 30, 220, 290)


def capture(seed: int = 0, value: int = 255) -> np.ndarray:
    """A screen: tissue in ``BOX``, a name above it and a date below."""
    pixels = np.zeros((260, 320), np.uint8)
    top, left, bottom, right = BOX
    pixels[top:bottom, left:right] = tissue(bottom - top, right - left, seed)
    cv2.putText(pixels, "Brown Secret 1970", (40, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, value, 1)
    cv2.putText(pixels, "12.03.2026", (60, 248), cv2.FONT_HERSHEY_SIMPLEX, 0.6, value, 1)
    return pixels


def test_everything_outside_the_ultrasound_is_black_and_the_rest_as_it_was():
    pixels = capture()
    before = open_scan(encode(pixels)).scan()
    cleaned = deidentify(encode(pixels), "Brown.png")
    after = open_scan(cleaned.data).scan()
    top, left, bottom, right = before.region
    assert np.array_equal(after.pixels[top:bottom, left:right], pixels[top:bottom, left:right])
    outside = after.pixels.copy()
    outside[top:bottom, left:right] = 0
    assert not outside.any() and after.region == before.region
    assert cleaned.blanked == pytest.approx(1 - (bottom - top) * (right - left) / pixels.size, abs=1e-6)
    assert cleaned.removed[0] == "file name" and "Brown" not in cleaned.name


def test_text_in_the_corner_beside_a_sector_goes():
    pixels = np.zeros((300, 400), np.uint8)
    sector = np.zeros_like(pixels)
    cv2.ellipse(sector, (200, 0), (290, 290), 0, 50, 130, 255, -1)
    pixels[sector > 0] = tissue(300, 400)[sector > 0]
    plain = pixels.copy()
    cv2.putText(pixels, "SECRET", (32, 70), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 230, 1)
    assert (pixels != plain).any()
    before, after = open_scan(encode(pixels)).scan(), open_scan(deidentify(encode(pixels)).data).scan()
    top, left, bottom, right = before.region
    assert top < 60 and left < 40, "the writing lies in the region"
    assert np.array_equal(after.pixels[top:bottom, left:right], plain[top:bottom, left:right])


def test_metadata_of_pictures_goes_and_is_named_without_its_values():
    info = PngImagePlugin.PngInfo()
    info.add_text("Patient", "Brown Secret")
    exif = Image.Exif()
    exif[0x010E] = "Brown Secret"
    for data in (
        encode(capture(), "PNG", pnginfo=info, exif=exif),
        encode(capture(), "JPEG", exif=exif, comment=b"Brown Secret"),
        encode(capture(), "TIFF", tiffinfo={270: "Brown Secret", 315: "Brown Secret"}),
    ):
        assert b"Brown Secret" in data
        cleaned = deidentify(data, "x")
        assert b"Brown" not in cleaned.data and "Brown" not in repr(cleaned) and len(cleaned.removed) > 1
        kept = Image.open(io.BytesIO(cleaned.data))
        assert kept.format == "PNG" and not kept.info and not kept.getexif()


def test_pages_of_a_picture_stay_pages():
    pages = [Image.fromarray(capture(seed)) for seed in range(3)]
    data = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    file = open_scan(deidentify(data).data)
    assert file.n_frames == 3
    inside = (slice(60, 200), slice(60, 260))
    for number, page in enumerate(pages):
        after = file.scan(number).pixels
        assert np.array_equal(after[inside], np.asarray(page)[inside]) and not after[:25].any()


def identified(frames: np.ndarray, **more) -> bytes:
    attributes = {
        "PatientID": "4711-0815",
        "PatientBirthDate": "19700101",
        "StudyDate": "20260312",
        "StudyInstanceUID": "1.2.3.4",
        "SeriesInstanceUID": "1.2.3.5",
        "InstitutionName": "Hospital",
        "ReferringPhysicianName": "Doctor^House",
        "ImageComments": f"{PATIENT} was here",
        "Manufacturer": "Maker",
        "ManufacturerModelName": "Secret 9",
        "BodyPartExamined": "WRIST",
        "DeviceSerialNumber": "12345",
        "SequenceOfUltrasoundRegions": [region(BOX)],
    }
    return dicom(frames, **(attributes | more))


@pytest.mark.parametrize("many", [False, True])
def test_dicom_keeps_geometry_and_loses_identity(many):
    frames = np.stack([capture(seed) for seed in range(3)]) if many else capture()
    more = {"FrameTime": "40", "FrameIncrementPointer": 0x00181063} if many else {}
    data = identified(frames, **more)
    before, after = open_scan(data), open_scan((cleaned := deidentify(data, "a", salt=SALT)).data)
    assert after.n_frames == before.n_frames == (3 if many else 1)
    top, left, bottom, right = BOX
    for number in range(after.n_frames):
        one, other = before.scan(number), after.scan(number)
        assert one.region == other.region and one.calibrated == other.calibrated
        assert np.array_equal(one.pixels[top:bottom, left:right], other.pixels[top:bottom, left:right])
        assert not other.pixels[:top].any() and not other.pixels[bottom:].any()
    header = dcmread(io.BytesIO(cleaned.data))
    text = str(header) + str(header.file_meta)
    for word in ("Brown", "Secret", "4711", "1970", "2026", "Hospital", "House", "12345", "1.2.3.4"):
        assert word not in text and word.encode() not in cleaned.data
    assert header.Manufacturer == "Maker" and header.BodyPartExamined == "WRIST"
    assert header.ManufacturerModelName == "", "it held a word of the name"
    assert header.PatientIdentityRemoved == "YES" and header.BurnedInAnnotation == "NO"
    assert [code.CodeValue for code in header.DeidentificationMethodCodeSequence] == ["113100", "113101"]
    assert not many or header.FrameTime == 40
    assert {"Patient's Name", "Study Date", "Institution Name"} <= set(cleaned.removed)


def test_uids_and_pseudonyms_stay_together_by_salt_and_cannot_be_told_without():
    data, other = identified(capture()), identified(capture(1), SOPInstanceUID="1.2.9")

    def header(data: bytes, salt: bytes):
        return dcmread(io.BytesIO(deidentify(data, salt=salt).data))

    first, second, third = header(data, SALT), header(other, SALT), header(data, b"another")
    assert first.StudyInstanceUID == second.StudyInstanceUID != third.StudyInstanceUID
    assert first.PatientID == second.PatientID != third.PatientID
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert deidentify(data, salt=SALT).data == deidentify(data, salt=SALT).data


def test_shifted_dates_keep_their_distance():
    data, later = identified(capture()), identified(capture(), StudyDate="20260322")

    def day(data: bytes) -> str:
        return dcmread(io.BytesIO(deidentify(data, salt=SALT, shift_dates=True).data)).StudyDate

    from datetime import datetime

    first, second = (datetime.strptime(day(each), "%Y%m%d") for each in (data, later))
    assert (second - first).days == 10 and first < datetime(2026, 3, 12)


def test_private_fields_go_and_are_counted():
    from pydicom.dataset import Dataset

    dataset: Dataset = dcmread(io.BytesIO(identified(capture())))
    dataset.private_block(0x0011, "ACME", create=True).add_new(1, "LO", PATIENT)
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    cleaned = deidentify(stream.getvalue())
    assert "2 private fields" in cleaned.removed
    assert not any(tag.is_private for tag in dcmread(io.BytesIO(cleaned.data)).keys())  # noqa: SIM118


def test_text_that_the_file_states_is_said_and_not_denied():
    cleaned = deidentify(identified(capture(), BurnedInAnnotation="YES"))
    assert STATED_TEXT in cleaned.cautions
    assert "BurnedInAnnotation" not in dcmread(io.BytesIO(cleaned.data))


def test_what_is_no_scan_is_refused():
    with pytest.raises(ScanError):
        deidentify(b"no picture")
    photograph = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    with pytest.raises(RefusedScan):
        deidentify(encode(cv2.resize(photograph, (256, 256))))


def test_preview_shows_both_pictures_and_every_field():
    shown = preview(identified(capture()), "a.dcm", salt=SALT)
    rows = {row.name: row for row in shown.fields}
    assert rows["Patient's Name"].before.strip("'") == PATIENT and PATIENT not in rows["Patient's Name"].after
    assert rows["Institution Name"].after == "" and PATIENT not in repr(shown)
    assert shown.before[:25].any() and not shown.after[:25].any()


def test_command_writes_cleaned_files_and_goes_on_after_a_bad_one(tmp_path, capsys):
    good, bad = tmp_path / "Brown.dcm", tmp_path / "bad.png"
    good.write_bytes(identified(capture()))
    bad.write_bytes(b"nothing")
    out = tmp_path / "out"
    assert main(["deidentify", str(bad), str(good), "--out", str(out), "--preview"]) == 1
    names = sorted(path.name for path in out.iterdir())
    assert len(names) == 2 and names[0].endswith("-preview.png") and names[1].endswith(".dcm")
    printed = capsys.readouterr()
    assert "blanked" in printed.out and "bad.png" in printed.err and PATIENT not in printed.out
