"""The receiving port, the watched folder and the results, without an archive."""

import io
import json
import os
import socket
import threading
import time
from dataclasses import replace

import pytest
from pydicom import dcmread

from nerve_core.errors import NerveCoreError
from nerve_core.pacs import dimse, web
from nerve_core.pacs.results import CRASHED, Results
from nerve_core.pacs.settings import PacsError, PacsSettings, pacs_settings
from nerve_core.pacs.watch import receiving, sweep
from tests.pacs.conftest import SoftPredictor, free_port, scan_file
from tests.service.fakes import as_file, scan_array


def done(results: Results) -> list[str]:
    return sorted(path.name for path in (results.folder / "done").iterdir())


def test_a_watched_folder_gives_one_result_a_scan(tmp_path):
    folder = tmp_path / "in"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "a.dcm").write_bytes(scan_file(frames=3))
    (folder / "copy.dcm").write_bytes(scan_file(frames=3))
    (folder / "b.png").write_bytes(as_file(scan_array()))
    (folder / "poison.dcm").write_bytes(b"no scan at all")
    results = Results(tmp_path / "out", SoftPredictor())
    words = [outcome.word for outcome in sweep(folder, results, settled=0)]
    assert sorted(words) == ["aside", "done", "done", "known"]
    assert len(done(results)) == 2
    kinds = []
    for digest in done(results):
        files = sorted((results.folder / "done" / digest).glob("*.dcm"))
        kinds.append([dcmread(path).Modality for path in files])
        said = json.loads((results.folder / "done" / digest / "result.json").read_text())
        assert said["verdict"] == "affected" and "Research use only" in said["notice"]
    assert sorted(kinds) == [["SEG", "SR"], ["US", "SEG", "SR"]]
    aside = list((results.folder / "aside").iterdir())
    assert (aside[0] / "file").read_bytes() == b"no scan at all" and results.reason(aside[0].name)
    again = Results(tmp_path / "out", SoftPredictor())
    assert {outcome.word for outcome in sweep(folder, again, settled=0)} == {"known", "aside"}
    assert again.predictor.clicks == [], "nothing is judged again after a restart"


def test_a_file_that_is_still_written_waits(tmp_path):
    path = tmp_path / "in" / "a.dcm"
    path.parent.mkdir()
    path.write_bytes(scan_file())
    results, seen = Results(tmp_path / "out", SoftPredictor()), set()
    assert sweep(path.parent, results, settled=60, seen=seen) == []
    os.utime(path, (time.time() - 100,) * 2)
    assert [one.word for one in sweep(path.parent, results, settled=60, seen=seen)] == ["done"]
    assert sweep(path.parent, results, settled=60, seen=seen) == []


def test_what_could_not_be_sent_is_sent_later_and_once(tmp_path):
    sent, down = [], [True]

    def send(objects):
        if down[0]:
            raise PacsError("No archive.")
        sent.append([one.Modality for one in objects])

    results = Results(tmp_path, SoftPredictor(), send)
    assert results.take(scan_file()).word == "done"
    assert results.send_waiting() == ["No archive."] and sent == []
    down[0] = False
    later = Results(tmp_path, SoftPredictor(), send)
    assert later.send_waiting() == [] and later.send_waiting() == [] and sent == [["SEG", "SR"]]


def test_the_same_image_packed_otherwise_is_known_and_another_picture_is_not(tmp_path):
    results = Results(tmp_path, SoftPredictor())
    again = dcmread(io.BytesIO(scan_file()))
    again.InstitutionName = "Elsewhere"
    stream = io.BytesIO()
    again.save_as(stream, enforce_file_format=True)
    words = [results.take(data).word for data in (scan_file(), stream.getvalue(), scan_file(centre=(60, 60)))]
    assert words == ["done", "known", "done"] and len(done(results)) == 2


def test_a_setting_aside_that_was_cut_off_is_done_again(tmp_path):
    results, poison = Results(tmp_path, SoftPredictor()), b"no scan"
    digest = results.take(poison).digest
    (tmp_path / "aside" / digest / "reason.json").unlink()
    assert results.take(poison).word == "aside" and results.reason(digest)


