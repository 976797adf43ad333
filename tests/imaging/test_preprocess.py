import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from nerve_core.imaging.preprocess import Preprocess
from nerve_core.imaging.scan import Scan
from tests.imaging.build import tissue

EVERYTHING = Preprocess(
    median=3,
    gaussian_sigma=0.8,
    bilateral=20.0,
    diffusion_steps=5,
    wavelet=1.0,
    clahe_clip=2.0,
    clip_percentiles=(1.0, 99.0),
)
geometry = hypothesis_settings(max_examples=60, deadline=None, derandomize=True)


@st.composite
def scans(draw, smallest=40, largest=700):
    """A scan of any odd or even size with a region anywhere in it."""
    height, width = draw(st.integers(smallest, largest)), draw(st.integers(smallest, largest))
    top, left = draw(st.integers(0, height - smallest)), draw(st.integers(0, width - smallest))
    bottom = draw(st.integers(top + smallest, height))
    right = draw(st.integers(left + smallest, width))
    return Scan(pixels=np.zeros((height, width), np.uint8), region=(top, left, bottom, right))


def centroid(mask):
    rows, columns = np.nonzero(mask)
    return np.array([columns.mean(), rows.mean()])


def test_the_tensor_has_mean_0_and_deviation_1_and_padding_is_the_mean():
    prepared = Preprocess().apply(Scan(pixels=tissue(120, 160)))
    assert prepared.tensor.shape == (256, 256) and prepared.tensor.dtype == np.float32
    assert prepared.grey.shape == (256, 256) and prepared.grey.dtype == np.uint8
    assert prepared.valid == (32, 0, 224, 256) and prepared.box == (0, 0, 120, 160)
    inside = prepared.tensor[32:224]
    assert abs(inside.mean()) < 1e-4 and abs(inside.std() - 1) < 1e-3
    outside = np.ones((256, 256), bool)
    outside[32:224] = False
    assert not prepared.tensor[outside].any() and not prepared.grey[outside].any()
    grey = prepared.grey[32:224].astype(float)
    assert np.allclose(inside, (grey - grey.mean()) / grey.std(), atol=1e-4)


def test_minmax_spans_0_to_1():
    prepared = Preprocess(normalisation="minmax").apply(Scan(pixels=tissue(120, 160)))
    assert prepared.tensor.min() == 0 and prepared.tensor.max() == 1


@pytest.mark.parametrize("normalisation", ["zscore", "minmax"])
def test_a_flat_scan_stays_finite(normalisation):
    prepared = Preprocess(normalisation=normalisation).apply(Scan(pixels=np.full((64, 64), 9, np.uint8)))
    assert not prepared.tensor.any()


def test_only_the_region_is_used_unless_cropping_is_off():
    pixels = np.full((100, 200), 255, np.uint8)
    pixels[10:90, 20:180] = tissue(80, 160)
    scan = Scan(pixels=pixels, region=(10, 20, 90, 180))
    cropped = Preprocess(size=160).apply(scan)
    assert cropped.box == (10, 20, 90, 180) and np.array_equal(cropped.grey[40:120], tissue(80, 160))
    whole = Preprocess(size=200, crop_region=False).apply(scan)
    assert whole.box == (0, 0, 100, 200) and np.array_equal(whole.grey[50:150], pixels)


def test_it_is_deterministic_and_leaves_the_scan_alone():
    scan = Scan(pixels=tissue(301, 203))
    before = scan.pixels.copy()
    first, second = EVERYTHING.apply(scan), EVERYTHING.apply(scan)
    assert np.array_equal(first.tensor, second.tensor) and np.array_equal(scan.pixels, before)


def test_known_places_of_points():
    scan = Scan(pixels=np.zeros((100, 200), np.uint8), region=(0, 0, 100, 200))
    prepared = Preprocess(size=100).apply(scan)
    # half the size: the corner of four pixels becomes the centre of one, 25 px of padding above
    assert prepared.to_network_xy(0.5, 0.5) == (0.0, 25.0)
    assert prepared.to_network_xy(198.5, 98.5) == (99.0, 74.0)
    assert np.array_equal(
        prepared.to_scan_xy(np.array([[0.0, 25.0], [99.0, 74.0]])), [[0.5, 0.5], [198.5, 98.5]]
    )


