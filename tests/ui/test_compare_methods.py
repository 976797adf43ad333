"""Which methods are offered, and that a fitted one runs as it was stored."""

from __future__ import annotations

import cv2
import pytest

from nerve_core.errors import CheckpointError
from nerve_core.evaluation.classical.learn import fit_prior
from nerve_core.evaluation.classical.registry import make_contour
from nerve_core.evaluation.classical.store import save_contour, save_prior
from nerve_core.imaging.scan import Scan
from nerve_core.ui import compare_methods
from tests.evaluation.classical.conftest import drawn, plain


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    monkeypatch.setenv("NERVE_CHECKPOINTS", str(tmp_path))
    return tmp_path


def by_name() -> dict[str, compare_methods.Choice]:
    return {choice.name: choice for choice in compare_methods.choices()}


def test_without_fitted_methods_none_is_here(checkpoints):
    found = by_name()
    assert {"otsu", "crf", "forest", "verdict:size"} <= set(found)
    assert not any(choice.here for choice in found.values())
    assert found["verdict:size"].judges and not found["otsu"].judges


def test_a_fitted_method_is_offered_and_runs(checkpoints, tmp_path):
    rows = []
    for number in range(6):
        row = {"set": "drawn", "group": f"g{number}", "site": "", "label": ""}
        for column, content in zip(("image", "mask"), drawn(number), strict=True):
            path = tmp_path / f"{column}-{number}.png"
            cv2.imwrite(str(path), content)
            row[column] = str(path)
        rows.append(row | {"split": "train" if number < 4 else "val"})
    prior = fit_prior(rows, read=plain)
    save_prior(compare_methods.folder(), prior)
    save_contour(compare_methods.folder(), make_contour("otsu", prior))
    otsu = by_name()["otsu"]
    assert [name for name, choice in by_name().items() if choice.here] == ["otsu"] and otsu.here
    pixels, mask = drawn(20)
    found = compare_methods.load(otsu).predict(Scan(pixels), gate=False)
    assert (found.mask[mask > 0] > 0).mean() > 0.5
    path = compare_methods.folder() / "contours" / "otsu.json"
    path.write_text("{")
    with pytest.raises(CheckpointError, match="otsu"):
        compare_methods.load(otsu)


def test_a_classifier_without_its_model_is_not_here(checkpoints):
    (compare_methods.folder() / "contours").mkdir(parents=True)
    (compare_methods.folder() / "prior.json").write_text("{}")
    (compare_methods.folder() / "contours" / "forest.json").write_text("{}")
    assert not by_name()["forest"].here
    (compare_methods.folder() / "contours" / "forest.skops").write_bytes(b"")
    assert by_name()["forest"].here
    with pytest.raises(CheckpointError):
        compare_methods.load(by_name()["forest"])
