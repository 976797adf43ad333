"""What is drawn for training: how often each set, and how close samples with a click are looked at."""

from __future__ import annotations

import numpy as np
import pytest

from nerve_core.data.augment import Augment
from nerve_core.data.dataset import ContourSamples, sampling_weights
from nerve_core.data.packed import Packed


def packed(*sizes: tuple[str, int]) -> Packed:
    rows = [{"set": name, "site": "", "group": f"{name}{k}"} for name, count in sizes for k in range(count)]
    image = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    mask = np.zeros((64, 64), np.uint8)
    mask[28:36, 28:36] = 1
    return Packed(rows, [image] * len(rows), [mask] * len(rows))


def test_a_set_counts_by_the_root_of_its_size_and_its_emphasis() -> None:
    chosen = packed(("small", 4), ("large", 16))
    weights = sampling_weights(chosen, {})
    assert weights.sum() == pytest.approx(1)
    assert weights[4:].sum() / weights[:4].sum() == pytest.approx(2)
    weights = sampling_weights(chosen, {"small": 3.0, "unknown": 9.0})
    assert weights[4:].sum() / weights[:4].sum() == pytest.approx(2 / 3)


@pytest.mark.parametrize(("share", "area"), [(0.0, 1.0), (1.0, 9.0)])
def test_samples_with_a_click_are_looked_at_closely(share: float, area: float) -> None:
    how = Augment(rotate=0, zoom=(1, 1), click_zoom=(3, 3), stretch=1, shift=0, elastic=0, photometric=0)
    samples = ContourSamples(packed(("one", 1)), 64, 6, how, click_share=share, pathology_share=0)
    for k in range(6):
        inputs, target = samples[k]
        assert (inputs[1].max() > 0) == bool(share)
        assert target.sum() == pytest.approx(64 * area, rel=0.2)
