"""``data list, add, check, split`` as one types them: what is printed where, and the exit status."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from nerve_core.cli import main
from nerve_core.data.importers import plan as plans
from nerve_core.data.manifest import read_manifest


def picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    patches = cv2.resize(rng.uniform(30, 160, (6, 7)).astype(np.float32), (100, 80))
    cv2.imwrite(str(path), np.clip(patches + rng.normal(0, 12, (80, 100)), 5, 255).astype(np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for k in range(20):
        label = "affected" if k % 2 else "unaffected"
        picture(tmp_path / "in" / label / f"p{k // 2}" / f"{k}.png", k)
    return tmp_path / "in"


def test_list_tells_terms_and_how_to_get_each_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list"]) == 0
    text = capsys.readouterr().out
    assert "usgra" in text and "CC BY 4.0" in text and "by hand: " in text and "free to download" in text
    assert main(["data", "list", "--json"]) == 0
    assert {"name", "licence", "source", "citation", "layout"} <= set(json.loads(capsys.readouterr().out)[0])


def test_add_says_the_licence_first_and_prints_the_manifest(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "ROOT", tmp_path)
    words = ["data", "add", "mine", "--from", str(folder), "--licence", "CC0-1.0", "--site", "wrist"]
    assert main(words) == 0
    printed = capsys.readouterr()
    manifest = tmp_path / "data" / "mine" / "manifest.csv"
    assert printed.out.strip() == str(manifest)
    assert printed.err.startswith("Licence: CC0-1.0") and "research only" not in printed.err
    rows = read_manifest(manifest)
    assert len(rows) == 20 and {row["site"] for row in rows} == {"wrist"}
    assert str(tmp_path) not in manifest.read_text(), "where it came from on this machine stays out"
    assert main(words) == 1
    assert "not empty" in capsys.readouterr().err


def test_the_catalogue_knows_the_layout_of_its_sets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part, masks in (("trainset", "masks"), ("testset", "masks_real")):
        picture(tmp_path / "in" / part / "images" / "sample_7.jpg", 1)
        (tmp_path / "in" / part / masks).mkdir()
        cv2.imwrite(str(tmp_path / "in" / part / masks / "sample_7.png"), np.eye(80, 100, dtype=np.uint8))
    assert (
        main(["data", "add", "femoral", "--from", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 0
    )
    assert "Licence: MIT" in capsys.readouterr().err
    rows = read_manifest(tmp_path / "out")
    assert [row["group"] for row in rows] == ["7", "7"] and all(row["mask"] for row in rows)
    assert {(row["nerve"], row["site"], row["licence"]) for row in rows} == {("femoral", "groin", "MIT")}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["kaggle"], "Sign in at Kaggle"),
        (["mine"], "--from"),
        (["../mine", "--from", "."], "cannot name a set"),
        (["mine", "--from", "nowhere"], "nothing at nowhere"),
        (["mine", "--from", ".", "--label", "ill"], "neither affected"),
        (["mine", "--from", ".", "--group", "("], "no regular expression"),
        (["mine", "--from", ".", "--group", "x"], "needs brackets"),
    ],
)
def test_add_refuses_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    assert main(["data", "add", *words, "--out", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr()
    assert says in printed.err and "Traceback" not in printed.err and printed.out == ""
    assert not list(tmp_path.iterdir())


def test_check_ends_with_1_only_for_what_is_serious(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in list(folder.rglob("*.png")):
        path.rename(path.parent.parent / path.name)
    assert main(["data", "check", str(folder)]) == 0
    assert "20 rows checked" in capsys.readouterr().out
    (folder / "affected" / "1.png").write_bytes(b"none")
    assert main(["data", "check", str(folder), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(one["kind"], one["serious"]) for one in found if one["serious"]] == [("unreadable", True)]
    assert main(["data", "check", str(folder), "--table-only"]) == 0


def test_check_names_rows_without_a_group(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.csv").write_text("image,group\na.png,\nb.png,p\n")
    assert main(["data", "check", str(tmp_path / "m.csv"), "--table-only"]) == 1
    assert "missing-group" in capsys.readouterr().out


def test_split_keeps_groups_together_and_works_from_anywhere(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["data", "add", "mine", "--from", str(folder), "--out", str(tmp_path / "set")])
    manifest = tmp_path / "set" / "manifest.csv"
    before = manifest.read_bytes()
    capsys.readouterr()
    for out in (tmp_path / "set" / "split.csv", tmp_path / "elsewhere.csv"):
        assert main(["data", "split", str(manifest), "--out", str(out)]) == 0
        assert "set train: " in capsys.readouterr().out
        rows = read_manifest(out)
        assert [row["image"] for row in rows] == [row["image"] for row in read_manifest(manifest)]
        sides = {
            group: {row["split"] for row in rows if row["group"] == group}
            for group in {r["group"] for r in rows}
        }
        assert all(len(side) == 1 for side in sides.values()) and set().union(*sides.values()) == {
            "train",
            "val",
            "test",
        }
    with (tmp_path / "set" / "split.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["image"].startswith("images/")
    assert main(["data", "split", str(manifest), "--out", str(manifest)]) == 1
    assert manifest.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere.csv", "in", "set"]
