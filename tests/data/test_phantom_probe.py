"""Curved probes, chosen depths, tilt, and the artefacts that a sonographer reads."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nerve_core.data.phantom import depth_limits, simulate, simulate_sweep
from nerve_core.data.phantom_anatomy import SITES
from nerve_core.data.phantom_field import Fields
from nerve_core.data.phantom_machines import MACHINES, PROBES, USUAL, Machine
from nerve_core.data.phantom_physics import amplitude, form_image, reverberation
from nerve_core.data.phantom_probe import Fan, fan_for
from nerve_core.data.phantom_tissue import USUAL_LOSS, Tissue
from nerve_core.errors import DataError

SMALL = (160, 192)
CURVED = PROBES["curved"]
FAN = Fan((240, 320), 60.0, 50.0, math.radians(30))
PLAIN = Machine("plain", looks=4, falloff_db=0)


def test_a_fan_has_the_area_and_the_size_of_its_sector():
    area = FAN.half_angle * ((50 + 60) ** 2 - 50**2)
    assert FAN.inside.sum() * FAN.spacing_mm**2 == pytest.approx(area, rel=0.01)
    rows, columns = np.nonzero(FAN.inside)
    assert np.ptp(columns) * FAN.spacing_mm == pytest.approx(2 * 110 * math.sin(FAN.half_angle), rel=0.02)
    assert np.ptp(rows) * FAN.spacing_mm == pytest.approx(60 + 50 * (1 - math.cos(FAN.half_angle)), rel=0.02)
    assert np.array_equal(FAN.inside, FAN.inside[:, ::-1])


def test_depth_and_angle_are_those_of_the_beam():
    depth, angle = FAN.place
    column = FAN.size[1] // 2
    row = round((20 - FAN.top_mm) / FAN.spacing_mm)
    assert depth[row, column] == pytest.approx(20, abs=FAN.spacing_mm)
    assert angle[row, column] == pytest.approx(0, abs=0.01)
    # A point 20 degrees to the side, 40 mm from the probe.
    x, z = 90 * math.sin(math.radians(20)), 90 * math.cos(math.radians(20)) - 50
    at = round((z - FAN.top_mm) / FAN.spacing_mm - 0.5), round(x / FAN.spacing_mm + FAN.size[1] / 2 - 0.5)
    assert depth[at] == pytest.approx(40, abs=FAN.spacing_mm)
    assert math.degrees(angle[at]) == pytest.approx(20, abs=0.3)


def test_to_beams_and_back_is_the_same_picture():
    across, down = np.meshgrid(np.arange(320), np.arange(240))
    picture = (np.sin(across / 25) + np.cos(down / 30)).astype(np.float32)
    back = FAN.to_picture(FAN.to_beams(picture))
    inner = (FAN.place[0] > 1) & (FAN.place[0] < 59) & (np.abs(FAN.place[1]) < FAN.half_angle - 0.02)
    assert np.abs(back - picture)[inner].max() < 0.02


def test_beams_part_with_depth():
    assert FAN.pitch_mm(0) * FAN.beams == pytest.approx(50 * 2 * FAN.half_angle)
    assert FAN.pitch_mm(50) == pytest.approx(2 * FAN.pitch_mm(0))


@given(st.floats(15, 110), st.sampled_from(CURVED), st.floats(0, 1), st.floats(0.5, 1.6))
def test_every_fan_fits_its_picture(depth, machine, share, aspect):
    fan = fan_for((round(200 * aspect), 200), depth, machine.radius_mm, machine.span_deg, share)
    assert fan.half_angle <= math.radians(machine.span_deg / 2) + 1e-9
    assert fan.width_mm <= fan.size[1] * fan.spacing_mm + 1e-6
    assert fan.height_mm <= fan.size[0] * fan.spacing_mm + 1e-6
    assert fan.inside[:, fan.size[1] // 2].sum() * fan.spacing_mm == pytest.approx(
        depth, abs=2 * fan.spacing_mm
    )


def point_width(depth_mm: float, pitch) -> float:
    """Lateral full width at half maximum, mm, of a point target; focus at 20 mm, 6 MHz, samples of 0.2 mm."""
    point = np.zeros((400, 301), np.float32)
    point[int(depth_mm / 0.2), 150] = 1
    nothing = np.zeros_like(point)
    line = amplitude(nothing, point, np.zeros((400, 301, 2), np.float32), 0.2, 20.0, 6.0, pitch).max(0)
    line = np.interp(np.arange(0, 300, 0.02), np.arange(301), line)
    return float((line > line.max() / 2).sum() * 0.02 * pitch(depth_mm))


def test_a_point_grows_wider_in_mm_below_the_focus_of_a_curved_probe():
    def pitch(depth):
        return 0.10 * (1 + depth / 40)

    widths = [point_width(depth, pitch) for depth in (20, 35, 50, 65)]
    assert all(two > 1.15 * one for one, two in itertools.pairwise(widths))
    # 2.355 standard deviations of the beam at its focus.
    assert widths[0] == pytest.approx(2.355 * 0.32, rel=0.15)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(sorted(SITES)), st.sampled_from(CURVED), st.booleans())
def test_curved_phantoms_are_whole_and_black_outside(seed, site, machine, affected):
    phantom = simulate(seed, site=site, affected=affected, machine=machine, size=SMALL)
    assert phantom.image.shape == phantom.mask.shape == phantom.vessel_mask.shape == SMALL
    for part in (phantom.image, phantom.mask, phantom.vessel_mask):
        assert not part[0, :4].any() and not part[-1, :4].any() and not part[-1, -4:].any()
    assert phantom.mask.any() and not (phantom.mask & phantom.vessel_mask).any()
    sick = [nerve.name for nerve in phantom.truth if nerve.label == "affected"]
    assert sick == ([phantom.nerve] if affected else [])
    assert phantom.device == machine.name


@pytest.mark.parametrize("site", ["popliteal", "ankle", "wrist"])
def test_a_nerve_is_as_large_under_a_curved_probe(site):
    size = (400, 480)
    straight = simulate(4, site=site, size=size)
    curved = simulate(4, site=site, size=size, machine=CURVED[2])
    sizes = {nerve.name: nerve.csa_mm2 for nerve in straight.truth}
    assert curved.truth and curved.spacing_mm[0] == curved.spacing_mm[1]
    for nerve in curved.truth:
        if nerve.name in sizes:
            assert nerve.csa_mm2 == pytest.approx(sizes[nerve.name], rel=0.03)


@pytest.mark.parametrize("site", SITES)
def test_a_chosen_depth_is_the_depth_of_the_picture(site):
    least, most = depth_limits(site)
    for depth in (least, most):
        phantom = simulate(2, site=site, size=SMALL, depth_mm=depth)
        assert phantom.spacing_mm[0] * SMALL[0] == pytest.approx(depth)
        assert phantom.mask.any()
    assert simulate(2, site=site, size=SMALL, depth_mm=least, machine=CURVED[2]).mask.any()


def test_a_wide_picture_is_black_beside_a_linear_probe():
    phantom = simulate(1, site="popliteal", size=SMALL, depth_mm=100)
    lateral = (np.arange(SMALL[1]) + 0.5 - SMALL[1] / 2) * phantom.spacing_mm[1]
    assert not phantom.image[:, np.abs(lateral) > 31].any()
    assert phantom.image[:, np.abs(lateral) < 29].any(0).all()


@pytest.mark.parametrize("depth", [0, -5, 3, 1000, float("nan"), float("inf")])
def test_depths_that_make_no_sense_are_refused(depth):
    for run in (simulate, simulate_sweep):
        with pytest.raises(DataError, match=r"15 to 62 mm deep"):
            run(1, site="wrist", depth_mm=depth)


@pytest.mark.parametrize("tilt", [30, -26, float("nan")])
def test_tilts_that_make_no_sense_are_refused(tilt):
    with pytest.raises(DataError, match="degrees"):
        simulate(1, tilt_deg=tilt)


def test_a_seed_alone_still_means_a_usual_linear_probe():
    names = {simulate(seed, size=(96, 96)).device for seed in range(12)}
    assert names <= {machine.name for machine in USUAL} and len(names) > 2
    assert len({machine.name for machine in MACHINES}) == len(MACHINES)


def grey(tissue: Tissue, machine: Machine) -> np.ndarray:
    image = form_image(tissue.level, tissue.specular, tissue.loss, USUAL_LOSS, machine, 10.0, tissue.fields)
    return image.astype(float)


@pytest.mark.parametrize("machine", [PLAIN, replace(PLAIN, radius_mm=40, span_deg=60)])
def test_brighter_below_a_vessel_and_dark_below_bone(machine):
    fan = fan_for((240, 240), 30.0, machine.radius_mm, machine.span_deg) if machine.radius_mm else None
    fields = Fields(3, (240, 240), fan.spacing_mm if fan else 0.125, fan=fan)
    tissue = Tissue(fields)
    tissue.vessel(-4.0, 10.0, 2.5, 2.5)
    tissue.bone("bone", np.where(np.abs(fields.lateral - 6) < 2.5, 12.0, 99.0).astype(np.float32))
    image = grey(tissue, machine)
    deep = (fields.depth > 16) & (fields.depth < 24)
    if fan:  # beams spread: look along them
        angle = np.degrees(fan.place[1])
        below, bone = np.abs(angle + 4.6) < 1, np.abs(angle - 6.8) < 1
        beside = np.abs(angle - 1) < 1
    else:
        below, bone = np.abs(fields.lateral + 4) < 1, np.abs(fields.lateral - 6) < 1
        beside = np.abs(fields.lateral - 1) < 1
    below, bone, beside = (image[deep & where].mean() for where in (below, bone, beside))
    # 5 mm of lumen spare 0.75 dB/mm: 3.75 dB of a grey scale of 60 dB.
    assert below - beside == pytest.approx(3.75 / 60 * 255, abs=6)
    assert bone < 0.25 * beside


def test_a_strong_interface_echoes_again_at_twice_its_depth():
    fields = Fields(1, (200, 200), 0.1)
    tissue = Tissue(fields)
    tissue.level[:] = -60
    tissue.specular[50:53] = 1.0
    once, twice = grey(tissue, PLAIN), grey(tissue, replace(PLAIN, reverberation=0.1))
    rows = (twice - once)[:, 20:-20].mean(1)
    assert 99 <= int(np.argmax(rows)) <= 106 and rows[100:106].min() > 40
    assert np.abs(rows[:90]).max() < 2 and np.abs(rows[120:]).max() < 2
    assert reverberation(tissue.specular, 0.1).max() == pytest.approx(0.1)


def test_tendon_turns_dark_under_a_tilted_probe_before_the_nerve_does():
    def at(tilt, draw):
        tissue = Tissue(Fields(5, (160, 160), 0.1), tilt)
        draw(tissue)
        return tissue.level[75:86, 75:86].mean()

    def tendon(tissue):
        tissue.tendon("tendon", 0.0, 8.0, 3.0, 3.0)

    assert at(0, tendon) - at(12, tendon) > 12
    assert at(12, tendon) == at(-12, tendon)
    flat, tilted = (simulate(8, site="wrist", size=(256, 256), tilt_deg=tilt) for tilt in (0, 12))
    assert np.array_equal(flat.mask, tilted.mask) and np.array_equal(flat.vessel_mask, tilted.vessel_mask)
    nerve = flat.mask > 0
    rows = np.flatnonzero(nerve.any(1))
    # Tendons fill the tunnel below the nerve.
    tendons = slice(rows[-1] + 5, rows[-1] + 50)
    lost = flat.image[tendons].mean() - tilted.image[tendons].mean()
    assert lost > 1.5 * (flat.image[nerve].mean() - tilted.image[nerve].mean()) > 0


def test_a_sweep_of_a_curved_probe_keeps_its_geometry():
    frames = simulate_sweep(
        3, site="thigh", affected=True, size=SMALL, frames=3, machine=CURVED[0], depth_mm=60
    )
    assert len({frame.spacing_mm for frame in frames}) == 1
    assert frames[1].image.tobytes() == (
        simulate(3, site="thigh", affected=True, size=SMALL, machine=CURVED[0], depth_mm=60).image.tobytes()
    )


def test_an_ankle_has_one_tibial_nerve_or_two_branches_and_tendons_beside_vessels():
    kinds = set()
    for seed in range(14):
        phantom = simulate(seed, site="ankle", size=SMALL)
        kinds.add(tuple(nerve.name for nerve in phantom.truth))
        assert phantom.vessel_mask.any()
    assert ("tibial",) in kinds and ("medial plantar", "lateral plantar") in kinds
