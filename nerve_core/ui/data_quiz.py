"""A blind quiz: two scans side by side, one of each set; which is the real one?"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import streamlit as st

from nerve_core.data.statistics import look
from nerve_core.errors import NerveCoreError
from nerve_core.ui.data_sets import ScanSet

SIDE = 480
"""Side of each picture, px: the largest square in the middle of the ultrasound region, at one size."""
TRIM = 0.03
"""Left out at each edge, as a share of the side: frames and rulers of a machine would give it away."""
TRIES = 12
"""Scans that may turn out unreadable before the quiz gives up."""


@dataclass
class Quiz:
    """One run of questions.

    Attributes:
        seed: of the order in which scans are drawn.
        right, wrong: answers so far.
        number: of the question shown, from 0.
        answered: side picked in this question (0 is A, 1 is B), None before.
        drawn: rows of the two sets used so far, so that no scan is shown twice while others are left.
    """

    seed: int = 0
    right: int = 0
    wrong: int = 0
    number: int = 0
    answered: int | None = None
    drawn: tuple[set[int], set[int]] = field(default_factory=lambda: (set(), set()))
    question: Question | None = None

    @property
    def n(self) -> int:
        """Answers given."""
        return self.right + self.wrong

    def answer(self, side: int) -> None:
        """Take an answer; a second one to the same question changes nothing."""
        if self.question is None or self.answered is not None:
            return
        self.answered = side
        if side == self.question.target:
            self.right += 1
        else:
            self.wrong += 1

    def go_on(self) -> None:
        """On to the next question."""
        self.number, self.answered, self.question = self.number + 1, None, None


@dataclass(frozen=True, eq=False)
class Question:
    """Two pictures, uint8 (SIDE, SIDE), A and B; ``target`` is the side of the first set's scan."""

    pictures: tuple[np.ndarray, np.ndarray]
    target: int


def interval(right: int, n: int) -> tuple[float, float]:
    """95 % confidence interval of a share (Wilson's score interval), 0 to 1; n at least 1."""
    from scipy.stats import binomtest

    found = binomtest(right, n).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def score(quiz: Quiz) -> str:
    """The score in words."""
    if not quiz.n:
        return "No answer yet."
    low, high = interval(quiz.right, quiz.n)
    said = (
        f"**{quiz.right} of {quiz.n} right** ({100 * quiz.right / quiz.n:.0f} %, 95 % CI {100 * low:.0f} to "
        f"{100 * high:.0f} %; guessing gives 50 %). "
    )
    if low > 0.5:
        return said + "You tell them apart better than by chance."
    if high < 0.5:
        return said + "You tell them apart, but take the one for the other."
    return said + "So far this is not told from guessing."


def square(pixels: np.ndarray) -> np.ndarray:
    """The largest square in the middle of a picture, uint8 (SIDE, SIDE), so that shape gives nothing away."""
    side = int(min(pixels.shape) * (1 - 2 * TRIM))
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    part = np.ascontiguousarray(pixels[top : top + side, left : left + side])
    how = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
    return cv2.resize(part, (SIDE, SIDE), interpolation=how)


def draw(quiz: Quiz, first: ScanSet, second: ScanSet) -> Question | None:
    """The next question; None where too many scans cannot be read."""
    rng = np.random.default_rng([quiz.seed, quiz.number])
    pictures = []
    for rows, drawn in zip((first.rows, second.rows), quiz.drawn, strict=True):
        picture = None
        for _ in range(TRIES):
            left = [index for index in range(len(rows)) if index not in drawn]
            if not left:
                drawn.clear()
                left = list(range(len(rows)))
            index = int(rng.choice(left))
            drawn.add(index)
            try:
                scan, _ = look(rows[index] | {"mask": ""})
            except NerveCoreError:
                continue
            assert scan.region is not None
            top, start, bottom, end = scan.region
            picture = square(scan.pixels[top:bottom, start:end])
            break
        if picture is None:
            return None
        pictures.append(picture)
    target = int(rng.integers(2))
    return Question((pictures[target], pictures[1 - target]), target)


def show(first: ScanSet, second: ScanSet, question: str) -> None:
    """The quiz on the page.

    Args:
        first: the set whose scan is to be found, such as the real one.
        second: the other.
        question: what is asked, with its question mark.
    """
    key = f"quiz-{first.mark}-{second.mark}"
    quiz: Quiz = st.session_state.setdefault(key, Quiz(int(np.random.default_rng().integers(2**31))))
    if quiz.question is None:
        with st.spinner("Drawing two scans …"):
            quiz.question = draw(quiz, first, second)
    if quiz.question is None:
        st.warning("These sets hold too many scans that cannot be read; see “Split and leakage”.")
        return
    st.markdown(f"**{question}** Pair {quiz.number + 1}.")
    for side, (place, name) in enumerate(zip(st.columns(2), ("A", "B"), strict=True)):
        with place:
            st.image(quiz.question.pictures[side], width="stretch", alt=f"Scan {name} of the pair")
            st.button(
                name,
                key=f"{key}-{side}",
                on_click=quiz.answer,
                args=(side,),
                disabled=quiz.answered is not None,
                width="stretch",
            )
    if quiz.answered is not None:
        here = ("A", "B")[quiz.question.target]
        if quiz.answered == quiz.question.target:
            st.success(f"Right: it is {here}.", icon=":material/check:")
        else:
            st.error(f"No: it is {here}.", icon=":material/close:")
        st.button("Next pair", key=f"{key}-next", on_click=quiz.go_on, type="primary")
    st.markdown(score(quiz))
    st.caption(
        "Both are shown as the largest square in the middle of the ultrasound region, at one size. The score "
        "stays in this browser tab and is written nowhere."
    )
    if quiz.n:
        st.button(
            "Start again", key=f"{key}-reset", icon=":material/restart_alt:", on_click=_forget, args=(key,)
        )


def _forget(key: str) -> None:
    st.session_state.pop(key, None)
