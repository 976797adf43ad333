"""The command line: what it prints where, and its exit status."""

from __future__ import annotations

import base64
import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nerve_core.cli import command_names, main
from nerve_core.errors import CheckpointError
from nerve_core.inference import predictor as predictors
from tests.service.fakes import FakePredictor, as_file, scan_array

ROOT = Path(__file__).resolve().parent.parent
KEYS = {"file", "verdict", "p_affected", "nerves", "mask_png", "model", "ms"}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakePredictor:
    predictor = FakePredictor()
    monkeypatch.setattr(predictors, "get_predictor", lambda name=None: predictor)
    return predictor


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.png"
    path.write_bytes(as_file(scan_array()))
    return path


def predict(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, list[dict[str, Any]]]:
    status = main(["predict", "--json", *map(str, words)])
    return status, json.loads(capsys.readouterr().out)


def shell(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nerve_core", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)


def test_json_follows_the_contract(
    fake: FakePredictor, capsys: pytest.CaptureFixture[str], scan: Path
) -> None:
    status, (answer,) = predict(capsys, scan)
    assert status == 0
    assert set(answer) >= KEYS and answer["file"] == str(scan)
    assert (answer["verdict"], answer["p_affected"]) == ("affected", 0.9)
    assert set(answer["nerves"][0]) >= {
        "p_affected", "verdict", "area_px", "area_mm2", "centroid", "contour",
    }  # fmt: skip
    mask = np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["mask_png"]))))
    assert mask.shape == (128, 192) and mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 255}


def test_bad_files_are_reported_in_order_and_the_others_still_run(
    fake: FakePredictor, capsys: pytest.CaptureFixture[str], scan: Path, tmp_path: Path
) -> None:
    bad = {
        "empty.png": b"",
        "truncated.png": scan.read_bytes()[:900],
        "text.png": b"not an image",
        "blank.png": as_file(np.full((64, 64), 9, np.uint8)),
    }
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    files = [tmp_path / name for name in bad] + [tmp_path / "missing.png", tmp_path, scan]
    status, answers = predict(capsys, *files)
    assert status == 1
    assert [answer["file"] for answer in answers] == [str(file) for file in files]
    for answer in answers[:-1]:
        assert set(answer) - {"verdict"} == {"file", "error"} and answer["error"].endswith(".")
    assert answers[3]["verdict"] == "not assessable"
    assert answers[-1]["verdict"] == "affected"


def test_points_go_to_their_files_in_any_order_of_words(
    fake: FakePredictor, capsys: pytest.CaptureFixture[str], scan: Path
) -> None:
    status, _ = predict(capsys, "--point", "90,60", scan, scan, "--point", "none", scan, "--point", "1,2")
    assert status == 0
    assert fake.clicks == [(90.0, 60.0), None, (1.0, 2.0)]


def test_a_point_outside_concerns_its_file_only(
    fake: FakePredictor, capsys: pytest.CaptureFixture[str], scan: Path
) -> None:
    status, answers = predict(capsys, scan, scan, "--point", "999,1", "--point", "5,5")
    assert status == 1
    assert "outside" in answers[0]["error"] and "error" not in answers[1]


@pytest.mark.parametrize(
    "words",
    [
        ["a.png", "b.png", "--point", "1,2"],
        ["a.png", "--point", "here"],
        ["a.png", "--frame", "-1"],
        ["a.png", "--frame", "x"],
        [],
    ],
)
def test_usage_errors_leave_with_2(
    fake: FakePredictor, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["predict", "--json", *words])
    assert left.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == "" and "usage: nerve_core predict" in printed.err


def test_frames_are_chosen(
    fake: FakePredictor, capsys: pytest.CaptureFixture[str], scan: Path, tmp_path: Path
) -> None:
    cine = tmp_path / "cine.tif"
    second = Image.fromarray(scan_array((40, 40)))
    cine.write_bytes(as_file(scan_array(), "TIFF", save_all=True, append_images=[second]))
    status, answers = predict(capsys, cine, scan, "--frame", "1")
    assert status == 1
    assert answers[0]["nerves"][0]["centroid"] == pytest.approx([40, 40], abs=1)
    assert "frame 1" in answers[1]["error"]


