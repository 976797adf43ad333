import csv
import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from nerve_core.errors import DataError, RefusedScan
from nerve_core.evaluation.evaluate import chosen, read_rows, score_rows, sides_of, write_per_image
from nerve_core.evaluation.scoring import Scored, score_file
from nerve_core.evaluation.severity import kinds_of, pathology_figures
from nerve_core.evaluation.summary import summarise, summarise_click
from nerve_core.evaluation.text import as_text
from nerve_core.imaging.read import ScanFile
from nerve_core.imaging.scan import Scan
from tests.evaluation.fakes import FakePredictor, disc, write_manifest

SHAPE = (96, 128)


def rows_of(manifest: Path) -> list[dict[str, str]]:
    with manifest.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["image"] = str(manifest.parent / row["image"])
        row["mask"] = str(manifest.parent / row["mask"]) if row["mask"] else ""
    return rows


def open_file(path: str) -> ScanFile:
    name = Path(path).name
    if name == "photo.png":
        raise RefusedScan("This is a colour photograph; upload an ultrasound scan.")
    return ScanFile(name, 1, lambda frame: Scan(np.full(SHAPE, 90, np.uint8), name=name))


def score(rows, predictor, refuse=(), **options):
    return score_rows(
        rows,
        predictor,
        open_file=open_file,
        gate=lambda scan: "The frame is blank." if scan.name in refuse else None,
        **options,
    )


@pytest.fixture
def pair(tmp_path):
    """Two scans, one found exactly and one missed."""
    truth = {"a.png": disc(SHAPE, 40, 40, 15), "b.png": disc(SHAPE, 80, 50, 10)}
    manifest = write_manifest(
        tmp_path,
        [
            {"image": "a.png", "mask": "", "label": "affected", "group": "p1", "site": "wrist"},
            {"image": "b.png", "mask": "", "label": "unaffected", "group": "p2", "site": "elbow"},
        ],
        truth,
    )
    predictor = FakePredictor({"a.png": (truth["a.png"], 0.9), "b.png": (np.zeros(SHAPE, np.uint8), None)})
    return rows_of(manifest), predictor


def test_found_and_missed(pair):
    rows, predictor = pair
    result = summarise(score(rows, predictor))
    assert result["n"] == 2 and result["groups"] == 2
    assert result["dice_mean"] == result["iou_mean"] == result["nsd"] == result["detected"] == 0.5
    assert result["hd95_px"] == 0 and result["hd95_n"] == 1
    assert result["recall"] == 1 and result["specificity"] == 0 and result["accuracy"] == 0.5
    assert result["n_labelled"] == 2 and result["errors"] == [] and result["refused"] == 0
    assert 0 <= result["dice_ci95"][0] <= result["dice_ci95"][1] <= 1


def test_a_perfect_predictor_is_perfect(tmp_path):
    truth = {f"{i}.png": disc(SHAPE, 30 + 4 * i, 40, 8 + i) for i in range(8)}
    rows = [
        {"image": name, "mask": "", "label": ["unaffected", "affected"][i % 2], "group": f"g{i // 2}"}
        for i, name in enumerate(truth)
    ]
    manifest = write_manifest(tmp_path, rows, truth)
    predictor = FakePredictor(
        {name: (mask, 0.1 + 0.8 * (i % 2)) for i, (name, mask) in enumerate(truth.items())}
    )
    result = summarise(score(rows_of(manifest), predictor))
    for name in ("dice_mean", "iou_mean", "nsd", "detected", "accuracy", "auc", "f1"):
        assert result[name] == 1, name
    assert result["dice_ci95"] == [1, 1] and result["auc_ci95"] == [1, 1] and result["hd95_px"] == 0


