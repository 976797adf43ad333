"""The FHIR report is valid by the library and by the published schema, and says no more than is known."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft6Validator

from nerve_core.clinical import fhir
from nerve_core.clinical.finding import Finding, Place
from nerve_core.errors import DataError
from nerve_core.inference.prediction import NOTICE
from nerve_core.inference.review import Reading
from tests.clinical.test_table import judged

WRITTEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SCHEMA = json.loads((Path(__file__).parent / "fhir_r4_schema.json").read_text())


def faults(found: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft6Validator(SCHEMA).iter_errors(found)]


def resources(found: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["resource"] for each in found["entry"] if each["resource"]["resourceType"] == kind]


def component(observation: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in observation["component"] if name in each["code"]["text"])


@pytest.fixture(scope="module")
def full() -> dict[str, Any]:
    reading = Reading(True, "affected", "As I see it.", "Dr. Müller-Łęcki")
    finding = judged(places=[Place(0, "median", "wrist", "left")], file="Jane.png", digest="ab" * 32)
    return fhir.bundle(
        finding, WRITTEN, patient="P-017", scanned=date(2026, 1, 1), reading=reading,
        text="Nerve 1 <swollen> & dark.\nSee above.", pdf=b"%PDF-1.7 x",
    )  # fmt: skip


def test_known_answers(full: dict[str, Any]) -> None:
    (report,) = resources(full, "DiagnosticReport")
    verdict, first, second, reader = resources(full, "Observation")
    (device,) = resources(full, "Device")
    assert report["status"] == "final" and report["code"]["coding"][0]["code"] == "25061-3"
    assert report["subject"]["identifier"]["value"] == "P-017" and report["effectiveDateTime"] == "2026-01-01"
    assert report["conclusion"].endswith(NOTICE) and "Reader's conclusion: affected." in report["conclusion"]
    assert "&lt;swollen&gt; &amp; dark" in report["text"]["div"]
    assert report["resultsInterpreter"] == [{"type": "Practitioner", "display": "Dr. Müller-Łęcki"}]
    assert base64.b64decode(report["presentedForm"][0]["data"]) == b"%PDF-1.7 x"
    assert verdict["valueCodeableConcept"] == {"text": "affected"}
    area = component(first, "Cross-sectional area")
    assert area["valueQuantity"] == {
        "value": 12.566, "unit": "mm²", "system": "http://unitsofmeasure.org", "code": "mm2"
    }  # fmt: skip
    assert area["code"]["coding"][0] == {
        "system": "http://snomed.info/sct", "code": "131184002", "display": "Area of defined region"
    }  # fmt: skip
    assert first["bodySite"]["text"] == "left median nerve, wrist" and "text" not in second["bodySite"]
    assert component(second, "Probability")["valueQuantity"]["value"] == 0.1
    assert reader["valueCodeableConcept"]["text"] == "affected" and "device" not in reader
    assert reader["note"] == [{"text": "As I see it."}]
    assert device["version"] == [{"value": "1.3"}] and device["note"] == [{"text": NOTICE}]
    assert "research" in device["deviceName"][0]["name"]


def test_an_average_is_never_a_range(full: dict[str, Any]) -> None:
    ranges = component(resources(full, "Observation")[1], "Cross-sectional area")["referenceRange"]
    by = {each["text"].split(":")[0].split(" ")[0]: each for each in ranges}
    assert (by["Bae"]["low"]["value"], by["Bae"]["high"]["value"]) == (7, 13)
    assert "high" not in by["Fisse"] and "low" not in by["Fisse"]
    assert by["Practical"]["high"]["value"] == 11 and "quotes others" in by["Practical"]["text"]
    assert "referenceRange" not in component(resources(full, "Observation")[2], "Cross-sectional area")


def test_valid_by_the_published_schema_and_the_same_after_a_round_trip(full: dict[str, Any]) -> None:
    assert faults(full) == []
    again = json.loads(Bundle.model_validate_json(fhir.as_json(full)).model_dump_json())
    assert again == json.loads(fhir.as_json(full))
    assert faults({**full, "type": "heap"}) and faults(
        {**full, "entry": [{"resource": {"resourceType": "X"}}]}
    )


def test_every_reference_is_met_and_nothing_is_named(full: dict[str, Any]) -> None:
    known = {each["fullUrl"] for each in full["entry"]}

    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["reference"]] if "reference" in part else []
            return own + [each for value in part.values() for each in references(value)]
        return [each for value in part for each in references(value)] if isinstance(part, list) else []

    assert len(references(full)) == 7 and set(references(full)) <= known
    assert len(known) == len(full["entry"]) == 6
    assert b"Jane" not in fhir.as_json(full)


def test_without_a_reader_it_is_preliminary_and_the_same_each_time() -> None:
    finding = judged()
    first, second = (fhir.bundle(finding, WRITTEN) for _ in range(2))
    assert first == second and faults(first) == []
    assert {each["status"] for each in resources(first, "Observation")} == {"preliminary"}
    (report,) = resources(first, "DiagnosticReport")
    assert (
        report["status"] == "preliminary" and "resultsInterpreter" not in report and "subject" not in report
    )
    assert fhir.bundle(finding, WRITTEN, patient="P-1")["id"] != first["id"]


def test_the_readers_outline_stands_beside_the_models() -> None:
    finding = judged(nerves=1, places=[Place(0, "median", "wrist")])
    larger = replace(finding.sizes[0], area=20.0)
    found = fhir.bundle(finding, WRITTEN, reading=Reading(False, "affected", "", "Dr. A"), drawn=[larger])
    assert faults(found) == []
    own = resources(found, "Observation")[-1]
    area = component(own, "Cross-sectional area")
    assert area["valueQuantity"]["value"] == 20 and "above the range" in area["referenceRange"][0]["text"]
    assert own["method"]["text"] == "Measured on the outline by a reader" and "device" not in own
    assert own["performer"] == [{"type": "Practitioner", "display": "Dr. A"}]
    assert not any("Probability" in each["code"]["text"] for each in own["component"])
    assert len(resources(fhir.bundle(finding, WRITTEN, drawn=[larger]), "Observation")) == 2


def test_pixels_are_never_millimetres() -> None:
    found = fhir.bundle(judged(None, 1, places=[Place(0, "median", "wrist")]), WRITTEN)
    assert faults(found) == []
    area = component(resources(found, "Observation")[1], "Cross-sectional area")
    assert area["valueQuantity"]["code"] == "{px2}" and "referenceRange" not in area
    assert '"mm' not in json.dumps(resources(found, "Observation"))


def test_no_nerve_is_sent_with_its_reason_and_no_verdict_is_not() -> None:
    found = fhir.bundle(judged(nerves=0), WRITTEN)
    (verdict,) = resources(found, "Observation")
    assert verdict["valueCodeableConcept"]["text"] == "no nerve found" and "component" not in verdict
    assert verdict["note"][0]["text"] == "Nothing was outlined." and faults(found) == []
    with pytest.raises(DataError, match="no verdict to send"):
        fhir.bundle(Finding("1", None), WRITTEN)
    with pytest.raises(DataError, match="time zone"):
        fhir.bundle(judged(), datetime(2026, 1, 2))


def test_what_is_not_valid_is_refused(full: dict[str, Any]) -> None:
    broken = json.loads(fhir.as_json(full))
    broken["entry"][0]["resource"]["status"] = ["final"]
    with pytest.raises(DataError, match="not valid at entry"):
        fhir.check(broken)


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=40), st.text(max_size=20))
def test_any_words_make_a_valid_report(text: str, name: str) -> None:
    found = fhir.bundle(
        judged(nerves=1), WRITTEN, patient=name, reading=Reading(None, "uncertain", text, name), text=text
    )
    assert faults(found) == []
