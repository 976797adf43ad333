"""Against a real archive: scan in, verdict, SEG and SR back, read again with the same area."""

import io
from dataclasses import replace

import highdicom as hd
import numpy as np
import pytest
from pydicom import dcmread

from nerve_core.cli import main
from nerve_core.clinical.dicom_seg import segment_areas_px
from nerve_core.clinical.dicom_sr import areas_mm2
from nerve_core.clinical.measure import measure
from nerve_core.imaging.read import open_scan
from nerve_core.pacs import dimse, web
from nerve_core.pacs.results import result_objects
from nerve_core.pacs.settings import PacsError
from tests.pacs.conftest import SoftPredictor, scan_file

STUDY = "1.2.826.0.1.3680043.8.498.{}"


def as_bytes(dataset) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


@pytest.mark.parametrize(("client", "number"), [(dimse, 101), (web, 102)])
@pytest.mark.parametrize("frames", [1, 3])
def test_round_trip(orthanc, client, number, frames):
    study, uid = STUDY.format(number * 10 + frames), STUDY.format(number * 100 + frames)
    sent = scan_file(
        uid, frames, StudyInstanceUID=study, SeriesInstanceUID=study + ".1", PatientID=f"P{number}"
    )
    client.store(orthanc, [dcmread(io.BytesIO(sent))])
    found = client.find(orthanc, PatientID=f"P{number}")
    assert study in {one.StudyInstanceUID for one in found}
    data = as_bytes(client.get(orthanc, study)[0])
    file = open_scan(data)
    scan = file.scan(file.n_frames - 1)
    assert np.array_equal(scan.pixels, open_scan(sent).scan(frames - 1).pixels)
    prediction = SoftPredictor().predict(scan)
    measured = measure(scan, prediction, prediction.nerves[0])
    assert measured.unit == "mm" and measured.area == pytest.approx(np.pi * 15**2 * 0.02, rel=0.05)

    client.store(orthanc, result_objects(data, scan, prediction))
    back = {one.Modality: one for one in client.get(orthanc, study)}
    assert set(back) == {"US", "SEG", "SR"} and {one.PatientID for one in back.values()} == {f"P{number}"}
    seg, sr = back["SEG"], back["SR"]
    assert segment_areas_px(seg)[0] * 0.02 == pytest.approx(measured.area, abs=0.1)
    read = hd.seg.Segmentation.from_dataset(dcmread(io.BytesIO(as_bytes(seg))))
    if frames > 1:
        planes = read.get_pixels_by_source_frame(uid, [frames], segment_numbers=[1])
    else:
        planes = read.get_pixels_by_source_instance([uid], segment_numbers=[1])
    assert planes.sum() * 0.02 == pytest.approx(measured.area, abs=0.1)
    assert areas_mm2(sr) == [pytest.approx(measured.area, abs=1e-3)]
    client.store(orthanc, result_objects(data, scan, prediction))
    assert len(client.get(orthanc, study)) == 3, "the same result again is no new object"


def test_series_alone(orthanc):
    study = STUDY.format(500)
    for number in (1, 2):
        one = scan_file(f"{study}.{number}.1", StudyInstanceUID=study, SeriesInstanceUID=f"{study}.{number}")
        dimse.store(orthanc, [dcmread(io.BytesIO(one))])
    for client in (dimse, web):
        assert [one.SOPInstanceUID for one in client.get(orthanc, study, f"{study}.2")] == [f"{study}.2.1"]


def test_echo_and_what_goes_wrong_in_one_sentence(orthanc):
    dimse.echo(orthanc)
    with pytest.raises(PacsError, match="NERVE_PACS_AET"):
        dimse.echo(replace(orthanc, remote_ae="SOMEONE"))
    with pytest.raises(PacsError):
        dimse.find(replace(orthanc, ae="STRANGER"), PatientID="x")
    for client in (dimse, web):
        with pytest.raises(PacsError):
            client.get(orthanc, "1.2.3.4.5.6")
        assert client.find(orthanc, PatientID="nobody") == []
    with pytest.raises(PacsError, match="root"):
        web.find(replace(orthanc, url=orthanc.url + "/nothing"), PatientID="x")


def test_commands(orthanc, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NERVE_PACS_PORT", str(orthanc.port))
    study = STUDY.format(600)
    path = tmp_path / "a.dcm"
    path.write_bytes(scan_file(f"{study}.1", StudyInstanceUID=study, PatientID="CMD"))
    assert main(["pacs", "echo"]) == 0
    assert main(["pacs", "send", str(path)]) == 0
    assert main(["pacs", "find", "--patient", "CMD"]) == 0
    assert study in capsys.readouterr().out
    monkeypatch.setenv("NERVE_DICOMWEB", orthanc.url)
    assert main(["pacs", "get", study, "--out", str(tmp_path / "out")]) == 0
    assert open_scan(tmp_path / "out" / f"{study}.1.dcm").scan().spacing_mm == pytest.approx((0.2, 0.1))
