"""docs/training.md names every setting, so that none is added without a word."""

import dataclasses
from pathlib import Path

import pytest

from nerve_core.data.augment import Augment
from nerve_core.data.balance import BALANCES
from nerve_core.training.config import LOSSES, METHODS, PRESETS, VERDICT_LOSSES, Stage, TrainConfig

TEXT = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
SETTINGS = [field.name for kind in (TrainConfig, Stage, Augment) for field in dataclasses.fields(kind)]


@pytest.mark.parametrize("name", sorted({*SETTINGS, *BALANCES, *LOSSES, *VERDICT_LOSSES, *METHODS}))
def test_it_is_explained(name: str) -> None:
    assert f"`{name}`" in TEXT or f'"{name}"' in TEXT


def test_presets_are_named() -> None:
    assert all(f'`"{name}"`' in TEXT for name in PRESETS)


def test_the_augmentations_defaults_are_the_codes() -> None:
    for field in dataclasses.fields(Augment):
        if isinstance(field.default, float):
            line = next(line for line in TEXT.splitlines() if line.startswith(f"| `{field.name}` |"))
            assert line.split("|")[2].strip() == f"{field.default:g}"