def test_where_the_largest_nerve_lies_and_how_bright_the_picture_is(tmp_path):
    pixels = np.full((100, 80), 40, np.uint8)
    pixels[:20] = 255  # above the region: the file's own text
    mask = disc(pixels.shape, 30, 40, 6) | disc(pixels.shape, 60, 80, 3)
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    opened = SimpleNamespace(n_frames=1, scan=lambda _: Scan(pixels, region=(20, 0, 100, 80), name="a"))
    row = {"image": "a", "mask": str(tmp_path / "mask.png"), "label": "", "group": "1"}
    (one,) = score_file(row, FakePredictor({"a": (mask, 0.2)}), lambda _: opened, lambda _: None)
    assert one.depth == pytest.approx((40.5 - 20) / 80) and one.brightness == 40.0


def test_the_gate_is_off_for_contours_and_its_refusals_are_counted(pair):
    rows, predictor = pair
    result = summarise(score(rows, predictor, refuse={"b.png"}))
    assert result["refused"] == 1 and result["n"] == 2
    assert [gate for _, _, gate in predictor.calls] == [False, False]


def test_files_that_cannot_be_used_are_named_and_the_others_counted(pair, tmp_path):
    rows, predictor = pair
    (tmp_path / "text.png").write_text("no image")
    wrong_size = write_manifest(
        tmp_path / "other",
        [{"image": "a.png", "mask": "", "label": "", "group": "p9"}],
        {"a.png": disc((50, 50), 20, 20, 9)},
    )
    rows += [
        {"image": "photo.png", "mask": "", "label": "", "group": "p3"},
        {**rows[0], "mask": str(tmp_path / "text.png")},
        {**rows[0], "mask": str(tmp_path / "missing.png")},
        {**rows[0], "label": "sick"},
        *rows_of(wrong_size),
    ]
    result = summarise(score(rows, predictor))
    assert result["n"] == 2 and result["refused"] == 1
    problems = [error["error"] for error in result["errors"]]
    assert len(problems) == 5
    for problem, word in zip(
        problems, ("photograph", "cannot be read", "cannot be read", "'sick'", "50×50"), strict=True
    ):
        assert word in problem


def test_a_scan_without_mask_has_no_contour_figures():
    predictor = FakePredictor({"m.png": (disc(SHAPE, 40, 40, 9), 0.2)})
    result = summarise(score([{"image": "m.png", "mask": "", "label": "", "group": "r"}], predictor))
    assert result["n"] == 1 and result["n_contours"] == 0 and result["dice_mean"] is None
    assert result["n_without_mask"] == 1 and result["nerve_found_without_mask"] == 1
    assert result["auc"] is None and result["dice_ci95"] is None


def test_one_click_goes_where_the_largest_nerve_is_thickest(tmp_path):
    """Two true nerves; the predictor finds the clicked one exactly and nothing else."""
    large, small = disc(SHAPE, 40, 50, 16), disc(SHAPE, 100, 40, 8)
    manifest = write_manifest(
        tmp_path,
        [{"image": "a.png", "mask": "", "label": "", "group": "g"}],
        {"a.png": large | small},
    )
    predictor = FakePredictor({"a.png": (large, 0.3)})
    scored = score(rows_of(manifest), predictor, clicks=True)
    assert [call[1] for call in predictor.calls] == [None, (40, 50)]
    click = summarise_click(scored)
    area, rest = (large > 0).sum(), (small > 0).sum()
    assert click["pointed"]["dice_mean"] == 1
    assert click["dice_mean"] == pytest.approx(2 * area / (2 * area + rest), abs=1e-6)
    assert summarise_click(score(rows_of(manifest), predictor)) is None


def test_the_nerve_under_the_click_is_judged_alone(tmp_path):
    large, small = disc(SHAPE, 40, 50, 16), disc(SHAPE, 100, 40, 8)
    manifest = write_manifest(
        tmp_path, [{"image": "a.png", "mask": "", "label": "", "group": "g"}], {"a.png": large}
    )
    click = summarise_click(
        score(rows_of(manifest), FakePredictor({"a.png": (large | small, 0.3)}), clicks=True)
    )
    assert click["pointed"]["dice_mean"] == 1 and click["dice_mean"] < 1


