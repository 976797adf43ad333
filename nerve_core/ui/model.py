"""The one model in memory, shared by every session and by the REST service."""

from __future__ import annotations

import importlib
import logging
import threading
from typing import TYPE_CHECKING

import streamlit as st

from nerve_core.config import settings
from nerve_core.errors import NerveCoreError

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor

logger = logging.getLogger(__name__)


def load(name: str) -> Predictor:
    """The warmed-up predictor of one checkpoint; the import is here because it brings in torch."""
    from nerve_core.inference.predictor import get_predictor

    return get_predictor(name)


def predictor(name: str | None = None) -> Predictor:
    """The shared predictor of one checkpoint (default: the one in the settings).

    Raises:
        CheckpointError: if the weights are missing or damaged.
    """
    return _cached(name or settings().weights)


@st.cache_resource(show_spinner="Loading the model …")
def _cached(name: str) -> Predictor:
    return load(name)


def available() -> list[str]:
    """Names of the checkpoints that can be chosen, the one in the settings first."""
    chosen = settings().weights
    folder = settings().checkpoints
    found = sorted(path.parent.name for path in folder.glob("*/model.safetensors")) if folder.is_dir() else []
    return sorted(found, key=lambda name: (name != chosen, name))


def warm_up() -> threading.Thread:
    """Start loading the default model in the background, so that the first user does not wait."""

    def work() -> None:
        try:
            load(settings().weights)
            _warm_reading()
        except NerveCoreError as error:
            logger.error("The model could not be loaded: %s", error)

    thread = threading.Thread(target=work, name="warm-up", daemon=True)
    thread.start()
    return thread


def _warm_reading() -> None:
    """Read a sample of each file type, which brings in the decoders, and import what draws tables."""
    from nerve_core.data.samples import list_samples
    from nerve_core.imaging.read import read_scan

    for path in {sample.path.suffix: sample.path for sample in list_samples()}.values():
        read_scan(path)
    for module in ("pandas", "pyarrow"):
        importlib.import_module(module)
