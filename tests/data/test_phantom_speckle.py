"""The measures by which the phantoms' speckle is compared with another simulator's."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import phantom_speckle

KEPT = Path(__file__).parents[2] / "benchmarks" / "results" / "phantom_speckle.json"


def test_speckle_is_rayleigh_and_points_grow_with_depth():
    found = phantom_speckle.ours_speckle(2)
    assert found.snr == pytest.approx(1.913, abs=0.06)
    assert found.ks < 1.63 / np.sqrt(found.n)  # the one per cent bound
    widths = phantom_speckle.ours_points()
    assert all(deep > shallow for shallow, deep in itertools.pairwise(widths))


def test_measures_tell_other_statistics_apart():
    rng = np.random.default_rng(0)
    steady = [5 + rng.normal(0, 1, (300, 100)) for _ in range(2)]
    found = phantom_speckle.measure(steady)
    assert found.snr == pytest.approx(5, abs=0.1) and found.ks > 0.2


def test_correlation_width_of_known_blur():
    noise = np.random.default_rng(1).normal(size=(400, 400))
    kernel = np.ones(9) / 9  # its autocorrelation is a triangle, 9 samples wide at half its height
    blurred = np.apply_along_axis(np.convolve, 0, noise, kernel, "valid")
    assert phantom_speckle.correlation_width(blurred, 0) == pytest.approx(
        9 * phantom_speckle.STEP_MM, rel=0.08
    )
    assert phantom_speckle.correlation_width(blurred, 1) < 2 * phantom_speckle.STEP_MM


def test_the_kept_comparison_agrees_with_the_other_simulator():
    kept = json.loads(KEPT.read_text())
    for name in ("phantom", "pymust"):
        assert kept[name]["snr"] == pytest.approx(kept["rayleigh_snr"], abs=0.06)
        widths = kept[name]["point_widths_mm"]
        assert widths == sorted(widths) and widths[-1] > 2 * widths[0]
