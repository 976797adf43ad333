import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from nerve_core.imaging.read import read_scan
from nerve_core.imaging.region import MIN_SHARE, find_region
from tests.imaging.build import encode, tissue


def close(found, expected, slack):
    return np.abs(np.subtract(found, expected)).max() <= slack


def letters(image, text, at, level=230, scale=0.5):
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, level, 1, cv2.LINE_AA)


def console(surround, page=None):
    """A screen of 600 x 800 px with an image at (90, 130, 520, 650), text, a scale and a grey bar."""
    screen = np.full((600, 800), surround, np.uint8)
    letters(screen, "21/09/15 06:26:03PM  ADM 0315  ML6-15 MSK Gen  MI 0.14", (10, 25))
    letters(screen, "L8", (85, 100))
    for row in range(100, 520, 84):
        letters(screen, str(row // 84), (730, row))
        screen[row : row + 2, 715:725] = 200
    screen[200:400, 20:36] = np.linspace(255, 0, 200)[:, None]
    screen[90:520, 130:650] = tissue(430, 520, low=0)
    if page is not None:
        framed = np.full((720, 960), page, np.uint8)
        framed[60:660, 80:880] = screen
        return framed, (150, 210, 580, 730)
    return screen, (90, 130, 520, 650)


@pytest.mark.parametrize("size", [(184, 256), (512, 512), (301, 805), (1080, 1400)])
def test_a_cropped_image_is_kept_whole(size):
    assert find_region(tissue(*size)) == (0, 0, *size)


def test_dark_deep_tissue_is_kept():
    image = tissue(400, 400, low=0, high=220) * np.clip(np.linspace(1.2, 0.06, 400), 0, 1)[:, None]
    assert close(find_region(np.rint(image).astype(np.uint8)), (0, 0, 400, 400), slack=8)


def test_skin_over_a_dark_layer_is_kept():
    image = tissue(400, 400)
    image[14:30] = 0
    assert find_region(image) == (0, 0, 400, 400)


@pytest.mark.parametrize("noise", [0, 2])
@pytest.mark.parametrize("box", [(60, 0, 300, 400), (0, 50, 400, 350), (40, 30, 350, 380), (0, 0, 250, 400)])
def test_black_borders_are_removed(box, noise):
    frame = np.random.default_rng(1).integers(0, noise + 1, (400, 400)).astype(np.uint8)
    top, left, bottom, right = box
    frame[top:bottom, left:right] = tissue(bottom - top, right - left)
    assert close(find_region(frame), box, slack=1)


@pytest.mark.parametrize(("surround", "page"), [(0, None), (55, None), (55, 255), (0, 255), (0, 236)])
def test_screens_with_text_menus_and_pages(surround, page):
    screen, box = console(surround, page)
    assert close(find_region(screen), box, slack=3)


def test_a_screen_saved_as_jpeg():
    screen, box = console(54, 255)
    assert close(read_scan(encode(screen, "JPEG", quality=80)).region, box, slack=8)


def test_a_curved_image_is_boxed():
    frame = np.zeros((500, 600), np.uint8)
    sector = np.zeros_like(frame)
    cv2.ellipse(sector, (300, 20), (420, 420), 0, 50, 130, 1, -1)
    cv2.circle(sector, (300, 20), 60, 0, -1)
    frame[sector > 0] = tissue(500, 600)[sector > 0]
    rows, columns = np.nonzero(sector.any(axis=1))[0], np.nonzero(sector.any(axis=0))[0]
    top, left, bottom, right = find_region(frame)
    cut = frame.copy()
    cut[top:bottom, left:right] = 0
    assert np.count_nonzero(cut) < 0.03 * np.count_nonzero(frame)
    assert (
        abs(bottom - rows[-1]) < 8
        and top < rows[0] + 25
        and left > columns[0] - 5
        and right < columns[-1] + 5
    )


@pytest.mark.parametrize("level", [0, 120, 255])
def test_a_blank_frame_is_returned_whole(level):
    assert find_region(np.full((300, 400), level, np.uint8)) == (0, 0, 300, 400)


def test_a_tiny_patch_is_not_believed():
    frame = np.zeros((400, 400), np.uint8)
    frame[100:200, 100:200] = tissue(100, 100)
    assert find_region(frame) == (0, 0, 400, 400)


@hypothesis_settings(max_examples=80, deadline=None, derandomize=True)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**31), st.sampled_from([1, 3, 40, 256]))
def test_any_frame_gives_a_box_inside_it_of_some_size(height, width, seed, levels):
    frame = np.random.default_rng(seed).integers(0, levels, (height, width)).astype(np.uint8)
    top, left, bottom, right = find_region(frame)
    assert 0 <= top < bottom <= height and 0 <= left < right <= width
    assert (bottom - top) * (right - left) >= MIN_SHARE * height * width
