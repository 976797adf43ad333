"""Take docs/screenshot.png, the picture in the README: the Diagnose page with a simulated sample.

python -m docs.screenshot [--site neck] [--label affected] [--point]
"""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import urllib.request

import cv2
import numpy as np
from playwright.sync_api import Page, expect, sync_playwright

from nerve_core.config import ROOT
from nerve_core.data.samples import Sample, list_samples

TARGET = ROOT / "docs" / "screenshot.png"
WAIT_MS = 60_000
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


def main() -> None:
    """Start the dashboard, look at one sample, photograph the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", default="neck")
    parser.add_argument("--label", default="affected", choices=("affected", "unaffected"))
    parser.add_argument("--point", action="store_true", help="click on the nerve first")
    chosen = parser.parse_args()
    sample = next(each for each in list_samples() if (each.site, each.label) == (chosen.site, chosen.label))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT)
    try:
        _photograph(f"http://127.0.0.1:{port}", sample, chosen.point)
    finally:
        server.terminate()
        server.wait(20)
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size / 1000:.0f} kB")


def _photograph(address: str, sample: Sample, point: bool) -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1400, "height": 880})
        _open(page, f"{address}/diagnose")
        page.locator("input[type=file]").set_input_files(str(sample.path))
        expect(page.locator("[class*='st-key-verdict-'] h3")).to_be_visible(timeout=WAIT_MS)
        expect(page.locator("svg.overlay image")).to_have_count(1)
        if point:
            mask = cv2.imread(str(sample.mask_path), cv2.IMREAD_GRAYSCALE)
            y, x = (values.mean() for values in np.nonzero(mask))
            box = page.locator("svg.overlay").bounding_box()
            assert box is not None
            zoom = box["width"] / mask.shape[1]
            page.locator("svg.overlay").click(position={"x": x * zoom, "y": y * zoom})
            expect(page.get_by_text("Pointed at")).to_be_visible()
        page.mouse.move(5, 5)
        page.wait_for_timeout(1500)  # bars and fades run to their end
        page.screenshot(path=TARGET)
        browser.close()


def _open(page: Page, url: str) -> None:
    for _ in range(WAIT_MS // 500):
        try:
            urllib.request.urlopen(url.replace("/diagnose", "/api/health")).close()
            break
        except OSError:
            page.wait_for_timeout(500)
    page.goto(url)
    expect(page.get_by_role("heading", name="Diagnose")).to_be_visible(timeout=WAIT_MS)


if __name__ == "__main__":
    main()
