"""Phantoms: reproducible, physically plausible, and with truth that is true."""

from __future__ import annotations

import itertools
from dataclasses import fields as fields_of
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats

from nerve_core.data.phantom import simulate, simulate_sweep
from nerve_core.data.phantom_anatomy import SITES
from nerve_core.data.phantom_field import Fields
from nerve_core.data.phantom_nerve import NerveShape, make_affected, make_room
from nerve_core.data.phantom_physics import MACHINES, amplitude, beam_mm, compress, form_image, transmission
from nerve_core.data.phantom_sizes import CSA_MM2
from nerve_core.data.phantom_tissue import USUAL_LOSS
from nerve_core.errors import DataError

SMALL = (160, 192)


def speckle(shape=(512, 512), spacing=0.06, focus=14.0, seed=0, specular=0.0) -> np.ndarray:
    noise = Fields(seed, shape, spacing).normal("speckle", (*shape, 2), 1.0)
    return amplitude(
        np.ones(shape, np.float32), np.full(shape, specular, np.float32), noise, spacing, focus, 12.0
    )


def test_amplitude_before_compression_is_rayleigh():
    echo = speckle()[16:-16, 16:-16]
    assert echo.mean() / echo.std() == pytest.approx(1.913, abs=0.06)
    assert (echo**2).mean() == pytest.approx(2.0, rel=0.06)
    # Points far enough apart to be independent; thinned until a test of distribution is fair.
    sparse = echo[::24, ::24].ravel()
    assert stats.kstest(sparse, stats.rayleigh(scale=1).cdf).pvalue > 0.01


def test_energy_does_not_change_with_depth_or_between_bands():
    rows = np.mean([(speckle(seed=seed) ** 2).mean(1) for seed in range(3)], axis=0)
    smooth = ndimage.uniform_filter1d(rows, 64)[32:-32]
    assert smooth.min() > 1.6 and smooth.max() < 2.4


def test_an_interface_makes_the_echo_steadier_than_scatterers():
    echo = speckle(specular=5.0)
    assert echo.mean() / echo.std() > 3


def lateral_width(echo: np.ndarray) -> float:
    """Lag in px at which the lateral autocorrelation of the intensity falls to one half."""
    power = echo**2 - (echo**2).mean(1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(power, axis=1)) ** 2
    curve = np.fft.irfft(spectrum.mean(0))
    return float(np.argmax(curve < curve[0] / 2))


def test_resolution_falls_away_from_the_focus():
    echo = speckle(focus=8.0)
    assert lateral_width(echo[-120:]) > 1.4 * lateral_width(echo[80:180])


def test_beam_is_narrowest_at_the_focus_and_scales_with_frequency():
    depth = np.linspace(0, 40, 401)
    axial, lateral = beam_mm(depth, 12.0, 12.0)
    assert depth[np.argmin(lateral)] == pytest.approx(12.0, abs=0.11)
    assert (np.diff(axial) > 0).all()
    assert beam_mm(12.0, 12.0, 6.0)[1] == pytest.approx(2 * beam_mm(12.0, 12.0, 12.0)[1])


def test_fluid_enhances_and_bone_shadows():
    loss = np.full((200, 200), USUAL_LOSS, np.float32)
    loss[50:100, 40:80] = 0.2
    loss[50:100, 120:160] = 5
    gain = transmission(loss, 0.1, USUAL_LOSS)
    assert gain[150, 60] == pytest.approx(0.8 * 5, abs=0.1)
    assert gain[150, 140] == pytest.approx(-4 * 5, abs=0.1)
    assert abs(gain[150, 100]) < 0.1 and np.abs(gain[:40]).max() < 0.01


def test_compression_grows_with_the_echo():
    ramp = np.tile(np.logspace(-4, 1, 64, dtype=np.float32), (64, 1))
    grey = compress(ramp, MACHINES[0], 0.5)
    assert (np.diff(grey[32].astype(int)) >= 0).all() and grey[32, 0] == 0 and grey[32, -1] == 255