def test_overlays_never_write_over_one_another(
    fake: FakePredictor, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = [tmp_path / folder / "same.png" for folder in ("a", "b")]
    for number, file in enumerate(files):
        file.parent.mkdir()
        file.write_bytes(as_file(scan_array(seed=number)))
    source = tmp_path / "out" / "same_overlay.png"
    source.parent.mkdir()
    source.write_bytes(files[0].read_bytes())
    status, _ = predict(capsys, *files, source, "--overlay", tmp_path / "out")
    assert status == 0
    assert source.read_bytes() == files[0].read_bytes()
    names = sorted(os.listdir(tmp_path / "out"))
    assert names == [
        "same_2_overlay.png", "same_3_overlay.png", "same_overlay.png", "same_overlay_overlay.png",
    ]  # fmt: skip
    drawn = np.asarray(Image.open(tmp_path / "out" / "same_2_overlay.png"))
    assert drawn.shape == (128, 192, 3)
    outline = drawn[60, 103:108].astype(int)
    assert (outline[:, 0] - outline[:, 2]).max() > 100, "the outline of an affected nerve is red"


def test_an_overlay_folder_that_cannot_be_made_is_one_sentence(
    fake: FakePredictor, capsys: pytest.CaptureFixture[str], scan: Path
) -> None:
    assert main(["predict", str(scan), "--overlay", str(scan / "under")]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1 and "cannot be written" in printed.err


def test_text_says_the_verdict_and_the_notice(
    fake: FakePredictor, capsys: pytest.CaptureFixture[str], scan: Path
) -> None:
    assert main(["predict", str(scan), "missing.png"]) == 1
    text = capsys.readouterr().out
    assert f"{scan}: affected (p = 0.90)" in text and "nerve 1 at 90,60" in text
    assert "missing.png: The file cannot be opened" in text and "Research use only" in text


def test_a_defect_on_one_scan_does_not_end_the_batch(
    fake: FakePredictor, capsys: pytest.CaptureFixture[str], scan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict_scan, calls = fake.predict, iter([True, False])

    def fail_once(*args: Any, **more: Any) -> Any:
        if next(calls):
            raise ZeroDivisionError
        return predict_scan(*args, **more)

    monkeypatch.setattr(fake, "predict", fail_once)
    status, answers = predict(capsys, scan, scan)
    assert status == 1
    assert "ZeroDivisionError" in answers[0]["error"] and answers[1]["verdict"] == "affected"


def test_libraries_that_print_do_not_reach_the_answers(
    fake: FakePredictor, capsys: pytest.CaptureFixture[str], scan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chatty(name: str | None = None) -> FakePredictor:
        print("loading weights ...")
        return fake

    monkeypatch.setattr(predictors, "get_predictor", chatty)
    assert main(["predict", "--json", str(scan)]) == 0
    printed = capsys.readouterr()
    assert len(json.loads(printed.out)) == 1 and "loading weights" in printed.err


def test_weights_are_chosen_by_name(
    fake: FakePredictor, capsys: pytest.CaptureFixture[str], scan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    def note(name: str | None = None) -> FakePredictor:
        asked.append(name)
        if name == "nowhere":
            raise CheckpointError("There are no weights of that name.")
        return fake

    monkeypatch.setattr(predictors, "get_predictor", note)
    assert main(["predict", str(scan)]) == 0
    assert main(["predict", str(scan), "--weights", "open"]) == 0
    assert asked == [None, "open"]
    capsys.readouterr()
    assert main(["predict", str(scan), "--weights", "nowhere"]) == 1
    assert capsys.readouterr().err == "nerve_core: There are no weights of that name.\n"


def test_data_pathology_hands_on_its_arguments(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[Any, ...]] = []
    export = SimpleNamespace(
        write_pathology_set=lambda manifest, out, seed: calls.append((manifest, out, seed))
    )
    monkeypatch.setitem(sys.modules, "nerve_core.data.pathology.export", export)
    assert main(["data", "pathology", "--manifest", "m.csv", "--out", "set", "--seed", "3"]) == 0
    assert calls == [(Path("m.csv"), Path("set"), 3)]
    assert capsys.readouterr().out.strip() == str(Path("set") / "manifest.csv")


def test_a_full_disk_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "set/scan.png")

    export = SimpleNamespace(write_pathology_set=full)
    monkeypatch.setitem(sys.modules, "nerve_core.data.pathology.export", export)
    assert main(["data", "pathology", "--manifest", "m.csv", "--out", "set"]) == 1
    assert capsys.readouterr().err == "nerve_core: set/scan.png: No space left on device\n"


def test_help_lists_every_command_without_loading_networks() -> None:
    script = (
        "import sys\nfrom nerve_core.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit as left: assert left.code == 0\n"
        "heavy = {'torch', 'timm', 'monai', 'lightning', 'openvino', 'streamlit', 'sklearn', 'pydicom'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    listed = {line.split()[0] for line in done.stdout.split("commands:")[1].splitlines() if line.strip()}
    assert listed == set(command_names()) >= {"predict", "data"}


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for name in command_names():
        with pytest.raises(SystemExit) as left:
            main([name, "--help"])
        assert left.value.code == 0
        assert f"usage: nerve_core {name}" in capsys.readouterr().out


def test_unknown_and_missing_commands_leave_with_2() -> None:
    unknown, missing = shell("diagnose"), shell()
    assert (unknown.returncode, missing.returncode) == (2, 2)
    assert unknown.stdout == missing.stdout == ""
    assert "diagnose" in unknown.stderr and "predict" in missing.stderr


def test_native_libraries_cannot_write_among_the_answers(tmp_path: Path) -> None:
    script = (
        "import os, sys\nfrom nerve_core.cli import reserve_stdout\nreserve_stdout()\n"
        "os.write(1, b'native chatter\\n')\nprint('answer \\udcff')\nsys.stdout.flush()"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=False)
    assert done.stdout.strip() == b"answer \\udcff"
    assert b"native chatter" in done.stderr
