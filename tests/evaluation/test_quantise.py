"""What eight-bit exports choose their ranges by: the inputs that the networks get in use."""

from types import SimpleNamespace

import numpy as np

from nerve_core.config import settings
from nerve_core.data.manifest import read_manifest
from nerve_core.evaluation.quantise import calibration_inputs
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.models.verdict import CROP


def test_scans_are_shown_whole_some_with_a_click_and_their_nerves_healthy_and_affected() -> None:
    rows = [row for row in read_manifest(settings().samples) if row["mask"].endswith(".png")][:4]
    found = calibration_inputs(SimpleNamespace(preprocess=Preprocess(size=64)), rows)
    shapes = {arrays[0].shape for arrays in found["contour"]}
    assert shapes == {(1, 2, 64, 64)}
    clicks = [arrays[0][0, 1].max() for arrays in found["contour"]]
    assert len(clicks) == 6 and [click > 0.9 for click in clicks] == [False, True, False, False, False, True]
    assert len(found["verdict"]) >= 3 * len(rows)
    for crops, masks in found["verdict"]:
        assert crops.shape == masks.shape == (2, 1, CROP, CROP)
        assert crops.dtype == masks.dtype == np.float32 and masks.any()
