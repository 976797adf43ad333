import cv2
import numpy as np
import pytest

from nerve_core.errors import RefusedScan
from nerve_core.imaging.clean import to_grey
from nerve_core.imaging.read import read_scan
from tests.imaging.build import encode, tissue


def tinted(pixels, dark, bright):
    """A map that runs from the colour ``dark`` to ``bright``."""
    share = pixels[..., None] / 255
    return np.rint(np.array(dark) * (1 - share) + np.array(bright) * share).astype(np.uint8)


def test_grey_is_kept_exactly():
    pixels = tissue()
    assert np.array_equal(to_grey(np.dstack([pixels] * 3)), pixels)


@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("quality", [30, 95])
def test_chroma_noise_of_jpeg_is_not_colour(quality, subsampling):
    noise = np.random.default_rng(0).normal(0, 2, (120, 160, 3))
    noisy = np.clip(tissue()[..., None] + noise, 0, 255).astype(np.uint8)
    scan = read_scan(encode(noisy, "JPEG", quality=quality, subsampling=subsampling))
    assert np.abs(scan.pixels.astype(int) - tissue()).mean() < 6


@pytest.mark.parametrize(
    ("dark", "bright"),
    [((20, 10, 0), (255, 225, 170)), ((0, 5, 30), (200, 225, 255)), ((0, 0, 0), (255, 160, 60))],
)
def test_a_tinted_map_is_grey(dark, bright):
    colour = tinted(tissue(), dark, bright)
    grey = to_grey(colour)
    assert np.array_equal(grey, cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)), "nothing was painted over"


@pytest.mark.parametrize("colour", [(0, 180, 170), (255, 220, 0), (40, 90, 230), (230, 30, 30)])
def test_coloured_marks_are_painted_over_and_nothing_else(colour):
    pixels = tissue(200, 300, low=20, high=120)
    marked = np.dstack([pixels] * 3)
    cv2.circle(marked, (40, 30), 6, colour, -1)
    cv2.line(marked, (200, 100), (230, 120), colour, 1)
    cv2.drawMarker(marked, (150, 150), colour, cv2.MARKER_CROSS, 9)
    touched = (marked != pixels[..., None]).any(axis=2).astype(np.uint8)
    grey = to_grey(marked)
    near = cv2.dilate(touched, np.ones((7, 7), np.uint8)) > 0
    assert np.array_equal(grey[~near], pixels[~near])
    assert np.abs(grey.astype(int) - pixels)[touched > 0].mean() < 25
    assert grey[touched > 0].max() <= 125


def test_marks_on_a_tinted_map_are_found():
    colour = tinted(tissue(200, 300), (20, 10, 0), (255, 225, 170))
    plain = to_grey(colour)
    cv2.circle(colour, (150, 100), 5, (0, 200, 60), -1)
    assert np.abs(to_grey(colour).astype(int) - plain).mean() < 1


def photograph():
    """Smooth colour patches under light and grain, as of a room."""
    rng = np.random.default_rng(3)
    patches = cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)
    return np.clip(patches + rng.normal(0, 6, (240, 320, 3)), 0, 255).astype(np.uint8)


def colour_flow():
    """A scan with a fifth of it filled by red and blue flow."""
    image = np.dstack([tissue(240, 320, high=140)] * 3)
    flow = np.random.default_rng(0).integers(90, 255, (240, 320), np.uint8)
    image[80:160, 60:140, 0], image[80:160, 60:140, 1:] = flow[80:160, 60:140], 20
    image[80:160, 180:300, 2], image[80:160, 180:300, :2] = flow[80:160, 180:300], 20
    return image


def smooth_flow():
    """A scan with a tenth of it filled by a flat red and a flat blue vessel."""
    image = np.dstack([tissue(240, 320, high=140)] * 3)
    cv2.ellipse(image, (110, 120), (30, 24), 0, 0, 360, (220, 30, 20), -1)
    cv2.ellipse(image, (220, 120), (30, 24), 0, 0, 360, (20, 40, 220), -1)
    return image


@pytest.mark.parametrize(
    ("make", "said"),
    [(photograph, "colour photograph"), (colour_flow, "Doppler"), (smooth_flow, "Doppler")],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_colour_pictures_are_refused_by_their_name(make, said, kind):
    with pytest.raises(RefusedScan, match=said):
        read_scan(encode(make(), kind))


def test_a_flat_coloured_menu_does_not_make_a_photograph():
    screen = np.full((400, 600, 3), (30, 60, 120), np.uint8)
    screen[60:380, 120:520] = tissue(320, 400)[..., None]
    scan = read_scan(encode(screen))
    assert np.abs(np.subtract(scan.region, (60, 120, 380, 520))).max() <= 4
    inside = scan.pixels[70:370, 130:510]
    assert np.array_equal(inside, tissue(320, 400)[10:310, 10:390])