def test_threads_do_not_change_the_order(tmp_path):
    truth = {f"{i}.png": disc(SHAPE, 20 + 6 * i, 40, 6 + i) for i in range(10)}
    rows = [{"image": name, "mask": "", "label": "", "group": name} for name in truth]
    manifest = write_manifest(tmp_path, rows, truth)
    predictor = FakePredictor({name: (disc(SHAPE, 40, 40, 12), 0.4) for name in truth})
    seen = []
    alone = score(rows_of(manifest), predictor)
    both = score(
        rows_of(manifest), predictor, workers=2, progress=lambda done, total: seen.append((done, total))
    )
    assert summarise(alone) == summarise(both)
    assert seen == [(i, 10) for i in range(1, 11)]


def test_the_table_of_images(pair, tmp_path):
    rows, predictor = pair
    rows.append({"image": "photo.png", "mask": "", "label": "", "group": "p3", "site": ""})
    out = tmp_path / "new" / "images.csv"
    write_per_image(out, score(rows, predictor, clicks=True))
    with out.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert list(table[0])[:6] == ["image", "group", "dice", "p_affected", "verdict", "label"]
    assert {"mask", "site", "dice_click", "error"} <= set(table[0])
    assert (table[0]["dice"], table[0]["p_affected"], table[0]["verdict"]) == (
        "1.000000",
        "0.900000",
        "affected",
    )
    assert (table[1]["dice"], table[1]["p_affected"]) == ("0.000000", "")
    assert table[1]["verdict"] == "no nerve found" and table[1]["label"] == "unaffected"
    assert table[2]["dice"] == "" and "photograph" in table[2]["error"]
    assert [path.name for path in out.parent.iterdir()] == ["images.csv"]


def test_all_paths_stand_in_the_table_as_the_manifest_gives_them(tmp_path):
    (tmp_path / "manifest.csv").write_text("image,mask,group,mask_vessel\na.png,m.png,p,v.png\nb.png,,q,\n")
    rows = read_rows(tmp_path)
    assert rows[0]["mask_vessel"] == str(tmp_path / "v.png")
    listed = [Scored(row, error="none").listed for row in rows]
    assert [(row["image"], row["mask"], row["mask_vessel"]) for row in listed] == [
        ("a.png", "m.png", "v.png"),
        ("b.png", "", ""),
    ]


def test_a_table_that_cannot_be_written_says_so(pair, tmp_path):
    rows, predictor = pair
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_per_image(tmp_path / "file" / "out.csv", score(rows, predictor))


def test_limit_takes_rows_evenly_and_an_empty_choice_is_an_error():
    rows = [{"image": str(i)} for i in range(10)]
    assert [row["image"] for row in chosen(rows, limit=5)] == ["0", "2", "4", "6", "8"]
    assert len(chosen(rows, limit=99)) == 10
    with pytest.raises(DataError, match="No row"):
        chosen([])
    with pytest.raises(DataError, match="no split"):
        chosen(rows, split="half")


def test_the_split_is_the_one_the_weights_were_trained_with():
    config = {"split": {"val": ["w-2"], "test": ["w-3"]}, "sets": [{"set": "wrist"}]}
    rows = [{"image": str(i), "set": "wrist", "group": f"w-{i}"} for i in range(5)]
    rows.append({"image": "new", "set": "ankle", "group": "w-1"})
    assert sides_of(rows, config) == ["train", "train", "val", "test", "train", "test"]
    # A part of the manifest falls on the same sides as the whole.
    assert sides_of(rows[2:4], config) == ["val", "test"]
    chosen_on = {"set": "never learned", "group": rows[2]["group"]}
    assert sides_of([chosen_on, chosen_on | {"group": "new"}], config) == ["val", "test"]
    assert [row["image"] for row in chosen(rows, split="test", config=config)] == ["3", "new"]


