"""What the verdict network is shown."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from nerve_core.data.augment import Augment
from nerve_core.data.nerve_bank import NerveSample
from nerve_core.data.packed import Packed
from nerve_core.errors import DataError
from nerve_core.models.verdict import CROP
from nerve_core.training.config import Stage, TrainConfig
from nerve_core.training.verdicts import VerdictSamples, verdict_data
from tests.evaluation.fakes import disc


def scans(count: int, seed: int) -> Packed:
    rng = np.random.default_rng(seed)
    masks = [(disc((140, 140), 70, 70, 16 + k) > 0).astype(np.uint8) for k in range(count)]
    images = [rng.integers(30, 130, mask.shape).astype(np.uint8) for mask in masks]
    rows = [{"image": f"{seed}-{k}.png", "set": "s", "site": "wrist"} for k in range(count)]
    return Packed(rows, images, masks)


class Larger:
    """Draws every nerve twice as wide as it is."""

    key = "larger"

    def __call__(self, images):
        return [(disc(image.shape, 70, 70, 28) > 0).astype(np.uint8) for image in images]


def config(**changes) -> TrainConfig:
    return TrainConfig(verdict=Stage(epochs=1, samples=8, batch=4), workers=0, **changes)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """Spawned workers take seconds to start; the bank is the same without them."""
    import nerve_core.training.verdicts as module

    real = module.build_bank
    monkeypatch.setattr(module, "build_bank", lambda *args, **names: real(*args, **{**names, "workers": 1}))


def test_shams_can_be_left_out_of_the_training_and_stay_in_validation():
    with_shams, _, _ = verdict_data(config(), scans(2, 0), scans(1, 1), None)
    without, _, held = verdict_data(config(shams=False), scans(2, 0), scans(1, 1), None)
    assert Counter(one.kind for one in with_shams.bank) == {"original": 2, "affected": 8, "sham": 4}
    assert Counter(one.kind for one in without.bank) == {"original": 2, "affected": 8}
    assert len(held.dataset) == 4  # one original, two affected, one sham
    shares = Counter()
    for one, weight in zip(without.bank, without.weights, strict=True):
        shares[one.kind] += weight
    assert shares["affected"] == pytest.approx(0.5)


def test_scans_of_patients_show_their_own_pathology_and_none_is_written_into_them():
    packed = scans(3, 0)
    packed.rows[1]["label"] = "affected"
    samples, _, held = verdict_data(config(), packed, packed, None)
    assert Counter(one.kind for one in samples.bank) == {"original": 2, "affected": 9, "sham": 4}
    assert [one.row for one in samples.bank if one.severity == 1] == [0]  # the only one of its kind
    assert len(held.dataset) == 2 * 4 + 1
    for row in packed.rows:
        row["label"] = "affected"
    with pytest.raises(DataError, match="needs unaffected nerves"):
        verdict_data(config(), packed, packed, None)


def test_validation_sees_the_contours_of_use():
    _, _, true = verdict_data(config(), scans(1, 0), scans(1, 1), None)
    _, _, drawn = verdict_data(config(), scans(1, 0), scans(1, 1), None, drawer=Larger())
    areas = [[float(mask.mean()) for _, mask, _, _ in loader.dataset] for loader in (true, drawn)]
    # A crop is as wide as the contour makes it, so a drawn disc fills as much of its own crop as a true one.
    assert areas[0][0] == pytest.approx(areas[1][0], rel=0.1)
    assert not np.array_equal(true.dataset[0][0], drawn.dataset[0][0])


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0.0), (1.0, 1.0)])
def test_the_drawn_share_decides_which_contour_is_cut_out(share, expected):
    """The true nerve is a disc and the drawn one a bar, which fills less of its square."""
    image = np.full((120, 120), 90, np.uint8)
    nerve = (disc((120, 120), 60, 60, 20) > 0).astype(np.uint8)
    bar = np.zeros_like(nerve)
    bar[57:63, 40:80] = 1
    sample = NerveSample(image, nerve, "original", 0.0, 0, bar)
    samples = VerdictSamples([sample], np.ones(1), 12, Augment.none(), share)
    fills = [float(mask.sum()) / CROP**2 for _, mask, _, _ in (samples[k] for k in range(12))]
    assert np.mean([fill < 0.1 for fill in fills]) == expected
