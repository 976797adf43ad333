"""What a researcher does on the Data page, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

SECTIONS = ("Overview", "Images", "Distributions", "Augmentation", "Pathology simulator", "Licences")


@pytest.fixture
def data(page: Page) -> Page:
    page.get_by_role("link", name="Data").first.click()
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()
    return page


def test_a_point_of_a_chart_leads_to_its_scan_and_the_keyboard_opens_it(data: Page):
    data.get_by_role("tab", name="Distributions").click()
    point = data.locator(".js-plotly-plot .scatterlayer .point").first
    expect(point).to_be_visible()
    box = point.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    data.mouse.move(x - 4, y - 4)
    data.mouse.move(x, y, steps=4)
    expect(data.locator(".js-plotly-plot .hoverlayer .hovertext").first).to_be_visible()
    data.mouse.down()
    data.mouse.up()
    expect(data.get_by_text(re.compile("1 selected"))).to_be_visible()
    data.locator(".gallery button").first.focus()
    data.keyboard.press("Enter")
    expect(data.get_by_role("dialog").get_by_text("Nerve area")).to_be_visible()


def test_a_phantom_is_judged_with_its_scale(data: Page):
    data.get_by_role("tab", name="Phantom simulator").click()
    data.get_by_role("button", name="Open in Diagnose").click()
    expect(data.get_by_role("heading", name="Diagnose")).to_be_visible()
    expect(data.get_by_text("Scale from the file").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_section_is_wider_than_a_phone(data: Page, scheme: str):
    data.emulate_media(color_scheme=scheme)
    data.set_viewport_size({"width": 390, "height": 844})
    for name in SECTIONS:
        data.get_by_role("tab", name=name).click()
        expect(data.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        main = data.get_by_test_id("stMain")
        assert main.evaluate("it => it.scrollWidth <= it.clientWidth"), name
