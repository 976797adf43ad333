"""The outline editor's own geometry, painting and live wire, against known answers, in the browser alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from nerve_core.clinical import shape
from nerve_core.inference.edited import crosses_itself
from nerve_core.ui.contour_editor import script

NAMES = (
    "area, length, crosses, seeded, dense, pulled, withHandle, withoutHandle, retraced, clean, Painting, Wire"
)


@pytest.fixture(scope="module")
def parts(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.goto("about:blank")
    page.add_script_tag(type="module", content=f"{script()}\nwindow.parts = {{ {NAMES} }};")
    page.wait_for_function("window.parts")
    yield page
    page.close()


def ask(page: Page, expression: str, **given: object) -> object:
    names = ", ".join(given)
    return page.evaluate(f"({{ {names} }}) => {{ const p = window.parts; return {expression}; }}", given)


def circle(x: float, y: float, radius: float, n: int = 90) -> list[list[float]]:
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]).tolist()


def test_areas_and_crossings_are_those_of_the_server(parts: Page):
    rng = np.random.default_rng(5)
    for _ in range(40):
        points = rng.uniform(0, 50, (rng.integers(4, 9), 2)).tolist()
        assert ask(parts, "p.area(points)", points=points) == pytest.approx(shape.area(points))
        assert ask(parts, "p.crosses(points)", points=points) == crosses_itself(np.array(points))


def test_a_pulled_point_goes_where_it_is_pulled_and_the_far_side_stays(parts: Page):
    ring = circle(60, 60, 30, 200)
    base = ask(parts, "p.dense(p.seeded(points))", points=ring)
    at = base["handles"][4]
    x, y = base["points"][at]
    bent = ask(parts, "p.pulled(base, 4, to)", base=base, to=[x + 3, y - 2])["points"]
    assert bent[at] == [x + 3, y - 2]
    moved = {i for i, (old, new) in enumerate(zip(base["points"], bent, strict=True)) if old != new}
    between = set(range(base["handles"][3] + 1, base["handles"][5]))
    assert moved <= between and at in moved
    assert not crosses_itself(np.array(bent))


def test_a_handle_more_or_less_keeps_the_shape(parts: Page):
    ring = circle(60, 60, 30, 200)
    area = shape.area(ring)
    more = ask(parts, "p.withHandle(p.seeded(points), [91, 62])[0]", points=ring)
    assert shape.area(more["points"]) == pytest.approx(area) and len(more["handles"]) == 13
    less = ask(parts, "p.withoutHandle(p.seeded(points), 0)", points=ring)
    assert shape.area(less["points"]) == pytest.approx(area, rel=0.01) and len(less["handles"]) == 11
    few = {"points": circle(60, 60, 30, 4), "handles": [0, 1, 2, 3]}
    assert ask(parts, "p.withoutHandle(few, 0)", few=few) == few


def test_a_part_drawn_anew_takes_the_place_of_the_part_beside_it(parts: Page):
    ring = circle(60, 60, 30, 200)
    angle = np.linspace(-0.6, 0.6, 30)
    bulge = np.column_stack(
        [60 + 30 * np.cos(angle) + 8 * np.cos(angle / 1.2 * np.pi), 60 + 30 * np.sin(angle)]
    )
    bulge[0], bulge[-1] = (
        (60 + 30 * np.cos(0.6), 60 - 30 * np.sin(0.6)),
        (60 + 30 * np.cos(0.6), 60 + 30 * np.sin(0.6)),
    )
    for path in (bulge.tolist(), bulge[::-1].tolist()):
        found = ask(parts, "p.retraced(p.seeded(points), path)", points=ring, path=path)["points"]
        assert shape.area(ring) < shape.area(found) < shape.area(ring) * 1.15
        assert not crosses_itself(np.array(found))


@pytest.mark.parametrize("radius", [4.0, 17.3, 60.0])
def test_what_is_painted_is_traced_to_its_true_area(parts: Page, radius: float):
    found = ask(
        parts,
        "(() => { const c = new p.Painting([-0.5, -0.5, 199.5, 149.5]); c.fill(points);"
        " return c.outline(); })()",
        points=circle(90.3, 70.6, radius, 400),
    )
    assert shape.area(found) == pytest.approx(np.pi * radius**2, rel=0.01)
    assert (np.min(found, axis=0) + np.max(found, axis=0)) / 2 == pytest.approx([90.3, 70.6], abs=0.1)
    stroke = ask(
        parts,
        "(() => { const c = new p.Painting([-0.5, -0.5, 199.5, 149.5]); c.fill(points);"
        " c.stroke([180, 70], [180, 70], 12, false); c.stroke([90, 70], [90, 70], radius / 2, true);"
        " return c.outline(); })()",
        points=circle(90.3, 70.6, radius, 400),
        radius=radius,
    )
    larger = max(np.pi * radius**2, np.pi * 12**2)  # the largest piece stays, a hole in it is filled
    assert shape.area(stroke) == pytest.approx(larger, rel=0.01)


def test_others_are_cut_away_and_crossings_resolved(parts: Page):
    box = [-0.5, -0.5, 199.5, 149.5]
    left, right = circle(70, 70, 30, 300), circle(100, 70, 30, 300)
    both = ask(parts, "p.clean(left, [right], box)", left=left, right=right, box=box)
    lens = 2 * 30**2 * np.arccos(0.5) - 15 * np.sqrt(4 * 30**2 - 30**2)
    assert shape.area(both) == pytest.approx(np.pi * 900 - lens, rel=0.01)
    bow = [[20, 20], [120, 120], [120, 20], [20, 120]]
    healed = ask(parts, "p.clean(bow, [], box)", bow=bow, box=box)
    assert 2450 < shape.area(healed) < 5050 and not crosses_itself(np.array(healed))
    assert ask(parts, "p.clean(left, [left], box)", left=left, box=box) is None


@pytest.mark.parametrize("zoom", [1, 2])
def test_the_wire_follows_the_edge_through_speckle(parts: Page, zoom: int):
    size, centre, radius = (160, 200), (100.0, 80.0), 45.0
    y, x = (value / zoom for value in np.mgrid[: size[0] * zoom, : size[1] * zoom])
    clean = np.where(np.hypot(x - centre[0], y - centre[1]) < radius, 60, 140)
    rng = np.random.default_rng(1)
    grain = cv2.GaussianBlur(rng.normal(0, 40, clean.shape), (0, 0), 1.0)
    png = cv2.imencode(".png", np.clip(clean + grain, 0, 255).astype(np.uint8))[1].tobytes()
    url = "data:image/png;base64," + base64.b64encode(png).decode()
    ends = [[centre[0] + radius * np.cos(a), centre[1] + radius * np.sin(a)] for a in (-0.2, 1.6)]
    path = parts.evaluate(
        """async ([url, zoom, [from, to]]) => {
            const image = new Image();
            image.src = url;
            await image.decode();
            const wire = new window.parts.Wire(image, zoom);
            return wire.path(wire.from(from), to);
        }""",
        json.loads(json.dumps([url, zoom, ends])),
    )
    away = np.abs(np.hypot(*(np.array(path) - centre).T) - radius)
    assert path[0] == pytest.approx(ends[0]) and path[-1] == pytest.approx(ends[1])
    assert away.mean() < 1.5 and away.max() < 5
