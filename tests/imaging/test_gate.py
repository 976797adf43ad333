import cv2
import numpy as np
import pytest

from nerve_core.imaging.gate import MAX_SHADOW, check_quality, shadow, sharpness
from nerve_core.imaging.scan import Scan
from tests.imaging.build import tissue


def test_scans_pass():
    dim = tissue(200, 300, low=0, high=60)
    dim[100:] //= 10
    for pixels in (tissue(), tissue(high=255), dim, tissue(64, 64)):
        assert check_quality(Scan(pixels=pixels)) is None


def dark():
    return tissue() // 16


def saturated():
    return np.clip(tissue().astype(int) * 4, 0, 255).astype(np.uint8)


def smooth():
    return np.tile(np.linspace(0, 255, 400).astype(np.uint8), (300, 1))


def blurred():
    return cv2.GaussianBlur(tissue(300, 400), (0, 0), 40) + np.uint8(1)


def out_of_focus():
    return cv2.GaussianBlur(tissue(300, 400, high=255), (0, 0), 6)


def shadowed():
    pixels = tissue(300, 400)
    pixels[30:, 20:360] //= 20
    return pixels


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (dark, "too dark"),
        (saturated, "saturated"),
        (smooth, "no texture"),
        (blurred, "no texture"),
        (out_of_focus, "blurred"),
        (shadowed, "shadow"),
    ],
)
def test_reasons(make, reason):
    said = check_quality(Scan(pixels=make()))
    assert reason in said and said.endswith(".")


def test_only_the_region_counts():
    frame = np.zeros((400, 400), np.uint8)
    frame[100:300, 100:300] = tissue(200, 200)
    assert check_quality(Scan(pixels=frame, region=(100, 100, 300, 300))) is None
    assert "too dark" in check_quality(Scan(pixels=frame, region=(0, 0, 90, 400)))
    assert "only 40 × 200 px" in check_quality(Scan(pixels=frame, region=(100, 100, 300, 140)))


def test_a_shadow_at_one_side_passes():
    pixels = tissue(300, 400)
    pixels[30:, :180] //= 20
    assert check_quality(Scan(pixels=pixels)) is None
    assert 0.3 < shadow(pixels) < MAX_SHADOW


def test_sharpness_falls_with_blur_and_not_with_gain():
    sharp = tissue(200, 256, low=40, high=120)
    assert sharpness(sharp) == pytest.approx(sharpness(sharp * np.uint8(2)), rel=0.02)
    blurs = [sharpness(cv2.GaussianBlur(sharp, (0, 0), width)) for width in (1, 2, 4)]
    assert sharpness(sharp) > blurs[0] > blurs[1] > blurs[2]
