"""What is drawn for training: how often each set, and how close samples with a click are looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nerve_core.data.augment import Augment
from nerve_core.data.dataset import ContourSamples
from nerve_core.data.packed import Packed


def packed(*sizes: tuple[str, int]) -> Packed:
    rows = [{"set": name, "site": "", "group": f"{name}{k}"} for name, count in sizes for k in range(count)]
    image = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    mask = np.zeros((64, 64), np.uint8)
    mask[28:36, 28:36] = 1
    return Packed(rows, [image] * len(rows), [mask] * len(rows))


@pytest.mark.parametrize(("share", "area"), [(0.0, 1.0), (1.0, 9.0)])
def test_samples_with_a_click_are_looked_at_closely(share: float, area: float) -> None:
    how = Augment(rotate=0, zoom=(1, 1), click_zoom=(3, 3), stretch=1, shift=0, elastic=0, photometric=0)
    samples = ContourSamples(packed(("one", 1)), 64, 6, how, click_share=share, pathology_share=0)
    for k in range(6):
        inputs, target = samples[k]
        assert (inputs[1].max() > 0) == bool(share)
        assert target[0].sum() == pytest.approx(64 * area, rel=0.2)
        assert (target[1] == -1).all()


def test_vessels_move_with_the_image_and_never_hide_or_attract_the_nerve() -> None:
    image = np.full((64, 64), 20, np.uint8)
    mask, vessel = np.zeros_like(image), np.zeros_like(image)
    mask[28:36, 28:36] = 1
    vessel[30:50, 30:50] = 1  # reaches into the nerve
    image[vessel > 0], image[mask > 0] = 120, 250
    row = {"set": "one", "site": "", "group": "g"}
    how = Augment(photometric=0, elastic=0, click_zoom=(2, 2), near_nerve=1, shift=0, rotate=5)
    samples = ContourSamples(
        Packed([row], [image], [mask], [vessel]), 64, 8, how, click_share=1, pathology_share=0
    )
    for k in range(8):
        inputs, (nerve, vessels) = samples[k]
        assert not (nerve * vessels).any()
        grey = [inputs[0][part > 0].mean() for part in (nerve, vessels)]
        assert grey[0] > grey[1] > inputs[0][(nerve + vessels) == 0].mean()
        row_of, column_of = np.unravel_index(int(inputs[1].argmax()), (64, 64))
        assert nerve[max(0, row_of - 2) : row_of + 3, max(0, column_of - 2) : column_of + 3].any()
        assert nerve[30:34, 30:34].any()  # a crop is centred on the nerve


def test_the_look_of_another_set_changes_grey_levels_and_not_contours() -> None:
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 90, (64, 64), dtype=np.uint8), rng.integers(150, 255, (64, 64), dtype=np.uint8)]
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 20:40] = 1
    rows = [{"set": name, "site": "", "group": name} for name in ("dark", "bright")]
    both = Packed(rows, images, [mask, mask])
    plain, styled = (
        ContourSamples(both, 64, 12, replace(Augment.none(), style_mix=p, style_band=0.1), 0, 0, 5)
        for p in (0.0, 1.0)
    )
    assert {name: len(others) for name, others in styled.styles.items()} == {"dark": 1, "bright": 1}
    assert styled.styles["dark"][0] is images[1]
    inputs = [(plain[k], styled[k]) for k in range(12)]
    assert all((one[1] == other[1]).all() for one, other in inputs)
    assert sum(not (one[0] == other[0]).all() for one, other in inputs) >= 10  # a share may be about 0
