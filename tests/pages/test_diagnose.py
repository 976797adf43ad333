"""The Diagnose page, from upload to verdict, and what it says when things are not as hoped."""

from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from nerve_core.ui.words import NOTICE
from tests.pages.conftest import KnownPredictor, png, speckle, texts


def upload(page: AppTest, *files: tuple[str, bytes]) -> AppTest:
    page.file_uploader[0].set_value([(name, data, "application/octet-stream") for name, data in files])
    page.run()
    assert not page.exception
    return page


def view(page: AppTest):
    (found,) = page.session_state["views"].values()
    return found


def test_without_a_scan_it_says_what_to_do(diagnose: AppTest):
    said = " ".join(texts(diagnose))
    assert "Drop a scan" in said and "neck and groin" in said and NOTICE in said


def test_upload_gives_the_verdict_with_sites_before_and_notice_after(diagnose: AppTest):
    said = texts(upload(diagnose, ("scan.png", png())))
    at = next(i for i, text in enumerate(said) if "Looks affected" in text)
    assert any("neck and groin" in text for text in said[:at])
    assert any(NOTICE in text for text in said[at:])
    assert any("90 %" in text for text in said[at:])
    # The circle of radius 20 px as its pixels show it, measured between them as everywhere on the page.
    assert any("| 1 | affected | 90 % | 1,316 px² |" in text for text in said[at:])


@pytest.mark.parametrize(
    ("p", "reason", "headline", "advice"),
    [
        (0.1, None, "Looks unaffected", "does not rule disease out"),
        (0.5, None, "Uncertain", "cannot tell"),
        (None, None, "No nerve found", "click on it"),
        (None, "The frame is blank.", "Not assessable", "The frame is blank."),
    ],
)
def test_every_outcome_comes_with_advice(diagnose, known, p, reason, headline, advice):
    known.p, known.reason = p, reason
    page = upload(diagnose, ("scan.png", png()))
    said = " ".join(texts(page))
    assert headline in said and advice in said and not page.error


def test_pointing_looks_again_there(diagnose: AppTest, known: KnownPredictor):
    page = upload(diagnose, ("scan.png", png()))
    view(page).points[0] = (40.0, 50.0)
    page.run()
    assert known.calls[-1][1] == (40.0, 50.0)
    assert any("Pointed at x 40 px, y 50 px" in text for text in texts(page))


def test_the_same_look_is_predicted_once(diagnose: AppTest, known: KnownPredictor):
    page = upload(diagnose, ("scan.png", png()))
    page.run()
    assert len([call for call in known.calls if call[0].name == "scan.png"]) == 1


def test_a_bad_file_leaves_the_others_alone(diagnose: AppTest):
    page = upload(diagnose, ("notes.png", b"this is no picture"), ("scan.png", png()))
    table = page.dataframe[0].value
    assert list(table["Verdict"]) == ["cannot be used", "Looks affected"]
    assert table["Remark"][0] and not table["Remark"][1]
    assert page.error[0].value == table["Remark"][0]


def test_a_scan_that_has_just_arrived_is_the_one_shown(diagnose: AppTest):
    page = upload(diagnose, ("first.png", png()))
    page.selectbox(key="sample").set_value("Simulated wrist").run()
    assert list(page.dataframe[0].value[""]) == ["", "▶"]
    assert "Simulated truth: affected" in " ".join(texts(page))


def test_choosing_a_row_shows_that_scan(diagnose: AppTest):
    page = upload(diagnose, ("notes.png", b"this is no picture"), ("scan.png", png()))
    page.session_state["shown"] = list(page.session_state["views"])[1]
    page.run()
    assert not page.error and any("Looks affected" in text for text in texts(page))


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", png()[:200], b"DICM", b"%PDF-1.4"])
def test_an_unusable_file_gets_one_sentence(diagnose: AppTest, content: bytes):
    page = upload(diagnose, ("../../etc/passwd.png", content))
    assert len(page.error) == 1
    assert page.error[0].value.endswith(".") and "passwd" not in page.error[0].value


def test_a_fault_in_the_program_is_not_shown_as_a_traceback(diagnose, known, caplog):
    known.fault = RuntimeError("patient Smith")
    page = upload(diagnose, ("Smith.png", png()), ("other.png", png(1)))
    assert "fault in the program" in page.error[0].value
    assert "RuntimeError" in caplog.text and "Smith" not in caplog.text


