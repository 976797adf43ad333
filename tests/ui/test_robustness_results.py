"""Curves from the scans as they are, losses and subgroups."""

from __future__ import annotations

import pytest

from nerve_core.evaluation.tables import unchanged
from nerve_core.ui import compare_results
from nerve_core.ui import robustness_results as results
from tests.ui import compare_fakes


@pytest.fixture
def published(tmp_path, monkeypatch):
    monkeypatch.setenv("NERVE_RESULTS", str(tmp_path))
    compare_fakes.write(tmp_path, ("contours", "robustness"))
    return tmp_path


def test_curves_begin_at_the_same_scans_unchanged(published):
    lines = results.curves()
    assert len(lines) == 3 * 2 * 3  # methods, shifts, strengths with 0
    (start,) = [
        line for line in lines if (line["method"], line["shift"], line["strength"]) == ("unet", "blur", 0.0)
    ]
    assert start["n"] == 18 and start["groups"] == 18  # the setups differ by the limit alone
    assert start["dice"] == pytest.approx((0.7 + 0.07 / 8 + 0.8 + 0.09 / 10) / 2)
    for line in lines:
        assert line["loss"] == pytest.approx(0.2 * line["strength"], abs=1e-6)


def test_only_the_scans_that_were_shifted_begin_a_curve(published):
    contours, shifted = compare_results.frame("contours"), compare_results.frame("robustness")
    few = shifted[shifted["image"].isin(["00000.png", "00001.png"])]
    found = unchanged(contours, few)
    assert set(found["image"]) == {"scans/00.png", "scans/01.png"} and set(found["split"]) == {"test"}
    assert unchanged(contours.assign(image="else.png"), few) is None


def test_without_the_unchanged_scans_there_is_no_loss(published):
    (published / "benchmark-contours.parquet").unlink()
    lines = results.curves()
    assert lines and all(line["loss"] is None and line["strength"] > 0 for line in lines)


def test_losses_worst_first(published):
    rows = results.losses(results.curves())
    assert len(rows) == 6
    for row in rows:
        assert row["loss 1"] == pytest.approx(0.2, abs=1e-6)
        assert row["loss 0.5"] == pytest.approx(0.1, abs=1e-6)
        assert row["dice 0"] - row["dice 1"] == pytest.approx(0.2, abs=1e-6)


def test_subgroups_by_column_and_by_thirds_of_size(published):
    sites = results.subgroups("site", "")
    assert {line["part"] for line in sites} == {"neck", "wrist"}
    assert {line["n"] for line in sites} == {9}
    sizes = [line for line in results.subgroups("size", "") if line["method"] == "otsu"]
    assert [line["part"].split(" ")[0] for line in sizes] == ["small", "medium", "large"]
    assert sum(line["n"] for line in sizes) == 18
    assert results.subgroups("device", "") == []
    assert results.available() == ["set", "site", "size"]


def test_small_subgroups_are_left_out(published):
    table = compare_results.frame("contours")
    few = table.assign(site=["rare" if name == "scans/00.png" else "wrist" for name in table["image"]])
    assert {line["part"] for line in results.parts_of(few, "site")} == {"wrist"}
