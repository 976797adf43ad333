"""Kept scales come back as they were, hold for one picture size, and are written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nerve_core.clinical import presets
from nerve_core.clinical.presets import Preset
from nerve_core.errors import DataError


def test_what_was_kept_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NERVE_RECORDS", str(tmp_path / "records"))
    assert presets.load() == {} and not presets.place().parent.exists()
    first, second = Preset("TE7, 4 cm", 0.0625, 600, 800), Preset("Łącz-µ 3", 0.1, 480, 640)
    presets.keep(first)
    presets.keep(second)
    presets.keep(Preset("TE7, 4 cm", 0.07, 600, 800))
    assert presets.load() == {"TE7, 4 cm": Preset("TE7, 4 cm", 0.07, 600, 800), "Łącz-µ 3": second}
    presets.forget("Łącz-µ 3")
    presets.forget("never there")
    assert list(presets.load()) == ["TE7, 4 cm"]
    assert [file.name for file in presets.place().parent.iterdir()] == [presets.FILE]


def test_another_picture_size_is_refused() -> None:
    own = Preset("TE7", 0.1, 600, 800)
    assert own.refusal(600, 800) is None
    said = own.refusal(768, 1024)
    assert said is not None and "800 × 600 px" in said and "1024 × 768 px" in said
    assert own.refusal(800, 600) is not None


@pytest.mark.parametrize("scale", [0.0, -0.1, float("nan"), float("inf"), 5.0])
def test_a_scale_no_picture_can_have_is_refused(scale: float) -> None:
    with pytest.raises(DataError, match="cannot be that of an ultrasound picture"):
        Preset("TE7", scale, 600, 800)


@pytest.mark.parametrize("name", ["", "  ", " TE7", "x" * 61])
def test_a_preset_has_a_name(name: str) -> None:
    with pytest.raises(DataError, match="name of 1 to 60"):
        Preset(name, 0.1, 600, 800)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"presets": 3}', '{"presets": [{"name": "a"}]}', '{"presets": ["a"]}',
     json.dumps({"presets": [{"name": "a", "mm_per_px": "NaN", "height": 1, "width": 1}]})],
)  # fmt: skip
def test_a_damaged_file_is_said_and_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / presets.FILE
    file.write_text(text)
    with pytest.raises(DataError, match="cannot be read"):
        presets.keep(Preset("TE7", 0.1, 600, 800), file)
    assert file.read_text() == text


def test_a_folder_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        presets.save({}, tmp_path / "file" / presets.FILE)
    with pytest.raises(DataError, match="At most"):
        presets.save({str(k): Preset(str(k), 0.1, 1, 1) for k in range(201)}, tmp_path / presets.FILE)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
