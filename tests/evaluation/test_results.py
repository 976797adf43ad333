import sqlite3

import pytest

from nerve_core.errors import DataError
from nerve_core.evaluation.contours import ContourScore
from nerve_core.evaluation.results import FORMAT, ResultsStore, Run, values_of
from nerve_core.evaluation.scoring import Answer, Scored

GOOD = ContourScore(dice=0.8, iou=0.7, hd95_px=3.0, nsd=0.9, precision=0.75, recall=0.85)
NONE = ContourScore(dice=0.0, iou=0.0, hd95_px=float("nan"), nsd=0.0, precision=0.0, recall=0.0)


def scored(image: str, group: str, contour: ContourScore = GOOD, **columns: str) -> Scored:
    row = {"image": f"/somewhere/{image}", "listed image": image, "group": group, **columns}
    return Scored(
        row, label=1, has_nerve=True, size=0.02, answer=Answer(contour, None, 0.7, "affected", ms=12.0)
    )


def test_what_is_put_in_comes_out(tmp_path):
    store = ResultsStore(tmp_path / "results.sqlite")
    run = Run("otsu", "usgra")
    assert not store.has(run)
    store.add(run, [scored("a.png", "1", site="wrist"), scored("b.png", "2", NONE)])
    assert store.has(run) and not store.has(Run("otsu", "usgra", seed=1))
    frame = ResultsStore(tmp_path / "results.sqlite").frame()
    assert frame["image"].tolist() == [
        "a.png",
        "b.png",
    ]  # as the manifest lists them, not as this machine does
    assert frame["dice"].tolist() == [0.8, 0.0]
    assert frame["hd95_px"].isna().tolist() == [False, True]
    assert frame["site"].tolist() == ["wrist", ""]
    assert frame["ms"].tolist() == [12.0, 12.0]


def test_measuring_again_replaces_and_tasks_are_apart(tmp_path):
    store = ResultsStore(tmp_path / "results.sqlite")
    store.add(Run("otsu", "usgra"), [scored("a.png", "1"), scored("b.png", "2")])
    store.add(Run("otsu", "usgra"), [scored("c.png", "1")])
    store.add(Run("otsu", "usgra", task="verdict"), [scored("d.png", "1")])
    assert store.frame()["image"].tolist() == ["c.png"]
    assert store.frame("verdict")["image"].tolist() == ["d.png"]


def test_an_interrupted_run_leaves_nothing(tmp_path):
    store = ResultsStore(tmp_path / "results.sqlite")

    def dying():
        yield scored("a.png", "1")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.add(Run("otsu", "usgra"), dying())
    assert not store.has(Run("otsu", "usgra"))
    assert store.frame().empty


def test_rows_that_could_not_be_used_are_left_out(tmp_path):
    store = ResultsStore(tmp_path / "results.sqlite")
    failed = Scored({"image": "x.png", "group": "1"}, error="cannot be read")
    store.add(Run("otsu", "usgra"), [failed, scored("a.png", "1")])
    assert store.frame()["image"].tolist() == ["a.png"]


def test_no_nerve_found_has_no_probability():
    one = Scored({"image": "a", "group": "1"}, label=0, answer=Answer(NONE, None, None, "no nerve found"))
    assert "p_affected" not in values_of(one)
    assert values_of(one)["dice"] == 0


def test_costs(tmp_path):
    store = ResultsStore(tmp_path / "results.sqlite")
    store.add_cost("unet", {"parameters": 5})
    store.add_cost("unet", {"parameters": 7, "ms": 2.5})
    assert store.costs() == {"unet": {"parameters": 7, "ms": 2.5}}


def test_a_store_of_another_version_is_left_alone(tmp_path):
    path = tmp_path / "results.sqlite"
    ResultsStore(path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    before = path.read_bytes()
    with pytest.raises(DataError, match=f"version {FORMAT + 1}"):
        ResultsStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"not a database at all, but text that is long enough" * 40, b"SQLite format 3\0x"]
)
def test_another_file_is_left_alone(tmp_path, content):
    path = tmp_path / "results.sqlite"
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be used as a results store"):
        ResultsStore(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "results.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE patients (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(DataError, match="version 0"):
        ResultsStore(path)
    assert path.read_bytes() == before
