import numpy as np
import pytest

from nerve_core.imaging.scan import CalibratedRegion, Scan
from tests.imaging.build import tissue


def test_pixels_are_checked_and_frozen():
    scan = Scan(pixels=tissue())
    assert scan.region == (0, 0, 120, 160)
    with pytest.raises(ValueError, match="read-only"):
        scan.pixels[0, 0] = 1
    for wrong in (tissue().astype(float), np.dstack([tissue()] * 3)):
        with pytest.raises(ValueError, match="2-D uint8"):
            Scan(pixels=wrong)


def test_the_region_can_be_overridden():
    scan = Scan(pixels=tissue(), spacing_mm=(0.1, 0.2), name="a.png", frame=2, n_frames=5)
    other = scan.with_region((10, 20, 100, 150))
    assert other.region == (10, 20, 100, 150) and scan.region == (0, 0, 120, 160)
    assert (other.spacing_mm, other.name, other.frame, other.n_frames) == ((0.1, 0.2), "a.png", 2, 5)
    assert other.pixels is scan.pixels


@pytest.mark.parametrize("box", [(0, 0, 121, 160), (-1, 0, 50, 50), (50, 0, 50, 160), (0, 90, 120, 80)])
def test_a_region_outside_the_frame_is_refused(box):
    with pytest.raises(ValueError, match="does not lie within"):
        Scan(pixels=tissue()).with_region(box)


def test_scale_of_the_region_that_holds_the_point():
    parts = CalibratedRegion((0, 0, 50, 50), (0.1, 0.2)), CalibratedRegion((50, 50, 100, 100), (0.3, 0.4))
    scan = Scan(pixels=tissue(), spacing_mm=(0.1, 0.2), calibrated=parts)
    assert scan.spacing_at(49.9, 0) == (0.1, 0.2) and scan.spacing_at(50, 50) == (0.3, 0.4)
    assert scan.spacing_at(10, 60) is None
    assert Scan(pixels=tissue()).spacing_at(10, 60) is None
