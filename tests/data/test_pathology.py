"""Simulated pathology: known sizes, nothing torn, nothing changed far away, and shams that stay harmless."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nerve_core.data.pathology import KINDS, affect, csa_factor, sham
from nerve_core.data.pathology.fields import chain, fit_ellipse, jacobian
from nerve_core.data.pathology.kinds import Target
from nerve_core.errors import DataError


def speckled(height: int = 160, width: int = 200, seed: int = 0) -> np.ndarray:
    """A log-compressed looking scan: layers of tissue with smooth speckle on them."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), 1.2)
    layers = 90 + 25 * np.sin(np.arange(height) / 9)[:, None]
    return np.clip(layers + 60 * noise, 1, 255).astype(np.uint8)


def disc(shape: tuple[int, int], x: int, y: int, a: int, b: int | None = None) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    cv2.ellipse(mask, (x, y), (a, b or a), 0, 0, 360, 255, -1)
    return mask


def with_nerve(mask: np.ndarray, seed: int = 0) -> np.ndarray:
    """A scan in which the mask is a brighter nerve with dark fascicles."""
    image = speckled(*mask.shape, seed=seed).astype(np.float32)
    yy, xx = np.mgrid[: mask.shape[0], : mask.shape[1]]
    honeycomb = 45 + 35 * np.sin(xx / 2.2) * np.sin(yy / 2.2)
    return np.clip(image + (mask > 0) * honeycomb, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("severity", [0.3, 0.5, 0.8])
def test_swelling_multiplies_the_area_by_the_stated_factor(severity: float) -> None:
    mask = disc((240, 260), 130, 120, 24)
    out = affect(with_nerve(mask), mask, np.random.default_rng(1), severity=severity, kinds=["swelling"])
    factor = (out.mask > 0).sum() / (mask > 0).sum()
    assert factor == pytest.approx(csa_factor(severity), rel=0.03)
    assert out.severity == pytest.approx(severity, abs=0.04)
    assert out.kinds == ("swelling",)


def test_csa_factor_known_values() -> None:
    assert csa_factor(0.3) == pytest.approx(1.39, abs=0.01)
    assert csa_factor(0.5) == pytest.approx(1.73, abs=0.01)
    assert csa_factor(1.0) == pytest.approx(3.0)


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("shape", [(20, 20), (40, 12)])
def test_no_kind_folds_the_picture(kind: str, shape: tuple[int, int]) -> None:
    ellipse = fit_ellipse(disc((300, 300), 150, 150, *shape))
    target = Target(ellipse, 120, 80, 20, 200, 1.5, 4.0)
    y, x = np.mgrid[:300, :300].astype(np.float32)
    for seed in range(12):
        change = KINDS[kind](target, 1.0, np.random.default_rng(seed))
        assert jacobian(*chain(change.maps, x, y)).min() > 0


def test_compression_flattens_or_dents_without_growing() -> None:
    mask = disc((240, 260), 130, 120, 24)
    image = with_nerve(mask)
    for seed in range(6):
        out = affect(image, mask, np.random.default_rng(seed), severity=0.7, kinds=["compression"])
        before, after = fit_ellipse(mask > 0), fit_ellipse(out.mask > 0)
        hull = cv2.contourArea(cv2.convexHull(cv2.findNonZero(out.mask)))
        dented = hull > 1.03 * (out.mask > 0).sum()
        assert (
            after.a / after.b > 1.4 * before.a / before.b
            or dented
            or (out.mask > 0).sum() < 0.8 * (mask > 0).sum()
        )
        assert (out.mask > 0).sum() < 1.02 * (mask > 0).sum()


def test_hypoechogenicity_darkens_the_nerve_by_more_when_it_is_worse() -> None:
    mask = disc((240, 260), 130, 120, 26)
    image = with_nerve(mask)
    inner = disc((240, 260), 130, 120, 14) > 0
    drops = []
    for severity in (0.3, 0.5, 1.0):
        out = affect(image, mask, np.random.default_rng(2), severity=severity, kinds=["hypoechogenicity"])
        drops.append(float(image[inner].mean()) - float(out.image[inner].mean()))
    assert drops[0] > 8
    assert drops[0] < drops[1] < drops[2]


def test_fascicles_fade_while_the_finest_grain_stays() -> None:
    mask = disc((240, 260), 130, 120, 30)
    image = with_nerve(mask)
    inner = disc((240, 260), 130, 120, 18) > 0
    out = affect(image, mask, np.random.default_rng(3), severity=1.0, kinds=["fascicle_loss"])

    def band(picture: np.ndarray, low: float, high: float) -> float:
        blurred = [cv2.GaussianBlur(picture.astype(np.float32), (0, 0), s) for s in (low, high)]
        return float((blurred[0] - blurred[1])[inner].std())

    assert band(out.image, 2.0, 8.0) < 0.75 * band(image, 2.0, 8.0)
    fine_before, fine_after = (float((p - cv2.GaussianBlur(p, (0, 0), 0.8))[inner].std()) for p in
                               (image.astype(np.float32), out.image.astype(np.float32)))  # fmt: skip
    assert fine_after == pytest.approx(fine_before, rel=0.35)


def test_thickening_brightens_the_outline() -> None:
    mask = disc((240, 260), 130, 120, 26)
    image = with_nerve(mask)
    rim = disc((240, 260), 130, 120, 29) - disc((240, 260), 130, 120, 23) > 0
    gains = []
    for seed in range(4, 8):
        out = affect(image, mask, np.random.default_rng(seed), severity=0.8, kinds=["thickening"])
        control = sham(image, mask, np.random.default_rng(seed), nerve=0)
        gains.append(float(out.image[rim].mean()) - float(control.image[rim].mean()))
    assert np.mean(gains) > 8


def test_irregular_outline_is_longer_for_its_area() -> None:
    mask = disc((240, 260), 130, 120, 26)
    out = affect(with_nerve(mask), mask, np.random.default_rng(5), severity=1.0, kinds=["irregular"])

    def roundness(m: np.ndarray) -> float:
        contour = max(cv2.findContours(m, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=cv2.contourArea)
        hull = cv2.convexHull(contour)
        return cv2.contourArea(contour) / cv2.contourArea(hull)

    assert roundness(out.mask) < roundness(mask) - 0.02


def test_sham_keeps_the_area_within_15_percent_and_changes_the_picture() -> None:
    mask = disc((240, 260), 130, 120, 26, 18)
    image = with_nerve(mask)
    for seed in range(8):
        out = sham(image, mask, np.random.default_rng(seed))
        assert 0.85 <= (out.mask > 0).sum() / (mask > 0).sum() <= 1.15
        assert out.sham and out.kinds == () and out.severity == 0 and not out.altered.any()
        assert (out.image != image).any()


def test_same_seed_same_picture() -> None:
    mask = disc((160, 200), 90, 80, 16)
    image = with_nerve(mask)
    one, two = (affect(image, mask, np.random.default_rng(9)) for _ in range(2))
    assert (one.image == two.image).all() and (one.mask == two.mask).all() and one.kinds == two.kinds
    other = affect(image, mask, np.random.default_rng(10))
    assert (one.image != other.image).any()


def test_the_input_is_left_alone() -> None:
    mask = disc((160, 200), 90, 80, 16)
    image = with_nerve(mask)
    kept = image.copy(), mask.copy()
    affect(image, mask, np.random.default_rng(0))
    assert (image == kept[0]).all() and (mask == kept[1]).all()


@pytest.mark.parametrize("work", [affect, sham])
def test_far_from_the_nerve_and_the_decoy_nothing_changes(work) -> None:
    mask = disc((400, 420), 60, 60, 10)
    image = with_nerve(mask)
    out = work(image, mask, np.random.default_rng(3))
    same = out.image == image
    assert same.mean() > 0.8
    assert same[-60:].all()


def test_only_one_of_several_nerves_changes() -> None:
    mask = disc((240, 300), 60, 120, 18) | disc((240, 300), 230, 120, 18)
    image = with_nerve(mask)
    out = affect(image, mask, np.random.default_rng(2), severity=0.7, kinds=["swelling"], nerve=1)
    count, _, stats, centres = cv2.connectedComponentsWithStats(out.mask)
    assert count == 3 and out.nerve == 1
    order = np.argsort(centres[1:, 0])
    left, right = stats[1:, cv2.CC_STAT_AREA][order]
    one = (disc((240, 300), 60, 120, 18) > 0).sum()
    assert left == pytest.approx(one, rel=0.05)
    assert right == pytest.approx(one * csa_factor(0.7), rel=0.06)
    assert not out.altered[:, :110].any()
    assert (out.changed > 0).sum() == right


def test_altered_pixels_lie_in_and_around_the_nerve() -> None:
    mask = disc((240, 260), 130, 120, 20)
    out = affect(with_nerve(mask), mask, np.random.default_rng(2), severity=0.8, kinds=["hypoechogenicity"])
    reach = cv2.dilate(out.mask, np.ones((25, 25), np.uint8)) > 0
    assert out.altered.any() and not (out.altered & ~reach).any()
    assert out.altered[out.changed > 0].mean() > 0.6


def test_at_the_neck_darkness_is_never_written_alone() -> None:
    mask = disc((240, 260), 130, 120, 20)
    image = with_nerve(mask)
    for seed in range(20):
        out = affect(image, mask, np.random.default_rng(seed), site="neck")
        assert set(out.kinds) - {"hypoechogenicity", "fascicle_loss"}
    asked = affect(image, mask, np.random.default_rng(0), site="neck", kinds=["fascicle_loss"])
    assert "swelling" in asked.kinds


@pytest.mark.parametrize(
    ("size", "x", "y", "a"),
    [((60, 80), 40, 30, 1), ((60, 80), 0, 30, 9), ((60, 80), 40, 59, 12), ((9, 9), 4, 4, 3)],
)
def test_tiny_nerves_and_nerves_at_the_border(size: tuple[int, int], x: int, y: int, a: int) -> None:
    mask = disc(size, x, y, a)
    image = with_nerve(mask)
    for kind in KINDS:
        out = affect(image, mask, np.random.default_rng(1), severity=1.0, kinds=[kind])
        assert out.image.shape == size and (out.mask > 0).any()
    assert sham(image, mask, np.random.default_rng(1)).image.shape == size


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(24, 120),
    width=st.integers(24, 120),
    severity=st.floats(0.05, 1.0),
    kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3, unique=True),
)
def test_any_scan_gives_a_valid_result(
    seed: int, height: int, width: int, severity: float, kinds: list[str]
) -> None:
    rng = np.random.default_rng(seed)
    mask = disc(
        (height, width), int(rng.integers(width)), int(rng.integers(height)), int(rng.integers(2, 15))
    )
    image = (
        rng.integers(0, 256, (height, width), dtype=np.uint8)
        if seed % 2
        else np.full((height, width), 40, np.uint8)
    )
    out = affect(image, mask, rng, severity=severity, kinds=kinds)
    assert out.image.dtype == np.uint8 and out.mask.dtype == np.uint8 and out.altered.dtype == bool
    assert out.image.shape == out.mask.shape == out.altered.shape == out.changed.shape == (height, width)
    assert set(np.unique(out.mask)) <= {0, 255}
    assert 0 <= out.severity <= severity + 1e-9
    assert set(kinds) <= set(out.kinds)


def test_errors_say_what_is_wrong() -> None:
    image, mask = speckled(), disc((160, 200), 90, 80, 16)
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="holds no nerve"):
        affect(image, np.zeros_like(mask), rng)
    with pytest.raises(DataError, match="choose from"):
        affect(image, mask, rng, kinds=["scoliosis"])
    with pytest.raises(DataError, match="Severity"):
        affect(image, mask, rng, severity=0.0)
    with pytest.raises(DataError, match="counted from 0"):
        sham(image, mask, rng, nerve=3)
    with pytest.raises(DataError, match="mask of its size"):
        affect(image, mask[:-1], rng)
