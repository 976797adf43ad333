"""What eight-bit exports choose their ranges by: the inputs that the networks get in use."""

from types import SimpleNamespace

import numpy as np

from nerve_core.config import settings
from nerve_core.data.manifest import read_manifest
from nerve_core.evaluation.quantise import calibration_inputs
from nerve_core.imaging.preprocess import Preprocess


def test_scans_are_shown_whole_and_every_third_with_a_click_as_well() -> None:
    rows = [row for row in read_manifest(settings().samples) if row["mask"].endswith(".png")][:4]
    found = calibration_inputs(SimpleNamespace(preprocess=Preprocess(size=64)), rows)
    assert {arrays[0].shape for arrays in found} == {(1, 2, 64, 64)}
    assert {arrays[0].dtype for arrays in found} == {np.dtype("float32")}
    clicked = [arrays[0][0, 1].max() > 0.9 for arrays in found]
    assert clicked == [False, True, False, False, False, True]
