"""Several verdicts in one checkpoint."""

from pathlib import Path

import pytest
import torch

from nerve_core.errors import DataError
from nerve_core.models.checkpoint import NerveNet, load_checkpoint, save_checkpoint
from nerve_core.models.verdict import CROP
from nerve_core.models.verdicts import JURIES
from nerve_core.training.jury import combine

SPLIT = {"val": ["a"], "test": ["b"]}


def checkpoint(folder: Path, seed: int, verdict: str = "nerve_pooled_scratch", **more: object) -> Path:
    torch.manual_seed(seed)
    model = NerveNet("attention_unet_lite0", verdict=verdict)
    named = "nerve_pooled" if verdict == "nerve_pooled_scratch" else verdict
    config = {"name": folder.name, "version": str(seed), "architecture": "attention_unet_lite0"}
    config |= {"verdict_architecture": named, "split": SPLIT, "calibration": {"slope": 3.0}}
    save_checkpoint(folder, model, config | more)
    return folder


def test_the_pair_says_the_mean_and_draws_the_second_contour(tmp_path: Path) -> None:
    sources = [checkpoint(tmp_path / name, seed) for seed, name in enumerate(("old", "new"))]
    combine(sources, tmp_path / "both", "both", "2.0")
    model, config = load_checkpoint(tmp_path / "both")
    crops, masks = torch.randn(2, 1, CROP, CROP), torch.ones(2, 1, CROP, CROP)
    with torch.inference_mode():
        each = [load_checkpoint(source)[0].eval() for source in sources]
        wanted = sum(network.verdict(crops, masks) for network in each) / 2
        assert torch.allclose(model.eval().verdict(crops, masks), wanted, atol=2e-2)  # kept in half precision
    for own, other in zip(
        model.contour.state_dict().values(), each[1].contour.state_dict().values(), strict=True
    ):
        assert torch.equal(own, other)
    assert (config["name"], config["version"], config["verdict_architecture"]) == ("both", "2.0", JURIES[2])
    assert config["training"]["verdict_members"] == ["old 0", "new 1"]
    assert "calibration" not in config


def test_weights_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    one = checkpoint(tmp_path / "one", 0)
    other = checkpoint(tmp_path / "other", 1, split={"val": ["b"], "test": ["a"]})
    with pytest.raises(DataError, match="held back by all"):
        combine([one, other], tmp_path / "both", "both", "1")
    with pytest.raises(DataError, match="verdict network of cnn"):
        combine([one, checkpoint(tmp_path / "cnn", 1, "plain_cnn")], tmp_path / "both", "both", "1")
    assert not (tmp_path / "both").exists()


def test_a_third_joins_two_that_judge_together_and_only_groups_unseen_by_all_stay_unseen(
    tmp_path: Path,
) -> None:
    split = {"val": ["a", "c"], "test": ["b", "d"]}
    pair, single = tmp_path / "pair", checkpoint(tmp_path / "single", 2, split=split)
    combine([checkpoint(tmp_path / name, seed) for seed, name in enumerate("xy")], pair, "pair", "1")
    combine([pair, single], tmp_path / "trio", "trio", "1")
    model, config = load_checkpoint(tmp_path / "trio")
    wanted = [*load_checkpoint(pair)[0].verdict.members, load_checkpoint(single)[0].verdict]
    for one, other in zip(model.verdict.members, wanted, strict=True):
        assert all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))
    assert config["split"] == SPLIT
    assert config["training"]["verdict_members"] == ["x 0", "y 1", "single 2"]
    with pytest.raises(DataError, match="At most 3"):
        combine([pair, tmp_path / "trio"], tmp_path / "five", "five", "1")