def test_averaging_looks_lowers_the_contrast_of_speckle():
    flat = np.full(SMALL, -20, np.float32)
    loss = np.full(SMALL, USUAL_LOSS, np.float32)
    spread = [
        float(
            form_image(
                flat,
                np.zeros_like(flat),
                loss,
                USUAL_LOSS,
                replace(MACHINES[0], looks=looks),
                8.0,
                Fields(1, SMALL, 0.1),
            )[40:120, 40:150].std()
        )
        for looks in (1, 4)
    ]
    assert spread[1] < 0.7 * spread[0]


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("affected", [False, True])
def test_same_seed_same_bytes(site, affected):
    one, two = (simulate(7, site=site, affected=affected, size=SMALL) for _ in range(2))
    for part in fields_of(one):
        first, second = getattr(one, part.name), getattr(two, part.name)
        if isinstance(first, np.ndarray):
            assert first.tobytes() == second.tobytes()
        else:
            assert first == second
    assert simulate(8, site=site, affected=affected, size=SMALL).image.tobytes() != one.image.tobytes()


def test_number_of_threads_does_not_change_the_bytes():
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = simulate(3, size=SMALL).image
        cv2.setNumThreads(4)
        assert np.array_equal(one, simulate(3, size=SMALL).image)
    finally:
        cv2.setNumThreads(before)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    site=st.sampled_from(sorted(SITES)),
    affected=st.booleans(),
    severity=st.floats(0.05, 1),
    height=st.integers(120, 200),
    width=st.integers(140, 220),
)
def test_every_phantom_is_whole(seed, site, affected, severity, height, width):
    phantom = simulate(seed, site=site, affected=affected, severity=severity, size=(height, width))
    assert phantom.image.shape == phantom.mask.shape == phantom.vessel_mask.shape == (height, width)
    assert phantom.image.dtype == phantom.mask.dtype == phantom.vessel_mask.dtype == np.uint8
    assert set(np.unique(phantom.mask)) == {0, 255}
    assert set(np.unique(phantom.vessel_mask)) <= {0, 255}
    assert not (phantom.mask & phantom.vessel_mask).any()
    assert np.array_equal(phantom.mask > 0, phantom.nerves > 0)
    assert phantom.label == ("affected" if affected else "unaffected")
    assert phantom.severity == (severity if affected else 0)
    sick = [nerve for nerve in phantom.truth if nerve.label == "affected"]
    assert [nerve.name for nerve in sick] == ([phantom.nerve] if affected else [])
    assert 1 <= len(phantom.truth) <= 3 and phantom.nerve in SITES[site].nerves
    for nerve in phantom.truth:
        area = (phantom.nerves == nerve.number).sum() * phantom.spacing_mm[0] * phantom.spacing_mm[1]
        assert nerve.csa_mm2 == pytest.approx(float(area))
    assert 20 < phantom.image.mean() < 120 and phantom.image.std() > 12


@pytest.mark.parametrize("site", SITES)
def test_sizes_follow_the_norms_and_pathology_enlarges(site):
    healthy, sick = {}, []
    for seed in range(8):
        for nerve in simulate(seed, site=site, size=SMALL).truth:
            healthy.setdefault(nerve.name, []).append(nerve.csa_mm2)
        for nerve in simulate(seed, site=site, affected=True, severity=0.9, size=SMALL).truth:
            if nerve.label == "affected":
                sick.append(nerve.csa_mm2 / CSA_MM2[site, nerve.name][0])
    for name, sizes in healthy.items():
        mean, spread = CSA_MM2[site, name]
        assert abs(np.mean(sizes) - mean) < 3 * spread / np.sqrt(len(sizes))
        assert max(sizes) < mean + 1.8 * spread
    assert np.mean(sick) > 1.8


@pytest.mark.parametrize(
    ("site", "nerve", "mean", "spread"),
    [
        ("wrist", "median", 9.33, 1.55),
        ("wrist", "ulnar", 5.09, 1.29),
        ("elbow", "ulnar", 7.31, 1.69),
        ("axilla", "median", 9.88, 2.52),
        ("axilla", "ulnar", 6.94, 1.97),
        ("axilla", "radial", 7.02, 1.87),
    ],
)
def test_norms_are_those_of_bae_2021_table_1(site, nerve, mean, spread):
    assert CSA_MM2[site, nerve] == (mean, spread)


