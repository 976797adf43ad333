"""From Diagnose into the records, then worklist and patient: everything on pages, in a fresh archive."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.access.roles import LOCAL, Actor, Role
from nerve_core.config import settings
from nerve_core.imaging.read import open_scan
from nerve_core.inference.prediction import NOTICE
from nerve_core.inference.review import Reading
from nerve_core.records.records import About, Alert, Records
from nerve_core.ui import records as shown
from nerve_core.ui import worklist
from tests.pages.conftest import KnownPredictor, png, texts
from tests.pages.test_diagnose import upload

TODAY = date.today()


def said(page: AppTest) -> str:
    return " ".join(texts(page))


def button(page: AppTest, label: str):
    return next(each for each in page.button if each.label == label)


def save(
    known: KnownPredictor,
    pseudonym: str = "P-001",
    seed: int = 0,
    days: int = 0,
    p: float = 0.9,
    mm: float = 0.1,
) -> str:
    """Save a scan as the page would; its identifier."""
    content = png(seed)
    scan = open_scan(content, name="scan.png").scan(0)
    scan = type(scan)(scan.pixels, (mm, mm), name="scan.png")
    known.p = p
    about = About("median", "wrist", "left", date=TODAY - timedelta(days=days))
    return Records(LOCAL).save(pseudonym, content, scan, known.predict(scan), about, config=known.config).scan


@pytest.fixture
def work(app: AppTest, known: KnownPredictor) -> AppTest:
    """The worklist, not yet drawn again."""
    app.run()
    return app.switch_page("pages/worklist.py")


def patient_page(app: AppTest, scan: str = "") -> AppTest:
    app.run()
    app.session_state[shown.PATIENT] = Records(LOCAL).search().items[0].id
    app.session_state[shown.SCAN] = scan
    page = app.switch_page("pages/patient.py").run()
    assert not page.exception
    return page


def open_tab(page: AppTest, name: str) -> AppTest:
    page.session_state["patient-section"] = name
    page.run()
    assert not page.exception
    return page


def test_nothing_is_stored_by_looking(work: AppTest):
    page = work.run()
    assert "Nothing is saved yet" in said(page) and not page.exception
    page = page.switch_page("pages/patient.py").run()
    assert "Nothing is saved yet" in said(page) and not settings().records.exists()


def test_a_scan_is_saved_with_the_readers_word_and_found_again(diagnose: AppTest):
    diagnose.session_state["keep"] = True
    page = upload(diagnose, ("Jane-Doe.png", png()))
    (item,) = page.session_state["views"]
    assert button(page, "Save").disabled and not settings().records.exists()
    page.text_input(key=f"keep-patient-{item}-0").set_value("P-001").run()
    page.selectbox(key=f"keep-nerve-{item}-0").set_value("median").run()
    page.selectbox(key=f"keep-site-{item}-0-median").set_value("wrist").run()
    next(each for each in page.toggle if each.label == "Show what will be kept").set_value(True).run()
    assert "Taken out: file name" in said(page) and not page.exception
    page.text_input(key="report-reader").set_value("Dr. A")
    page.segmented_control(key=f"final-{item}-0").set_value("uncertain").run()
    button(page, "Save").click().run()
    assert not page.exception and not page.error
    (one,) = Records(LOCAL).worklist().items
    assert (one.pseudonym, one.nerve, one.site, one.reading) == ("P-001", "median", "wrist", "uncertain")
    assert one.readers == ("Dr. A",) and one.verdict == "affected"
    assert any(each.value == "Saved." for each in page.success)
    button(page, "Save").click().run()
    assert Records(LOCAL).worklist().total == 1


def test_the_most_urgent_stands_first_and_filters_narrow(work: AppTest, known: KnownPredictor):
    save(known, "P-001", 1, p=0.1, mm=0.05)
    save(known, "P-002", 2, p=0.9)
    save(known, "P-003", 3, p=0.5, mm=0.05)
    page = work.run()
    assert not page.exception
    assert list(page.dataframe[0].value["Patient"]) == ["P-002", "P-003", "P-001"]
    assert list(page.dataframe[0].value["Urgency"]) == ["affected and large", "look at it", ""]
    page.text_input(key="worklist-text").set_value("p-003").run()
    assert list(page.dataframe[0].value["Patient"]) == ["P-003"] and NOTICE in said(page)
    page.text_input(key="worklist-text").set_value("nobody").run()
    assert any("passes these filters" in each.value for each in page.info)


def test_a_click_opens_the_scan(work: AppTest, known: KnownPredictor):
    scan = save(known)
    page = work.run()
    page.session_state[worklist.GO] = (Records(LOCAL).scan(scan).patient, scan)
    page.run()
    assert page.title[0].value == "Patient" and "Looks affected" in said(page)
    assert page.session_state[shown.SCAN] == scan and NOTICE in said(page)


def test_alerts_of_the_site_stand_first(work: AppTest, known: KnownPredictor):
    save(known, "P-001", 1, p=0.9)
    save(known, "P-002", 2, p=0.1, mm=0.2)
    Records(LOCAL).set_alerts([Alert("very large", area_above_mm2=40)])
    page = work.run()
    assert list(page.dataframe[0].value["Patient"]) == ["P-002", "P-001"]
    assert "alert: very large" in page.dataframe[0].value["Why"][0]
    page.toggle(key="worklist-alert").set_value(True).run()
    assert list(page.dataframe[0].value["Patient"]) == ["P-002"]
    page.session_state["worklist-section"] = "Alerts"
    page.run()
    assert any(each.label == "Set these alerts" for each in page.button) and not page.exception


def test_a_reading_on_the_patient_page_is_kept_and_changed(app: AppTest, known: KnownPredictor):
    scan = save(known)
    page = patient_page(app, scan)
    page.text_input(key="report-reader").set_value("Dr. A").run()
    button(page, "Save the reading").click().run()
    assert page.error[0].value == "Choose a final reading first."
    page.segmented_control(key=f"record-reading-{scan}").set_value("unaffected")
    page.text_input(key=f"record-comment-{scan}").set_value("Fascicles are clear.")
    page.checkbox(key=f"record-stands-{scan}").check()
    button(page, "Save the reading").click().run()
    assert not page.exception
    one = Records(LOCAL).scan(scan)
    assert one.review.reading == "unaffected" and one.review.reviewer == "Dr. A" and one.review.contours
    assert "**Unaffected**, Dr. A" in said(page) and "Fascicles are clear." in said(page)
    page.segmented_control(key=f"record-reading-{scan}").set_value("affected")
    button(page, "Save the reading").click().run()
    assert len(Records(LOCAL).scan(scan).reviews) == 2 and "**Affected**, Dr. A" in said(page)
    assert "unaffected, Dr. A" in said(page)


def test_a_blinded_reader_sees_the_picture_alone(app: AppTest, known: KnownPredictor):
    scan = save(known)
    Records(LOCAL).review(scan, Reading(True, "affected", "Swollen.", "Dr. A"))
    Records(LOCAL).ask(scan, "Dr. B", blinded=True)
    app.run()
    app.session_state["report-reader"] = "Dr. B"
    page = patient_page(app, scan)
    assert any("read this scan blinded" in each.value for each in page.info)
    for word in ("Looks affected", "Swollen", "12.", "probability", "likely affected"):
        assert word not in said(page)
    assert not any(each.key == f"record-agree-{scan}" for each in page.segmented_control)
    page.segmented_control(key=f"record-reading-{scan}").set_value("uncertain")
    button(page, "Save the reading").click().run()
    second = next(each for each in Records(LOCAL).scan(scan).reviews if each.second)
    assert second.blinded and second.reviewer == "Dr. B" and second.agrees is None
    assert "Looks affected" in said(page) and "second reading, blinded" in said(page)
    page = page.switch_page("pages/worklist.py").run()
    page.session_state["worklist-section"] = "Agreement"
    page.run()
    assert "| Second with first reader | 1 (1) | 0 % | 0.00 |" in said(page)


def test_the_course_and_two_visits_with_what_can_be_told_apart(app: AppTest, known: KnownPredictor):
    save(known, seed=1, days=90, mm=0.1)
    save(known, seed=2, days=0, mm=0.11)
    page = open_tab(patient_page(app), "Course")
    assert "range of 7 to 13 mm²" in said(page) and "Bae 2021" in said(page)
    page = open_tab(page, "Compare visits")
    text = said(page)
    assert "| left median nerve, wrist | 13.2 mm² | 15.9 mm² | +2.8 mm² (+21 %) | beyond" in text
    before, after = (next(box for box in page.selectbox if box.label == name) for name in ("Before", "After"))
    before.set_value(after.value).run()
    assert any("two different visits" in each.value for each in page.error)


def test_nerve_and_day_can_be_corrected_and_remarks_kept(app: AppTest, known: KnownPredictor):
    scan = save(known)
    page = patient_page(app, scan)
    page.selectbox(key=f"about-nerve-{scan}").set_value("ulnar").run()
    page.selectbox(key=f"about-site-{scan}-ulnar").set_value("elbow").run()
    page.button(key=f"about-save-{scan}").click().run()
    assert (Records(LOCAL).scan(scan).nerve, Records(LOCAL).scan(scan).site) == ("ulnar", "elbow")
    page = open_tab(page, "Remarks")
    page.text_area[0].set_value("Splint at night.")
    button(page, "Save the remark").click().run()
    assert "Splint at night." in said(page) and not page.exception


def test_erasure_needs_the_pseudonym_typed(app: AppTest, known: KnownPredictor):
    save(known, "P-001")
    page = open_tab(patient_page(app), "Copy and erase")
    assert button(page, "Erase for good").disabled
    (field,) = (each for each in page.text_input if each.label == "Type P-001 to confirm")
    field.set_value("P-00").run()
    assert button(page, "Erase for good").disabled
    field.set_value("P-001").run()
    button(page, "Erase for good").click().run()
    assert not page.exception and Records(LOCAL).search().total == 0
    assert page.success[0].value.startswith("Erased: 1 scans") and "backup" in said(page).lower()


def test_a_copy_can_be_taken(app: AppTest, known: KnownPredictor):
    save(known)
    page = open_tab(patient_page(app), "Copy and erase")
    button(page, "Make the copy").click().run()
    key = f"copy-{page.session_state[shown.PATIENT]}"
    assert page.session_state[key].startswith(b"PK") and not page.exception


@pytest.mark.parametrize("role", list(Role))
def test_what_a_role_may_not_do_is_not_offered(app: AppTest, known: KnownPredictor, monkeypatch, role: Role):
    scan = save(known)
    monkeypatch.setattr(shown, "actor", lambda: Actor("someone", role))
    if role is Role.RESEARCHER:
        page = app.run().switch_page("pages/worklist.py").run()
        assert [tab.label for tab in page.tabs] == ["Agreement", "Corrections"] and not page.dataframe
        page = page.switch_page("pages/patient.py").run()
        assert "may not do this (read)" in page.error[0].value and "P-001" not in said(page)
        return
    page = patient_page(app, scan)
    labels = {each.label for each in page.button}
    care, admin = role in (Role.CLINICIAN, Role.ADMIN), role is Role.ADMIN
    assert ("Save the reading" in labels) == care and ("Open on Diagnose" in labels) == care
    assert ("Ask" in labels) == care and ("Save the remark" in labels) == care
    page = open_tab(page, "Copy and erase")
    labels = {each.label for each in page.button}
    assert ("Make the copy" in labels) == care and ("Erase for good" in labels) == admin
    page = page.switch_page("pages/worklist.py").run()
    page.session_state["worklist-section"] = "Alerts"
    page.run()
    assert any(each.label == "Set these alerts" for each in page.button) == admin


def test_what_people_typed_is_never_acted_on(app: AppTest, known: KnownPredictor):
    evil = "![x](http://evil/x.png)"
    scan = save(known, f"P {evil}")
    records = Records(LOCAL)
    records.review(scan, Reading(True, "affected", evil, evil))
    records.review(scan, Reading(True, "uncertain", evil, evil))
    records.ask(scan, f"B {evil}", blinded=False)
    records.comment(records.scan(scan).patient, evil)
    records.comment(records.scan(scan).patient, evil, scan)
    records.set_alerts([Alert(evil, area_above_mm2=1)])
    page = patient_page(app, scan)
    for section in ("Scans and readings", "Remarks", "Copy and erase"):
        page = open_tab(page, section)
        acted = {"markdown", "caption", "info", "success"}
        shown_as = [str(each.value) for each in page if getattr(each, "type", "") in acted]
        shown_as += [each.label for each in (*page.button, *page.text_input, *page.segmented_control)]
        assert not any("![x](" in text for text in shown_as)


def test_corrections_are_taken_as_a_set_to_train_from(work: AppTest, known: KnownPredictor):
    scan = save(known)
    work.session_state["worklist-section"] = "Corrections"
    page = work.run()
    button(page, "Make the set").click().run()
    assert page.error and not page.exception
    outline = tuple(Records(LOCAL).scan(scan).prediction.contours)
    Records(LOCAL).review(scan, Reading(True, "affected", "", "Dr. A", outline))
    button(page, "Make the set").click().run()
    made, content = page.session_state["corrections-made"]
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        (manifest,) = (name for name in packed.namelist() if name.endswith("manifest.csv"))
        text = packed.read(manifest).decode()
    assert made.images == 1 and "affected" in text and "P-001" not in text


def test_a_damaged_file_is_said_and_the_rest_still_shown(app: AppTest, known: KnownPredictor):
    scan = save(known)
    (file,) = (each for each in (settings().records / "files").rglob("*") if each.is_file())
    file.chmod(0o600)
    file.write_bytes(b"something else")
    page = patient_page(app, scan)
    assert page.error and "Looks affected" in said(page)


def test_a_saved_scan_leaves_as_fhir_final_once_read(known: KnownPredictor, app: AppTest):
    from nerve_core.ui import patient_scan

    scan = save(known)
    report = patient_scan.report(Records(LOCAL).scan(scan))["entry"][0]["resource"]
    assert report["status"] == "preliminary" and report["subject"]["identifier"]["value"] == "P-001"
    Records(LOCAL).review(scan, Reading(False, "unaffected", "", "Dr. A"))
    report = patient_scan.report(Records(LOCAL).scan(scan))["entry"][0]["resource"]
    assert report["status"] == "final" and report["effectiveDateTime"] == TODAY.isoformat()
    assert report["resultsInterpreter"][0]["display"] == "Dr. A"
