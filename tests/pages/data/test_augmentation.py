"""The augmentation preview of the Data page."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from streamlit.testing.v1 import AppTest

from nerve_core.config import ROOT
from nerve_core.data.augment import Augment
from nerve_core.ui.data_augment_controls import control_of
from tests.pages.data.conftest import at


def test_augmentation_starts_from_the_shipped_weights_and_returns_to_them(data: AppTest):
    page = at(data, "Augmentation")
    trained = json.loads((ROOT / "checkpoints" / "research" / "config.json").read_text())["training"][
        "augment"
    ]

    def rotation() -> float:
        (slider,) = [each for each in page.slider if each.label.startswith("Rotation")]
        return slider.value

    assert rotation() == trained["rotate"]
    page.button(key="augment-off").click().run()
    assert rotation() == 0 and not page.exception
    page.button(key="augment-reset").click().run()
    assert rotation() == trained["rotate"]
    page.button(key="augment-again").click().run()
    assert page.number_input(key="augment-seed").value == 1 and not page.exception


def test_every_strength_has_a_control(data: AppTest):
    page = at(data, "Augmentation")
    titles = {each.label for each in (*page.slider, *page.toggle, *page.text_input)}
    assert {control_of(field.name).title for field in fields(Augment)} <= titles


def test_a_checkpoint_that_says_nothing_of_augmentation_is_named(data: AppTest, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("NERVE_CHECKPOINTS", str(tmp_path))
    page = at(data, "Augmentation")
    assert "do not say what augmentation" in page.warning[0].value and not page.error


def test_the_look_of_another_scan_is_previewed(data: AppTest):
    page = at(data, "Augmentation")
    page.button(key="augment-off").click().run()
    (style,) = [each for each in page.slider if each.label.startswith("Overall look")]
    style.set_value(100).run()
    assert not page.exception and not page.error
