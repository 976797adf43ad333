"""Which methods of the benchmark can run on this machine at once, and how to get the others."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from nerve_core.config import settings
from nerve_core.errors import CheckpointError, NerveCoreError
from nerve_core.ui import model
from nerve_core.ui.compare_results import stamp

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor

logger = logging.getLogger(__name__)

WEIGHTS, VERDICT = "weights:", "verdict:"
FIT = "python -m benchmarks.classical --data DIR --out checkpoints/classical"
"""Fits and tunes the classical methods where this page looks for them."""


@dataclass(frozen=True)
class Choice:
    """One method that can be chosen.

    Attributes:
        name: as in :func:`nerve_core.evaluation.methods.known_methods`.
        title: for the page.
        judges: whether it gives a verdict; a classical outline gives none.
        here: whether it can run now.
    """

    name: str
    title: str
    judges: bool
    here: bool = True


def folder() -> Path:
    """Where the fitted classical methods are."""
    return settings().checkpoints / "classical"


def choices() -> list[Choice]:
    """Shipped weights, then every classical method in the order of the registries, fitted here or not."""
    from nerve_core.evaluation.classical.registry import CONTOUR_METHODS
    from nerve_core.evaluation.classical.store import stored_methods
    from nerve_core.evaluation.classical.verdict import VERDICT_METHODS

    stored = stored_methods(folder())
    shared = (folder() / "prior.json").is_file()

    def fitted(kind: str, name: str, learns: bool) -> bool:
        models = folder() / kind / f"{name}.skops"
        return name in stored[kind] and (not learns or models.is_file())

    found = [Choice(f"{WEIGHTS}{name}", f"Weights: {name}", True) for name in model.available()]
    found += [
        Choice(name, entry.title, False, shared and fitted("contours", name, entry.learns))
        for name, entry in CONTOUR_METHODS.items()
    ]
    return found + [
        Choice(f"{VERDICT}{name}", f"Verdict: {entry.title}", True, fitted("verdicts", name, True))
        for name, entry in VERDICT_METHODS.items()
    ]


def load(choice: Choice) -> Predictor:
    """The method, ready to predict; kept for all sessions, as no scan is in it.

    Raises:
        CheckpointError: it cannot be used.
    """
    try:
        if choice.name.startswith(WEIGHTS):
            return model.predictor(choice.name.removeprefix(WEIGHTS))
        kind = "verdicts" if choice.name.startswith(VERDICT) else "contours"
        path = folder() / kind / f"{choice.name.removeprefix(VERDICT)}.json"
        return _fitted(choice.name, str(folder()), (stamp(path), stamp(folder() / "prior.json")))
    except NerveCoreError:
        raise
    except Exception as fault:  # one method must not take the others down
        logger.error("%s while loading the method %s", type(fault).__name__, choice.name)
        raise CheckpointError(
            f"{choice.title} could not be loaded because of a fault in the program; fit it again: {FIT}."
        ) from None


@st.cache_resource(show_spinner=False, max_entries=32)
def _fitted(name: str, where: str, stamped: Any) -> Any:
    if not name.startswith(VERDICT):
        from nerve_core.evaluation.classical.registry import method_of
        from nerve_core.evaluation.classical.store import load_contour

        network = model.predictor() if method_of(name).needs_network else None
        return load_contour(Path(where), name, network)
    from nerve_core.evaluation.methods import Setup, ready

    with ready(name, (), Setup(), 0, "", Path(where)) as method:
        return method