@geometry
@given(scans(), st.integers(32, 300), st.floats(-50, 800), st.floats(-50, 800))
def test_points_return_to_where_they_were(scan, size, x, y):
    prepared = Preprocess(size=size).apply(scan)
    back = prepared.to_scan_xy(np.array([prepared.to_network_xy(x, y)]))
    assert back.dtype == np.float64 and np.allclose(back, [[x, y]], atol=1e-6)


@geometry
@given(scans(largest=900), st.integers(32, 300))
def test_the_content_is_centred_and_keeps_its_shape(scan, size):
    prepared = Preprocess(size=size).apply(scan)
    top, left, bottom, right = prepared.valid
    height, width = bottom - top, right - left
    assert max(height, width) == size and 0 <= top <= bottom <= size and 0 <= left <= right <= size
    assert abs(top - (size - bottom)) <= 1 and abs(left - (size - right)) <= 1
    rows, columns = scan.region[2] - scan.region[0], scan.region[3] - scan.region[1]
    scale = size / max(rows, columns)
    assert abs(height - rows * scale) <= 0.5 + 1e-9 and abs(width - columns * scale) <= 0.5 + 1e-9


@geometry
@given(scans(smallest=150), st.floats(0.25, 0.75), st.floats(0.25, 0.75), st.floats(0.18, 0.24))
def test_a_mask_survives_the_way_there_and_back(scan, across, down, extent):
    top, left, bottom, right = scan.region
    height, width = bottom - top, right - left
    centre = np.array([left + across * (width - 1), top + down * (height - 1)])
    radii = np.array([max(width * extent, 12), max(height * extent, 12)])
    y, x = np.mgrid[: scan.pixels.shape[0], : scan.pixels.shape[1]]
    mask = (((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 <= 1).astype(np.float32)
    prepared = Preprocess().apply(scan)
    there = prepared.to_network_map(mask)
    back = prepared.to_scan_map(there)
    assert back.shape == scan.pixels.shape and back.dtype == np.float32
    found = back >= 0.5
    outside = np.ones(found.shape, bool)
    outside[top:bottom, left:right] = False
    inside = (mask > 0) & ~outside
    dice = 2 * np.count_nonzero(found & inside) / (np.count_nonzero(found) + np.count_nonzero(inside))
    assert dice > 0.97
    assert np.abs(centroid(found) - centroid(inside)).max() <= 0.5
    assert not back[outside].any()
    expected = prepared.to_network_xy(*centroid(inside))
    assert np.abs(centroid(there >= 0.5) - expected).max() <= 0.5, "maps and points follow one geometry"


def test_a_map_of_ones_fills_the_region_and_nothing_else():
    scan = Scan(pixels=np.zeros((301, 207), np.uint8), region=(31, 7, 290, 200))
    prepared = Preprocess().apply(scan)
    back = prepared.to_scan_map(np.ones((256, 256)))
    expected = np.zeros((301, 207), np.float32)
    expected[31:290, 7:200] = 1
    assert np.allclose(back, expected)


def test_nearest_keeps_labels():
    scan = Scan(pixels=np.zeros((301, 207), np.uint8))
    labels = np.arange(256 * 256).reshape(256, 256) % 5
    back = Preprocess().apply(scan).to_scan_map(labels, interpolation=cv2.INTER_NEAREST)
    assert set(np.unique(back)) <= {0, 1, 2, 3, 4}


CHANGES = {
    "crop_region": False,
    "median": 5,
    "gaussian_sigma": 1.5,
    "bilateral": 30.0,
    "diffusion_steps": 10,
    "wavelet": 1.0,
    "clahe_clip": 3.0,
    "clip_percentiles": (2.0, 98.0),
    "normalisation": "minmax",
    "size": 128,
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_setting_changes_the_result_and_is_named(name):
    pixels = np.zeros((420, 560), np.uint8)
    pixels[10:410, 10:550] = tissue(400, 540)
    scan = Scan(pixels=pixels, region=(10, 10, 410, 550))
    changed = Preprocess(**{name: CHANGES[name]})
    assert not np.array_equal(changed.apply(scan).tensor, Preprocess().apply(scan).tensor)
    [sentence] = changed.differences(Preprocess())
    assert sentence.endswith(".")
    assert changed != Preprocess() and Preprocess().differences(Preprocess()) == []


def test_sentences_of_the_differences():
    mine = Preprocess(median=3, clip_percentiles=(1, 99))
    assert mine.differences(Preprocess(clahe_clip=2)) == [
        "Median filter: kernel 3 px, but off in the model's own settings.",
        "CLAHE: off, but clip limit 2 in the model's own settings.",
        "Intensity clipping: percentiles 1 to 99, but off in the model's own settings.",
    ]


def test_settings_of_a_step_that_is_off_make_no_difference():
    assert Preprocess(clahe_tiles=4, wavelet_method="VisuShrink").differences(Preprocess()) == []
    assert len(Preprocess(clahe_clip=2.0, clahe_tiles=4).differences(Preprocess(clahe_clip=2.0))) == 1


def test_steps_show_what_is_on_from_the_frame_to_the_input():
    scan = Scan(pixels=tissue(120, 160), region=(10, 10, 110, 150))
    plain = [title for title, _ in Preprocess().steps(scan)]
    assert plain == ["Original", "Ultrasound region", "Resized to 256 × 183 px", "Network input (z-score)"]
    steps = EVERYTHING.steps(scan)
    assert len(steps) == len(plain) + 7
    for title, image in steps:
        assert title and image.dtype == np.uint8 and image.ndim == 2
    assert np.array_equal(steps[0][1], scan.pixels) and steps[-1][1].shape == (256, 256)
    top, left, bottom, right = EVERYTHING.apply(scan).valid
    assert np.array_equal(steps[-2][1], EVERYTHING.apply(scan).grey[top:bottom, left:right])


settings_of_preprocess = st.builds(
    Preprocess,
    size=st.integers(32, 2048),
    crop_region=st.booleans(),
    median=st.sampled_from([0, 3, 5, 31]),
    gaussian_sigma=st.floats(0, 20),
    bilateral=st.floats(0, 255),
    diffusion_steps=st.integers(0, 200),
    wavelet=st.floats(0, 10),
    wavelet_method=st.sampled_from(["BayesShrink", "VisuShrink"]),
    clahe_clip=st.floats(0, 100),
    clahe_tiles=st.integers(1, 32),
    clip_percentiles=st.tuples(st.floats(0, 49), st.floats(50, 100)),
    normalisation=st.sampled_from(["zscore", "minmax"]),
)


@given(settings_of_preprocess)
def test_settings_survive_json(settings):
    again = Preprocess.from_dict(json.loads(json.dumps(settings.to_dict())))
    assert again == settings and hash(again) == hash(settings) and again.differences(settings) == []


def test_missing_settings_take_their_default_and_unknown_ones_are_refused():
    assert Preprocess.from_dict({"size": 128}) == Preprocess(size=128)
    with pytest.raises(ValueError, match="'sharpen'"):
        Preprocess.from_dict({"sharpen": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", 16),
        ("size", 256.0),
        ("size", True),
        ("crop_region", 1),
        ("median", 1),
        ("median", 4),
        ("median", 33),
        ("gaussian_sigma", -1.0),
        ("gaussian_sigma", float("nan")),
        ("bilateral", "30"),
        ("diffusion_steps", 201),
        ("diffusion_steps", 2.5),
        ("wavelet", float("inf")),
        ("wavelet_method", "SureShrink"),
        ("clahe_clip", -0.1),
        ("clahe_tiles", 0),
        ("clip_percentiles", (50.0, 50.0)),
        ("clip_percentiles", (-1.0, 99.0)),
        ("clip_percentiles", (1.0,)),
        ("clip_percentiles", (float("nan"), 99.0)),
        ("clip_percentiles", None),
        ("normalisation", "none"),
    ],
)
def test_values_out_of_range_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=name):
        Preprocess(**{name: value})
