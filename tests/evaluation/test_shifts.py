import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nerve_core.errors import DataError
from nerve_core.evaluation.evaluate import read_rows
from nerve_core.evaluation.shifts import GREY, PLACING, SHIFTS, shift, shifted_rows
from tests.evaluation.fakes import disc, write_manifest

MASK = disc((120, 160), 80, 60, 20)
IMAGE = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, MASK.shape).astype(np.uint8), (0, 0), 1.5)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("name", SHIFTS)
def test_nothing_changes_at_strength_0(name):
    image, mask = shift(IMAGE, MASK, name, 0.0, rng())
    inner = np.s_[3:-3, 3:-3]  # a fan of no angle is still computed
    assert np.abs(image[inner].astype(int) - IMAGE[inner]).max() <= 1
    assert (mask != MASK).mean() < 0.002


@pytest.mark.parametrize("name", SHIFTS)
def test_more_strength_changes_more(name):
    gaps = [
        np.abs(shift(IMAGE, MASK, name, strength, rng())[0].astype(float) - IMAGE).mean()
        for strength in (0.25, 1.0)
    ]
    assert 0.5 < gaps[0] < gaps[1]


@pytest.mark.parametrize("name", GREY)
def test_grey_levels_alone_leave_the_mask(name):
    assert np.array_equal(shift(IMAGE, MASK, name, 1.0, rng())[1], MASK)


@pytest.mark.parametrize("name", PLACING)
def test_image_and_mask_move_together(name):
    """A picture that is bright in the nerve alone is so afterwards as well."""
    image, mask = shift(MASK, MASK, name, 0.7, rng())
    assert mask.any() and (cv2.erode(mask, np.ones((3, 3))) <= image).all()
    assert image[cv2.dilate(mask, np.ones((3, 3))) == 0].max() < 128


def test_known_sizes():
    area = (MASK > 0).sum()
    assert (shift(IMAGE, MASK, "deeper", 1.0, rng())[1] > 0).sum() == pytest.approx(area / 4, rel=0.05)
    assert (shift(IMAGE, MASK, "shallower", 1.0, rng())[1] > 0).sum() == pytest.approx(
        area * 1.6**2, rel=0.05
    )
    assert (shift(IMAGE, MASK, "rotation", 1.0, rng())[1] > 0).sum() == pytest.approx(area, rel=0.02)


def test_a_curved_probe_presses_its_face_into_the_picture_and_opens_downwards():
    bright = np.full_like(IMAGE, 200)
    fan = shift(bright, MASK, "curved probe", 1.0, rng())[0]
    face = (
        160 / (2 * np.sin(np.pi / 6)) * (1 - np.cos(np.pi / 6))
    )  # sagitta of an arc of 60 degrees over 160 px
    assert np.flatnonzero(fan[:, 80])[0] == pytest.approx(face, abs=1)
    assert fan[2, 2] == 200 and fan[-3, 80] == 200
    wide, narrow = (
        shift(disc(IMAGE.shape, 80, y, 12), MASK, "curved probe", 1.0, rng())[0] for y in (80, 15)
    )
    assert (wide > 127).sum() > 1.3 * (narrow > 127).sum()


@settings(deadline=None)
@given(st.sampled_from(SHIFTS), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_and_types_hold(name, strength, seed):
    one, other = (shift(IMAGE, MASK, name, strength, np.random.default_rng(seed)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert one[0].dtype == one[1].dtype == np.uint8 and one[0].shape == IMAGE.shape
    assert set(np.unique(one[1])) <= {0, 255}


def test_rows_keep_what_the_manifest_says_of_them(tmp_path):
    rows = [{"image": f"{k}.png", "group": str(k), "site": "wrist"} for k in range(2)]
    manifest = write_manifest(tmp_path, rows, {"0.png": MASK, "1.png": np.roll(MASK, 9, 1)})
    with shifted_rows(read_rows(manifest), "deeper", 1.0) as shifted:
        assert [(row["group"], row["site"]) for row in shifted] == [("0", "wrist"), ("1", "wrist")]
        assert shifted[0]["source_image"] == "0.png"  # as listed: no path of this machine is published
        small = cv2.imread(shifted[0]["mask"], cv2.IMREAD_GRAYSCALE)
        assert (small > 0).sum() == pytest.approx((MASK > 0).sum() / 4, rel=0.05)


def test_errors():
    with pytest.raises(DataError, match="There is no shift 'fog'"):
        shift(IMAGE, MASK, "fog", 0.5, rng())
    with pytest.raises(DataError, match="from 0 to 1"):
        shift(IMAGE, MASK, "blur", 1.5, rng())
    with (
        pytest.raises(DataError, match="has a contour"),
        shifted_rows([{"image": "a", "mask": ""}], "blur", 0.5),
    ):
        pass
