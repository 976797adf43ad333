"""Verdict networks that judge together."""

from __future__ import annotations

import pytest
import torch

from nerve_core.errors import DataError
from nerve_core.models.checkpoint import NerveNet, save_checkpoint
from nerve_core.models.verdict import CROP
from nerve_core.models.verdicts import Jury, build_verdict, newest
from nerve_core.training.run import begin

INPUTS = (torch.randn(2, 1, CROP, CROP), torch.rand(2, 1, CROP, CROP))


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> tuple[NerveNet, str]:
    torch.manual_seed(0)
    model = NerveNet("attention_unet_lite0", verdict="nerve_pooled_pair").eval()
    folder = tmp_path_factory.mktemp("weights") / "pair"
    description = {
        "name": "pair",
        "architecture": "attention_unet_lite0",
        "verdict_architecture": "nerve_pooled_pair",
    }
    save_checkpoint(folder, model, description)
    return model, str(folder)


def test_a_jury_gives_the_mean_of_its_members(pair):
    jury = pair[0].verdict
    with torch.inference_mode():
        each = [member(*INPUTS) for member in jury.members]
        assert not torch.allclose(each[0], each[1])
        torch.testing.assert_close(jury(*INPUTS), (each[0] + each[1]) / 2)


def test_the_newest_is_the_last(pair):
    assert newest(pair[0].verdict) is pair[0].verdict.members[1]
    single = build_verdict(pretrained=False)
    assert newest(single) is single


def test_one_network_starts_from_the_newest_of_several(pair):
    single = build_verdict(pretrained=False).eval()
    begin(single, pair[1], "verdict")
    with torch.inference_mode():
        torch.testing.assert_close(single(*INPUTS), pair[0].verdict.members[1](*INPUTS), atol=0.02, rtol=0.02)


def test_several_start_from_several(pair):
    jury = Jury(2, pretrained=False).eval()
    begin(jury, pair[1], "verdict")
    with torch.inference_mode():
        torch.testing.assert_close(jury(*INPUTS), pair[0].verdict(*INPUTS), atol=0.02, rtol=0.02)


@pytest.mark.parametrize(
    ("part", "setting"), [("verdict", "verdict_architecture"), ("contour", "architecture")]
)
def test_another_network_cannot_start_there(pair, part, setting):
    from nerve_core.models.segmentation import build

    other = build_verdict("plain_cnn") if part == "verdict" else build("unet_mobilenetv3")
    with pytest.raises(DataError, match=f"than {setting} names"):
        begin(other, pair[1], part)