def test_two_workers_with_the_same_file_leave_one_whole_result(tmp_path):
    class Late(SoftPredictor):
        def predict(self, scan, click=None, **more):
            Results(tmp_path, SoftPredictor()).take(scan_file())
            return super().predict(scan, click, **more)

    assert Results(tmp_path, Late()).take(scan_file()).word == "done"
    assert len(done(Results(tmp_path, SoftPredictor()))) == 1


class Broken(SoftPredictor):
    def __init__(self, fault: BaseException) -> None:
        super().__init__()
        self.fault = fault

    def predict(self, scan, click=None, **more):
        raise self.fault


def test_a_file_that_ends_the_program_is_set_aside_in_the_end(tmp_path):
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):  # stands for a death on the way: nothing can be tidied
            Results(tmp_path, Broken(KeyboardInterrupt())).take(scan_file())
    outcome = Results(tmp_path, SoftPredictor()).take(scan_file())
    assert (outcome.word, outcome.reason) == ("aside", CRASHED)


def test_a_full_disk_is_not_the_file_s_fault(tmp_path):
    with pytest.raises(OSError, match="full"):
        Results(tmp_path, Broken(OSError("full"))).take(scan_file())
    assert Results(tmp_path, SoftPredictor()).take(scan_file()).word == "done"


def test_a_defect_is_said_without_its_text(tmp_path):
    outcome = Results(tmp_path, Broken(RuntimeError("Brown^Secret"))).take(scan_file())
    assert outcome.word == "aside" and "RuntimeError" in outcome.reason and "Brown" not in outcome.reason


def test_the_port_keeps_what_it_acknowledges_byte_for_byte(tmp_path):
    spool = tmp_path / "incoming"
    files = [
        dcmread(io.BytesIO(scan_file(f"1.2.9.{number}", centre=(60 + number, 60)))) for number in range(6)
    ]
    settings = PacsSettings(ae="NERVECORE", remote_ae="NERVECORE", listen_port=0)
    with receiving(settings, spool) as port:
        there = replace(settings, port=port, ae="SCANNER")
        dimse.echo(there)
        senders = [threading.Thread(target=dimse.store, args=(there, [one])) for one in files]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        with pytest.raises(PacsError, match="PACS_AET"):
            dimse.echo(replace(there, remote_ae="OTHER"))
    kept = [dcmread(path) for path in spool.iterdir()]
    assert {one.SOPInstanceUID: one.PixelData for one in kept} == {
        one.SOPInstanceUID: one.PixelData for one in files
    }
    results = Results(tmp_path / "out", SoftPredictor())
    assert {one.word for one in sweep(spool, results, remove=True, settled=0)} == {"done"}
    assert list(spool.iterdir()) == [] and len(done(results)) == 6


def test_only_known_titles_may_send_where_they_are_listed(tmp_path):
    settings = PacsSettings(remote_ae="NERVECORE", listen_port=0, allowed=("SCANNER",))
    with receiving(settings, tmp_path) as port:
        dimse.echo(replace(settings, port=port, ae="SCANNER"))
        with pytest.raises(PacsError, match="STRANGER"):
            dimse.echo(replace(settings, port=port, ae="STRANGER"))


def test_no_answer_is_a_sentence():
    nobody = PacsSettings(port=free_port(), url=f"http://127.0.0.1:{free_port()}", timeout=1)
    with pytest.raises(PacsError, match="No DICOM archive answers"):
        dimse.echo(nobody)
    with pytest.raises(PacsError, match="No archive answers"):
        web.find(nobody, PatientID="x")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with pytest.raises(PacsError):
            dimse.echo(replace(nobody, port=port))
        with pytest.raises(PacsError, match="in time"):
            web.find(replace(nobody, url=f"http://127.0.0.1:{port}"), PatientID="x")


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("NERVE_PACS_PORT", "104")
    monkeypatch.setenv("NERVE_PACS_ALLOWED", "A, B")
    assert (pacs_settings().port, pacs_settings().allowed) == (104, ("A", "B"))
    monkeypatch.setenv("NERVE_PACS_PORT", "x")
    with pytest.raises(PacsError, match="numbers"):
        pacs_settings()
    with pytest.raises(NerveCoreError, match="certificate"):
        PacsSettings(ca=tmp_path / "none.pem").tls()
