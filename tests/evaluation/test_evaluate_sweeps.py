"""Every frame of a sweep is judged, when somebody drew every frame."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from nerve_core.cli import main
from nerve_core.data.phantom import Phantom, simulate_sweep
from nerve_core.data.phantom_dicom import save_dicom, save_masks
from nerve_core.evaluation.evaluate import read_rows, score_rows
from nerve_core.evaluation.summary import summarise
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import Prediction
from tests.evaluation.fakes import FakePredictor

MISSED = 2
"""The frame in which nothing is found."""


class FramePredictor(FakePredictor):
    """Finds each frame of a sweep exactly, but for one."""

    def __init__(self, truth: list[np.ndarray]) -> None:
        super().__init__({})
        self.truth = truth
        self.frames: list[int] = []

    def predict(self, scan: Scan, click=None, preprocess=None, gate: bool = True) -> Prediction:
        self.frames.append(scan.frame)
        found = (
            (np.zeros_like(self.truth[0]), None) if scan.frame == MISSED else (self.truth[scan.frame], 0.8)
        )
        self.answers[scan.name] = found
        return super().predict(scan, click, preprocess, gate)


@pytest.fixture(scope="module")
def frames() -> list[Phantom]:
    return simulate_sweep(3, site="wrist", affected=True, severity=0.9, size=(96, 96), frames=4, step_mm=0.8)


@pytest.fixture
def sweep(frames: list[Phantom], tmp_path: Path) -> Path:
    """A manifest of one calibrated sweep with a mask a frame, and of one still."""
    save_dicom(tmp_path / "sweep.dcm", frames)
    save_masks(tmp_path / "sweep-mask.tif", [frame.mask for frame in frames])
    cv2.imwrite(str(tmp_path / "still.png"), frames[0].image)
    cv2.imwrite(str(tmp_path / "still-mask.png"), frames[0].mask)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(
        "image,mask,label,group,site\n"
        "sweep.dcm,sweep-mask.tif,affected,limb,wrist\n"
        "still.png,still-mask.png,unaffected,other,wrist\n"
    )
    return manifest


def test_the_command_scores_every_frame_under_the_sweeps_group(
    frames: list[Phantom],
    sweep: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    predictor = FramePredictor([frame.mask for frame in frames])
    module = ModuleType("nerve_core.inference.predictor")
    module.get_predictor = lambda name=None: predictor
    monkeypatch.setitem(sys.modules, module.__name__, module)
    table = tmp_path / "images.csv"
    words = ["evaluate", "--manifest", str(sweep), "--json", "--per-image", str(table)]
    assert main([*words, "--workers", "1"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["n"], figures["groups"], figures["n_labelled"]) == (5, 2, 5)
    assert figures["dice_mean"] == figures["detected"] == pytest.approx(4 / 5)
    assert figures["recall"] == pytest.approx(3 / 4), "the frame without a nerve is an error of the verdict"
    with table.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["frame"] for line in lines] == ["0", "1", "2", "3", ""]
    assert [line["group"] for line in lines] == ["limb"] * 4 + ["other"]
    assert [line["image"] for line in lines] == ["sweep.dcm"] * 4 + ["still.png"]
    assert [float(line["dice"]) for line in lines] == [1, 1, 0, 1, 1]
    assert [line["label"] for line in lines] == ["affected"] * 4 + ["unaffected"]


def test_a_click_goes_into_each_frame(frames: list[Phantom], sweep: Path) -> None:
    predictor = FramePredictor([frame.mask for frame in frames])
    rows = read_rows(sweep)[:1]
    told: list[tuple[int, int]] = []
    scored = score_rows(rows, predictor, clicks=True, progress=lambda *at: told.append(at))
    assert [one.click_answer.pointed.dice for one in scored] == [1, 1, 0, 1]
    assert predictor.frames == [0, 0, 1, 1, 2, 2, 3, 3]
    assert told == [(1, 1)], "a sweep is one row"


@pytest.mark.parametrize("pages", [0, 1, 3])
def test_without_a_page_for_each_frame_the_first_alone_counts(
    frames: list[Phantom], sweep: Path, pages: int
) -> None:
    row = read_rows(sweep)[0]
    if pages:
        save_masks(Path(row["mask"]), [frame.mask for frame in frames[:pages]])
    else:
        row = row | {"mask": ""}
    predictor = FramePredictor([frame.mask for frame in frames])
    (only,) = score_rows([row], predictor)
    assert predictor.frames == [0] and "frame" not in only.row
    assert only.answer.contour is None if not pages else only.answer.contour.dice == 1


def test_a_blank_frame_is_named_and_the_others_count(frames: list[Phantom], sweep: Path) -> None:
    row = read_rows(sweep)[0]
    pictures = [np.zeros_like(frames[0].image), *(frame.image for frame in frames[1:])]
    row["image"] = str(sweep.parent / "sweep.tif")
    assert cv2.imwritemulti(row["image"], pictures)
    scored = score_rows([row], FramePredictor([frame.mask for frame in frames]))
    figures = summarise(scored)
    assert figures["n"] == 3 and figures["refused"] >= 1
    (error,) = figures["errors"]
    assert error["error"].startswith("Frame 0: ") and error["image"] == row["listed image"]
    assert [one.row["frame"] for one in scored] == ["0", "1", "2", "3"]


def test_pages_of_another_size_are_an_error_of_the_row(frames: list[Phantom], sweep: Path) -> None:
    row = read_rows(sweep)[0]
    save_masks(Path(row["mask"]), [frame.mask[:-8] for frame in frames])
    (only,) = score_rows([row], FramePredictor([]))
    assert "give both the same size" in only.error and only.answer is None
