from dataclasses import replace

import pytest

from nerve_core.errors import DataError
from nerve_core.evaluation.methods import version_of
from nerve_core.evaluation.published import publish, published, published_costs
from nerve_core.evaluation.results import ResultsStore, Run
from nerve_core.evaluation.tables import contour_table
from tests.evaluation.test_results import scored


def test_what_is_published_gives_the_tables_of_the_store(tmp_path):
    store = ResultsStore(tmp_path / "results.sqlite")
    store.add(Run("otsu", "usgra"), [scored("a.png", "1", site="wrist"), scored("b.png", "2")])
    store.add_cost("unet", {"parameters": 5})
    files = publish(store, tmp_path / "out")
    assert [path.name for path in files] == ["benchmark-contours.parquet", "benchmark-costs.json"]
    frame = published("contours", tmp_path / "out")
    assert frame["site"].tolist() == ["wrist", ""]
    (line,) = contour_table(frame)
    (stored,) = contour_table(store.frame())
    assert line["dice"] == pytest.approx(stored["dice"]) and line["n"] == 2
    assert published_costs(tmp_path / "out") == {"unet": {"parameters": 5}}
    assert published("verdict", tmp_path / "out") is None
    assert not list((tmp_path / "out").glob(".*"))


def test_older_weights_are_left_behind(tmp_path):
    store = ResultsStore(tmp_path / "results.sqlite")
    (present,) = version_of("weights:research")
    for setup in ("version 0.1", f"{present}, at most 30", present):
        store.add(Run("weights:research", "usgra", setup=setup), [scored("a.png", "1")])
    publish(store, tmp_path / "out")
    assert set(published("contours", tmp_path / "out")["setup"]) == {f"{present}, at most 30", present}


def test_what_one_method_says_of_a_scan_holds_for_all(tmp_path):
    store = ResultsStore(tmp_path / "results.sqlite")
    store.add(Run("otsu", "usgra"), [scored("a.png", "1"), scored("b.png", "2")])
    known = replace(scored("a.png", "1"), depth=0.25, brightness=80.0)
    store.add(Run("unet", "usgra"), [known])
    store.add(Run("unet", "usgra", "blur 1", "robustness"), [known])
    store.add(Run("otsu", "usgra", "blur 1", "robustness"), [scored("a.png", "1")])
    publish(store, tmp_path / "out")
    frame = published("contours", tmp_path / "out").set_index(["method", "image"])
    assert frame.loc[("otsu", "a.png"), ["depth", "brightness"]].tolist() == [0.25, 80.0]
    assert frame.loc[("otsu", "b.png"), ["depth", "brightness"]].isna().all()
    assert published("robustness", tmp_path / "out")["brightness"].isna().tolist() == [False, True]


def test_nothing_published(tmp_path):
    assert published("contours", tmp_path) is None
    assert published_costs(tmp_path) == {}


def test_damaged_files_are_named(tmp_path):
    (tmp_path / "benchmark-contours.parquet").write_bytes(b"no parquet")
    (tmp_path / "benchmark-costs.json").write_text("{")
    with pytest.raises(DataError, match=r"benchmark-contours\.parquet is damaged"):
        published("contours", tmp_path)
    with pytest.raises(DataError, match=r"benchmark-costs\.json is damaged"):
        published_costs(tmp_path)