def test_a_colour_photograph_is_not_assessable(diagnose: AppTest):
    rng = np.random.default_rng(0)
    photo = cv2.resize(
        rng.integers(0, 255, (12, 16, 3), dtype=np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC
    )
    said = " ".join(texts(upload(diagnose, ("holiday.png", cv2.imencode(".png", photo)[1].tobytes()))))
    assert "Not assessable" in said and "photograph" in said


def test_a_loop_has_a_frame_slider(diagnose: AppTest, known: KnownPredictor):
    frames = [Image.fromarray(speckle(seed)) for seed in range(3)]
    stream = io.BytesIO()
    frames[0].save(stream, "TIFF", save_all=True, append_images=frames[1:])
    page = upload(diagnose, ("loop.tiff", stream.getvalue()))
    (slider,) = [slider for slider in page.slider if slider.label == "Frame, of 3"]
    slider.set_value(3).run()
    assert known.calls[-1][0].frame == 2
    assert np.array_equal(known.calls[-1][0].pixels, speckle(2))


def test_image_processing_is_used_and_said_to_leave_the_training(diagnose: AppTest, known: KnownPredictor):
    page = upload(diagnose, ("scan.png", png()))
    assert not page.warning
    page.session_state["processing-panel"] = True
    page.run()
    (median,) = [slider for slider in page.select_slider if slider.label.startswith("Median")]
    median.set_value(5).run()
    assert known.calls[-1][2].median == 5
    assert "not trained" in page.warning[0].value and "Median filter" in page.warning[0].value
    (back,) = [button for button in page.button if button.label.startswith("Back to")]
    back.click().run()
    assert not page.exception and not page.warning and view(page).settings is None


def test_region_set_by_hand_is_used(diagnose: AppTest, known: KnownPredictor):
    page = upload(diagnose, ("scan.png", png()))
    page.session_state["processing-panel"] = True
    page.run()
    (toggle,) = [toggle for toggle in page.toggle if toggle.label.startswith("Set the ultrasound region")]
    toggle.set_value(True).run()
    (across,) = [slider for slider in page.slider if slider.label.startswith("Left and right")]
    across.set_value((10, 150)).run()
    assert known.calls[-1][0].region[1::2] == (10, 150)
    assert any("set by hand" in info.value for info in page.info)


def test_a_sample_is_marked_simulated(diagnose: AppTest):
    page = diagnose
    page.selectbox(key="sample").set_value("Simulated wrist").run()
    said = " ".join(texts(page))
    assert not page.exception and "Looks affected" in said and "Simulated truth: affected" in said


def test_taking_a_file_away_forgets_it(diagnose: AppTest):
    page = upload(diagnose, ("scan.png", png()))
    page.file_uploader[0].set_value([])
    page.run()
    assert not any(
        page.session_state[name] for name in ("files", "scans", "predictions", "summaries", "views")
    )


def test_downloads_are_the_same_object_as_the_service_gives(diagnose: AppTest, known: KnownPredictor):
    from nerve_core.ui import session, verdict

    page = upload(diagnose, ("scan.png", png()))
    assert [button.label for button in page.get("download_button")] == [
        "Overlay (PNG)",
        "Mask (PNG)",
        "Result (JSON)",
    ]
    (outcome,) = page.session_state["predictions"].values()
    assert isinstance(outcome, session.Outcome)
    answer = json.loads(verdict.as_json(outcome.prediction, outcome))
    assert set(answer) == set(outcome.prediction.to_dict("scan.png"))
    assert answer["file"] == "scan.png" and answer["verdict"] == "affected"


def test_scans_are_still_there_after_a_look_at_another_page(diagnose: AppTest, known: KnownPredictor):
    page = upload(diagnose, ("scan.png", png()))
    view(page).points[0] = (40.0, 50.0)
    page.run()
    page.switch_page("pages/about.py").run()
    page.switch_page("pages/diagnose.py").run()
    said = " ".join(texts(page))
    assert "Looks affected" in said and "Pointed at x 40 px" in said
    (remove,) = [button for button in page.button if button.label == "Remove 1 earlier"]
    remove.click().run()
    assert not page.exception and "Drop a scan" in " ".join(texts(page))