def pathology_set(folder: Path, p_of) -> tuple[list[dict[str, str]], FakePredictor]:
    """Twelve sources: an original, a sham and an affected copy each, severity rising from 0.3 to 1."""
    rows, masks, answers = [], {}, {}
    for source in range(12):
        severity = 0.3 + 0.7 * source / 11
        for part in ("original", "sham", "affected"):
            name = f"{part}_{source}.png"
            kind = ["swelling", "swelling+notch"][source % 2] if part == "affected" else part
            masks[name] = disc(SHAPE, 60, 48, 14 if part == "affected" else 10)
            answers[name] = (masks[name], p_of(part, severity))
            rows.append(
                {
                    "image": name,
                    "mask": "",
                    "label": "affected" if part == "affected" else "unaffected",
                    "kind": kind,
                    "severity": f"{severity if part == 'affected' else 0:.3f}",
                    "sham": str(int(part == "sham")),
                    "group": f"g{source}",
                    "source_image": f"{source}.png",
                }
            )
    return rows_of(write_manifest(folder, rows, masks)), FakePredictor(answers)


def test_pathology_figures(tmp_path):
    """A predictor that sees severities from 0.6 and takes every sham for pathology."""
    rows, predictor = pathology_set(
        tmp_path,
        lambda part, severity: {"original": 0.1, "sham": 0.7}.get(part, 0.8 if severity >= 0.6 else 0.2),
    )
    figures = pathology_figures(score(rows, predictor))
    headline = figures["headline"]
    clear = [0.3 + 0.7 * i / 11 for i in range(12) if 0.3 + 0.7 * i / 11 >= 0.5]
    assert headline["specificity_originals"]["value"] == 1 and headline["specificity_shams"]["value"] == 0
    assert headline["specificity_shams"]["n"] == 12 and figures["sham_specificity"]["value"] == 0
    assert headline["sensitivity"]["n"] == len(clear)
    assert headline["sensitivity"]["value"] == pytest.approx(sum(s >= 0.6 for s in clear) / len(clear))
    assert headline["auc"]["n"] == 24 + len(clear)
    assert headline["size_observer_auc"] == 1  # every affected nerve is drawn larger
    assert [part["from"] for part in figures["by_severity"]] == [0.3, 0.5, 0.7]
    assert figures["by_severity"][0]["sensitivity"]["value"] == 0
    assert figures["by_severity"][2]["sensitivity"]["value"] == 1
    assert set(figures["by_kind"]) == {"swelling", "notch"}
    assert figures["by_kind"]["notch"]["sensitivity_all_severities"]["n"] == 6
    assert figures["by_kind"]["swelling"]["sensitivity_all_severities"]["n"] == 12


def test_a_manifest_without_pathology_columns_has_no_pathology_figures(pair):
    rows, predictor = pair
    assert pathology_figures(score(rows, predictor)) is None


@pytest.mark.parametrize("text", ["a+b", "a, b", "a;b", "a | b"])
def test_several_kinds_in_one_cell(text):
    assert kinds_of(text) == ["a", "b"]


def test_text_and_json_hold_every_part(tmp_path):
    rows, predictor = pathology_set(tmp_path, lambda part, severity: 0.9 if part == "affected" else None)
    scored = score(rows, predictor, clicks=True)
    figures = summarise(scored) | {
        "split": "test",
        "limit": 3,
        "pathology": pathology_figures(scored),
        "click": summarise_click(scored),
    }
    json.dumps(figures, allow_nan=False)
    text = as_text(figures)
    for word in (
        "Dice",
        "split test",
        "sensitivity",
        "severity 0.7",
        "shams",
        "With one click",
        "Research use only",
    ):
        assert word in text, word
    assert "24 without a nerve found, counted as errors" in text
