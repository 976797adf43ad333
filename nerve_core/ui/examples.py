"""The shipped simulated samples, ready to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import streamlit as st

from nerve_core.ui import model, session
from nerve_core.ui.session import Item, Outcome

if TYPE_CHECKING:
    from nerve_core.data.samples import Sample


def samples() -> list[Sample]:
    """The shipped samples; empty when the folder has none."""
    from nerve_core.data.samples import list_samples

    return list(list_samples())


@st.cache_resource(show_spinner="Looking at a sample …")
def example(name: str) -> Outcome | None:
    """What the checkpoint called ``name`` says of the first affected sample from a site it was validated on.

    Shared by all sessions, as no patient is in it.
    """
    predictor = model.predictor(name)
    affected = [sample for sample in samples() if sample.label == "affected"]
    known = [sample for sample in affected if sample.site in predictor.config.get("sites", [])]
    found = next(iter(known or affected), None)
    return None if found is None else session.analyse_once(session.from_sample(found), predictor)


def truth(item: Item, frame: int = 0) -> np.ndarray | None:
    """True mask (H, W) of one frame of a simulated scan, uint8, 255 inside nerves; None if unknown."""
    if item.truth is None:
        return None
    if isinstance(item.truth, np.ndarray):
        return item.truth if frame == 0 else None
    read, pages = cv2.imreadmulti(str(item.truth), frame, 1, flags=cv2.IMREAD_GRAYSCALE)
    return pages[0] if read and pages else None