def test_severity_deepens_every_sign():
    shape = NerveShape("median", 0, 5, 9.0, fascicles=14)
    mild, grave = (
        [make_affected(shape, severity, np.random.default_rng(seed)) for seed in range(40)]
        for severity in (0.3, 1.0)
    )

    def mean(shapes, part):
        return np.mean([getattr(one, part) for one in shapes])

    assert min(one.csa_mm2 for one in mild) >= 1.3 * 9 and max(one.csa_mm2 for one in grave) <= 2.8 * 9 + 1e-9
    assert mean(mild, "csa_mm2") < mean(grave, "csa_mm2")
    assert 14 > mean(mild, "fascicles") > mean(grave, "fascicles")
    assert shape.epineurium_db > mean(mild, "epineurium_db") > mean(grave, "epineurium_db")
    assert shape.rim_mm < mean(mild, "rim_mm") < mean(grave, "rim_mm")


def test_a_root_stays_one_dark_fascicle():
    root = NerveShape("C6 root", 0, 9, 7.5, fascicles=1, fascicle_db=-35, epineurium_db=-18)
    for seed in range(20):
        sick = make_affected(root, 0.8, np.random.default_rng(seed))
        assert sick.fascicles == 1 and sick.epineurium_db == -18


def test_a_swollen_nerve_pushes_its_neighbours_away():
    shapes = [
        NerveShape("a", 0, 5, 8.0, 1.0),
        NerveShape("b", 0, 7, 24.0, 1.0),
        NerveShape("c", 0, 9, 8.0, 1.0),
    ]
    moved = make_room(shapes, 1)
    assert moved[1] == shapes[1]
    need = np.sqrt(8 / np.pi) + np.sqrt(24 / np.pi)
    assert 7 - moved[0].z > need and moved[2].z - 7 > need


def test_nerves_are_honeycombs_and_roots_are_dark():
    """Inside a wrist nerve bright and dark lie side by side; a root is darker than what surrounds it."""
    darker = 0
    for seed in range(6):
        phantom = simulate(seed, site="neck", size=(256, 256))
        around = cv2.dilate(phantom.mask, np.ones((9, 9))) & ~phantom.mask & ~phantom.vessel_mask
        core = cv2.erode(phantom.mask, np.ones((3, 3)))
        darker += phantom.image[core > 0].mean() < phantom.image[around > 0].mean()
    assert darker >= 5


def test_lumen_is_the_darkest_thing_near_it():
    for seed in range(4):
        phantom = simulate(seed, site="groin", size=(256, 256))
        around = cv2.dilate(phantom.vessel_mask, np.ones((15, 15))) & ~phantom.vessel_mask
        core = cv2.erode(phantom.vessel_mask, np.ones((7, 7)))
        assert phantom.image[core > 0].mean() < 0.35 * phantom.image[around > 0].mean()


def test_a_sweep_moves_smoothly_and_its_lesion_is_focal():
    frames = simulate_sweep(5, site="wrist", affected=True, severity=0.9, size=SMALL, frames=9, step_mm=2.4)
    assert len(frames) == 9 and {frame.label for frame in frames} == {"affected"}
    sizes = [next(nerve.csa_mm2 for nerve in frame.truth if nerve.name == frame.nerve) for frame in frames]
    assert int(np.argmax(sizes)) == 4 and sizes[0] < 0.75 * sizes[4] and sizes[-1] < 0.75 * sizes[4]
    both = [
        (one.mask & two.mask).astype(bool).sum() / (one.mask | two.mask).astype(bool).sum()
        for one, two in itertools.pairwise(frames)
    ]
    assert min(both) > 0.35

    def alike(one, two):
        return np.corrcoef(one.image.ravel(), two.image.ravel())[0, 1]

    close = simulate_sweep(5, site="wrist", size=SMALL, frames=3, step_mm=0.2)
    assert alike(close[0], close[1]) > alike(frames[0], frames[1]) > alike(frames[0], frames[8])
    assert close[1].image.tobytes() == simulate(5, site="wrist", size=SMALL).image.tobytes()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"site": "liver"}, "wrist"),
        ({"seed": -1}, "seed"),
        ({"severity": 0.0}, "severity"),
        ({"severity": 1.5}, "severity"),
        ({"severity": float("nan")}, "severity"),
        ({"size": (32, 32)}, "px"),
        ({"size": (100, 900)}, "px"),
        ({"size": (4096, 4096)}, "px"),
    ],
)
def test_bad_arguments_are_named(arguments, says):
    with pytest.raises(DataError, match=says):
        simulate(**{"seed": 1, **arguments})


def test_a_sweep_needs_two_frames():
    with pytest.raises(DataError, match="2 frames"):
        simulate_sweep(1, frames=1)
