"""The records as pages use them: who acts, what they may do, and what was saved in the form pages draw."""

from __future__ import annotations

from collections import OrderedDict
from math import inf

import numpy as np
import streamlit as st

from nerve_core.access.roles import LOCAL, Actor, allowed
from nerve_core.clinical.finding import FROM_FILE, Finding, Place
from nerve_core.clinical.measure import Measurement
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import AFFECTED, UNAFFECTED, UNCERTAIN, Nerve, Prediction
from nerve_core.records.items import Review, SavedPrediction, SavedScan, Sizes
from nerve_core.records.records import Records
from nerve_core.ui import access

PATIENT, SCAN = "record-patient", "record-scan"
"""Where the session keeps which patient and which of their scans is shown, by identifier."""

KEPT = 8
"""Most decoded pictures of saved scans kept a session."""


def actor() -> Actor:
    """Who acts on this page: the one signed in, or ``LOCAL`` where nobody must sign in."""
    return access.actor()


def may(action: str) -> bool:
    """Whether the actor's role permits an action; what it does not permit is not offered."""
    return allowed(actor(), action)


def records() -> Records:
    """The records, on behalf of the actor. Raises RecordsError."""
    return Records(actor())


def reader() -> str:
    """Name under which readings are kept: the one signed in, or the one typed where nobody signs in."""
    if actor() != LOCAL:
        return actor().name
    return (st.session_state.get("report-reader") or "").strip() or LOCAL.name


def picture(scan: SavedScan) -> Scan:
    """The frame of a saved scan, decoded once for the last few. Raises RecordsError, ScanError."""
    kept: OrderedDict[str, Scan] = st.session_state.setdefault("record-pictures", OrderedDict())
    key = f"{scan.id} {scan.spacing_mm}"
    if key not in kept:
        kept[key] = records().picture(scan.id, scan.patient)
    kept.move_to_end(key)
    while len(kept) > KEPT:
        kept.popitem(last=False)
    return kept[key]


def forget_pictures() -> None:
    """Drop every decoded picture, as after an erasure."""
    st.session_state.pop("record-pictures", None)


def prediction_of(saved: SavedPrediction, shape: tuple[int, int]) -> Prediction:
    """A saved prediction to draw and to tell of; its probability map was not kept and is blank."""
    nerves = tuple(
        Nerve(
            contour,
            tuple(each["centroid"]),
            each["area_px"],
            each["area_mm2"],
            each["confidence"],
            each["p_affected"],
            each["verdict"],
        )
        for each, contour in zip(saved.nerves, saved.contours, strict=True)
    )
    return _drawable(
        nerves, shape, saved.verdict, saved.p_affected, f"{saved.model} {saved.version}", saved.reason
    )


def outlines_of(review: Review, shape: tuple[int, int]) -> Prediction:
    """A reader's outlines to draw, each in the colour of the conclusion."""
    word = review.reading if review.reading in (AFFECTED, UNAFFECTED, UNCERTAIN) else UNCERTAIN
    nerves = []
    for points in review.contours:
        contour = np.asarray(points, np.float32).reshape(-1, 2)
        x, y = contour.mean(axis=0)
        nerves.append(Nerve(contour, (float(x), float(y)), 0.0, None, 1.0, 0.5, word))
    return _drawable(tuple(nerves), shape, review.reading, None, review.reviewer, None)


def _drawable(
    nerves: tuple[Nerve, ...],
    shape: tuple[int, int],
    verdict: str,
    p_affected: float | None,
    model: str,
    reason: str | None,
) -> Prediction:
    mask = np.zeros(shape, np.uint8)
    blank = np.zeros(shape, np.float32)
    return Prediction(blank, mask, nerves, verdict, p_affected, model, reason, edited=True)


def measurement_of(sizes: Sizes) -> Measurement:
    """Recorded sizes as they were measured."""
    flattening = inf if sizes.flattening is None else sizes.flattening
    return Measurement(
        sizes.unit,
        sizes.area,
        sizes.perimeter,
        sizes.equivalent_diameter,
        sizes.width,
        sizes.height,
        flattening,
        sizes.circularity,
        sizes.depth,
        sizes.echo,
        dict(sizes.hypoechoic),
    )


def finding_of(scan: SavedScan) -> Finding | None:
    """A saved scan as tables and messages take it, by the model's own outlines; None without a prediction."""
    saved = scan.prediction
    if saved is None:
        return None
    known = [measurement_of(each) for each in sorted(saved.sizes, key=lambda each: each.number)]
    prediction = prediction_of(saved, scan.shape)
    places = [Place(0, scan.nerve, scan.site, scan.side)] if scan.nerve and scan.site and known else []
    spacing = [scan.spacing_mm if each.unit == "mm" else None for each in known]
    return Finding(
        scan.pseudonym,
        prediction,
        known,
        spacing,
        digest=scan.sha256,
        frame=scan.frame,
        scale=FROM_FILE if any(spacing) else "",
        remark=saved.reason or "",
        places=places,
    )


def place_of(nerve: str, site: str, side: str) -> str:
    """Which nerve, where and on which side, in words.

    >>> place_of("median", "wrist", "left"), place_of("C6 root", "neck", ""), place_of("", "", "")
    ('left median nerve, wrist', 'C6 root, neck', 'nerve not said')
    """
    if not nerve:
        return ", ".join(filter(None, ("nerve not said", site, side)))
    word = "" if nerve.split()[-1] in ("root", "trunk", "plexus", "nerve") else " nerve"
    return ", ".join(filter(None, (f"{side} {nerve}{word}".strip(), site)))


def go_to(patient: str, scan: str = "") -> None:
    """Choose what the patient page shows."""
    st.session_state[PATIENT], st.session_state[SCAN] = patient, scan
