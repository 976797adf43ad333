"""Translators change looks and keep places; painters obey their maps."""

import pytest
import torch

from nerve_core.generative.painter import CLASSES, LATENT, Painter
from nerve_core.generative.patch_nce import PatchNCE
from nerve_core.generative.translator import Translator


def test_an_untrained_translator_nearly_leaves_the_picture_alone() -> None:
    picture = torch.rand(2, 1, 32, 48) * 2 - 1
    changed = Translator(8, 2)(picture)
    assert changed.shape == picture.shape
    assert 0 < (changed - picture).abs().mean() < 0.1


def test_a_patch_is_translated_like_the_same_place_of_the_whole() -> None:
    torch.manual_seed(0)
    translate, picture = Translator(8, 1), torch.rand(1, 1, 96, 96)
    whole, patch = translate(picture), translate(picture[..., 16:80, 16:80])
    torch.testing.assert_close(whole[..., 40:56, 40:56], patch[..., 24:40, 24:40])


def test_features_are_those_of_the_whole_pass() -> None:
    translate, picture = Translator(8, 3), torch.rand(1, 1, 32, 32)
    alone, beside = translate.features(picture), translate.with_features(picture)[1]
    assert [maps.shape[1] for maps in alone] == list(translate.channels)
    for one, other in zip(alone, beside, strict=True):
        torch.testing.assert_close(one, other)


def test_patch_nce_is_low_for_the_same_places_and_log_n_for_strangers() -> None:
    torch.manual_seed(0)
    loss = PatchNCE([16], size=16, places=32)
    maps = [torch.randn(2, 16, 16, 16)]
    shuffled = [torch.randn(2, 16, 16, 16)]
    same, other = (loss(maps, new).item() for new in (maps, shuffled))
    assert same < 0.5 * other
    constant = [torch.ones(2, 16, 16, 16)]
    assert loss(constant, constant).item() == pytest.approx(torch.log(torch.tensor(32.0)).item(), rel=1e-4)


def test_patch_nce_teaches_only_what_comes_after() -> None:
    before, after = (torch.randn(1, 4, 8, 8, requires_grad=True) for _ in range(2))
    PatchNCE([4], places=8)([before], [after]).backward()
    assert before.grad is None and after.grad.abs().sum() > 0


def test_a_painter_is_black_outside_and_heeds_code_noise_and_maps() -> None:
    torch.manual_seed(0)
    paint = Painter(32, 8, sets=2).eval()
    maps = torch.zeros(1, len(CLASSES) + 2, 32, 32)
    maps[:, 0, :, 8:] = 1
    code, noise = torch.randn(1, LATENT), torch.randn(1, 1, 32, 32)
    drawn = paint(maps, code, noise)
    assert drawn.shape == (1, 1, 32, 32) and drawn.abs().max() <= 1
    assert (drawn[..., :8] == -1).all()
    nerve = maps.clone()
    nerve[:, 1, 10:20, 12:22] = 1
    for other in (paint(maps, -code, noise), paint(maps, code, -noise), paint(nerve, code, noise)):
        assert (other - drawn).abs().max() > 1e-4
    mean, spread = paint.code(drawn, maps)
    assert mean.shape == spread.shape == (1, LATENT)
