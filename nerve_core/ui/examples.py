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
    """What the checkpoint called ``name`` says of the first sample; shared, as no patient is in it."""
    found = samples()
    return session.analyse_once(session.from_sample(found[0]), model.predictor(name)) if found else None


def truth(item: Item) -> np.ndarray | None:
    """True mask (H, W) of a simulated sample, uint8, 255 inside nerves; None for any other scan."""
    return None if item.truth is None else cv2.imread(str(item.truth), cv2.IMREAD_GRAYSCALE)
