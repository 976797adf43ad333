"""Running the chosen methods on one scan, one after the other; one that fails leaves the others alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.inference.prediction import NOT_ASSESSABLE, Prediction
from nerve_core.ui import compare_methods, session, words
from nerve_core.ui.compare_agreement import pairwise_dice
from nerve_core.ui.compare_methods import Choice
from nerve_core.ui.session import Item, Outcome


@dataclass(frozen=True, eq=False)
class Result:
    """What one method said.

    Attributes:
        number: of the method on the page, from 1.
        choice: the method.
        outcome: of the scan, or with the sentence why there is none.
        model: the method itself, None where it could not be loaded.
    """

    number: int
    choice: Choice
    outcome: Outcome
    model: Any = None

    @property
    def prediction(self) -> Prediction | None:
        """What it found; None where it failed or refused the scan."""
        found = self.outcome.prediction
        return None if found is None or found.verdict == NOT_ASSESSABLE else found

    @property
    def fault(self) -> str | None:
        """Why there is nothing to show, else None."""
        if self.prediction is not None:
            return None
        found = self.outcome
        refused = found.prediction.reason if found.prediction is not None else None
        return found.error or found.refused or refused or "The scan cannot be assessed."


def run(item: Item, chosen: Sequence[Choice]) -> list[Result]:
    """The chosen methods on the scan as the session looks at it; a progress bar while there is a wait."""
    found: list[Result] = []
    loaded: set[str] = st.session_state.setdefault("compare-loaded", set())
    bar = st.empty()
    for number, choice in enumerate(chosen, 1):
        done, words_now = (number - 1) / len(chosen), f"method {number} of {len(chosen)}, {choice.title} …"
        try:
            if choice.name not in loaded:
                bar.progress(done, f"Loading {words_now}")
            method = compare_methods.load(choice)
            loaded.add(choice.name)
            if not session.known(item, method):
                bar.progress(done, f"Running {words_now}")
            found.append(Result(number, choice, session.analyse(item, method), method))
        except NerveCoreError as error:
            found.append(Result(number, choice, Outcome(item, error=str(error))))
    bar.empty()
    return found


def table(results: Sequence[Result], truth: np.ndarray | None) -> pd.DataFrame:
    """A line a method: verdict and probability where it gives them, nerves, area, time, and the overlap with
    the truth of a simulated scan."""
    rows = []
    for result in results:
        found = result.prediction
        row: dict[str, Any] = {"No.": result.number, "Method": result.choice.title}
        row["Verdict"] = _verdict(result)
        judged = found is not None and result.choice.judges and found.p_affected is not None
        row["Probability"] = words.percent(found.p_affected) if judged else "–"
        row["Nerves"] = None if found is None else len(found.nerves)
        row["Area, px²"] = None if found is None else int(np.count_nonzero(found.mask))
        if truth is not None:
            row["Dice with simulated truth"] = (
                None if found is None else float(pairwise_dice([found.mask, truth])[0, 1])
            )
        row["Time, ms"] = None if found is None else result.outcome.ms
        rows.append(row)
    return pd.DataFrame(rows)


def _verdict(result: Result) -> str:
    if result.prediction is None:
        return "failed" if result.outcome.error else words.HEADLINES[NOT_ASSESSABLE]
    return words.HEADLINES[result.prediction.verdict] if result.choice.judges else "outline only"
