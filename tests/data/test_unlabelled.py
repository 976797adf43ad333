"""Scans without a contour as pairs of views."""

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from nerve_core.data.augment import Augment
from nerve_core.data.unlabelled import TwoViews, WeakAndStrong, read_images
from nerve_core.errors import DataError


def drawn(kind: type, augment: Augment, count: int = 6) -> list:
    rng = np.random.default_rng(0)
    images = [cv2.resize(rng.integers(0, 255, (8, 8), dtype=np.uint8), (80, 60)) for _ in range(5)]
    rows = [{"set": "s", "group": group} for group in "aaaab"]
    samples = kind(images, rows, 64, count, augment)
    return [samples[k] for k in range(count)]


def test_weak_and_strong_views_lie_on_each_other() -> None:
    for weak, strong, valid in drawn(WeakAndStrong, Augment()):
        assert weak.shape == strong.shape == (2, 64, 64)
        assert valid.shape == (1, 64, 64)
        assert not weak[1].any()
        assert not strong[1].any()
        inside = valid[0].numpy()
        assert not (weak[0].numpy()[~inside]).any()
        close = np.corrcoef(weak[0].numpy()[inside], strong[0].numpy()[inside])[0, 1]
        assert close > 0.6


def test_two_views_differ_in_place() -> None:
    assert all(not np.allclose(one, other) for one, other in drawn(TwoViews, Augment(photometric=0)))
    assert all(np.allclose(one, other) for one, other in drawn(TwoViews, Augment.none()))


def test_every_group_is_drawn_as_often() -> None:
    images = [np.full((64, 64), 40 * k, np.uint8) for k in range(5)]
    for image in images:
        image[0, 0] = 255 - image[0, 0]
    rows = [{"set": "s", "group": group} for group in "aaaab"]
    samples = TwoViews(images, rows, 64, 600, Augment.none())
    found = Counter(rows[int(samples._drawn(k)[0][5, 5]) // 40]["group"] for k in range(600))
    assert found["b"] / 600 == pytest.approx(0.5, abs=0.07)


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.random.default_rng(0).integers(0, 255, (900, 1200), np.uint8))
    (image,) = read_images([{"image": str(tmp_path / "a.png")}])
    assert max(image.shape) <= 640
    (tmp_path / "b.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"b\.png cannot be used"):
        read_images([{"image": str(tmp_path / "b.png")}])
