"""One scan's result as FHIR R4 (4.0.1): a Bundle of a DiagnosticReport, its Observations and the Device.

The report is *preliminary* until a reader has given their own conclusion, then *final*. Codes are given where
a fitting one was checked in DICOM PS3.16 (LOINC, SNOMED CT) or UCUM; everything else is text, which FHIR
allows, rather than a code that means nearly the same. The resources used are alike in R4 and R4B, so the R4B
models of ``fhir.resources`` check them; the tests also hold them against the published JSON schema of R4.
"""

from __future__ import annotations

import base64
import html
import json
import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from nerve_core.clinical.finding import Finding, Place, norms_at
from nerve_core.clinical.measure import Measurement
from nerve_core.clinical.norms import KINDS, LIMIT, RANGE, Norm
from nerve_core.errors import DataError
from nerve_core.inference.prediction import NOTICE
from nerve_core.inference.review import Reading

LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
CATEGORIES = "http://terminology.hl7.org/CodeSystem/"
NAMESPACE = uuid.UUID("6f6a43c5-1f0e-5d0b-9f3e-3c1d5a1f7f10")
"""Of the identifiers: the same result always gets the same ones, so that sending it again doubles nothing."""

MEASURED: tuple[tuple[str, str, tuple[str, str] | None, str], ...] = (
    ("area", "Cross-sectional area", ("131184002", "Area of defined region"), "area"),
    ("perimeter", "Length of the outline", ("131191004", "Perimeter"), "length"),
    ("equivalent_diameter", "Diameter of a circle of the same area", None, "length"),
    ("width", "Largest caliper diameter", None, "length"),
    ("height", "Smallest caliper diameter", None, "length"),
    ("flattening", "Flattening ratio, width over height", None, "ratio"),
    ("circularity", "Circularity, 4 pi area over perimeter squared", None, "ratio"),
    ("depth", "Depth of the nearest edge below the top of the picture", ("131197000", "Depth"), "length"),
    ("echo", "Mean grey level, 0 to 255", None, "ratio"),
)
"""Field of a measurement, what it is called, its SNOMED CT code where there is one, and its kind of unit."""

UNITS = {
    ("area", "mm"): ("mm²", "mm2"),
    ("length", "mm"): ("mm", "mm"),
    ("area", "px"): ("px²", "{px2}"),
    ("length", "px"): ("px", "{px}"),
}
"""Unit as shown and as UCUM, by kind and by whether the scale is known."""

Resource = dict[str, Any]


def bundle(
    finding: Finding,
    written: datetime,
    *,
    patient: str = "",
    scanned: date | None = None,
    reading: Reading | None = None,
    drawn: Sequence[Measurement] = (),
    text: str = "",
    pdf: bytes | None = None,
) -> Resource:
    """The Bundle, checked.

    Args:
        finding: the scan; its file name stays out.
        written: when, with its time zone.
        patient: pseudonym; empty leaves the report without a subject.
        scanned: day of the scan, where known.
        reading: the reader's own conclusion; without one the report is preliminary.
        drawn: sizes of the outlines the reader stands by, where they are not those of the finding.
        text: findings as the reader left them.
        pdf: the report as PDF, to travel with it.

    Raises:
        DataError: there is no prediction, no time zone, or the result is not valid FHIR.
    """
    if finding.prediction is None:
        raise DataError("There is no verdict to send: this scan could not be judged.")
    if written.tzinfo is None:
        raise DataError("A FHIR report needs the time with its time zone.")
    made = _Maker(finding, written, patient, scanned, reading)
    device = made.device()
    seen = [made.verdict(), *(made.nerve(number) for number in range(len(finding.sizes)))]
    if reading is not None:
        seen += [made.conclusion(reading), *(made.drawn(number, size) for number, size in enumerate(drawn))]
    found: Resource = {
        "resourceType": "Bundle",
        "id": made.id("bundle"),
        "type": "collection",
        "timestamp": made.written,
        "entry": [
            {"fullUrl": f"urn:uuid:{each['id']}", "resource": each}
            for each in (made.report(seen, text, pdf), *seen, device)
        ],
    }
    check(found)
    return found


def as_json(found: Resource) -> bytes:
    """The Bundle as a file, UTF-8."""
    return json.dumps(found, indent=1, ensure_ascii=False).encode()


def check(found: Resource) -> None:
    """Hold a Bundle against the models of ``fhir.resources``.

    Raises:
        DataError: it is not valid, with the first reason.
    """
    from fhir.resources.R4B.bundle import Bundle
    from pydantic import ValidationError

    try:
        Bundle.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(f"The FHIR report is not valid at {where}: {first['msg']}.") from error


