"""A small predictor with known answers, so that the pages are tested without weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from nerve_core.config import ROOT
from nerve_core.data.samples import Sample
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NO_NERVE, NOT_ASSESSABLE, Nerve, Prediction, verdict_of

SIZE = (160, 200)
CENTRE = (100.0, 70.0)
SETS = [{"set": "usgra", "train": 145, "val": 21, "test": 23, "groups": 168, "licence": "CC-BY-4.0"}]


def speckle(seed: int = 0) -> np.ndarray:
    """A grey picture, uint8 (160, 200), that passes for a scan."""
    noise = np.random.default_rng(seed).normal(90, 40, SIZE).clip(5, 250).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.0)


def png(seed: int = 0) -> bytes:
    """PNG of ``speckle``."""
    return cv2.imencode(".png", speckle(seed))[1].tobytes()


class KnownPredictor:
    """Finds one nerve, a circle of radius 20 px, where the user points or at ``CENTRE``.

    Attributes:
        p: probability given to the nerve; None finds nothing.
        reason: refuses every scan with this reason.
        fault: raised instead of an answer.
        calls: (scan, click, preprocess) of every call.
    """

    name, version, device, backend = "research", "1", "cpu", "torch"
    card = "# Card of the model"

    def __init__(self) -> None:
        self.p: float | None = 0.9
        self.reason: str | None = None
        self.fault: Exception | None = None
        self.calls: list[tuple[Scan, Any, Any]] = []
        self.preprocess = Preprocess()
        self.abstention = None
        self.config = {"sites": ["neck", "groin"], "sets": SETS, "input_size": 256}
        self.metrics: dict[str, Any] = {
            "contours": {"usgra": {"n": 12, "groups": 9, "dice_mean": 0.714, "dice_ci95": [0.6, 0.8]}}
        }

    def predict(
        self, scan: Scan, click: Any = None, preprocess: Preprocess | None = None, gate: bool = True
    ) -> Prediction:
        self.calls.append((scan, click, preprocess))
        if self.fault is not None:
            raise self.fault
        mask = np.zeros(scan.pixels.shape, np.uint8)
        if self.reason is not None or self.p is None:
            verdict = NO_NERVE if self.reason is None else NOT_ASSESSABLE
            return Prediction(mask / np.float32(255), mask, (), verdict, None, "research 1", self.reason)
        x, y = click or CENTRE
        angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        contour = np.stack([x + 20 * np.cos(angle), y + 20 * np.sin(angle)], axis=1).astype(np.float32)
        cv2.fillPoly(mask, [np.rint(contour).astype(np.int32)], 255)
        nerve = Nerve(contour, (x, y), 1256.0, None, 0.9, self.p)
        timings = {"network": 20.0, "total": 20.0}
        return Prediction(
            mask / np.float32(255),
            mask,
            (nerve,),
            verdict_of(self.p),
            self.p,
            "research 1",
            timings_ms=timings,
        )

    def p_affected(self, pixels: np.ndarray, mask: np.ndarray) -> float:
        return self.p if self.p is not None else 0.5


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> KnownPredictor:
    """The predictor every page gets; one sample scan is shipped, one set of weights installed."""
    found = KnownPredictor()
    image, mask = tmp_path / "sample.png", tmp_path / "sample_mask.png"
    image.write_bytes(png(7))
    cv2.imwrite(str(mask), cv2.circle(np.zeros(SIZE, np.uint8), (100, 70), 20, 255, -1))
    sample = Sample(
        "Simulated wrist", image, mask, "wrist", "median", "affected", 0.8, None, "simulated", "CC0-1.0"
    )
    monkeypatch.setenv("NERVE_RECORDS", str(tmp_path / "records"))
    monkeypatch.setattr("nerve_core.ui.model.load", lambda name: found)
    monkeypatch.setattr("nerve_core.ui.model.available", lambda: ["research"])
    monkeypatch.setattr("nerve_core.ui.examples.samples", lambda: [sample])
    st.cache_resource.clear()
    yield found
    st.cache_resource.clear()


@pytest.fixture
def app(known: KnownPredictor, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The whole dashboard at its start page."""
    start = PagesManager.__init__

    def served(self: PagesManager, *args: Any, **options: Any) -> None:
        # AppTest takes the folder pages/ for Streamlit's older kind of app; streamlit_app.py rules that out.
        PagesManager.uses_pages_directory = False
        start(self, *args, **options)

    monkeypatch.setattr(PagesManager, "__init__", served)
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)


@pytest.fixture
def diagnose(app: AppTest) -> AppTest:
    """The dashboard at the Diagnose page, nothing uploaded yet."""
    app.run()
    return app.switch_page("pages/diagnose.py").run()


def texts(page: AppTest) -> list[str]:
    """Every text on the page, in the order in which it is drawn."""
    kinds = {"markdown", "caption", "title", "subheader", "header", "error", "warning", "info", "text"}
    return [str(part.value) for part in page if getattr(part, "type", "") in kinds]
