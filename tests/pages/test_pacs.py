"""The archive on the Diagnose page: hidden until one is set, a study fetched, its result sent back."""

from __future__ import annotations

import io

import pytest
from pydicom import dcmread
from streamlit.testing.v1 import AppTest

from nerve_core.access.roles import Actor, Role
from nerve_core.pacs import web
from nerve_core.pacs.settings import PacsError
from tests.imaging.build import dicom
from tests.pages.conftest import speckle, texts

SEND = "Send segmentation and report to the archive"


class Archive:
    """An archive in memory with one study of one scan; ``fault`` is raised instead of an answer."""

    def __init__(self) -> None:
        more = {"PatientID": "4711", "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.1"}
        self.scan = dcmread(
            io.BytesIO(dicom(speckle(), SOPInstanceUID="1.2.3.1.1", StudyDate="20260312", **more))
        )
        self.sent: list = []
        self.fault: Exception | None = None

    def find(self, settings, **keys):
        if self.fault is not None:
            raise self.fault
        return [self.scan] if keys.get("PatientID") == "4711" else []

    def get(self, settings, study, series="", instance=""):
        assert study == "1.2.3"
        return [self.scan]

    def store(self, settings, objects):
        self.sent += objects


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Archive:
    found = Archive()
    monkeypatch.setenv("NERVE_DICOMWEB", "http://127.0.0.1:9")
    for name in ("find", "get", "store"):
        monkeypatch.setattr(web, name, getattr(found, name))
    return found


def press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click()
    page.run()
    assert not page.exception
    return page


def search(page: AppTest, patient: str) -> AppTest:
    next(field for field in page.text_input if field.label == "Patient number").set_value(patient)
    return press(page, "Find studies")


def test_nothing_is_shown_without_an_archive(diagnose: AppTest):
    assert not any("rchive" in button.label for button in diagnose.button)
    assert all(field.label != "Patient number" for field in diagnose.text_input)


def test_found_fetched_judged_and_sent_back(archive: Archive, diagnose: AppTest):
    page = press(search(diagnose, "4711"), "Fetch its scans")
    said = " ".join(texts(page))
    assert "1 scans fetched" in said and "Looks affected" in said
    press(page, SEND)
    assert [one.Modality for one in archive.sent] == ["SEG", "SR"]
    assert {(one.PatientID, one.StudyInstanceUID) for one in archive.sent} == {("4711", "1.2.3")}
    assert any("2 objects" in done.value for done in page.success)


def test_no_study_no_keys_and_faults_are_sentences(archive: Archive, diagnose: AppTest):
    assert "no such study" in " ".join(texts(search(diagnose, "nobody")))
    assert "number or a day" in " ".join(texts(search(diagnose, " ")))
    archive.fault = PacsError("No archive answers; check it.")
    assert [one.value for one in search(diagnose, "4711").error] == ["No archive answers; check it."]


def test_a_role_that_may_not_is_offered_nothing(archive: Archive, diagnose: AppTest, monkeypatch):
    who = Actor("ray@example.org", Role.RESEARCHER)
    monkeypatch.setattr("nerve_core.ui.access.actor", lambda: who)
    page = diagnose.run()
    assert all(field.label != "Patient number" for field in page.text_input)
    page.selectbox(key="sample").set_value("Simulated wrist").run()
    assert not page.exception and "Looks affected" in " ".join(texts(page))
    assert SEND not in [button.label for button in page.button]
