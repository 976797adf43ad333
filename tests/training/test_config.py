"""Settings out of range are named in one sentence, and a file may leave out what it does not change."""

import json
from pathlib import Path

import pytest

from nerve_core.data.augment import Augment
from nerve_core.errors import DataError
from nerve_core.training.config import Stage, TrainConfig


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"loss": "mse"}', "loss must be one of dice"),
        ('{"verdict_loss": "mse"}', "verdict_loss must be one of bce"),
        ('{"balance": "patient"}', "balance must be one of root"),
        ('{"pretrain_method": "rotation"}', "pretrain_method must be"),
        ('{"consistency": -1}', "consistency must be from 0"),
        ('{"consistency": "a lot"}', "consistency must be from 0"),
        ('{"confidence": 0.3}', "confidence must be from 0.5"),
        ('{"affected_share": 1}', "affected_share must be"),
        ('{"generated_share": 2}', "generated_share must be"),
        ('{"vessel_weight": NaN}', "vessel_weight must be"),
        ('{"size": 100}', "size must be a multiple of 32"),
        ('{"size": 96.5}', "size must be a whole number"),
        ('{"contour": {"epochs": 0}}', "contour.epochs must be"),
        ('{"contour": {"samples": 4, "batch": 8}}', "samples must be a whole number from 8"),
        ('{"contour": {"schedule": "cosine"}}', "schedule must be one of"),
        ('{"augment": "wild"}', "augment must be one of"),
        ('{"augment": {"elastic": 3}}', "augment.elastic"),
        ('{"unlabelled": "a.csv"}', "unlabelled must be a list"),
        ('{"start": "a", "start_encoder": "b"}', "give one of them"),
        ('{"start": "a", "pretrain": {"epochs": 2}}', "leave one of them out"),
        ('{"start": "a", "pretrain": {"epochs": 2}}', "leave one of them out"),
    ],
)
def test_bad_settings(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(DataError, match=says):
        TrainConfig.from_file(path)


def test_a_config_survives_the_way_through_a_file(tmp_path: Path) -> None:
    config = TrainConfig(
        loss="tversky",
        balance="site",
        unlabelled=("a.csv",),
        augment=Augment.minimal(),
        pretrain=Stage(epochs=3, samples=64),
    )
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config.to_dict()))
    assert TrainConfig.from_file(path) == config


@pytest.mark.parametrize(
    ("name", "wanted"), [("none", Augment.none()), ("minimal", Augment.minimal()), ("default", Augment())]
)
def test_augmentation_by_name(tmp_path: Path, name: str, wanted: Augment) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"augment": name}))
    assert TrainConfig.from_file(path).augment == wanted


def test_a_file_changes_only_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"pretrain": {"epochs": 4}, "augment": {"rotate": 5}}')
    config = TrainConfig.from_file(path)
    assert config.pretrain == Stage(epochs=4, samples=2400, batch=32)
    assert config.augment == Augment(rotate=5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architecture": "unet9"}, "architecture must be one of .*attention_unet_lite0.*, got 'unet9'"),
        ({"verdict_architecture": "oracle"}, "verdict_architecture must be one of nerve_pooled"),
        ({"architecture": "unet", "pretrain": Stage(epochs=1, samples=32)}, "unet has no encoder of its own"),
    ],
)
def test_networks_there_are_none_of(changes, said):
    from nerve_core.training.checks import check_networks

    check_networks(TrainConfig())
    with pytest.raises(DataError, match=said):
        check_networks(TrainConfig(**changes))
