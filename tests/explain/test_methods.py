"""Maps of evidence: known answers, the verdict's own path, threads, and what does not fit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from nerve_core.errors import DataError
from nerve_core.explain import METHODS, explain
from nerve_core.explain.cams import CAMS, layer_maps
from nerve_core.explain.contour_maps import KINDS, contour_layers, contour_map
from nerve_core.explain.judge import Judge, look_at, nerve_mask
from nerve_core.explain.steady import brought_back
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import Nerve, Prediction
from nerve_core.inference.predictor import Predictor
from nerve_core.models.verdict import CROP
from tests.explain.conftest import nerve, scan, weights

QUICK = ("steady", "grad_cam", "hires_cam", "layer_cam")


class LeftOnly(nn.Module):
    """Its output is the mean brightness of the left half."""

    def __init__(self) -> None:
        super().__init__()
        self.copy = nn.Conv2d(1, 1, 1, bias=False)
        self.copy.weight.data.fill_(1.0)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.copy(pictures)[..., : pictures.shape[-1] // 2].mean((1, 2, 3))


def hooks(network: nn.Module) -> int:
    return sum(len(part._forward_hooks) + len(part._backward_hooks) for part in network.modules())


@pytest.mark.parametrize(
    ("kind", "left_alone"), [("hires_cam", True), ("layer_cam", True), ("grad_cam", False)]
)
def test_a_map_of_a_network_that_looks_left(kind: str, left_alone: bool) -> None:
    network = LeftOnly()
    picture = torch.ones(1, 1, 8, 8)
    (heat,) = layer_maps(network, picture, kind, [network.copy], [lambda out: out])
    assert (heat[:, :4] > 0).all()
    assert (heat[:, 4:] == 0).all() == left_alone  # Grad-CAM's weights are means over all places
    assert hooks(network) == 0


def test_what_is_explained_is_the_logit_of_the_predictor(judge: Judge, folder: Path) -> None:
    predictor = Predictor(folder, "cpu", "torch")
    look = look_at(scan(), nerve())
    with judge.lend() as network, torch.inference_mode():
        assert float(network(look.crops, look.masks).mean()) == pytest.approx(
            predictor.logit(scan(), nerve()), abs=1e-4
        )


@pytest.mark.parametrize("method", METHODS)
def test_every_method_draws_a_map_of_the_scan_and_leaves_no_hook(judge: Judge, method: str) -> None:
    found = explain(judge, scan(), nerve(), method)
    assert found.heat.shape == scan().shape and found.heat.dtype == np.float32
    assert found.heat.min() >= 0 and found.heat.max() <= 1 and np.isfinite(found.heat).all()
    if not METHODS[method].slow or method == "shap":  # the one that draws at random
        assert np.array_equal(found.heat, explain(judge, scan(), nerve(), method).heat)
    for network in (judge._networks["verdict"], *judge._idle["verdict"]):
        assert hooks(network) == 0


def test_ten_users_at_once_get_their_own_maps_and_the_network_is_as_it_was(judge: Judge) -> None:
    before = {name: value.clone() for name, value in judge._networks["verdict"].state_dict().items()}
    jobs = [(seed % 5, QUICK[seed % len(QUICK)]) for seed in range(10)]
    alone = [explain(judge, scan(seed), nerve(seed), method).heat for seed, method in jobs]
    with ThreadPoolExecutor(10) as pool:
        together = list(pool.map(lambda job: explain(judge, scan(job[0]), nerve(job[0]), job[1]).heat, jobs))
    for one, other in zip(alone, together, strict=True):
        assert np.allclose(one, other, atol=1e-5)
    assert not np.allclose(alone[0], alone[4], atol=1e-2)  # the jobs are not all the same
    shared = judge._networks["verdict"]
    assert hooks(shared) == 0 and all(p.grad is None for p in shared.parameters())
    assert all(torch.equal(value, before[name]) for name, value in shared.state_dict().items())


def test_a_copy_that_failed_is_not_lent_again(judge: Judge) -> None:
    with pytest.raises(RuntimeError), judge.lend() as network:
        raise RuntimeError
    with judge.lend() as other:
        assert other is not network


def test_a_mirrored_scan_has_the_mirrored_map(judge: Judge) -> None:
    plain = explain(judge, scan(), nerve(), "hires_cam").crop
    flipped = np.ascontiguousarray(scan()[:, ::-1]), np.ascontiguousarray(nerve()[:, ::-1])
    mirrored = explain(judge, *flipped, "hires_cam").crop[:, ::-1]
    assert np.corrcoef(plain.ravel(), mirrored.ravel())[0, 1] > 0.98


def test_heat_goes_back_to_its_place_in_the_scan() -> None:
    pixels, mask = np.full((400, 500), 90, np.uint8), np.zeros((400, 500), np.uint8)
    cv2.ellipse(mask, (310, 140), (60, 40), 0, 0, 360, 1, -1)
    look = look_at(pixels, mask)
    place = np.zeros((CROP, CROP), np.float32)
    place[64, 64] = 1
    y, x = np.unravel_index(int(look.to_scan(cv2.GaussianBlur(place, (0, 0), 2)).argmax()), pixels.shape)
    assert abs(x - 310) <= 2 and abs(y - 140) <= 2
    whole = look.to_scan(np.ones((CROP, CROP), np.float32))
    assert whole.sum() == pytest.approx(look.window[2] ** 2, rel=0.02)


def test_a_moved_look_is_brought_back() -> None:
    base, moved = (100.0, 80.0, 64.0), (104.0, 78.0, 80.0)
    heat = np.zeros((CROP, CROP), np.float32)
    # The scan's pixel (110, 90) in the moved crop.
    column, row = ((value - middle) * CROP / 80 + (CROP - 1) / 2 for value, middle in ((110, 104), (90, 78)))
    cv2.circle(heat, (round(column), round(row)), 3, 1.0, -1)
    y, x = (edge.mean() for edge in np.nonzero(brought_back(heat, moved, False, base) > 0.5))
    assert x == pytest.approx((110 - 100) * 2 + 63.5, abs=1) and y == pytest.approx(
        (90 - 80) * 2 + 63.5, abs=1
    )


def test_random_weights_are_other_weights_and_draw_another_map(judge: Judge) -> None:
    other = judge.random
    assert other.random is not judge and other is judge.random
    one, two = (explain(each, scan(), nerve(), "hires_cam").crop for each in (judge, other))
    assert not np.allclose(one, two, atol=0.05)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"method": "crystal_ball"}, "no method 'crystal_ball'"),
        ({"towards": "nothing"}, "not for 'nothing'"),
        ({"method": "grad_cam", "layer": "cellar"}, "no layer 'cellar'"),
    ],
)
def test_what_is_not_there_is_named(judge: Judge, change: dict[str, str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        explain(judge, scan(), nerve(), **change)


def test_a_nerve_of_three_pixels_gets_a_sentence(judge: Judge) -> None:
    tiny = np.zeros_like(nerve())
    tiny[60, 60:63] = 1
    with pytest.raises(DataError, match="3 px in area, too small"):
        explain(judge, scan(), tiny)
    with pytest.raises(DataError, match="3 px in area, too small"):
        contour_map(judge, Scan(scan()), tiny)


def test_a_method_that_does_not_fit_the_weights_says_so(tmp_path: Path) -> None:
    plain = Judge(weights(tmp_path, "plain_cnn"))
    with pytest.raises(DataError, match="several scales"):
        explain(plain, scan(), nerve(), "steady")
    assert explain(plain, scan(), nerve(), "grad_cam").layer == "last"


@pytest.mark.parametrize("kind", KINDS)
def test_the_outline_has_a_map_of_the_scan_s_size(judge: Judge, kind: str) -> None:
    heat = contour_map(judge, Scan(scan()), nerve(), kind)
    assert heat.shape == scan().shape and heat.min() >= 0 and heat.max() <= 1
    assert hooks(judge._networks["contour"]) == 0


def test_what_does_not_fit_the_outline_is_named(judge: Judge) -> None:
    with pytest.raises(DataError, match="does not fit the outline"):
        contour_map(judge, Scan(scan()), nerve(), "score_cam")
    with pytest.raises(DataError, match="no layer"):
        contour_map(judge, Scan(scan()), nerve(), layer="attic")
    with pytest.raises(DataError, match="no decoder"):
        contour_layers(LeftOnly())


def test_the_judged_pixels_are_those_of_the_mask() -> None:
    mask = np.zeros((60, 80), np.uint8)
    mask[10:30, 10:40] = 255
    mask[40:50, 60:70] = 255
    corners = np.float32([[11, 11], [38, 11], [38, 28], [11, 28]])
    one = Nerve(corners, (25.0, 20.0), 600.0, None, 0.9, 0.7)
    found = Prediction(mask / np.float32(255), mask, (one,), "affected", 0.7, "m")
    assert np.array_equal(nerve_mask(one, found), (mask > 0) & (np.arange(60) < 35)[:, None])


def test_every_cam_is_offered() -> None:
    assert set(CAMS) <= set(METHODS) and "shap" in METHODS