def clean(text: str) -> str:
    """Text as FHIR allows it: no control characters, and no blank but space, tab and line break."""
    kept = "".join(" " if letter.isspace() and letter not in "\t\n" else letter for letter in text)
    return "".join(letter for letter in kept if letter in "\t\n" or letter.isprintable()).strip()


class _Maker:
    """Resources of one finding, which share their subject, time and status."""

    def __init__(
        self,
        finding: Finding,
        written: datetime,
        patient: str,
        scanned: date | None,
        reading: Reading | None,
    ) -> None:
        assert finding.prediction is not None
        self.finding, self.prediction, self.reading = finding, finding.prediction, reading
        self.written = written.isoformat(timespec="seconds").replace("+00:00", "Z")
        self.status = "preliminary" if reading is None else "final"
        self.common: Resource = {}
        self.reviewer = "" if reading is None else clean(reading.reviewer)
        if patient := clean(patient):
            self.common["subject"] = {"type": "Patient", "identifier": {"value": patient}}
        if scanned is not None:
            self.common["effectiveDateTime"] = scanned.isoformat()
        self.patient = patient

    def id(self, part: str) -> str:
        own = (self.patient, self.finding.label, self.finding.digest, str(self.finding.frame))
        return str(uuid.uuid5(NAMESPACE, "/".join((*own, self.prediction.model, part))))

    def device(self) -> Resource:
        name, _, version = self.prediction.model.rpartition(" ")
        return {
            "resourceType": "Device",
            "id": self.id("device"),
            "deviceName": [{"name": f"Nerve ultrasound, weights {name or version}", "type": "model-name"}],
            "type": {
                "text": "Software that outlines nerves in ultrasound and says whether they look affected"
            },
            "version": [{"value": version or self.prediction.model}],
            "note": [{"text": NOTICE}],
        }

    def report(self, results: list[Resource], text: str, pdf: bytes | None) -> Resource:
        words, text = f"{self._verdict()} {NOTICE}", clean(text)
        found: Resource = {
            "resourceType": "DiagnosticReport",
            "id": self.id("report"),
            "text": {"status": "generated", "div": _narrative(words, text)},
            "status": self.status,
            "category": [_coded(f"{CATEGORIES}v2-0074", "RUS", "Radiology Ultrasound")],
            "code": _coded(LOINC, "25061-3", "Ultrasound Report", "Nerve ultrasound report"),
            **self.common,
            "issued": self.written,
            "result": [_refer(each) for each in results],
            "conclusion": f"{text}\n{words}".strip(),
        }
        if self.reviewer:
            found["resultsInterpreter"] = [{"type": "Practitioner", "display": self.reviewer}]
        if pdf is not None:
            content = base64.b64encode(pdf).decode()
            form = {"contentType": "application/pdf", "data": content, "title": "Nerve ultrasound report"}
            found["presentedForm"] = [form]
        return found

    def verdict(self) -> Resource:
        found = self._observation("verdict", "Verdict of the model on the scan")
        found["valueCodeableConcept"] = {"text": self.prediction.verdict}
        if self.prediction.p_affected is not None:
            found["component"] = [_probability(self.prediction.p_affected)]
        why = clean(self.prediction.reason or "")
        found["note"] = [{"text": each} for each in (why, NOTICE) if each]
        return found

    def nerve(self, number: int) -> Resource:
        nerve, size = self.prediction.nerves[number], self.finding.sizes[number]
        place = self.finding.place(number)
        found = self._observation(f"nerve-{number}", f"Nerve {number + 1} outlined in the scan")
        found["bodySite"] = _body_site(place)
        outlined = "a reader" if self.prediction.edited else f"the model {self.prediction.model}"
        found["method"] = {"text": f"Measured on the outline by {outlined}"}
        said: list[Resource] = [
            {
                "code": {"text": "Verdict of the model on this nerve"},
                "valueCodeableConcept": {"text": nerve.verdict},
            },
            _probability(nerve.p_affected),
        ]
        found["component"] = said + _components(size, norms_at(place, size))
        found["note"] = [{"text": NOTICE}]
        return found

    def drawn(self, number: int, size: Measurement) -> Resource:
        found = self._observation(f"drawn-{number}", f"Nerve {number + 1} outlined by the reader", False)
        place = self.finding.place(number)
        found["bodySite"] = _body_site(place)
        found["method"] = {"text": "Measured on the outline by a reader"}
        if self.reviewer:
            found["performer"] = [{"type": "Practitioner", "display": self.reviewer}]
        found["component"] = _components(size, norms_at(place, size))
        return found

    def conclusion(self, reading: Reading) -> Resource:
        found = self._observation("reading", "Conclusion of the reader", by_device=False)
        found["valueCodeableConcept"] = {"text": reading.reading}
        if self.reviewer:
            found["performer"] = [{"type": "Practitioner", "display": self.reviewer}]
        if reading.agrees is not None:
            agrees = {"code": {"text": "Agrees with the model"}, "valueBoolean": reading.agrees}
            found["component"] = [agrees]
        if comment := clean(reading.comment):
            found["note"] = [{"text": comment}]
        return found

    def _observation(self, part: str, name: str, by_device: bool = True) -> Resource:
        found: Resource = {
            "resourceType": "Observation",
            "id": self.id(part),
            "status": self.status,
            "category": [_coded(f"{CATEGORIES}observation-category", "imaging", "Imaging")],
            "code": {"text": name},
            **self.common,
            "issued": self.written,
        }
        if by_device:
            found["device"] = {"reference": f"urn:uuid:{self.id('device')}", "type": "Device"}
        return found

    def _verdict(self) -> str:
        chance = self.prediction.p_affected
        said = "" if chance is None else f", probability of looking affected {chance:.2f}"
        read = "" if self.reading is None else f" Reader's conclusion: {self.reading.reading}."
        return f"Model's verdict: {self.prediction.verdict}{said}.{read}"


