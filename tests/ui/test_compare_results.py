"""Published results as the pages read them."""

from __future__ import annotations

import pytest

from nerve_core.errors import DataError
from nerve_core.ui import compare_claims
from nerve_core.ui import compare_results as results
from tests.ui import compare_fakes


@pytest.fixture
def published(tmp_path, monkeypatch):
    monkeypatch.setenv("NERVE_RESULTS", str(tmp_path))
    compare_fakes.write(tmp_path, ("contours", "verdict"))
    return tmp_path


def test_sets_weigh_alike_in_the_mean(published):
    lines = results.mean_lines(results.UNSEEN, "")
    assert [line["method"] for line in lines] == ["weights:research", "unet", "otsu"]
    first = lines[0]
    # k % 3 over 8 and over 10 scans: 7 and 9 hundredths.
    ubpd, usgra = 0.8 + 0.07 / 8, 0.9 + 0.09 / 10
    assert first["dice ubpd"] == pytest.approx(ubpd) and first["dice usgra"] == pytest.approx(usgra)
    assert first["dice"] == pytest.approx((ubpd + usgra) / 2)
    low, high = first["dice_ci95"]
    assert low < first["dice"] < high and (first["n"], first["groups"]) == (18, 18)


def test_a_click_and_other_sides_are_apart(published):
    (line,) = results.contour_lines(results.LEFT_OUT, "")
    assert line["method"] == "unet" and line["n"] == 8
    clicked = results.mean_lines(results.UNSEEN, "click_")[0]["dice"]
    assert clicked == pytest.approx(results.mean_lines(results.UNSEEN, "")[0]["dice"] + 0.05)


def test_groups_of_the_same_name_in_two_sets_are_two(published):
    for line in results.verdict_lines(pooled=True, shams=True):
        assert (line["set"], line["n"], line["groups"]) == ("all", 54, 18)
        assert line["accuracy"] == 1.0
    assert {line["n"] for line in results.verdict_lines(pooled=True, shams=False)} == {36}


def test_claims_stand_beside_the_best_of_their_kind(published):
    table = compare_claims.table(
        results.mean_lines(results.UNSEEN, ""), results.verdict_lines(pooled=True, shams=True)
    ).set_index("Method")
    own = table.loc["Its own network"]
    assert (own["Claimed accuracy, %"], own["Claimed time, ms"]) == (94.5, 22.0)
    assert own["Accuracy here, %"] == 100.0 and own["Measured here with"] == "weights:research"
    assert table.loc["Thresholding", "Measured here with"] == "otsu"
    assert table.loc["SVM"].isna()["Dice here"]


def test_another_kind_of_parquet_is_refused(published):
    import pandas as pd

    pd.DataFrame({"a": [1]}).to_parquet(published / "benchmark-contours.parquet")
    with pytest.raises(DataError, match=r"benchmark-contours\.parquet holds no results of this kind"):
        results.frame("contours")


def test_new_results_are_read_anew(published):
    before = results.mean_lines(results.UNSEEN, "")[0]["n"]
    table = results.frame("contours")
    table[table["image"] != "scans/00.png"].drop(columns="side").to_parquet(
        published / "benchmark-contours.parquet"
    )
    assert results.mean_lines(results.UNSEEN, "")[0]["n"] == before - 2
