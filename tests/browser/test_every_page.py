"""What holds on every page: a quiet console on deep links, and small print that can be read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

PAGES = (
    "data",
    "diagnose",
    "worklist",
    "patient",
    "explain",
    "metrics",
    "compare",
    "robustness",
    "about",
)
CAPTIONS = "[data-testid=stCaptionContainer] p, [data-testid=stImageCaption]"

CONTRAST = """it => {
  const channels = text => (text.match(/[\\d.]+/g) || []).map(Number)
  const over = (top, under) => {
    const alpha = top[3] ?? 1
    return [0, 1, 2].map(n => alpha * top[n] + (1 - alpha) * under[n])
  }
  const luminance = colour => {
    const [r, g, b] = colour.map(each => {
      const share = each / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  let opacity = 1
  const layers = []
  for (let node = it; node; node = node.parentElement) {
    const style = getComputedStyle(node)
    opacity *= Number(style.opacity)
    layers.push(channels(style.backgroundColor))
  }
  const under = layers.reverse().reduce((below, layer) => layer.length ? over(layer, below) : below,
                                        [255, 255, 255])
  const ink = channels(getComputedStyle(it).color)
  const shown = over([...ink.slice(0, 3), (ink[3] ?? 1) * opacity], under)
  const [low, high] = [luminance(shown), luminance(under)].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}"""
"""WCAG contrast of an element's text with what lies under it."""


@pytest.mark.parametrize("name", PAGES)
def test_a_deep_link_leaves_the_console_without_errors(page: Page, address: str, name: str):
    errors: list[str] = []
    page.on(
        "console",
        lambda each: errors.append(f"{each.text} {each.location}") if each.type == "error" else None,
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/{name}")
    expect(page.locator("h1").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert not errors


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_captions_stand_out_from_the_page(page: Page, address: str, scheme: str):
    page.emulate_media(color_scheme=scheme)
    for name in PAGES:
        page.goto(f"{address}/{name}")
        expect(page.locator(CAPTIONS).first).to_be_visible()
        # Elements fade in, so what counts is where each of them ends.
        page.wait_for_function(
            f"() => [...document.querySelectorAll('{CAPTIONS}')].every(it => ({CONTRAST})(it) >= 4.5)",
            timeout=15_000,
        )