def _components(size: Measurement, norms: Sequence[Norm]) -> list[Resource]:
    """Measurements of one outline; published sizes stand with the area."""
    found: list[Resource] = []
    for field, name, code, kind in MEASURED:
        value = getattr(size, field)
        if value == float("inf"):
            continue
        concept: Resource = {"text": name}
        if code is not None:
            concept["coding"] = [{"system": SNOMED, "code": code[0], "display": code[1]}]
        shown, unit = UNITS.get((kind, size.unit), ("", "1"))
        one: Resource = {"code": concept, "valueQuantity": _quantity(value, shown, unit)}
        if field == "area" and norms:
            one["referenceRange"] = [_range(norm, size.area) for norm in norms]
        found.append(one)
    for name, share in size.hypoechoic.items():
        title = {"yen": "Yen", "maximum_entropy": "maximum entropy"}.get(name, name)
        concept = {"text": f"Dark share by the {title} threshold; no norm"}
        found.append({"code": concept, "valueQuantity": _quantity(share, "", "1")})
    return found


def _range(norm: Norm, area: float) -> Resource:
    """A published size; an average, or the interval of one, is text alone, for it is no limit."""
    quoting = " A source that quotes others." if norm.secondary else ""
    found: Resource = {
        "text": f"{norm.source}: {norm.said_of(area)}.{quoting}",
        "type": {"text": KINDS[norm.kind]},
    }
    if norm.population:
        found["appliesTo"] = [{"text": f"{norm.population}{f', n = {norm.n}' if norm.n else ''}"}]
    if norm.kind == RANGE and norm.low is not None:
        found["low"] = _quantity(norm.low, "mm²", "mm2")
    if norm.kind in (RANGE, LIMIT) and norm.high is not None:
        found["high"] = _quantity(norm.high, "mm²", "mm2")
    return found


def _body_site(place: Place | None) -> Resource:
    found = _coded(SNOMED, "84782009", "Peripheral nerve structure (body structure)")
    if place is not None:
        found["text"] = " ".join(filter(None, (place.side, f"{place.nerve} nerve, {place.site}")))
    return found


def _probability(value: float) -> Resource:
    return {
        "code": {"text": "Probability of looking affected, 0 to 1"},
        "valueQuantity": _quantity(value, "", "1"),
    }


def _quantity(value: float, shown: str, code: str) -> Resource:
    unit = {"unit": shown} if shown else {}
    return {"value": round(float(value), 3), **unit, "system": UCUM, "code": code}


def _coded(system: str, code: str, display: str, text: str = "") -> Resource:
    found: Resource = {"coding": [{"system": system, "code": code, "display": display}]}
    return found | {"text": text} if text else found


def _refer(resource: Resource) -> Resource:
    return {"reference": f"urn:uuid:{resource['id']}", "type": resource["resourceType"]}


def _narrative(words: str, text: str) -> str:
    lines = [line for line in (*text.splitlines(), words) if line.strip()]
    body = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>'
